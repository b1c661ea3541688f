/** Schedules of a dam that is killed again and again: each of their moments is a job, and none is two. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type Built, build } from "../system/support/Built.ts"
import { ask, type DamProcess, endAll, start } from "../system/support/DamProcess.ts"
import * as Loopback from "../system/support/Loopback.ts"

const kills = Number(process.env["KILLS"] ?? 6)
const schedules = 20

let built: Built
let upstream: Loopback.Loopback

beforeAll(async () => {
  built = await build()
  upstream = await Loopback.upstream()
})

afterAll(async () => {
  await endAll()
  await upstream.close()
  built.remove()
})

/** For when the jobs of each schedule were submitted, in epoch milliseconds. */
const momentsIn = async (url: string): Promise<ReadonlyMap<string, ReadonlyArray<number>>> => {
  const found = new Map<string, Array<number>>()
  for (let cursor: string | null = ""; cursor !== null;) {
    const page: { readonly body: any } = await ask(
      `${url}/api/v1/jobs?limit=200&sort=oldest${cursor === "" ? "" : `&cursor=${cursor}`}`
    )
    for (const { metadata } of page.body.jobs) {
      const moments = found.get(metadata.schedule) ?? []
      found.set(metadata.schedule, [...moments, Date.parse(metadata.scheduled_for)])
    }
    cursor = page.body.cursor
  }
  return found
}

it(`submits each moment of ${schedules} schedules once while it is killed ${kills} times`, async () => {
  const db = join(built.folder, "schedules.db")
  const args = (port: number) => ["--db", db, "--port", String(port), "--allow-private"]
  let dam: DamProcess = await start(built.bin, args(0))
  const { port, url } = dam
  const first = Math.ceil(Date.now() / 1000) * 1000 + 1000
  const names = Array.from({ length: schedules }, (_, n) => `every second ${n}`)
  const one = {
    every_ms: 1000,
    start: first,
    jitter_ms: 700,
    overlap: "parallel",
    catch_up: "all",
    job: { url: `${upstream.url}/status/200` }
  }
  const { status } = await ask(`${url}/api/v1/schedules`, {
    method: "PUT",
    body: { schedules: Object.fromEntries(names.map((name) => [name, one])) }
  })
  assert.strictEqual(status, 200)
  for (let killed = 0; killed < kills; killed++) {
    // its firings fall together after each second, put off by their jitter: a kill falls among them
    await sleep(1500 + 1000 * Math.random())
    dam.signal("SIGKILL")
    await dam.ended
    dam = await start(built.bin, args(port))
  }
  await sleep(1500)
  for (const name of names) await ask(`${url}/api/v1/schedules/${encodeURIComponent(name)}/pause`, { method: "POST" })
  const { body } = await ask(`${url}/api/v1/schedules`)
  const moments = await momentsIn(url)
  for (const { fired, last, missed, name, skipped } of body.schedules) {
    const expected = Array.from({ length: (last.at - first) / 1000 + 1 }, (_, n) => first + 1000 * n)
    const submitted = (moments.get(name) ?? []).toSorted((left, right) => left - right)
    assert.deepStrictEqual(submitted, expected, name)
    assert.deepStrictEqual([fired, missed, skipped], [expected.length, 0, 0], name)
    assert.isAbove(expected.length, kills, name)
  }
  dam.signal("SIGTERM")
  assert.strictEqual((await dam.ended).with, 0)
}, 240_000)
