import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { defaults, defaultSchedule } from "../../../src/dam/deliver/Schedule.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { hook, ok, setUp, url } from "../support.ts"

const audit = "https://audit.example/hook"
const third = "https://third.example/hook"
const get = Step.get(url)
const telling = Step.webhooks(get, [{ url: hook }])
const down = Script.always({ status: 500 })
const keyed = (n: number | string) => telling.pipe(Step.idempotentKey(`${n}`))

/** Answers as `before` until the moment, and as `after` from then on. */
const turning = (clock: { now: number }, moment: number, before: Script.Input, after: Script.Input): Script.Script => ({
  rules: [
    {
      name: "before",
      matches: () => clock.now < moment,
      answer: Script.always(before).rules[0]?.answer ?? Script.refuse
    },
    ...Script.always(after).rules
  ]
})

const hours = Effect.fnUntraced(function* (clock: { now: number }, count: number) {
  for (let hour = 0; hour < count; hour++) {
    yield* TestClock.adjust("1 hour")
    clock.now += 3_600_000
  }
})

describe("a receiver's Retry-After", () => {
  const pauseAfter = (headers: Readonly<Record<string, string>>, status = 503) =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always(Script.inTurn({ status, headers }, ok)) })
      yield* dam.submit(telling)
      yield* TestClock.adjust("60 hours")
      const [first, second] = yield* dam.told
      return (second?.at ?? Number.POSITIVE_INFINITY) - (first?.at ?? 0)
    })

  for (const status of [429, 500, 503]) {
    it.effect(`is a lower bound of the next pause (${status})`, () =>
      Effect.gen(function* () {
        const pause = yield* pauseAfter({ "Retry-After": "600" }, status)
        assert.isAtLeast(pause, 600_000)
        assert.isAtMost(pause, 600_100)
      })
    )
  }

  it.effect("never shortens our own pause", () =>
    Effect.gen(function* () {
      assert.isAtLeast(yield* pauseAfter({ "Retry-After": "1" }), 5000)
    })
  )

  it.effect("may be a date", () =>
    Effect.gen(function* () {
      const pause = yield* pauseAfter({ "Retry-After": "Thu, 01 Jan 1970 02:00:00 GMT" })
      assert.isAtLeast(pause, 7_199_000)
      assert.isAtMost(pause, 7_201_000)
    })
  )

  it.effect("is believed up to a day", () =>
    Effect.gen(function* () {
      const pause = yield* pauseAfter({ "Retry-After": "999999999" })
      assert.isAtLeast(pause, 86_400_000)
      assert.isAtMost(pause, 86_401_000)
    })
  )

  it.effect("holds that receiver's other deliveries, and no other receiver's", () =>
    Effect.gen(function* () {
      const receivers = Script.all(
        Script.on(hook, Script.inTurn({ status: 429, headers: { "Retry-After": "600" } }, ok)),
        Script.always(ok)
      )
      const dam = yield* setUp({ receivers })
      yield* dam.submit(keyed(1))
      yield* TestClock.adjust("1 second")
      yield* dam.submit(Step.webhooks(keyed(2), [{ url: hook }, { url: audit }]))
      yield* TestClock.adjust("1 hour")
      const at = (receiver: string) =>
        Effect.map(dam.told, (calls) =>
          calls.filter(({ asked }) => asked.request.url === receiver).map((call) => Math.round(call.at / 1000))
        )
      assert.deepStrictEqual(yield* at(audit), [1])
      const [first, ...later] = yield* at(hook)
      assert.strictEqual(first, 0)
      assert.lengthOf(later, 2)
      for (const moment of later) assert.isAtLeast(moment, 600)
    })
  )
})

describe("a receiver that answers 410", () => {
  it.effect("gets no further attempt: a dead letter at once, and so is everything else for its endpoint", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always({ status: 410 }) })
      const first = yield* dam.submit(keyed(1))
      yield* TestClock.adjust("1 second")
      const second = yield* dam.submit(keyed(2))
      yield* TestClock.adjust("12 hours")
      assert.lengthOf(yield* dam.told, 1)
      for (const [id, attempts] of [
        [first, 1],
        [second, 0]
      ] as const) {
        const [delivery] = yield* dam.store.deliveries(id)
        assert.deepInclude(delivery, { state: "dead" })
        assert.strictEqual(delivery?.dead?.reason, "receiver_gone")
        assert.lengthOf(delivery?.attempts ?? [], attempts)
      }
      assert.deepInclude((yield* dam.store.endpoints("local"))[0], { status: "disabled", reason: "gone" })
    })
  )

  it.effect("is delivered to again once it was enabled by hand", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always(Script.inTurn({ status: 410 }, ok)) })
      yield* dam.submit(keyed(1))
      yield* TestClock.adjust("1 second")
      yield* dam.store.enableEndpoint("local", hook, 1000)
      const second = yield* dam.submit(keyed(2))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(second)).deliveryState, "delivered")
    })
  )
})

