/**
 * The file of a dam that has been at work for a week: jobs in every state, in so many lanes, with their attempts,
 * webhooks, dead letters, paces and history. Written straight into the store, as fast as that takes it.
 */
import * as Effect from "effect/Effect"
import { ended, failed, kindOf, submitted, type Numbers } from "./FilledJobs.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import type { JobStore } from "../../../src/dam/store/JobStore.ts"

type Store = JobStore["Service"]

export interface Filling {
  readonly path: string
  readonly jobs: number
  readonly lanes: number
  /** That the hosts listen on. */
  readonly port: number
  /** Epoch milliseconds at which it ends. */
  readonly now: number
}

const minute = 60_000
const rule = { failures: 10, failingMillis: 86_400_000, probeMillis: 3_600_000 }

/** Fills it; answers the ids of one job of each kind. */
export const fill = (filling: Filling): Promise<Readonly<Record<"succeeded" | "failed" | "queued", string>>> =>
  Effect.runPromise(Effect.scoped(write(filling)))

const write = Effect.fnUntraced(function* ({ jobs, lanes, now, path, port }: Filling) {
  const store = yield* SqliteJobStore.make({ path })
  const numbers: Numbers = { jobs, lanes, now, port }
  const all = Array.from({ length: jobs }, (_, n) => submitted(n, numbers))
  // in their order, which is that of the list
  yield* Effect.forEach(all, (job) => store.enqueue(job), { concurrency: 2048, discard: true })
  const kinds = { succeeded: "", failed: "", queued: "" }
  yield* Effect.forEach(
    all,
    (job, n) => {
      const kind = kindOf(n, numbers)
      kinds[kind] = job.id
      if (kind === "queued") return Effect.void
      const finish = kind === "failed" ? failed(job, n) : ended(job, n)
      return Effect.gen(function* () {
        yield* store.start(job.id, job.createdAt + 40)
        yield* store.finish(job.id, 1, finish)
        for (const { id } of finish.deliveries) yield* settle(store, id, finish.at, kind === "failed")
      })
    },
    { concurrency: 512, discard: true }
  )
  yield* history(store, numbers)
  yield* steer(store, numbers)
  return kinds
})

const settle = (store: Store, id: string, at: number, isDead: boolean) =>
  store.settleDelivery(
    id,
    { at, latency: 31, status: isDead ? 503 : 204, error: undefined, excerpt: isDead ? "no room" : undefined },
    isDead ? { _tag: "Dead", reason: "attempts_exhausted", at } : { _tag: "Delivered" },
    rule
  )

/** A day in spans of five minutes and a week in hours, with nights, a quiet morning and an hour of refusals. */
const history = (store: Store, { lanes, now, port }: Numbers) =>
  Effect.forEach(
    Array.from({ length: 7 * 24 * 12 }, (_, n) => now - (7 * 24 * 12 - n) * 5 * minute),
    (at, n) => {
      const hour = (n / 12) % 24
      const isQuiet = hour >= 3 && hour < 5
      const share = isQuiet ? 0 : 0.4 + 0.6 * Math.sin((Math.PI * (hour + 18)) / 24) ** 2
      const isRefused = n % (24 * 12) > 200 && n % (24 * 12) < 212
      return share === 0
        ? Effect.void
        : store.noteHistory(
            ["", ...Array.from({ length: Math.min(lanes, 5) }, (_, lane) => hostOf(lane, port))].map((lane) => {
              const calls = Math.round(share * (lane === "" ? 900 : 40) * (1 + 0.2 * Math.sin(n)))
              const refused = isRefused ? Math.round(calls / 3) : 0
              return {
                lane,
                at,
                accepted: calls,
                succeeded: calls - Math.round(calls / 20),
                failed: Math.round(calls / 20),
                cancelled: 0,
                calls,
                refused,
                heldMillis: refused * 900,
                latency: [
                  [16, calls - Math.round(calls / 10)],
                  [19 + (isRefused ? 6 : 0), Math.round(calls / 12)],
                  [24, Math.round(calls / 10) - Math.round(calls / 12)]
                ] as const
              }
            })
          )
    },
    { concurrency: 64, discard: true }
  )

const hostOf = (lane: number, port: number): string => `host-${String(lane).padStart(3, "0")}.example:${port}`

const steer = Effect.fnUntraced(function* (store: Store, { lanes, now, port }: Numbers) {
  const paused = { by: "ann", at: now - 40 * minute, note: "the provider asked us to stop until Monday" }
  yield* store.steer(
    { lane: hostOf(lanes - 1, port), by: "ann", at: paused.at, action: "pause", detail: paused.note },
    { lane: hostOf(lanes - 1, port), rps: undefined, maxConcurrent: undefined, find: undefined, paused },
    false
  )
  yield* store.savePace({
    lane: hostOf(0, port),
    account: "",
    rps: 4,
    maxConcurrent: 8,
    accountQueues: undefined,
    heldUntil: undefined,
    heldBy: undefined,
    taughtAt: now - 15 * 60 * minute,
    kept: undefined,
    seenAt: now
  })
})
