/** What a job store promises of customers who may have so many unfinished jobs, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import type { StoreError } from "../../src/dam/store/StoreError.ts"
import { ended, job } from "./jobStore/Fixtures.ts"

const most = 3

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: JobStore["Service"]) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  const of = (id: string, customer = "acme") => job(id, { customer, keyScope: customer })

  describe(`JobStore (${name}): crowds`, () => {
    promises("takes exactly so many of a customer, however many come at once, and no fewer of others", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(of("before"))
        const filed = yield* Effect.forEach(
          Array.from({ length: 20 }, (_, n) => of(`job-${n}`)),
          (one) => jobs.enqueueBelow(one, most),
          { concurrency: "unbounded" }
        )
        assert.lengthOf(
          filed.filter(({ _tag }) => _tag === "Stored"),
          most - 1
        )
        assert.deepStrictEqual(filed.at(-1), { _tag: "Crowded", jobs: most })
        assert.isUndefined(yield* jobs.get("job-19"))
        assert.deepStrictEqual(yield* jobs.enqueueBelow(of("other", "b"), 1), { _tag: "Stored", state: "queued" })
      })
    )

    promises("knows a key that is there, though there is no room for another", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueueBelow(of("one"), 1)
        const again = yield* jobs.enqueueBelow({ ...of("two"), key: "key of one" }, 1)
        assert.isTrue(again._tag === "Duplicate" && again.job.id === "one")
        const rerun = yield* jobs.enqueueBelow({ ...of("three"), key: "key of one", rerunOf: "one" }, 1)
        assert.deepStrictEqual(rerun, { _tag: "Crowded", jobs: 1 })
      })
    )

    promises("counts what waits, runs and is parked, and children as they come; what has ended makes room", (jobs) =>
      Effect.gen(function* () {
        const fits = (id: string) => Effect.map(jobs.enqueueBelow(of(id), most), ({ _tag }) => _tag === "Stored")
        assert.isTrue(yield* fits("runs"))
        yield* jobs.enqueueBelow({ ...of("later"), createdAt: 1, notBefore: 1000 }, most)
        assert.isTrue(yield* fits("parked"))
        const parking = yield* jobs.start("parked", 2)
        yield* jobs.park("parked", parking?.epoch ?? 0, { dueAt: 500 })
        const running = yield* jobs.start("runs", 2)
        assert.isFalse(yield* fits("too many"))
        // a chain goes on, however many there are
        yield* jobs.finish("runs", running?.epoch ?? 0, ended({ children: [of("child-1"), of("child-2")] }))
        assert.isFalse(yield* fits("too many"))
        yield* jobs.finishIdle("later", ended({ state: "cancelled" }))
        assert.isFalse(yield* fits("too many"))
        yield* jobs.finishIdle("child-1", ended({ state: "cancelled" }))
        assert.isTrue(yield* fits("fits"))
        assert.isFalse(yield* fits("too many"))
        yield* jobs.recover
        yield* jobs.release(10_000)
        assert.isFalse(yield* fits("too many"))
      })
    )

    promises("counts nothing of what is rolled back with a command that failed", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueueBelow(of("one"), most)
        // in one group with one whose id is taken, so that all are run again
        const group = yield* Effect.all(
          [
            jobs.enqueueBelow(of("two"), most),
            Effect.exit(jobs.enqueueBelow({ ...of("one"), key: "another key" }, most)),
            jobs.enqueueBelow(of("three"), most),
            jobs.enqueueBelow(of("four"), most)
          ],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          group.map(({ _tag }) => _tag),
          ["Stored", "Failure", "Stored", "Crowded"]
        )
        assert.deepStrictEqual(yield* jobs.enqueueBelow(of("five"), most), { _tag: "Crowded", jobs: most })
      })
    )
  })
}