describe("an endpoint that fails for long", () => {
  const strict = { ...defaults, endpoints: { failures: 4, failingMillis: 600_000, probeMillis: 3_600_000 } }

  it.effect("is disabled, probed with one delivery at a time, and everything goes out once a probe arrives", () =>
    Effect.gen(function* () {
      const clock = { now: 0 }
      const back = 30.5 * 3_600_000
      const dam = yield* setUp({
        receivers: turning(clock, back, { status: 500 }, { status: 204 }),
        deliveries: strict,
        retention: Duration.days(7)
      })
      const jobs = yield* Effect.forEach(Array.from({ length: 20 }), (_, n) => dam.submit(keyed(n)))
      yield* hours(clock, 4)
      assert.deepInclude((yield* dam.store.endpoints("local"))[0], { status: "disabled", reason: "failing" })
      assert.strictEqual((yield* dam.engine.admission)["disabled_endpoints"], 1)
      const before = (yield* dam.told).length
      // what comes now waits as well
      const late = yield* dam.submit(keyed("late"))
      yield* hours(clock, 10)
      const probes = (yield* dam.told).length - before
      assert.isAtLeast(probes, 9)
      assert.isAtMost(probes, 11)
      assert.lengthOf((yield* dam.store.deliveries(late))[0]?.attempts ?? [], 0)
      yield* hours(clock, 20)
      for (const id of [...jobs, late]) assert.strictEqual((yield* dam.get(id)).deliveryState, "delivered")
      assert.deepStrictEqual(yield* dam.store.endpoints("local"), [])
    })
  )

  it.effect("keeps a delivery waiting as long as its schedule would have lasted, and then gives it up", () =>
    Effect.gen(function* () {
      const clock = { now: 0 }
      const dam = yield* setUp({ receivers: down, deliveries: strict, retention: Duration.days(30) })
      for (let n = 0; n < 5; n++) yield* dam.submit(keyed(n))
      yield* hours(clock, 12)
      const late = yield* dam.submit(keyed("late"))
      yield* hours(clock, 89)
      assert.strictEqual((yield* dam.store.deliveries(late))[0]?.state, "pending")
      yield* hours(clock, 5)
      assert.strictEqual((yield* dam.store.deliveries(late))[0]?.dead?.reason, "endpoint_disabled")
      assert.deepInclude(yield* dam.get(late), { state: "succeeded", deliveryState: "undelivered" })
    })
  )

  it.effect("does not hold up another endpoint of the same host", () =>
    Effect.gen(function* () {
      const clock = { now: 0 }
      const dam = yield* setUp({
        receivers: Script.all(Script.on(hook, { status: 500 }), Script.always(ok)),
        deliveries: strict
      })
      for (let n = 0; n < 5; n++) yield* dam.submit(keyed(n))
      yield* hours(clock, 4)
      const other = yield* dam.submit(Step.webhooks(Step.idempotentKey(get, "other"), [{ url: `${hook}/other` }]))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(other)).deliveryState, "delivered")
    })
  )
})

describe("a quorum of 2 of 3", () => {
  const step = get.pipe(Step.webhooks([{ url: hook }, { url: audit }, { url: third }]), Step.webhookQuorum(2))

  it.effect("is reached with one receiver dead for ever", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.all(Script.on(third, Script.refuse), Script.always(ok)) })
      const id = yield* dam.submit(step)
      yield* TestClock.adjust("96 hours")
      assert.strictEqual((yield* dam.get(id)).deliveryState, "delivered")
      const dead = (yield* dam.store.deliveries(id)).filter(({ state }) => state === "dead")
      assert.deepStrictEqual(
        dead.map(({ attempts, url: to }) => [to, attempts.length]),
        [[third, defaultSchedule.length]]
      )
    })
  )

  it.effect("is out of reach with two dead: undelivered, each a dead letter with its attempts", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        receivers: Script.all(Script.on(hook, ok), Script.always({ status: 500, body: "no" }))
      })
      const id = yield* dam.submit(step)
      yield* TestClock.adjust("96 hours")
      assert.strictEqual((yield* dam.get(id)).deliveryState, "undelivered")
      const { deadLetters } = yield* dam.store.deadLetters({ customer: "local", limit: 10 })
      assert.deepStrictEqual(
        deadLetters.map(({ url: to }) => to),
        [third, audit]
      )
      for (const { attempts, dead } of deadLetters) {
        assert.strictEqual(dead?.reason, "attempts_exhausted")
        assert.lengthOf(attempts, defaultSchedule.length)
        for (const one of attempts) assert.deepInclude(one, { status: 500, excerpt: "no" })
      }
    })
  )
})
