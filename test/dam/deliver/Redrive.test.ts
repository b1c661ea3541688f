/** What an endpoint that works again is told of its outage by itself. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type DeliveryOptions, defaults } from "../../../src/dam/deliver/Schedule.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { hook, setUp, type Store, url } from "../support.ts"

const telling = Step.webhooks(Step.get(url), [{ url: hook }])
const keyed = (key: string) => Step.idempotentKey(telling, key)
/** Two attempts within a minute, so that an outage of minutes makes dead letters. */
const short: DeliveryOptions = { ...defaults, schedule: [Duration.zero, Duration.seconds(30)] }

/** A dam whose receiver fails until it is well. */
const failing = Effect.fnUntraced(function* (deliveries: DeliveryOptions) {
  const receiver = { isDown: true }
  const receivers: Script.Script = {
    rules: [
      {
        name: "down",
        matches: () => receiver.isDown,
        answer: Script.always({ status: 500 }).rules[0]?.answer ?? Script.refuse
      },
      ...Script.always({ status: 204 }).rules
    ]
  }
  const dam = yield* setUp({ receivers, deliveries, retention: Duration.days(30) })
  return { ...dam, well: () => void (receiver.isDown = false) }
})

const stateOf = (store: Store, id: string) => Effect.map(store.deliveries(id), ([delivery]) => delivery?.state)

describe("an endpoint that works again", () => {
  it.effect("is told what was given up while it failed, and only that", () =>
    Effect.gen(function* () {
      const dam = yield* failing({ ...short, redrive: true })
      const earlier = yield* dam.submit(keyed("earlier"))
      yield* TestClock.adjust("5 minutes")
      yield* dam.store.enableEndpoint("local", hook, 300_000)
      yield* TestClock.adjust("1 minute")
      const lost = yield* dam.submit(keyed("lost"))
      yield* TestClock.adjust("5 minutes")
      dam.well()
      const next = yield* dam.submit(keyed("next"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* stateOf(dam.store, next), "delivered")
      assert.strictEqual(yield* stateOf(dam.store, lost), "delivered")
      // that outage was ended by hand, and what it lost is the operator's
      assert.strictEqual(yield* stateOf(dam.store, earlier), "dead")
      assert.strictEqual((yield* dam.get(lost)).deliveryState, "delivered")
    })
  )

  it.effect("is not told results that are older than seven days", () =>
    Effect.gen(function* () {
      const dam = yield* failing({ ...short, redrive: true })
      const old = yield* dam.submit(keyed("old"))
      yield* TestClock.adjust("6 days")
      const young = yield* dam.submit(keyed("young"))
      yield* TestClock.adjust("25 hours")
      dam.well()
      yield* dam.submit(keyed("next"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* stateOf(dam.store, old), "dead")
      assert.strictEqual(yield* stateOf(dam.store, young), "delivered")
    })
  )

  it.effect("is not told again what it called too large", () =>
    Effect.gen(function* () {
      const receivers = Script.all(
        Script.on(hook, Script.inTurn({ status: 413 }, { status: 413 }, { status: 204 })),
        Script.always({ status: 204 })
      )
      const dam = yield* setUp({ receivers, deliveries: { ...short, redrive: true } })
      const large = yield* dam.submit(keyed("large"))
      yield* TestClock.adjust("1 minute")
      yield* dam.submit(keyed("next"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* stateOf(dam.store, large), "dead")
    })
  )

  it.effect("is told nothing by itself unless that was configured", () =>
    Effect.gen(function* () {
      const dam = yield* failing(short)
      const lost = yield* dam.submit(keyed("lost"))
      yield* TestClock.adjust("5 minutes")
      dam.well()
      yield* dam.submit(keyed("next"))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* stateOf(dam.store, lost), "dead")
    })
  )
})
