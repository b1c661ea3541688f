import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { PacingOptions } from "../../../src/dam/lane/Dial.ts"
import * as Lanes from "../../../src/dam/lane/Lanes.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import { bucket, type Upstream } from "../../engine/pace/sim/Upstream.ts"
import type { LaneRouter } from "../../../src/dam/lane/LaneRouter.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as HostRules from "../../../src/presets/HostRules.ts"
import type { Preset } from "../../../src/presets/Preset.ts"
import * as Reply from "../../../src/step/Reply.ts"

const host = "api.example:443"

/** Lanes over a store in memory, which can be stopped and made again. */
const setUp = Effect.fnUntraced(function* (options: PacingOptions = {}) {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const begin = Effect.gen(function* () {
    const scope = yield* Scope.make()
    const lanes = yield* Lanes.make(store, options, { start: () => Effect.void, room: Places.make(() => 100).of }).pipe(
      Scope.provide(scope)
    )
    return { lanes, stop: Scope.close(scope, Exit.void) }
  })
  return { store, begin, ...(yield* begin) }
})

const says = (headers: Readonly<Record<string, string>>, status = 200) => Reply.response(status, headers)

/** Takes in an answer to a call that was sent just now, or before. */
const observe = (lanes: LaneRouter, account: string, response: Reply.Response, sentAt?: number) =>
  Effect.flatMap(Clock.monotonicTimeNanos, (nanos) =>
    lanes.observe({ lane: host, account, response, jobId: undefined, sentAt: sentAt ?? Number(nanos) / 1e6 })
  )

const paceOf = (lanes: LaneRouter) =>
  Effect.gen(function* () {
    yield* lanes.wake(host)
    return (yield* lanes.views).find(({ lane }) => lane === host)?.pace
  })

/** How many permits a while gives, each given back at once. */
const permits = (lanes: LaneRouter, account: string, seconds: number) =>
  Effect.gen(function* () {
    let count = 0
    const taking = yield* Effect.forkChild(
      Effect.forever(
        Effect.andThen(
          Effect.flatMap(Effect.uninterruptible(lanes.acquire(host, account)), ({ depart, release }) =>
            Effect.andThen(depart(), release)
          ),
          Effect.sync(() => void count++)
        )
      )
    )
    yield* TestClock.adjust(seconds * 1000)
    taking.interruptUnsafe()
    return count
  })

