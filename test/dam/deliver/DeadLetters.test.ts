import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { hook, ok, setUp, url } from "../support.ts"

const local = { customer: "local" }
const keyed = (n: number) => Step.get(url).pipe(Step.webhooks([{ url: hook }]), Step.idempotentKey(`${n}`))

/** A receiver that is down until it is said to be up; one attempt is all it gets. */
const outage = (retention = Duration.days(7)) =>
  Effect.gen(function* () {
    const receiver = { isUp: false }
    const dam = yield* setUp({
      receivers: {
        rules: [
          { name: "while down", matches: () => !receiver.isUp, answer: Script.refuse },
          ...Script.always(ok).rules
        ]
      },
      deliveries: {
        schedule: [Duration.zero],
        timeoutMillis: 15_000,
        concurrency: 100,
        endpoints: { failures: 1_000_000, failingMillis: 0, probeMillis: 3_600_000 }
      },
      retention
    })
    return { ...dam, receiver }
  })

describe("a replay", () => {
  it.effect("tells the stored result, byte for byte, and its job is delivered", () =>
    Effect.gen(function* () {
      const dam = yield* outage()
      const id = yield* dam.submit(keyed(1))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.get(id)).deliveryState, "undelivered")
      dam.receiver.isUp = true
      assert.strictEqual(yield* dam.engine.deadLetters.replay({ ...local, jobId: id }), 1)
      yield* TestClock.adjust("1 second")
      const [first, second, ...more] = yield* dam.told
      assert.deepStrictEqual(second?.asked.request.body, first?.asked.request.body)
      assert.lengthOf(more, 0)
      assert.strictEqual((yield* dam.get(id)).deliveryState, "delivered")
      assert.lengthOf((yield* dam.store.deliveries(id))[0]?.attempts ?? [], 2)
    })
  )

  it.effect("begins the schedule anew: one that fails is a dead letter again", () =>
    Effect.gen(function* () {
      const dam = yield* outage()
      const id = yield* dam.submit(keyed(1))
      yield* TestClock.adjust("1 minute")
      yield* dam.engine.deadLetters.replay(local)
      yield* TestClock.adjust("1 minute")
      const [delivery] = yield* dam.store.deliveries(id)
      assert.deepInclude(delivery, { state: "dead", spent: 1 })
      assert.lengthOf(delivery?.attempts ?? [], 2)
      assert.strictEqual((yield* dam.get(id)).deliveryState, "undelivered")
    })
  )

  it.effect("of many keeps to its pace, beyond one portion of the store", () =>
    Effect.gen(function* () {
      const dam = yield* outage()
      for (let n = 0; n < 1100; n++) yield* dam.submit(keyed(n))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.store.stats).deadDeliveries, 1100)
      dam.receiver.isUp = true
      const before = (yield* dam.told).length
      assert.strictEqual(yield* dam.engine.deadLetters.replay(local, 10), 1100)
      for (const second of [10, 100, 109]) {
        const sofar = (yield* dam.told).at(-1)?.at ?? 0
        yield* TestClock.adjust(60_000 + second * 1000 - Math.max(60_000, sofar))
      }
      const calls = (yield* dam.told).slice(before)
      const inSecond = calls.filter(({ at }) => at >= 70_000 && at < 71_000).length
      assert.strictEqual(inSecond, 10)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf((yield* dam.told).slice(before), 1100)
      assert.deepInclude(yield* dam.store.stats, { deadDeliveries: 0, pendingDeliveries: 0 })
    })
  )

  it.effect("is not lost when nobody was delivering at that moment", () =>
    Effect.gen(function* () {
      const dam = yield* outage()
      const id = yield* dam.submit(keyed(1))
      yield* TestClock.adjust("1 minute")
      yield* dam.stop
      yield* dam.store.replay({ ...local, limit: 10 }, 60_000, 0)
      dam.receiver.isUp = true
      const again = yield* dam.begin()
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).deliveryState, "delivered")
      yield* again.stop
    })
  )
})

describe("enabling an endpoint", () => {
  it.effect("tells at once what waits for it", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        receivers: Script.always(Script.inTurn({ status: 500 }, ok)),
        deliveries: {
          schedule: [Duration.zero, Duration.hours(1)],
          timeoutMillis: 15_000,
          concurrency: 100,
          endpoints: { failures: 1, failingMillis: 0, probeMillis: 86_400_000 }
        }
      })
      const id = yield* dam.submit(keyed(1))
      yield* TestClock.adjust("2 hours")
      assert.lengthOf(yield* dam.told, 1)
      assert.deepInclude(yield* dam.engine.deadLetters.enable("local", hook), { status: "disabled" })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).deliveryState, "delivered")
    })
  )
})
