/** A permit is no departure: what holds in the moment in which a call leaves decides. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { beside } from "./Beside.ts"
import * as Lane from "../../../src/dam/lane/Lane.ts"
import type { Permit } from "../../../src/dam/lane/Permit.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Dam from "../support.ts"
import { fixed } from "../support.ts"

const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
const nothing = { rps: undefined, maxConcurrent: undefined, accountQueues: undefined, hold: undefined, ignored: 0 }

/** A lane without jobs of its own, ten calls a second. */
const setUp = Effect.fnUntraced(function* (accountQueues = false) {
  const lane = Lane.make({
    fork: yield* beside,
    burst: 1,
    settingOf: () => fixed({ rps: 10, maxConcurrent: 10 }),
    accountQueues,
    queues: Effect.succeed([]),
    page: () => Effect.succeed([]),
    start: () => Effect.void,
    room: Places.make(() => 10).of
  })
  lane.wake(undefined)
  return lane
})

const permitOf = (lane: Lane.Lane, account = "a") => Effect.uninterruptible(lane.acquire(account))

/** Permits that were given one after the other and all wait to depart; tells when each of them left. */
const departing = Effect.fnUntraced(function* (lane: Lane.Lane, count: number) {
  const permits: Array<Permit> = []
  for (let n = 0; n < count; n++) {
    permits.push(yield* permitOf(lane))
    yield* TestClock.adjust(100)
  }
  const sent: Array<number> = []
  const fibers: Array<Fiber.Fiber<unknown>> = []
  for (const { depart, release } of permits) {
    const left = Effect.flatMap(depart(), (isSent) =>
      isSent ? Effect.map(monotonic, (now) => sent.push(Math.round(now))) : Effect.void
    )
    fibers.push(yield* Effect.forkChild(Effect.ensuring(left, release)))
    yield* Effect.yieldNow
  }
  return { fibers, sent }
})

