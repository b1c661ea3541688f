/** What a job store promises about erasure, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import type { StoreError } from "../../src/dam/store/StoreError.ts"
import { delivery, ended, rich } from "./jobStore/Fixtures.ts"

type Store = JobStore["Service"]

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  const run = (jobs: Store, id: string, change: Parameters<typeof ended>[0] = {}) =>
    Effect.gen(function* () {
      yield* jobs.enqueue(rich(id))
      const { epoch } = (yield* jobs.start(id, 2))!
      yield* jobs.finish(id, epoch, ended(change))
    })

  describe(`JobStore (${name}): erasure`, () => {
    promises("leaves id, key, state and times of an ended job, and nothing that it has sent or received", (jobs) =>
      Effect.gen(function* () {
        yield* run(jobs, "one", { state: "failed", deliveries: [] })
        const before = (yield* jobs.get("one"))!
        assert.strictEqual(yield* jobs.erase("one", 50), "erased")
        const after = (yield* jobs.get("one"))!
        for (const field of [
          "id",
          "key",
          "customer",
          "state",
          "createdAt",
          "startedAt",
          "finishedAt",
          "lane"
        ] as const) {
          assert.deepStrictEqual(after[field], before[field], field)
        }
        assert.strictEqual(after.erasedAt, 50)
        assert.deepStrictEqual(
          [after.history, after.step.metadata, after.step.request.headers, after.step.request.body, after.traceparent],
          [[], {}, {}, undefined, undefined]
        )
        assert.deepInclude(after.result, { response: undefined, responses: [] })
        assert.strictEqual(after.result?.error?.tag, before.result?.error?.tag)
        assert.deepStrictEqual(yield* jobs.deliveries("one"), [])
        assert.deepStrictEqual((yield* jobs.stats).deadDeliveries, 0)
      })
    )

    promises("is there again for the same key, and may be asked for twice", (jobs) =>
      Effect.gen(function* () {
        yield* run(jobs, "one", { deliveries: [] })
        assert.strictEqual(yield* jobs.erase("one", 50), "erased")
        assert.strictEqual(yield* jobs.erase("one", 60), "erased")
        assert.strictEqual((yield* jobs.get("one"))?.erasedAt, 50)
        assert.strictEqual(
          (yield* jobs.enqueue({ ...rich("two"), key: rich("one").key, keyScope: rich("one").keyScope }))._tag,
          "Duplicate"
        )
        assert.isUndefined(yield* jobs.erase("nobody", 50))
      })
    )

    promises("waits for the end of the job, and of its deliveries", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(rich("one"))
        assert.strictEqual(yield* jobs.erase("one", 50), "unended")
        const { epoch } = (yield* jobs.start("one", 2))!
        assert.strictEqual(yield* jobs.erase("one", 50), "unended")
        yield* jobs.finish("one", epoch, ended({ deliveries: [delivery("one", 0)] }))
        assert.strictEqual(yield* jobs.erase("one", 50), "untold")
        assert.isAbove((yield* jobs.get("one"))!.result!.response!.body.length, 0)
      })
    )

    promises("takes dead letters along", (jobs) =>
      Effect.gen(function* () {
        yield* run(jobs, "one", { deliveries: [delivery("one", 0)] })
        const rule = { failures: 100, failingMillis: 1e9, probeMillis: 1000 }
        for (const { id } of yield* jobs.deliveries("one")) {
          yield* jobs.settleDelivery(id, undefined, { _tag: "Dead", reason: "receiver_gone", at: 9 }, rule)
        }
        assert.isAbove((yield* jobs.stats).deadDeliveries, 0)
        assert.strictEqual(yield* jobs.erase("one", 50), "erased")
        const { deadDeliveries, pendingDeliveries } = yield* jobs.stats
        assert.deepStrictEqual([deadDeliveries, pendingDeliveries], [0, 0])
        assert.deepStrictEqual((yield* jobs.deadLetters({ customer: "local", limit: 9 })).deadLetters, [])
      })
    )
  })
}