describe("Lanes", () => {
  it.effect("begin with two calls a second and two in flight, or what is configured", () =>
    Effect.gen(function* () {
      const plain = yield* setUp()
      assert.deepStrictEqual(yield* paceOf(plain.lanes), { rps: 2, maxConcurrent: 2 })
      const configured = yield* setUp({ pace: { rps: 5 }, hosts: { [host]: { maxConcurrent: 9 } } })
      assert.deepStrictEqual(yield* paceOf(configured.lanes), { rps: 5, maxConcurrent: 9 })
    })
  )

  it.effect("keep a learnt pace over a restart", () =>
    Effect.gen(function* () {
      const { begin, lanes, stop } = yield* setUp()
      yield* observe(lanes, "a", says({ "x-aqueduct-rps": "7.5" }))
      yield* observe(lanes, "a", says({ "x-aqueduct-max-concurrent": "4" }))
      yield* stop
      yield* TestClock.adjust("50 minutes")
      assert.deepStrictEqual(yield* paceOf((yield* begin).lanes), { rps: 7.5, maxConcurrent: 4 })
    })
  )

  it.effect("forget a learnt pace an hour after the last traffic, running or stopped", () =>
    Effect.gen(function* () {
      const { begin, lanes, stop } = yield* setUp()
      const slow = says({ "x-aqueduct-rps": "0.5" })
      yield* observe(lanes, "a", slow)
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* paceOf(lanes))?.rps, 0.5)
      // any answer is traffic, whatever it says
      yield* observe(lanes, "a", says({}))
      yield* TestClock.adjust("59 minutes")
      assert.strictEqual((yield* paceOf(lanes))?.rps, 0.5)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual((yield* paceOf(lanes))?.rps, 2)
      yield* observe(lanes, "a", slow)
      yield* stop
      yield* TestClock.adjust("61 minutes")
      assert.strictEqual((yield* paceOf((yield* begin).lanes))?.rps, 2)
    })
  )

  it.effect("keep a hold over a restart for as long as it was asked for, though the pace is forgotten", () =>
    Effect.gen(function* () {
      const { begin, lanes, stop } = yield* setUp()
      yield* observe(lanes, "a", says({ "retry-after": "14400", "x-aqueduct-rps": "9" }, 429))
      yield* stop
      yield* TestClock.adjust("3 hours")
      const again = yield* begin
      assert.strictEqual((yield* paceOf(again.lanes))?.rps, 2)
      assert.strictEqual(yield* again.lanes.heldFor(host, "a"), 3_600_000)
      assert.strictEqual(yield* permits(again.lanes, "a", 3599), 0)
    })
  )

  it.effect("stay within the bounds, whatever an upstream says", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp()
      yield* observe(lanes, "a", says({ "x-aqueduct-rps": "1000000", "x-aqueduct-max-concurrent": "5000" }))
      assert.deepStrictEqual(yield* paceOf(lanes), { rps: 1000, maxConcurrent: 100 })
      yield* observe(lanes, "a", says({ "x-aqueduct-rps": "0.000001" }))
      assert.strictEqual((yield* paceOf(lanes))?.rps, 0.01)
      yield* observe(lanes, "a", says({ "x-aqueduct-rps": "NaN" }))
      assert.strictEqual((yield* paceOf(lanes))?.rps, 0.01)
    })
  )

  it.effect("hold longer with each bare refusal, and begin anew after an answer", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp()
      const held = Effect.gen(function* () {
        yield* observe(lanes, "a", says({}, 429))
        const millis = yield* lanes.heldFor(host, "a")
        yield* TestClock.adjust(millis)
        return millis
      })
      assert.deepStrictEqual(yield* Effect.all([held, held, held, held]), [1000, 2000, 4000, 8000])
      yield* observe(lanes, "a", says({}))
      assert.strictEqual(yield* held, 1000)
    })
  )

  it.effect("hold longer when a wait that was announced and kept was too short", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp()
      const waits = []
      for (let n = 0; n < 4; n++) {
        yield* observe(lanes, "a", says({ "retry-after": n === 2 ? "0" : "1" }, 429))
        waits.push(yield* lanes.heldFor(host, "a"))
        yield* TestClock.adjust(waits[n] ?? 0)
      }
      assert.deepStrictEqual(waits, [1000, 2000, 4000, 8000])
    })
  )

  it.effect("hold from the second 503 in a row, whatever is answered meanwhile of what was sent before", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp()
      const heldFor = lanes.heldFor(host, "a")
      const answered = (status: number, sentAt?: number) =>
        Effect.andThen(TestClock.adjust(1), observe(lanes, "a", says({}, status), sentAt))
      yield* answered(503)
      assert.strictEqual(yield* heldFor, 0)
      yield* answered(200)
      yield* answered(503)
      assert.strictEqual(yield* heldFor, 0)
      // sent together with the one before
      yield* answered(503, 2)
      assert.strictEqual(yield* heldFor, 0)
      yield* answered(503)
      assert.strictEqual(yield* heldFor, 1000)
      yield* answered(200, 4)
      yield* TestClock.adjust(1000)
      yield* answered(503)
      assert.strictEqual(yield* heldFor, 2000)
    })
  )

  it.effect("send no more at once than the upstream says is left, and hold until its reset when it is nothing", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ pace: { rps: 1000, maxConcurrent: 50, told: "burst" }, burst: 50 })
      const take = Effect.uninterruptible(lanes.acquire(host, "a"))
      const first = yield* take
      const quota = (left: number) => says({ "ratelimit-remaining": String(left), "ratelimit-reset": "60" })
      yield* observe(lanes, "a", quota(3))
      yield* first.release
      const open = [yield* take, yield* take, yield* take]
      const fourth = yield* Effect.forkChild(take)
      yield* TestClock.adjust("5 seconds")
      assert.isUndefined(fourth.pollUnsafe())
      for (const [n, { release }] of open.entries()) {
        yield* observe(lanes, "a", quota(2 - n))
        yield* release
      }
      assert.strictEqual(yield* lanes.heldFor(host, "a"), 60_000)
      yield* TestClock.adjust("59 seconds")
      assert.isUndefined(fourth.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.isDefined(fourth.pollUnsafe())
    })
  )

  it.effect("spread the calls that are left over what is left of the window, unless told to burst", () =>
    Effect.gen(function* () {
      const calls = (told: "spread" | "burst") =>
        Effect.gen(function* () {
          const { lanes } = yield* setUp({ pace: { rps: 100, maxConcurrent: 10, told } })
          yield* observe(lanes, "a", says({ "ratelimit-remaining": "30", "ratelimit-reset": "60" }))
          return yield* permits(lanes, "a", 10)
        })
      assert.approximately(yield* calls("spread"), 5, 1)
      assert.isAtLeast(yield* calls("burst"), 30)
    })
  )

  it.effect("find the pace of an upstream that tells nothing, and keep it over a restart", () =>
    Effect.gen(function* () {
      const { begin, lanes, stop } = yield* setUp({ pace: { find: true } })
      const limited = (router: LaneRouter, upstream: Upstream, seconds: number) =>
        Effect.gen(function* () {
          let refused = 0
          let taken = 0
          const taking = yield* Effect.forkChild(
            Effect.forever(
              Effect.gen(function* () {
                const permit = yield* Effect.uninterruptible(router.acquire(host, "a"))
                yield* permit.depart()
                const now = Number(yield* Clock.monotonicTimeNanos) / 1e6
                const { isOk } = upstream.arrive(now, () => 0.5)
                if (isOk) taken++
                else refused++
                yield* Effect.forkChild(
                  Effect.sleep(50).pipe(
                    Effect.andThen(observe(router, "a", says({}, isOk ? 200 : 429), now)),
                    Effect.andThen(permit.release)
                  )
                )
              })
            )
          )
          yield* TestClock.adjust(seconds * 1000)
          yield* Fiber.interrupt(taking)
          return { refused, taken }
        })
      const upstream = bucket(10, 20)
      assert.isAbove((yield* paceOf(lanes))?.rps ?? 0, 0)
      yield* limited(lanes, upstream, 120)
      const warm = yield* limited(lanes, upstream, 120)
      assert.isAtLeast(warm.taken, 1140)
      assert.isAtMost(warm.refused, 0.01 * warm.taken)
      const found = (yield* paceOf(lanes))?.rps ?? 0
      assert.approximately(found, 10, 1)
      yield* stop
      const again = (yield* begin).lanes
      assert.approximately((yield* paceOf(again))?.rps ?? 0, found, 0.5)
      const on = yield* limited(again, upstream, 120)
      assert.isAtLeast(on.taken, 1140)
    })
  )

  it.effect("believe no reset that is longer than a day, and keep what says only how many at once from the rate", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ hosts: { [host]: { find: true } } })
      yield* observe(lanes, "a", says({ "x-aqueduct-max-concurrent": "5" }))
      assert.isAtMost((yield* paceOf(lanes))?.rps ?? 99, 3)
      yield* observe(lanes, "a", says({ "ratelimit-remaining": "0", "ratelimit-reset": "999999999" }))
      assert.isAtMost(yield* lanes.heldFor(host, "a"), 86_400_000)
    })
  )

  it.effect("look for no more than their own ceiling, which a pace of others is none of", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ pace: { rps: 5, maxConcurrent: 2 }, hosts: { [host]: { find: true } } })
      yield* lanes.wake(host)
      const [view] = yield* lanes.views
      assert.deepStrictEqual(view?.ceiling, { rps: 50, maxConcurrent: 10 })
    })
  )

  it.effect("take a status for a refusal where the configuration says so", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ hosts: { [host]: { refusals: [420] } } })
      yield* observe(lanes, "a", says({ "retry-after": "9" }, 420))
      assert.strictEqual(yield* lanes.heldFor(host, "a"), 9000)
      assert.deepStrictEqual(yield* paceOf(lanes), { rps: 2, maxConcurrent: 2 })
    })
  )

  it.effect("take a 2xx for a refusal where a preset of the host says so, and what is left from its headers", () =>
    Effect.gen(function* () {
      const preset: Preset = {
        name: "mine",
        hosts: ["api.example"],
        limits: [{ dialect: "pair", header: "x-calls" }],
        too_many: [{ status: [200], body: [{ path: "ok", is: false }], wait_seconds: 9 }]
      }
      const { lanes } = yield* setUp({ rules: () => HostRules.rulesOf(preset) })
      yield* observe(lanes, "a", Reply.response(200, {}, '{"ok":true}'))
      assert.strictEqual(yield* lanes.heldFor(host, "a"), 0)
      yield* observe(lanes, "a", Reply.response(200, {}, '{"ok":false}'))
      assert.strictEqual(yield* lanes.heldFor(host, "a"), 9000)
      yield* TestClock.adjust("9 seconds")
      yield* observe(lanes, "a", Reply.response(200, { "x-calls": "40/40" }, '{"ok":true}'))
      // nothing is left, and nobody says for how long: it is asked after a second
      assert.strictEqual(yield* lanes.heldFor(host, "a"), 1000)
    })
  )

  it.effect("go by the configuration where it says more than what is known of the host", () =>
    Effect.gen(function* () {
      const rules = () => HostRules.rulesOf({ name: "mine", hosts: ["api.example"] })
      const { lanes } = yield* setUp({ rules, hosts: { [host]: { refusals: [420] } } })
      yield* observe(lanes, "a", says({ "retry-after": "9" }, 420))
      assert.strictEqual(yield* lanes.heldFor(host, "a"), 9000)
    })
  )

  it.effect("count refusals of calls that were in flight together as one", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp()
      for (let n = 0; n < 10; n++) yield* observe(lanes, "a", says({}, 429))
      assert.strictEqual(yield* lanes.heldFor(host, "a"), 1000)
    })
  )

  it.effect("give accounts their own pace where the upstream says so, over a restart too", () =>
    Effect.gen(function* () {
      const { begin, lanes, stop } = yield* setUp()
      yield* observe(lanes, "a", says({ "x-aqueduct-account-queue": "enabled", "x-aqueduct-rps": "10" }))
      yield* observe(lanes, "b", says({ "retry-after": "600" }, 429))
      assert.strictEqual(yield* lanes.heldFor(host, "a"), 0)
      yield* stop
      const again = (yield* begin).lanes
      assert.strictEqual(yield* again.heldFor(host, "b"), 600_000)
      assert.strictEqual(yield* permits(again, "b", 10), 0)
      assert.isAtLeast(yield* permits(again, "a", 10), 100)
      const ofC = yield* permits(again, "c", 10)
      assert.isTrue(ofC >= 20 && ofC <= 22, `${ofC}`)
    })
  )

  it.effect("keep no lane that nobody needs", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp()
      for (let n = 0; n < 500; n++) yield* lanes.wake(`host-${n}.example:443`)
      const one = yield* Effect.uninterruptible(lanes.acquire(host, "a"))
      assert.lengthOf(yield* lanes.views, 501)
      yield* TestClock.adjust("3 minutes")
      assert.deepStrictEqual(
        (yield* lanes.views).map(({ lane }) => lane),
        [host]
      )
      yield* one.release
      yield* TestClock.adjust("3 minutes")
      assert.lengthOf(yield* lanes.views, 0)
      const again = yield* Effect.uninterruptible(lanes.acquire(host, "a"))
      yield* again.release
    })
  )

  it.effect("let no more through than the pace and the burst, though lanes come and go", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp({ pace: { rps: 0.05, maxConcurrent: 5 } })
      const at: Array<number> = []
      const taking = yield* Effect.forkChild(
        Effect.forever(
          Effect.gen(function* () {
            const permit = yield* Effect.uninterruptible(lanes.acquire(host, "a"))
            yield* permit.depart()
            at.push(yield* Clock.currentTimeMillis)
            yield* permit.release
            yield* Effect.sleep("90 seconds")
          })
        )
      )
      yield* TestClock.adjust("20 minutes")
      taking.interruptUnsafe()
      assert.isAtLeast(at.length, 12)
      assert.isTrue(at.every((moment, n) => n === 0 || moment - (at[n - 1] ?? 0) >= 20_000))
    })
  )
})
