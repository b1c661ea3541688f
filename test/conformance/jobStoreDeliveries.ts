/** What a job store promises about telling results, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import { type StoreError } from "../../src/dam/store/StoreError.ts"
import * as Step from "../../src/step/Step.ts"
import { delivery, ended, job } from "./jobStore/Fixtures.ts"

type Store = JobStore["Service"]

const call = { at: 40, latency: 2.5, status: 200, error: undefined, excerpt: "ok" }
const failure = { at: 30, latency: 7, status: undefined, error: "refused", excerpt: undefined }

const delivered = { _tag: "Delivered" } as const
const dead = { _tag: "Dead", reason: "attempts_exhausted", at: 31 } as const

/** No endpoint of these tests is disabled, unless they say so. */
const lenient = { failures: 1000, failingMillis: 0, probeMillis: 100 }

/** The job's delivery state after an attempt. */
const settle = (jobs: Store, id: string, ...[attempt, next]: SettleArgs) =>
  Effect.map(jobs.settleDelivery(id, attempt, next, lenient), ({ deliveryState }) => deliveryState)

type SettleArgs = [attempt: Parameters<Store["settleDelivery"]>[1], next: Parameters<Store["settleDelivery"]>[2]]

/** A finished job `one` whose result is told to so many webhooks; those of `mute` have no vote. */
const told = (jobs: Store, webhooks: number, quorum: number, mute: ReadonlyArray<number> = []) =>
  Effect.gen(function* () {
    yield* jobs.enqueue(job("one", { step: Step.webhookQuorum(Step.get("https://a.example/"), quorum) }))
    yield* jobs.start("one", 1)
    const deliveries = Array.from({ length: webhooks }, (_, index) =>
      delivery("one", index, { hasQuorumVote: !mute.includes(index) })
    )
    yield* jobs.finish("one", 1, ended({ deliveries }))
  })

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): deliveries`, () => {
    promises("stores them with the result, due at once, the body byte for byte", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, 2, 1)
        assert.strictEqual((yield* jobs.get("one"))?.deliveryState, "pending")
        const pending = { state: "pending" as const, attempts: [], dueAt: 10, begunAt: 10, spent: 0, dead: undefined }
        const expected = [0, 1].map((index) => ({ ...delivery("one", index), ...pending }))
        assert.deepStrictEqual(yield* jobs.deliveries("one"), expected)
        const due = yield* jobs.dueDeliveries(10, 10, new Set())
        const deliveries = expected.map((one) => ({ ...one, disabled: undefined }))
        assert.deepStrictEqual(due, { deliveries, nextDueAt: undefined })
        assert.strictEqual((yield* jobs.stats).pendingDeliveries, 2)
        assert.deepStrictEqual(yield* jobs.deliveries("nobody"), [])
      })
    )

    promises(
      "answers those that are due, oldest first, leaves out what is under way, and says when to come back",
      (jobs) =>
        Effect.gen(function* () {
          yield* told(jobs, 4, 1)
          for (const [index, dueAt] of [300, 100, 200].entries()) {
            yield* settle(jobs, `one-${index}`, failure, { _tag: "Again", dueAt, spends: true })
          }
          const due = (now: number, limit: number, ...except: ReadonlyArray<string>) =>
            Effect.map(jobs.dueDeliveries(now, limit, new Set(except)), ({ deliveries, nextDueAt }) => ({
              ids: deliveries.map(({ id }) => id),
              nextDueAt
            }))
          assert.deepStrictEqual(yield* due(200, 10), { ids: ["one-3", "one-1", "one-2"], nextDueAt: 300 })
          assert.deepStrictEqual(yield* due(200, 10, "one-3", "one-2"), { ids: ["one-1"], nextDueAt: 300 })
          assert.deepStrictEqual(yield* due(200, 2), { ids: ["one-3", "one-1"], nextDueAt: 200 })
          assert.deepStrictEqual(yield* due(5, 2), { ids: [], nextDueAt: 10 })
          assert.deepStrictEqual(yield* due(5, 2, "one-0", "one-1", "one-2", "one-3"), {
            ids: [],
            nextDueAt: undefined
          })
        })
    )

    promises("names the lanes that have something to tell, and answers for one of them alone", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one"))
        yield* jobs.start("one", 1)
        const lanes = ["b.example:443", "a.example:443", "b.example:443"]
        yield* jobs.finish(
          "one",
          1,
          ended({ deliveries: lanes.map((lane, index) => delivery("one", index, { lane })) })
        )
        assert.deepStrictEqual(yield* jobs.deliveryLanes, ["a.example:443", "b.example:443"])
        const { deliveries, nextDueAt } = yield* jobs.dueDeliveries(10, 1, new Set(["one-0"]), "b.example:443")
        assert.deepStrictEqual([deliveries.map(({ id }) => id), nextDueAt], [["one-2"], undefined])
        yield* settle(jobs, "one-1", failure, { _tag: "Again", dueAt: 77, spends: true })
        assert.deepStrictEqual(yield* jobs.dueDeliveries(10, 9, new Set(), "a.example:443"), {
          deliveries: [],
          nextDueAt: 77
        })
        yield* settle(jobs, "one-1", failure, dead)
        assert.deepStrictEqual(yield* jobs.deliveryLanes, ["b.example:443"])
      })
    )

    promises("takes the quorum of the step that answered where it is another one", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one", { step: Step.webhookQuorum(Step.get("https://a.example/"), 2) }))
        yield* jobs.start("one", 1)
        yield* jobs.finish("one", 1, ended({ deliveries: [delivery("one", 0)], quorum: 1 }))
        assert.strictEqual(yield* settle(jobs, "one-0", call, delivered), "delivered")
      })
    )

    promises("keeps every attempt and never offers a settled delivery again", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, 1, 1)
        assert.strictEqual(yield* settle(jobs, "one-0", failure, { _tag: "Again", dueAt: 99, spends: true }), "pending")
        assert.strictEqual(yield* settle(jobs, "one-0", call, delivered), "delivered")
        assert.deepInclude((yield* jobs.deliveries("one"))[0], { state: "delivered", attempts: [failure, call] })
        assert.deepStrictEqual((yield* jobs.dueDeliveries(999, 9, new Set())).deliveries, [])
        assert.deepInclude(yield* jobs.get("one"), { state: "succeeded", deliveryState: "delivered" })
        // an answer that comes late changes nothing
        assert.strictEqual(yield* settle(jobs, "one-0", failure, dead), "delivered")
        assert.deepInclude(yield* jobs.stats, { pendingDeliveries: 0, deadDeliveries: 0 })
      })
    )

    promises("counts a job as delivered once its quorum is reached, and its siblings go on", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, 4, 2, [0])
        assert.strictEqual(yield* settle(jobs, "one-0", call, delivered), "pending")
        assert.strictEqual(yield* settle(jobs, "one-1", call, delivered), "pending")
        assert.strictEqual(yield* settle(jobs, "one-2", call, delivered), "delivered")
        const { deliveries } = yield* jobs.dueDeliveries(999, 9, new Set())
        assert.deepStrictEqual(
          deliveries.map(({ id }) => id),
          ["one-3"]
        )
        assert.strictEqual(yield* settle(jobs, "one-3", failure, dead), "delivered")
        assert.deepInclude(yield* jobs.stats, { pendingDeliveries: 0, deadDeliveries: 1 })
      })
    )

    promises("counts a job as undelivered once its quorum is out of reach, and its siblings go on", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, 4, 2, [3])
        assert.strictEqual(yield* settle(jobs, "one-0", failure, dead), "pending")
        assert.strictEqual(yield* settle(jobs, "one-3", failure, dead), "pending")
        assert.strictEqual(yield* settle(jobs, "one-1", failure, dead), "undelivered")
        assert.strictEqual(yield* settle(jobs, "one-2", call, delivered), "undelivered")
        assert.strictEqual((yield* jobs.get("one"))?.deliveryState, "undelivered")
      })
    )

    promises("fails for a delivery it does not know", (jobs) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Effect.flip(settle(jobs, "nobody", call, dead)))._tag, "StorageFailed")
      })
    )

    promises("tells the result of a job that ended without running", (jobs) =>
      Effect.gen(function* () {
        yield* jobs.enqueue(job("one"))
        yield* jobs.finishIdle("one", ended({ state: "cancelled", deliveries: [delivery("one", 0)] }))
        assert.deepInclude(yield* jobs.get("one"), { state: "cancelled", deliveryState: "pending" })
        assert.lengthOf(yield* jobs.deliveries("one"), 1)
      })
    )
  })
}
