import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as TestClock from "effect/testing/TestClock"
import type { Pace } from "../../../src/engine/pace/Gate.ts"
import type { Ticket } from "../../../src/dam/store/JobRecords.ts"
import type { StoreError } from "../../../src/dam/store/StoreError.ts"
import { StorageFull } from "../../../src/dam/store/StoreError.ts"
import type { Permit } from "../../../src/dam/lane/Permit.ts"
import { beside } from "./Beside.ts"
import * as Lane from "../../../src/dam/lane/Lane.ts"
import type { Fork } from "../../../src/dam/lane/Signal.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import { queueOf } from "../../../src/dam/job/LaneName.ts"
import { fixed } from "../support.ts"

const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
const silent = { rps: undefined, maxConcurrent: undefined, accountQueues: undefined, hold: undefined, ignored: 0 }

/** A lane over queues in memory; what it starts holds its permit for a while. */
const setUp = Effect.fnUntraced(function* (
  given: {
    readonly pace?: Partial<Pace>
    readonly paceOf?: (account: string | undefined) => Pace
    readonly places?: number
    readonly takes?: number
    readonly fork?: Fork
  } = {}
) {
  const queues = new Map<string, Array<Ticket>>()
  const pages: Array<number> = []
  const started: Array<{ readonly id: string; readonly account: string; readonly at: number }> = []
  let seq = 0
  let reads = 0
  let failing: StoreError | undefined
  const orFail = <A>(value: () => A) =>
    Effect.suspend(() => {
      reads++
      return failing === undefined ? Effect.sync(value) : Effect.fail(failing)
    })
  const pace: Pace = { rps: 1000, maxConcurrent: 100, ...given.pace }
  const lane: Lane.Lane = Lane.make({
    fork: given.fork ?? (yield* beside),
    burst: 1,
    settingOf: (account) => fixed(given.paceOf?.(account) ?? pace),
    queues: orFail(() => Array.from(queues).flatMap(([name, { length }]) => (length > 0 ? [name] : []))),
    page: (name, limit) =>
      orFail(() => {
        const page = (queues.get(name) ?? []).slice(0, limit)
        pages.push(page.length)
        return page
      }),
    start: (ticket, permit, giveBack) =>
      Effect.gen(function* () {
        yield* orFail(() => {
          const queue = queues.get(ticket.queue)
          queue?.splice(
            queue.findIndex(({ id }) => id === ticket.id),
            1
          )
        })
        started.push({ id: ticket.id, account: ticket.queue, at: yield* monotonic })
        yield* Effect.forkDetach(
          Effect.gen(function* () {
            yield* permit.depart()
            yield* Effect.sleep(given.takes ?? 0)
            yield* permit.release
            yield* giveBack
          })
        )
      }),
    room: Places.make(() => given.places ?? 1000).of
  })
  const fill = (name: string, jobs: number) => {
    const queue = queues.get(name) ?? []
    queues.set(name, queue)
    for (let n = 0; n < jobs; n++) {
      queue.push({ id: `${name}-${n}`, queue: name, seq: seq++ })
    }
    lane.wake(name)
  }
  lane.wake(undefined)
  return {
    lane,
    fill,
    started,
    pages,
    reads: () => reads,
    fail: (error: StoreError | undefined) => void (failing = error),
    ids: () => started.map(({ id }) => id)
  }
})

/** Waits for a permit in a fiber of its own. */
const waiter = (lane: Lane.Lane, account: string) => Effect.forkChild(Effect.uninterruptible(lane.acquire(account)))

const isDone = (fiber: Fiber.Fiber<Permit>) => fiber.pollUnsafe() !== undefined

