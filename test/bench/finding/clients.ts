/** Ours, which find the pace, and what Effect itself has: each in a process of its own, so that none waits for another. */
import { type ChildProcess, spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { FetchHttpClient, HttpClient } from "effect/http"
import { RateLimiter } from "effect/persistence"
import { Dam } from "../../../src/dam.ts"
import { heard } from "../../../src/engine/pace/Hearing.ts"
import { createFetch } from "../../../src/fetch.ts"
import * as Meter from "../../../src/engine/pace/Meter.ts"
import * as Refusal from "../../../src/engine/Refusal.ts"
import { EZThrottle } from "../../../src/promise.ts"
import { ceiling } from "../../engine/pace/sim/Clients.ts"
import { limit, windowMillis } from "./Upstreams.ts"

/** Gets through with so many calls. */
type Run = (url: string, calls: number) => Promise<unknown>

/** The meter of a lane and nothing around it. */
const meter: Run = (url, calls) =>
  new Promise<void>((resolve, reject) => {
    let self = Meter.make({ pace: ceiling, finds: true, bursts: false })
    let left = calls
    let accepted = 0
    let id = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const turn = () => {
      clearTimeout(timer)
      while (left > 0) {
        const now = performance.now()
        const at = Meter.opensAt(self, now)
        if (at === Number.POSITIVE_INFINITY) return
        if (at > now) {
          timer = setTimeout(turn, Math.ceil(at - now))
          return
        }
        left--
        send(id++).catch(reject)
      }
    }
    const send = async (call: number) => {
      const sentAt = performance.now()
      self = Meter.send(Meter.pass(self, call, sentAt), call, sentAt)
      const answer = await fetch(url)
      await answer.arrayBuffer()
      const now = performance.now()
      const headers = Object.fromEntries(answer.headers)
      const said = heard(Refusal.read({ status: answer.status, headers }, Date.now()), headers, Date.now())
      if (said !== undefined) self = Meter.hear(self, said, { sentAt, now })
      self = Meter.leave(self, call, { isTurnKept: true, now })
      if (answer.ok) accepted++
      else left++
      if (accepted === calls) resolve()
      else turn()
    }
    turn()
  })

const throughDam = (): Run => {
  const service = Dam.embedded({
    path: ":memory:",
    executor: "sameThread",
    pacing: { pace: { ...ceiling, find: true } }
  })
  const client = new EZThrottle({ service })
  return (url, calls) =>
    Promise.all(Array.from({ length: calls }, (_, n) => client.queueAndWait({ url: `${url}${n}`, timeout: 3_600_000 })))
}

const throughFetch: Run = (url, calls) => {
  const paced = createFetch({ pace: { ...ceiling, find: true }, retry: { maxRetries: 1000 } })
  return Promise.all(Array.from({ length: calls }, async () => (await paced(url)).arrayBuffer()))
}

const withRateLimiter =
  (told: { readonly limit: number; readonly window: number }): Run =>
  (url, calls) =>
    Effect.gen(function* () {
      const limiter = yield* RateLimiter.RateLimiter
      const client = HttpClient.withRateLimiter(yield* HttpClient.HttpClient, { ...told, limiter, key: url })
      yield* Effect.forEach(Array.from({ length: calls }), () => Effect.flatMap(client.get(url), ({ text }) => text), {
        concurrency: ceiling.maxConcurrent,
        discard: true
      })
    }).pipe(
      Effect.provide([FetchHttpClient.layer, RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))]),
      Effect.runPromise
    )

const makers: Readonly<Record<string, () => Run>> = {
  "the dam, find": throughDam,
  "the paced fetch": () => throughFetch,
  "the meter alone": () => meter,
  "effect, told the ceiling": () => withRateLimiter({ limit: ceiling.rps, window: 1000 }),
  "effect, told the limit": () => withRateLimiter({ limit, window: windowMillis })
}

export const clients = Object.keys(makers)
export const ours = clients.slice(0, 3)

// told what to do, as a program of its own
if (process.argv[1] === import.meta.filename) {
  const [, , name = "", calls = "0", ...urls] = process.argv
  const run = makers[name]?.()
  for (const url of urls) run?.(url, Number(calls)).catch((error: unknown) => console.error(`${name}: ${error}`))
}

/** Lets a client get through with so many calls to each of its upstreams, until it is killed. */
export const start = (name: string, urls: ReadonlyArray<string>, calls: number): ChildProcess =>
  spawn(process.execPath, [import.meta.filename, name, String(calls), ...urls], {
    stdio: ["ignore", "inherit", "inherit"]
  })
