/** What a job store promises about dead letters and endpoints, as tests over any layer that provides one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { DeadReason } from "../../src/dam/job/Delivery.ts"
import type { DeadLetterFilter } from "../../src/dam/store/DeliveryRecords.ts"
import { JobStore } from "../../src/dam/store/JobStore.ts"
import { type StoreError } from "../../src/dam/store/StoreError.ts"
import * as Step from "../../src/step/Step.ts"
import { delivery, ended, job, revealed, secretsOf } from "./jobStore/Fixtures.ts"

type Store = JobStore["Service"]

const call = (at: number) => ({ at, latency: 2.5, status: 200, error: undefined, excerpt: "ok" })
const failure = (at: number, status = 500) => ({ at, latency: 7, status, error: undefined, excerpt: "no" })
const dead = (at: number, reason: DeadReason = "attempts_exhausted") => ({ _tag: "Dead", reason, at }) as const
const again = (dueAt: number) => ({ _tag: "Again", dueAt, spends: true }) as const
const delivered = { _tag: "Delivered" } as const

const rule = { failures: 3, failingMillis: 50, probeMillis: 1000 }
const shared = "https://hook.example/shared"

/** A finished job whose result is told to so many webhooks. */
const told = (
  jobs: Store,
  id: string,
  deliveries: ReadonlyArray<Parameters<typeof delivery>[2]>,
  quorum = 1,
  customer = "local"
) =>
  Effect.gen(function* () {
    yield* jobs.enqueue(job(id, { customer, step: Step.webhookQuorum(Step.get("https://a.example/"), quorum) }))
    yield* jobs.start(id, 1)
    const all = deliveries.map((change, index) => delivery(id, index, { customer, ...change }))
    return yield* jobs.finish(id, 1, ended({ deliveries: all }))
  })

const idsOf = (jobs: Store, filter: Partial<DeadLetterFilter> = {}) =>
  Effect.map(jobs.deadLetters({ customer: "local", limit: 50, ...filter }), ({ deadLetters }) =>
    deadLetters.map(({ id }) => id)
  )