describe("Lane: turns", () => {
  it.effect("lets an account with three jobs pass one with a hundred thousand", () =>
    Effect.gen(function* () {
      const { fill, ids } = yield* setUp({ pace: { rps: 10 } })
      fill("big", 100_000)
      yield* TestClock.adjust("1 second")
      fill("small", 3)
      yield* TestClock.adjust("1 second")
      const since = ids().slice(11)
      const small = since.flatMap((id, n) => (id.startsWith("small") ? [n] : []))
      assert.lengthOf(small, 3)
      assert.isAtMost(small.at(-1) ?? Number.NaN, 6)
    })
  )

  it.effect("keeps the order of acceptance within an account", () =>
    Effect.gen(function* () {
      const { fill, ids } = yield* setUp({ pace: { rps: 500 } })
      fill("a", 200)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(
        ids(),
        Array.from({ length: 200 }, (_, n) => `a-${n}`)
      )
    })
  )

  it.effect("shares the rate evenly among accounts, whoever came first", () =>
    Effect.gen(function* () {
      const { fill, started } = yield* setUp({ pace: { rps: 100 } })
      for (const [n, account] of ["a", "b", "c", "d", "e"].entries()) fill(account, 1000 * (n + 1))
      yield* TestClock.adjust("10 seconds")
      const counts = ["a", "b", "c", "d", "e"].map((name) => started.filter(({ account }) => account === name).length)
      assert.isAtMost(Math.max(...counts) - Math.min(...counts), 1)
    })
  )

  it.effect("lets those of an account who wait before its new jobs", () =>
    Effect.gen(function* () {
      const { fill, lane, started } = yield* setUp({ pace: { rps: 1 } })
      fill("a", 10)
      yield* TestClock.adjust(10)
      assert.lengthOf(started, 2)
      const waiting = [yield* waiter(lane, "a"), yield* waiter(lane, "a")]
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(waiting.map(isDone), [true, true])
      assert.lengthOf(started, 2)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(started, 3)
    })
  )

  it.effect(
    "gives jobs that asked for isolation a turn beside their account's backlog, and the account no more of the rate",
    () =>
      Effect.gen(function* () {
        const { fill, ids, started } = yield* setUp({ pace: { rps: 10 } })
        fill("a", 1000)
        fill("b", 1000)
        yield* TestClock.adjust("1 second")
        fill(queueOf({ account: "a", isolated: true }), 5)
        const before = started.length
        yield* TestClock.adjust("3 seconds")
        const since = ids().slice(before)
        assert.strictEqual(since.filter((id) => id.startsWith("a+")).length, 5)
        const ofB = since.filter((id) => id.startsWith("b")).length
        assert.isAtMost(Math.abs(ofB - (since.length - ofB)), 1)
        assert.isAtMost(since.length, 31)
      })
  )

  it.effect("goes on with an account that comes back after it had run dry", () =>
    Effect.gen(function* () {
      const { fill, started } = yield* setUp()
      for (let round = 1; round <= 5; round++) {
        fill("a", 3)
        yield* TestClock.adjust("1 minute")
        assert.lengthOf(started, round * 3)
      }
    })
  )
})

describe("Lane: permits", () => {
  it.effect("gives a place up when the one who waits is interrupted", () =>
    Effect.gen(function* () {
      const { lane } = yield* setUp({ pace: { maxConcurrent: 1 } })
      const [first, second, third] = [yield* waiter(lane, "a"), yield* waiter(lane, "a"), yield* waiter(lane, "b")]
      const permit = yield* Fiber.join(first)
      yield* TestClock.adjust(5)
      yield* Fiber.interrupt(second)
      assert.strictEqual(lane.view(yield* monotonic).waiting, 1)
      yield* permit.release
      yield* TestClock.adjust("1 second")
      assert.isTrue(isDone(third))
      assert.strictEqual(lane.view(yield* monotonic).open, 1)
    })
  )

  it.effect("takes a permit back that was granted in the moment of the interruption", () =>
    Effect.gen(function* () {
      const { lane } = yield* setUp({ pace: { rps: 1000, maxConcurrent: 1 } })
      const permit = yield* Fiber.join(yield* waiter(lane, "a"))
      for (let round = 0; round < 50; round++) {
        const waiting = yield* waiter(lane, "a")
        yield* Effect.yieldNow
        if (round === 0) yield* permit.release
        // the fiber is interrupted before, while and after it is granted, whatever the scheduler makes of it
        for (let n = 0; n < round % 7; n++) yield* Effect.yieldNow
        const exit = yield* Effect.forkChild(Fiber.interrupt(waiting))
        yield* Fiber.join(exit)
        if (waiting.pollUnsafe()?._tag === "Success") yield* (yield* Fiber.join(waiting)).release
        yield* TestClock.adjust(10)
        assert.strictEqual(lane.view(yield* monotonic).open, 0, `round ${round}`)
      }
      const last = yield* waiter(lane, "a")
      yield* TestClock.adjust(10)
      assert.isTrue(isDone(last))
    })
  )

  it.effect("counts a permit once, however often it is given back", () =>
    Effect.gen(function* () {
      const { lane } = yield* setUp({ pace: { maxConcurrent: 2 } })
      const one = yield* Fiber.join(yield* waiter(lane, "a"))
      yield* waiter(lane, "a")
      yield* TestClock.adjust(100)
      yield* one.release
      yield* one.release
      assert.strictEqual(lane.view(yield* monotonic).open, 1)
    })
  )

  it.effect("is empty-handed while it is paused and goes on after", () =>
    Effect.gen(function* () {
      const { fill, lane, started } = yield* setUp()
      lane.pause(true, yield* monotonic)
      fill("a", 3)
      const waiting = yield* waiter(lane, "b")
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(started, 0)
      assert.isFalse(isDone(waiting))
      assert.strictEqual(lane.view(yield* monotonic).opensIn, Number.POSITIVE_INFINITY)
      lane.pause(false, yield* monotonic)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(started, 3)
      assert.isTrue(isDone(waiting))
    })
  )

  it.effect("starts no job while the dam is full, and goes on as soon as there is room", () =>
    Effect.gen(function* () {
      const { fill, lane, started } = yield* setUp({ places: 2, takes: 1000 })
      fill("a", 5)
      yield* TestClock.adjust("900 millis")
      assert.lengthOf(started, 2)
      // who is running already needs no place
      const waiting = yield* waiter(lane, "a")
      yield* TestClock.adjust(10)
      assert.isTrue(isDone(waiting))
      yield* TestClock.adjust("100 millis")
      assert.lengthOf(started, 4)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(started, 5)
    })
  )
})