describe("a call that has its permit and was not sent", () => {
  it.effect("a permit that has not departed waits for the end of a hold", () =>
    Effect.gen(function* () {
      const lane = yield* setUp()
      const permit = yield* Effect.uninterruptible(lane.acquire("a"))
      lane.learn("b", { ...nothing, hold: 30_000 }, yield* monotonic)
      const sent: Array<number> = []
      const noted = Effect.map(monotonic, (now) => sent.push(now))
      yield* Effect.forkChild(Effect.andThen(permit.depart(), noted))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(sent, [30_000])
    })
  )

  it.effect("a permit that has not departed waits for the end of a pause", () =>
    Effect.gen(function* () {
      const lane = yield* setUp()
      const permit = yield* Effect.uninterruptible(lane.acquire("a"))
      lane.pause(true, yield* monotonic)
      const sent: Array<number> = []
      const noted = Effect.map(monotonic, (now) => sent.push(now))
      yield* Effect.forkChild(Effect.andThen(permit.depart(), noted))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(sent, [])
      lane.pause(false, yield* monotonic)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(sent, [60_000])
    })
  )

  it.effect("whoever waits to depart goes by the pace of now", () =>
    Effect.gen(function* () {
      const lane = yield* setUp()
      const first = yield* Effect.uninterruptible(lane.acquire("a"))
      yield* TestClock.adjust(100)
      const second = yield* Effect.uninterruptible(lane.acquire("a"))
      yield* first.depart()
      lane.learn("a", { ...nothing, rps: 0.01 }, yield* monotonic)
      const sent: Array<number> = []
      const noted = Effect.map(monotonic, (now) => sent.push(now))
      yield* Effect.forkChild(Effect.andThen(second.depart(), noted))
      yield* TestClock.adjust(1000)
      lane.learn("a", { ...nothing, rps: 10 }, yield* monotonic)
      yield* TestClock.adjust("5 minutes")
      assert.isAtMost(sent[0] ?? Number.NaN, 1200)
    })
  )

  it.effect("waits for a hold of its own account only, and lets the others of its line pass", () =>
    Effect.gen(function* () {
      const lane = yield* setUp()
      const [ofA, ofB] = [yield* permitOf(lane, "a"), yield* Effect.andThen(TestClock.adjust(100), permitOf(lane, "b"))]
      lane.hold("a", 30_000)
      const sent: Array<string> = []
      const noted = (name: string) => Effect.map(monotonic, (now) => sent.push(`${name} ${Math.round(now)}`))
      yield* Effect.forkChild(Effect.andThen(ofA.depart(), noted("a")))
      yield* Effect.forkChild(Effect.andThen(ofB.depart(), noted("b")))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(sent, ["b 100", "a 30000"])
    })
  )

  it.effect("goes by a lowered pace", () =>
    Effect.gen(function* () {
      const lane = yield* setUp()
      const { sent } = yield* departing(lane, 3)
      lane.learn("a", { ...nothing, rps: 1 }, yield* monotonic)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(sent, [300, 1300, 2300])
    })
  )

  it.effect("takes nobody's moment along when it gives up", () =>
    Effect.gen(function* () {
      const lane = yield* setUp()
      const { fibers, sent } = yield* departing(lane, 5)
      for (const fiber of fibers.slice(1, 4)) yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(sent[0], 500)
      assert.isAtMost(sent[1] ?? Number.NaN, 600)
    })
  )

  it.effect("is asked whether it is still wanted, and takes no moment when it is not", () =>
    Effect.gen(function* () {
      const lane = yield* setUp()
      const { sent } = yield* departing(lane, 1)
      const [unwanted, wanted] = [yield* permitOf(lane), yield* Effect.andThen(TestClock.adjust(100), permitOf(lane))]
      const went = yield* Effect.forkChild(unwanted.depart({ isWanted: () => false }))
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual(yield* Fiber.join(went), false)
      yield* unwanted.release
      assert.isTrue(yield* wanted.depart())
      assert.lengthOf(sent, 1)
    })
  )

  it.effect("leaves its turn to the next one when it is given back", () =>
    Effect.gen(function* () {
      const lane = yield* setUp()
      lane.learn("a", { ...nothing, rps: 0.1 }, yield* monotonic)
      const first = yield* permitOf(lane)
      yield* first.release
      const waiting = yield* Effect.forkChild(permitOf(lane))
      yield* TestClock.adjust(10)
      assert.isDefined(waiting.pollUnsafe())
    })
  )

  it.effect("is not sent once its job is cancelled", () =>
    Effect.gen(function* () {
      const atThirty = Effect.flatMap(monotonic, (now) => Effect.sleep(30_000 - now))
      const dam = yield* Dam.setUp({
        pacing: { pace: { rps: 0.1, maxConcurrent: 10 } },
        through: (store) => ({ ...store, start: (...asked) => Effect.andThen(atThirty, store.start(...asked)) })
      })
      // the second one has its permit while the first is written, and both are written in the same moment
      const ids = [yield* dam.submit(Step.get(`${Dam.url}1`)), yield* dam.submit(Step.get(`${Dam.url}2`))]
      yield* TestClock.adjust("35 seconds")
      yield* dam.engine.cancel(yield* dam.get(ids[1] ?? ""))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* dam.sent, ["api 30000"])
    })
  )

  it.effect("cancelled jobs do not use up the pace", () =>
    Effect.gen(function* () {
      const dam = yield* Dam.setUp({ pacing: { pace: { rps: 1, maxConcurrent: 10 } } })
      const ids: Array<string> = []
      for (let n = 0; n < 30; n++) ids.push(yield* dam.submit(Step.get(Dam.url + n)))
      yield* TestClock.adjust(10)
      for (const id of ids.slice(2)) yield* dam.engine.cancel(yield* dam.get(id))
      yield* TestClock.adjust("3 seconds")
      yield* dam.submit(Step.get(`${Dam.url}new`))
      yield* TestClock.adjust("1 minute")
      const at = Number((yield* dam.sent)[2]?.split(" ")[1])
      assert.isAtMost(at, 5000)
    })
  )
})