export const suite = (name: string, store: Layer.Layer<JobStore, StoreError>) => {
  const promises = (sentence: string, test: (jobs: Store) => Effect.Effect<void, unknown>) =>
    it.effect(sentence, () => Effect.flatMap(JobStore, test).pipe(Effect.provide(store)))

  describe(`JobStore (${name}): dead letters`, () => {
    promises("lists them with their attempts and why they were given up, the newest job first, page by page", (jobs) =>
      Effect.gen(function* () {
        for (const id of ["a", "b", "c"]) yield* told(jobs, id, [{}])
        yield* jobs.settleDelivery("a-0", failure(20), again(30), rule)
        yield* jobs.settleDelivery("a-0", failure(30), dead(37), rule)
        yield* jobs.settleDelivery("b-0", undefined, dead(50, "endpoint_disabled"), rule)
        yield* jobs.settleDelivery("c-0", call(40), delivered, rule)
        const first = yield* jobs.deadLetters({ customer: "local", limit: 1 })
        assert.deepStrictEqual(
          first.deadLetters.map(({ attempts, dead, id }) => ({ id, attempts, dead })),
          [{ id: "b-0", attempts: [], dead: { reason: "endpoint_disabled", at: 50 } }]
        )
        const second = yield* jobs.deadLetters({ customer: "local", limit: 1, cursor: first.cursor })
        assert.isUndefined(second.cursor)
        assert.deepInclude(second.deadLetters[0], {
          id: "a-0",
          attempts: [failure(20), failure(30)],
          dead: { reason: "attempts_exhausted", at: 37 }
        })
        assert.isFalse(second.deadLetters.some((one) => "body" in one))
        assert.deepStrictEqual(yield* jobs.deadLetters({ customer: "local", limit: 9, cursor: "nonsense" }), {
          deadLetters: [],
          cursor: undefined
        })
      })
    )

    promises("selects them by delivery, job, host, time, and only of one customer", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{ lane: "a.example:443" }, { lane: "a.example:8443" }])
        yield* told(jobs, "two", [{ lane: "b.example:443" }])
        yield* told(jobs, "theirs", [{ lane: "a.example:443" }], 1, "other")
        for (const [at, id] of ["one-0", "one-1", "two-0", "theirs-0"].entries()) {
          yield* jobs.settleDelivery(id, failure(20), dead(100 + at), rule)
        }
        assert.deepStrictEqual(yield* idsOf(jobs), ["two-0", "one-1", "one-0"])
        assert.deepStrictEqual(yield* idsOf(jobs, { deliveryId: "one-1" }), ["one-1"])
        assert.deepStrictEqual(yield* idsOf(jobs, { deliveryId: "theirs-0" }), [])
        assert.deepStrictEqual(yield* idsOf(jobs, { jobId: "one" }), ["one-1", "one-0"])
        assert.deepStrictEqual(yield* idsOf(jobs, { host: "a.example" }), ["one-1", "one-0"])
        assert.deepStrictEqual(yield* idsOf(jobs, { host: "a.example:443" }), ["one-0"])
        assert.deepStrictEqual(yield* idsOf(jobs, { host: "example" }), [])
        assert.deepStrictEqual(yield* idsOf(jobs, { since: 101, until: 101 }), ["one-1"])
      })
    )

    promises(
      "replays one: the same bytes, its attempts kept, its schedule anew, its job's state by the quorum",
      (jobs) =>
        Effect.gen(function* () {
          yield* told(jobs, "one", [{}, {}, {}], 2)
          yield* jobs.settleDelivery("one-0", call(20), delivered, rule)
          yield* jobs.settleDelivery("one-1", failure(20), dead(27), rule)
          const lost = yield* jobs.settleDelivery("one-2", failure(20), dead(27), rule)
          assert.strictEqual(lost.deliveryState, "undelivered")
          const replayed = yield* jobs.replay({ customer: "local", deliveryId: "one-1", limit: 10 }, 500, 0)
          assert.deepStrictEqual(replayed, { replayed: 1, lanes: ["hook.example:443"], cursor: undefined })
          assert.strictEqual((yield* jobs.get("one"))?.deliveryState, "pending")
          const [due] = (yield* jobs.dueDeliveries(500, 9, new Set())).deliveries
          assert.deepInclude(due, {
            ...delivery("one", 1),
            state: "pending",
            dueAt: 500,
            begunAt: 500,
            spent: 1,
            attempts: [failure(20)],
            dead: undefined
          })
          assert.deepInclude(yield* jobs.stats, { pendingDeliveries: 1, deadDeliveries: 1 })
          // a job that waits for a delivery again is not swept
          assert.strictEqual(yield* jobs.sweep(10_000, 10), 0)
          const done = yield* jobs.settleDelivery("one-1", call(501), delivered, rule)
          assert.strictEqual(done.deliveryState, "delivered")
          assert.strictEqual(yield* jobs.sweep(10_000, 10), 1)
          assert.deepInclude(yield* jobs.stats, { pendingDeliveries: 0, deadDeliveries: 0 })
        })
    )

    promises("leaves a job undelivered whose quorum a replay cannot bring into reach", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{}, {}], 2)
        for (const id of ["one-0", "one-1"]) yield* jobs.settleDelivery(id, failure(20), dead(27), rule)
        yield* jobs.replay({ customer: "local", deliveryId: "one-0", limit: 1 }, 500, 0)
        assert.strictEqual((yield* jobs.get("one"))?.deliveryState, "undelivered")
        yield* jobs.replay({ customer: "local", deliveryId: "one-1", limit: 1 }, 500, 0)
        assert.strictEqual((yield* jobs.get("one"))?.deliveryState, "pending")
      })
    )

    promises("notes an attempt that does not count for the schedule", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{}])
        yield* jobs.settleDelivery("one-0", failure(20), again(30), rule)
        yield* jobs.settleDelivery("one-0", failure(30), { _tag: "Again", dueAt: 40, spends: false }, rule)
        assert.deepInclude((yield* jobs.deliveries("one"))[0], { spent: 1, attempts: [failure(20), failure(30)] })
      })
    )

    promises("replays many in portions, at a pace, oldest job first", (jobs) =>
      Effect.gen(function* () {
        for (const id of ["a", "b", "c"]) {
          yield* told(jobs, id, [{}])
          yield* jobs.settleDelivery(`${id}-0`, failure(20), dead(27), rule)
        }
        const first = yield* jobs.replay({ customer: "local", limit: 2 }, 1000, 250)
        assert.strictEqual(first.replayed, 2)
        assert.isDefined(first.cursor)
        const second = yield* jobs.replay({ customer: "local", limit: 2, cursor: first.cursor }, 1500, 250)
        assert.deepInclude(second, { replayed: 1, cursor: undefined })
        const { deliveries } = yield* jobs.dueDeliveries(9999, 9, new Set())
        assert.deepStrictEqual(
          deliveries.map(({ dueAt, id }) => [id, dueAt]),
          [
            ["a-0", 1000],
            ["b-0", 1250],
            ["c-0", 1500]
          ]
        )
        assert.deepInclude(yield* jobs.replay({ customer: "other", limit: 9 }, 1, 0), { replayed: 0 })
      })
    )

    promises("purges what a filter selects, and leaves jobs and other customers alone", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{}, {}])
        yield* told(jobs, "theirs", [{}], 1, "other")
        for (const id of ["one-0", "one-1", "theirs-0"]) yield* jobs.settleDelivery(id, failure(20), dead(27), rule)
        assert.strictEqual(yield* jobs.purge({ customer: "local" }, 1), 1)
        assert.strictEqual(yield* jobs.purge({ customer: "local", jobId: "one" }, 9), 1)
        assert.strictEqual(yield* jobs.purge({ customer: "local" }, 9), 0)
        assert.deepInclude(yield* jobs.get("one"), { state: "succeeded", deliveryState: "undelivered" })
        assert.strictEqual((yield* jobs.stats).deadDeliveries, 1)
      })
    )
  })

  describe(`JobStore (${name}): settings`, () => {
    promises("sets secrets and settings together, and names every secret", (jobs) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* jobs.setting("a"))
        assert.deepStrictEqual(yield* jobs.everySecret, [])
        yield* jobs.setSecrets("one", secretsOf("first", "before"))
        yield* jobs.putSecrets(
          [
            { customer: "one", ...secretsOf("second") },
            { customer: "two", ...secretsOf("third", "fourth") }
          ],
          [["a", "b"]]
        )
        yield* jobs.putSecrets([], [["a", "c"]])
        assert.strictEqual(yield* jobs.setting("a"), "c")
        const every = (yield* jobs.everySecret).map(({ customer, ...known }) => ({ customer, ...revealed(known) }))
        assert.deepStrictEqual(every, [
          { customer: "one", primary: "second", secondary: undefined },
          { customer: "two", primary: "third", secondary: "fourth" }
        ])
        assert.deepStrictEqual(revealed(yield* jobs.secrets("one")), { primary: "second", secondary: undefined })
      })
    )
  })

  describe(`JobStore (${name}): endpoints`, () => {
    const fail = (jobs: Store, id: string, at: number, status?: number) =>
      jobs.settleDelivery(id, failure(at, status), again(at + 10), rule)
    const dueAt = (jobs: Store) =>
      Effect.map(jobs.dueDeliveries(99_999, 9, new Set()), ({ deliveries }) =>
        deliveries.map(({ disabled, dueAt: due, id }) => [id, due, disabled?.reason])
      )

    promises("disables one after enough failures over enough time, and what waits for it waits for the probe", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{ url: shared }, { url: shared }, { url: "https://hook.example/other" }])
        assert.deepStrictEqual(yield* jobs.endpoints("local"), [])
        for (const at of [100, 110, 120]) {
          assert.isUndefined((yield* fail(jobs, "one-0", at)).endpoint, "long enough it is not")
        }
        assert.deepStrictEqual(yield* jobs.endpoints("local"), [
          {
            customer: "local",
            url: shared,
            lane: "hook.example:443",
            status: "enabled",
            reason: undefined,
            since: 100,
            failures: 3,
            probeAt: undefined
          }
        ])
        assert.strictEqual((yield* fail(jobs, "one-1", 150)).endpoint, "disabled")
        assert.deepInclude((yield* jobs.endpoints("local"))[0], {
          status: "disabled",
          reason: "failing",
          since: 150,
          failures: 4,
          probeAt: 1150
        })
        assert.deepStrictEqual(yield* dueAt(jobs), [
          ["one-2", 10, undefined],
          ["one-0", 1150, "failing"],
          ["one-1", 1150, "failing"]
        ])
        assert.strictEqual((yield* jobs.stats).disabledEndpoints, 1)
        assert.deepStrictEqual(yield* jobs.endpoints("other"), [])
      })
    )

    promises("moves the next probe when one fails or begins, and never back", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{ url: shared }, { url: shared }])
        for (const at of [100, 120, 150]) yield* fail(jobs, "one-0", at)
        yield* jobs.holdEndpoint("local", shared, 3000)
        yield* jobs.holdEndpoint("local", shared, 2000)
        assert.strictEqual((yield* jobs.endpoints("local"))[0]?.probeAt, 3000)
        assert.isUndefined((yield* fail(jobs, "one-0", 2500)).endpoint)
        assert.strictEqual((yield* jobs.endpoints("local"))[0]?.probeAt, 3500)
        assert.deepStrictEqual(yield* dueAt(jobs), [
          ["one-0", 3500, "failing"],
          ["one-1", 3500, "failing"]
        ])
        yield* jobs.holdEndpoint("local", "https://hook.example/unknown", 9000)
        assert.lengthOf(yield* jobs.endpoints("local"), 1)
      })
    )

    promises("enables one by a delivery that arrives, and lets what waits go at once", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{ url: shared }, { url: shared }])
        for (const at of [100, 120, 150]) yield* fail(jobs, "one-0", at)
        assert.strictEqual((yield* jobs.settleDelivery("one-1", call(1150), delivered, rule)).endpoint, "enabled")
        assert.deepStrictEqual(yield* jobs.endpoints("local"), [])
        assert.deepStrictEqual(yield* dueAt(jobs), [["one-0", 1150, undefined]])
      })
    )

    promises("counts failures in a row only", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{ url: shared }, { url: shared }])
        for (const at of [100, 120]) yield* fail(jobs, "one-0", at)
        assert.isUndefined((yield* jobs.settleDelivery("one-1", call(130), delivered, rule)).endpoint)
        for (const at of [200, 220]) assert.isUndefined((yield* fail(jobs, "one-0", at)).endpoint)
        assert.strictEqual((yield* jobs.endpoints("local"))[0]?.failures, 2)
      })
    )

    promises("says of the end of a job whether any of its endpoints is disabled, of its own customer", (jobs) =>
      Effect.gen(function* () {
        assert.isTrue(yield* told(jobs, "first", [{ url: shared }, {}], 2))
        yield* jobs.settleDelivery("first-0", failure(20), again(30), rule)
        // it fails, and is called all the same
        assert.isTrue(yield* told(jobs, "second", [{ url: shared }]))
        yield* jobs.settleDelivery("first-0", failure(30, 410), dead(37, "receiver_gone"), rule)
        assert.isFalse(yield* told(jobs, "third", [{}, { url: shared }]))
        assert.isTrue(yield* told(jobs, "elsewhere", [{}]))
        assert.isTrue(yield* told(jobs, "theirs", [{ url: shared }], 1, "other"))
        yield* jobs.enableEndpoint("local", shared, 50)
        assert.isTrue(yield* told(jobs, "fourth", [{ url: shared }]))
      })
    )

    promises("disables one that is gone at once, for good, and what waits for it is due", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{ url: shared }, { url: shared }])
        yield* fail(jobs, "one-1", 20)
        const gone = yield* jobs.settleDelivery("one-0", failure(25, 410), dead(26, "receiver_gone"), rule)
        assert.strictEqual(gone.endpoint, "disabled")
        assert.deepInclude((yield* jobs.endpoints("local"))[0], { reason: "gone", since: 25, probeAt: undefined })
        assert.deepStrictEqual(yield* dueAt(jobs), [["one-1", 25, "gone"]])
        yield* jobs.holdEndpoint("local", shared, 9000)
        assert.deepStrictEqual(yield* dueAt(jobs), [["one-1", 25, "gone"]])
      })
    )

    promises("enables one by hand, and says what it was", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{ url: shared }])
        for (const at of [100, 120, 150]) yield* fail(jobs, "one-0", at)
        assert.isUndefined(yield* jobs.enableEndpoint("other", shared, 200))
        assert.deepInclude(yield* jobs.enableEndpoint("local", shared, 200), { status: "disabled", reason: "failing" })
        assert.isUndefined(yield* jobs.enableEndpoint("local", shared, 200))
        assert.deepStrictEqual(yield* dueAt(jobs), [["one-0", 200, undefined]])
        assert.strictEqual((yield* jobs.stats).disabledEndpoints, 0)
      })
    )

    promises("forgets failures that are old, and remembers what is disabled", (jobs) =>
      Effect.gen(function* () {
        yield* told(jobs, "one", [{ url: shared }, { url: "https://hook.example/other" }])
        for (const at of [100, 120, 150]) yield* fail(jobs, "one-0", at)
        yield* fail(jobs, "one-1", 100)
        yield* jobs.sweep(100, 1)
        assert.lengthOf(yield* jobs.endpoints("local"), 2)
        yield* jobs.sweep(9000, 1)
        assert.deepStrictEqual(
          (yield* jobs.endpoints("local")).map(({ url }) => url),
          [shared]
        )
      })
    )
  })
}