describe("Lane: lessons", () => {
  it.effect("holds everybody until the hold is over", () =>
    Effect.gen(function* () {
      const { fill, lane, started } = yield* setUp()
      lane.learn("a", { ...silent, hold: 30_000 }, yield* monotonic)
      fill("a", 1)
      fill("b", 1)
      yield* TestClock.adjust(29_999)
      assert.lengthOf(started, 0)
      assert.strictEqual(lane.heldFor("b", yield* monotonic), 1)
      yield* TestClock.adjust(10)
      assert.lengthOf(started, 2)
    })
  )

  it.effect("goes faster at once when it learns a faster pace, and slower too", () =>
    Effect.gen(function* () {
      const { fill, lane, started } = yield* setUp({ pace: { rps: 0.01 } })
      fill("a", 1000)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(started, 1)
      lane.learn("a", { ...silent, rps: 10 }, yield* monotonic)
      yield* TestClock.adjust("1 second")
      assert.isAtLeast(started.length, 11)
      lane.learn("a", { ...silent, rps: 0.5 }, yield* monotonic)
      const before = started.length
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual(started.length - before, 4)
    })
  )

  it.effect("gives each account a pace and a hold of its own once the upstream says so, and takes it back", () =>
    Effect.gen(function* () {
      const { fill, lane, started } = yield* setUp({ pace: { rps: 2 } })
      lane.learn("a", { ...silent, accountQueues: true, rps: 1, hold: 10_000 }, yield* monotonic)
      fill("a", 1000)
      fill("b", 1000)
      yield* TestClock.adjust("10 seconds")
      const of = (name: string) => started.filter(({ account }) => account === name).length
      assert.isAtMost(of("a"), 1)
      assert.isAtLeast(of("b"), 20)
      lane.learn("b", { ...silent, rps: 10 }, yield* monotonic)
      const [a, b] = [of("a"), of("b")]
      yield* TestClock.adjust("10 seconds")
      assert.isAtMost(Math.abs(of("a") - a - 10), 2)
      assert.isAtMost(Math.abs(of("b") - b - 100), 2)
      lane.learn("b", { ...silent, accountQueues: false }, yield* monotonic)
      const both = started.length
      yield* TestClock.adjust("10 seconds")
      assert.isAtMost(started.length - both, 22)
    })
  )

  it.effect("has no more calls open than it may when the upstream takes account queues back, or gives them", () =>
    Effect.gen(function* () {
      const { fill, lane, started } = yield* setUp({ pace: { rps: 100, maxConcurrent: 2 }, takes: 10_000 })
      lane.learn("a", { ...silent, accountQueues: true }, yield* monotonic)
      for (const account of ["a", "b", "c"]) fill(account, 10)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(started, 6)
      lane.learn("a", { ...silent, accountQueues: false }, yield* monotonic)
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(started, 6)
      assert.strictEqual(lane.view(yield* monotonic).open, 6)
      yield* TestClock.adjust("8 seconds")
      assert.lengthOf(started, 8)
      lane.learn("a", { ...silent, accountQueues: true }, yield* monotonic)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(started, 12)
    })
  )

  it.effect("keeps an isolated queue inside its account's own pace", () =>
    Effect.gen(function* () {
      const { fill, lane, started } = yield* setUp({ pace: { rps: 2 } })
      lane.pause(true, yield* monotonic)
      lane.learn("a", { ...silent, accountQueues: true, rps: 1 }, yield* monotonic)
      fill("a", 100)
      fill(queueOf({ account: "a", isolated: true }), 100)
      lane.pause(false, yield* monotonic)
      yield* TestClock.adjust("10 seconds")
      assert.isAtMost(started.length, 11)
      const isolated = started.filter(({ account }) => account === queueOf({ account: "a", isolated: true })).length
      assert.isAtMost(Math.abs(isolated * 2 - started.length), 1)
    })
  )
})

