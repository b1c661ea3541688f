/** What a job store promises about what operators are told, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import { endpointSubject } from "../../src/dam/store/NoticeRecords.ts"
import { type StoreError } from "../../src/dam/store/StoreError.ts"
import { delivery, ended, job } from "./jobStore/Fixtures.ts"

type Store = JobStore["Service"]

const rule = { failures: 2, failingMillis: 10, probeMillis: 1000 }
const failure = (at: number) => ({ at, latency: 7, status: 500, error: undefined, excerpt: "no" })
const url = "https://hook.example/one"

/** A finished job whose webhook has failed twice, the second time for good. */
const lost = (jobs: Store, id: string, customer: string) =>
  Effect.gen(function* () {
    yield* jobs.enqueue(job(id, { customer }))
    yield* jobs.start(id, 1)
    yield* jobs.finish(id, 1, ended({ deliveries: [delivery(id, 0, { customer, url })] }))
    yield* jobs.settleDelivery(`${id}-0`, failure(20), { _tag: "Again", dueAt: 30, spends: true }, rule)
    yield* jobs.settleDelivery(`${id}-0`, failure(40), { _tag: "Dead", reason: "attempts_exhausted", at: 41 }, rule)
  })

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): what operators are told`, () => {
    promises("is kept until it is over, and its deliveries are due at once", (jobs) =>
      Effect.gen(function* () {
        const since = { subject: "memory_bytes", phase: "begun", since: 7 }
        const notice = {
          job: job("notice", { customer: "dam:notices" }),
          finish: ended({ deliveries: [delivery("notice", 0, { customer: "dam:notices" })] })
        }
        yield* jobs.tell({ begun: [since], over: [], notices: [notice] })
        assert.deepStrictEqual(yield* jobs.told, [since])
        assert.deepInclude(yield* jobs.get("notice"), { state: "succeeded", deliveryState: "pending" })
        const { deliveries } = yield* jobs.dueDeliveries(1000, 10, new Set())
        assert.deepStrictEqual(
          deliveries.map(({ id }) => id),
          ["notice-0"]
        )
        assert.isUndefined(yield* jobs.start("notice", 2))
        yield* jobs.tell({ begun: [], over: ["memory_bytes"], notices: [] })
        assert.deepStrictEqual(yield* jobs.told, [])
      })
    )

    promises("is all written, or nothing of it", (jobs) =>
      Effect.gen(function* () {
        const notice = { job: job("taken"), finish: ended() }
        yield* jobs.enqueue(job("taken", { key: "other", keyGiven: true }))
        const begun = [{ subject: "dead_letters", phase: "begun", since: 7 }]
        yield* Effect.flip(jobs.tell({ begun, over: [], notices: [notice] }))
        assert.deepStrictEqual(yield* jobs.told, [])
      })
    )

    promises("is of endpoints that fail so often, or are disabled, or were told of; of all customers but one", (jobs) =>
      Effect.gen(function* () {
        yield* lost(jobs, "a", "acme")
        yield* lost(jobs, "n", "dam:notices")
        const found = (failures: number) =>
          Effect.map(jobs.troubled(failures, "dam:notices"), (all) => all.map(({ customer }) => customer))
        assert.deepInclude((yield* jobs.troubled(1, "dam:notices"))[0], {
          customer: "acme",
          url,
          status: "disabled",
          reason: "failing",
          failures: 2,
          failingSince: 20
        })
        yield* jobs.enableEndpoint("acme", url, 50)
        assert.deepStrictEqual(yield* found(1), [])
        yield* jobs.enqueue(job("b", { customer: "acme" }))
        yield* jobs.start("b", 1)
        yield* jobs.finish("b", 1, ended({ deliveries: [delivery("b", 0, { customer: "acme", url })] }))
        yield* jobs.settleDelivery("b-0", failure(60), { _tag: "Again", dueAt: 70, spends: true }, rule)
        assert.deepStrictEqual(yield* found(2), [])
        yield* jobs.tell({
          begun: [{ subject: endpointSubject("acme", url), phase: "failing", since: 20 }],
          over: [],
          notices: []
        })
        assert.deepStrictEqual(yield* found(2), ["acme"])
        // forgetting it would look like a recovery
        yield* jobs.sweep(1_000_000, 10)
        assert.deepStrictEqual(yield* found(2), ["acme"])
      })
    )

    promises("counts the dead letters of a customer", (jobs) =>
      Effect.gen(function* () {
        yield* lost(jobs, "a", "acme")
        assert.strictEqual(yield* jobs.deadOf("acme"), 1)
        assert.strictEqual(yield* jobs.deadOf("dam:notices"), 0)
      })
    )
  })
}
