/** Where results are told is paced apart from what jobs call, generously, and says what it waits for. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { canonicalLane, isReceiverLane, receiverLane } from "../../../src/dam/job/LaneName.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { secretsOf } from "../../conformance/jobStore/Fixtures.ts"
import { fast, hook, ok, refusal, setUp, url } from "../support.ts"

const receiver = "webhook@hooks.example:443"
const told = (n: number, webhook = hook) => Step.webhooks(Step.get(url + n), [{ url: webhook }])

describe("a receiver's lane", () => {
  it.effect("is called at a generous pace by default, whatever the default of targets is", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 1000, maxConcurrent: 100 } } })
      for (let n = 0; n < 80; n++) yield* dam.submit(told(n))
      yield* TestClock.adjust("2 seconds")
      assert.lengthOf(yield* dam.told, 80)
      assert.deepInclude(yield* dam.engine.steering.get(receiver), { rps: 100, maxConcurrent: 20, source: "default" })
      assert.deepInclude(yield* dam.engine.steering.get("hooks.example:443"), { rps: 1000, maxConcurrent: 100 })
    })
  )

  it.effect("obeys what its receiver says, and a 429 with its Retry-After", () =>
    Effect.gen(function* () {
      const receivers = Script.always(
        Script.inTurn(refusal(600), { status: 204, headers: { "X-Aqueduct-Rps": "0.5" } })
      )
      const dam = yield* setUp({ receivers })
      yield* dam.submit(told(1))
      yield* TestClock.adjust("1 second")
      yield* dam.submit(told(2))
      yield* TestClock.adjust("9 minutes")
      assert.lengthOf(yield* dam.told, 1)
      yield* TestClock.adjust("2 minutes")
      assert.lengthOf(yield* dam.told, 3)
      assert.strictEqual((yield* dam.engine.steering.get(receiver)).rps, 0.5)
    })
  )

  it.effect("shares neither pace nor hold with a target on the same host", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always(refusal(3600)), pacing: fast })
      yield* dam.submit(told(1, `${url}hook`))
      yield* TestClock.adjust("1 second")
      const id = yield* dam.submit(told(2))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
      assert.lengthOf((yield* dam.engine.steering.get("webhook@api.example:443")).holds, 1)
      assert.lengthOf((yield* dam.engine.steering.get("api.example:443")).holds, 0)
    })
  )

  it.effect("says what a webhook waits for, and that it is under way only while it is", () =>
    Effect.gen(function* () {
      const receivers = Script.always(Script.later("5 seconds", ok))
      const dam = yield* setUp({ receivers, pacing: { ...fast, receivers: { rps: 1000, maxConcurrent: 1 } } })
      const [first, second] = [yield* dam.submit(told(1)), yield* dam.submit(told(2))]
      yield* TestClock.adjust("1 second")
      const why = (id: string) => Effect.flatMap(dam.get(id), dam.engine.explain)
      assert.include((yield* why(first)).reasons[1]?.message, "attempt 1 is under way")
      const waiting = (yield* why(second)).reasons
      assert.include(waiting[1]?.message, "attempt 1 waits for its turn")
      assert.deepStrictEqual(
        waiting.map(({ kind }) => kind),
        ["finished", "delivery", "concurrency"]
      )
      assert.strictEqual((yield* dam.engine.steering.get(receiver)).waiting, 1)
      yield* dam.engine.steering.change(receiver, "ann", { _tag: "Pause", note: undefined })
      yield* TestClock.adjust("10 seconds")
      assert.include(
        (yield* why(second)).reasons.map(({ kind }) => kind),
        "paused"
      )
    })
  )

  it("has a name of its own, in one spelling", () => {
    assert.strictEqual(canonicalLane("webhook@Hooks.example"), receiver)
    assert.strictEqual(receiverLane("hooks.example:443"), receiver)
    assert.isUndefined(canonicalLane("webhook@"))
    assert.isUndefined(canonicalLane("webhook@webhook@"))
    assert.strictEqual(canonicalLane("webhook:443"), "webhook:443")
    assert.isFalse(isReceiverLane("webhook:443"))
  })
})

describe("a delivery that waits for its turn", () => {
  const slow = { pacing: { ...fast, receivers: { rps: 0.1, maxConcurrent: 10 } } }

  it.effect("is not sent to a receiver that has gone meanwhile", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ ...slow, receivers: Script.always({ status: 410 }) })
      const ids = [yield* dam.submit(told(1)), yield* dam.submit(told(2)), yield* dam.submit(told(3))]
      yield* TestClock.adjust("2 minutes")
      assert.lengthOf(yield* dam.told, 1)
      for (const id of ids) assert.strictEqual((yield* dam.store.deliveries(id))[0]?.dead?.reason, "receiver_gone")
    })
  )

  it.effect("is not signed with a secret that was removed meanwhile", () =>
    Effect.gen(function* () {
      const dam = yield* setUp(slow)
      yield* dam.store.setSecrets("local", secretsOf("a secret of enough characters"))
      yield* dam.submit(told(1))
      yield* dam.submit(told(2))
      yield* TestClock.adjust("1 second")
      yield* dam.store.setSecrets("local", undefined)
      yield* TestClock.adjust("1 minute")
      const signed = (yield* dam.told).map(({ asked }) => asked.request.headers["X-EZThrottle-Signature"] !== undefined)
      assert.deepStrictEqual(signed, [true, false])
    })
  )
})

describe("a receiver that finds a result too large", () => {
  it.effect("is asked twice, and then never again", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always({ status: 413 }) })
      const id = yield* dam.submit(told(1))
      yield* TestClock.adjust("20 hours")
      assert.lengthOf(yield* dam.told, 2)
      assert.strictEqual((yield* dam.store.deliveries(id))[0]?.dead?.reason, "too_large")
      assert.strictEqual((yield* dam.get(id)).deliveryState, "undelivered")
    })
  )

  it.effect("is asked again after a replay", () =>
    Effect.gen(function* () {
      const full: Script.Input = { status: 413 }
      const dam = yield* setUp({ receivers: Script.always(Script.inTurn(full, full, full, { status: 204 })) })
      const id = yield* dam.submit(told(1))
      yield* TestClock.adjust("1 minute")
      yield* dam.engine.deadLetters.replay({ customer: "local" })
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.store.deliveries(id))[0]?.state, "delivered")
    })
  )
})