describe("Lane: the store", () => {
  it.effect("keeps a handful of ids in memory, however many are queued", () =>
    Effect.gen(function* () {
      const { fill, pages, started } = yield* setUp({ pace: { rps: 10 } })
      fill("a", 50_000)
      fill("b", 50_000)
      yield* TestClock.adjust("20 seconds")
      assert.isAtLeast(started.length, 200)
      assert.isAtMost(Math.max(...pages), 40)
    })
  )

  it.effect("reads smaller pages the more accounts there are", () =>
    Effect.gen(function* () {
      const { fill, lane, pages } = yield* setUp({ pace: { rps: 1000 } })
      lane.pause(true, yield* monotonic)
      for (let n = 0; n < 2000; n++) fill(`account ${n}`, 10)
      lane.pause(false, yield* monotonic)
      yield* TestClock.adjust("3 seconds")
      assert.isAtMost(Math.max(...pages), 5)
    })
  )

  it.effect("holds no fiber while nothing waits, and one while time alone brings something new", () =>
    Effect.gen(function* () {
      const fibers = yield* FiberSet.make<void>()
      const fork = yield* FiberSet.runtime(fibers)()
      const { fill, lane } = yield* setUp({ pace: { rps: 1, maxConcurrent: 10 }, fork })
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* FiberSet.size(fibers), 0)
      fill("a", 3)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* FiberSet.size(fibers), 1)
      lane.hold("a", (yield* monotonic) + 60_000)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* FiberSet.size(fibers), 1)
      yield* TestClock.adjust("1 minute")
      assert.isTrue(lane.idle(yield* monotonic))
      assert.strictEqual(yield* FiberSet.size(fibers), 0)
    })
  )

  it.effect("asks nothing while nobody needs anything", () =>
    Effect.gen(function* () {
      const { fill, lane, reads, started } = yield* setUp({ pace: { rps: 100 } })
      fill("a", 50)
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(started, 50)
      const before = reads()
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(reads(), before)
      assert.isTrue(lane.idle(yield* monotonic))
    })
  )

  it.effect("asks again a second later when the store fails, and loses no job", () =>
    Effect.gen(function* () {
      const { fail, fill, ids, lane, reads, started } = yield* setUp()
      fail(new StorageFull())
      fill("a", 40)
      lane.wake(undefined)
      yield* TestClock.adjust("10 seconds")
      assert.isAtMost(reads(), 30)
      assert.lengthOf(started, 0)
      fail(undefined)
      yield* TestClock.adjust("2 seconds")
      assert.sameMembers(
        ids(),
        Array.from({ length: 40 }, (_, n) => `a-${n}`)
      )
    })
  )

  it.effect("starts a job again whose start could not be written, and gives its permit back meanwhile", () =>
    Effect.gen(function* () {
      let broken = true
      const started: Array<string> = []
      const lane: Lane.Lane = Lane.make({
        fork: yield* beside,
        burst: 1,
        settingOf: () => fixed({ rps: 100, maxConcurrent: 1 }),
        queues: Effect.succeed([]),
        page: () => Effect.sync(() => (started.length === 0 ? [{ id: "one", queue: "a", seq: 1 }] : [])),
        start: ({ id }, permit) =>
          Effect.suspend(() => {
            if (broken) return Effect.fail(new StorageFull())
            started.push(id)
            return Effect.andThen(permit.depart(), permit.release)
          }),
        room: Places.make(() => 10).of
      })
      lane.wake(undefined)
      lane.wake("a")
      yield* TestClock.adjust("3500 millis")
      assert.strictEqual(lane.view(yield* monotonic).open, 0)
      broken = false
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(started, ["one"])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(started, ["one"])
      assert.isTrue(lane.idle(yield* monotonic))
    })
  )

  it.effect("misses no wake that comes while it reads", () =>
    Effect.gen(function* () {
      const reading = yield* Deferred.make<void>()
      const rows: Array<Ticket> = []
      const started: Array<string> = []
      let first = true
      const lane: Lane.Lane = Lane.make({
        fork: yield* beside,
        burst: 1,
        settingOf: () => fixed({ rps: 1000, maxConcurrent: 10 }),
        queues: Effect.succeed([]),
        page: () =>
          Effect.suspend(() => {
            const seen = rows.slice()
            const answer = first ? Effect.as(Deferred.await(reading), seen) : Effect.succeed(seen)
            first = false
            return answer
          }),
        start: ({ id }, permit) =>
          Effect.suspend(() => {
            rows.splice(
              rows.findIndex((row) => row.id === id),
              1
            )
            started.push(id)
            return Effect.andThen(permit.depart(), permit.release)
          }),
        room: Places.make(() => 10).of
      })
      lane.wake(undefined)
      lane.wake("a")
      yield* TestClock.adjust(1)
      rows.push({ id: "late", queue: "a", seq: 1 })
      lane.wake("a")
      yield* Deferred.succeed(reading, undefined)
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(started, ["late"])
    })
  )
})
