/** The process of a contender: starts it, and submits what it is told to. */
import { once } from "node:events"
import type { Place, Running, Start } from "./Contender.ts"

/** Submits so many jobs, some of them at once; told apart by their first number. */
const submitAll = async ({ submit }: Running, jobs: number, first: number, atOnce: number): Promise<void> => {
  let next = 0
  const rest = "x".repeat(200)
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < jobs) await submit(JSON.stringify({ order: first + next++, rest }))
    })
  )
}

const [, , name = "", told = "{}"] = process.argv
const place: Place = JSON.parse(told)
const { start }: { readonly start: Start } = await import(`./${name}.ts`)
const running = await start(place)
process.on("message", async ({ first, jobs }: { readonly first: number; readonly jobs: number }) => {
  await submitAll(running, jobs, first, place.atOnce)
  process.send?.("submitted")
})
process.send?.("started")
await once(process, "disconnect")
await running.stop()
process.exit()
