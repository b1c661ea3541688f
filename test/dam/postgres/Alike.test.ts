import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as PostgresJobStore from "../../../src/dam/postgres/PostgresJobStore.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import type { JobStore } from "../../../src/dam/store/JobStore.ts"
import { attempt, delivery, ended, job } from "../../conformance/jobStore/Fixtures.ts"
import { postgres } from "../../support/Postgres.ts"
import { emptied } from "../../support/PostgresStore.ts"
import { withPostgres } from "../../support/WithPostgres.ts"

const rule = { failures: 3, failingMillis: 5, probeMillis: 10 }

/** What becomes of a job is drawn from its number alone, so that it is the same in whatever order they come. */
const life = Effect.fnUntraced(function* (jobs: JobStore["Service"], n: number) {
  const id = `job-${n}`
  yield* jobs.enqueue(job(id, { key: `key-${n % 90}`, notBefore: n % 7 === 0 ? 5000 : undefined }))
  if (n % 7 === 0) return yield* n % 14 === 0 ? jobs.finishIdle(id, ended({ state: "cancelled" })) : jobs.hasten(id, 10)
  const epoch = (yield* jobs.start(id, 10 + n))?.epoch
  if (epoch === undefined) return
  if (n % 3 === 0) yield* jobs.record(id, epoch, attempt())
  if (n % 5 === 0) return yield* jobs.park(id, epoch, { dueAt: 100 + n, heldSince: 3 })
  // one that is over is refused, and nobody else's write with it
  if (n % 11 === 0) yield* Effect.flip(jobs.record(id, epoch + 1, attempt()))
  // each to an endpoint of its own: one that fails puts off what others have for it, whichever these are
  const deliveries = Array.from({ length: n % 4 }, (_, index) =>
    delivery(id, index, { url: `https://hook.example/${id}/${index}` })
  )
  yield* jobs.finish(id, epoch, ended({ deliveries, quorum: deliveries.length > 1 ? 2 : 1 }))
  const made = { at: 50, latency: 1, status: 200, error: undefined, excerpt: undefined }
  for (const one of deliveries) {
    const isTaken = (n + one.index) % 6 !== 0
    const next = isTaken
      ? { _tag: "Delivered" as const }
      : { _tag: "Dead" as const, reason: "receiver_gone" as const, at: 60 }
    yield* jobs.settleDelivery(one.id, { ...made, status: isTaken ? 200 : 410 }, next, rule)
  }
})

const told = Effect.fnUntraced(function* (jobs: JobStore["Service"]) {
  const { bytes: _, ...stats } = yield* jobs.stats
  const ids = Array.from({ length: 120 }, (_, n) => `job-${n}`)
  return {
    stats,
    jobs: yield* Effect.forEach(ids, jobs.get),
    deliveries: yield* Effect.forEach(ids, jobs.deliveries),
    listed: (yield* jobs.list({ customer: "local", limit: 200 })).jobs.map(({ id }) => id).toSorted(),
    lanes: yield* jobs.laneCounts
  }
})

withPostgres(await postgres(), "two databases", (server) => {
  it.live("hold the same after the same, however it came together", () =>
    Effect.gen(function* () {
      const schema = "alike"
      const postgresStore = PostgresJobStore.make({ url: Redacted.make(server.url()), schema })
      yield* Effect.scoped(postgresStore)
      yield* emptied(server, schema)
      const both = [yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" }), yield* postgresStore]
      for (const store of both) {
        yield* Effect.forEach(Array.from({ length: 120 }).keys(), (n) => life(store, n), {
          concurrency: "unbounded",
          discard: true
        })
      }
      const [file, database] = yield* Effect.forEach(both, told)
      assert.deepStrictEqual(database, file)
    })
  )
})
