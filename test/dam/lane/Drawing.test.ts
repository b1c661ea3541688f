import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { accountOf, queueOf } from "../../../src/dam/job/LaneName.ts"
import * as HostGate from "../../../src/dam/lane/HostGate.ts"
import { beside } from "./Beside.ts"
import * as Lane from "../../../src/dam/lane/Lane.ts"
import * as LimitBook from "../../../src/dam/lane/LimitBook.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import type { Ticket } from "../../../src/dam/store/JobRecords.ts"
import type { Draw } from "../../../src/step/StepModel.ts"
import { fixed } from "../support.ts"
import { costing, define } from "./LimitSchedule.ts"

const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

const draw = (name: string, cost = 1): Draw => ({ name, key: "", cost })

const tokens = [draw("tokens")]

const a = accountOf("a", {})
const b = accountOf("b", {})

/** A lane over queues in memory, whose jobs end at once. */
const laneOver = Effect.fnUntraced(function* (book: LimitBook.LimitBook, rps = 1000, host?: HostGate.HostGate) {
  const queues = new Map<string, Array<Ticket>>()
  const started: Array<{ readonly id: string; readonly at: number }> = []
  let seq = 0
  const lane = Lane.make({
    fork: yield* beside,
    burst: 1,
    settingOf: () => fixed({ rps, maxConcurrent: 100 }),
    limits: book,
    host: host && ((told) => host.join("", told)),
    queues: Effect.sync(() => Array.from(queues).flatMap(([name, { length }]) => (length > 0 ? [name] : []))),
    page: (name, limit) => Effect.sync(() => (queues.get(name) ?? []).slice(0, limit)),
    start: ({ id, queue }, permit, giveBack) =>
      Effect.gen(function* () {
        queues.set(queue, queues.get(queue)?.filter((ticket) => ticket.id !== id) ?? [])
        yield* permit.depart()
        started.push({ id, at: yield* monotonic })
        yield* Effect.andThen(permit.release, giveBack)
      }),
    room: Places.make(() => 1000).of
  })
  const fill = (account: string, id: string, jobs: number, draws?: ReadonlyArray<Draw>) => {
    const queue = queueOf({ account, isolated: false }, draws)
    const waiting = queues.get(queue) ?? []
    queues.set(queue, waiting)
    for (let n = 0; n < jobs; n++) waiting.push({ id: `${id}-${n}`, queue, seq: seq++, draws })
    lane.wake(queue)
  }
  lane.wake(undefined)
  return {
    lane,
    fill,
    times: (id: string) => started.filter((one) => one.id.startsWith(`${id}-`)).map(({ at }) => at)
  }
})

const bookOf = (limits: Readonly<Record<string, Parameters<typeof define>[2]>>) => {
  const book = LimitBook.make()
  for (const [name, limit] of Object.entries(limits)) define(book, name, limit, 0)
  return book
}

describe("jobs that draw on a limit", () => {
  it.effect("start as it allows, and keep no others of their account waiting", () =>
    Effect.gen(function* () {
      const { fill, times } = yield* laneOver(bookOf({ tokens: { rate: 1, burst: 1 } }), 10)
      fill(a, "limited", 10, tokens)
      fill(a, "free", 40)
      yield* TestClock.adjust("3010 millis")
      // timers know whole milliseconds only, and what is late for that is not lost
      for (const [n, at] of times("limited").entries()) assert.closeTo(at, 1000 * n, 1.5)
      assert.lengthOf(times("limited"), 4)
      assert.lengthOf(times("free"), 28)
    })
  )

  it.effect("share it over lanes by the weights of their customers", () =>
    Effect.gen(function* () {
      const book = bookOf({ tokens: { rate: 40, burst: 1, weights: { a: 3 } } })
      const one = yield* laneOver(book)
      const other = yield* laneOver(book)
      one.fill(a, "a", 1000, tokens)
      other.fill(b, "b", 1000, tokens)
      yield* TestClock.adjust("10 seconds")
      assert.closeTo(one.times("a").length, 300, 8)
      assert.closeTo(other.times("b").length, 100, 8)
    })
  )

  it.effect("leave it to others while another lane of their host has all its calls open", () =>
    Effect.gen(function* () {
      const book = bookOf({ tokens: { rate: 1, burst: 1 } })
      const host = HostGate.make({ maxConcurrent: 1 }, { burst: 1, ownerOf: () => "" })
      const one = yield* laneOver(book, 1000, host)
      const beside = yield* laneOver(book, 1000, host)
      const other = yield* laneOver(book)
      one.fill(a, "a", 1000, tokens)
      yield* TestClock.adjust("500 millis")
      const long = yield* beside.lane.acquire(b)
      other.fill(b, "b", 1000, tokens)
      yield* TestClock.adjust("20 seconds")
      assert.lengthOf(one.times("a"), 1)
      assert.closeTo(other.times("b").length, 20, 1)
      // and they come back as soon as it has ended
      yield* long.release
      yield* TestClock.adjust("20 seconds")
      assert.closeTo(one.times("a").length, 11, 1)
      assert.closeTo(other.times("b").length, 30, 1)
    })
  )

  it.effect("leave it to others while their own lane is held or paused, and come back", () =>
    Effect.gen(function* () {
      const book = bookOf({ tokens: { rate: 10, burst: 1 } })
      const one = yield* laneOver(book)
      const other = yield* laneOver(book)
      one.fill(a, "a", 1000, tokens)
      other.fill(b, "b", 1000, tokens)
      yield* TestClock.adjust("1 second")
      one.lane.pause(true, yield* monotonic)
      const before = other.times("b").length
      yield* TestClock.adjust("5 seconds")
      assert.isAtLeast(other.times("b").length - before, 49)
      one.lane.pause(false, yield* monotonic)
      yield* TestClock.adjust("5 seconds")
      assert.closeTo(one.times("a").length, 30, 2)
    })
  )

  it.effect("draw on all or on nothing", () =>
    Effect.gen(function* () {
      const book = bookOf({ tokens: { rate: 10, burst: 10 }, rare: { rate: 1, per: 10_000, burst: 1 } })
      const { fill, times } = yield* laneOver(book)
      fill(a, "both", 5, [draw("rare"), draw("tokens", 5)])
      yield* TestClock.adjust("2 seconds")
      assert.lengthOf(times("both"), 1)
      fill(a, "one", 10, tokens)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(times("one"), 10)
    })
  )

  it.effect("are let through by a change at once", () =>
    Effect.gen(function* () {
      const book = bookOf({ tokens: { rate: 1, per: 3_600_000, burst: 1 } })
      const { fill, times } = yield* laneOver(book)
      fill(a, "a", 3, tokens)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(times("a"), 1)
      define(book, "tokens", { rate: 1000, burst: 10 }, yield* monotonic)
      yield* TestClock.adjust("10 millis")
      assert.lengthOf(times("a"), 3)
    })
  )
})

describe("a call that draws on a limit", () => {
  it.effect("holds its place among the open ones until it has ended", () =>
    Effect.gen(function* () {
      const book = bookOf({ seats: { concurrency: 1 } })
      const { lane } = yield* laneOver(book)
      const draws = [draw("seats")]
      const first = yield* lane.acquire(a, { draws })
      const second = yield* Effect.forkChild(lane.acquire(b, { draws }))
      yield* TestClock.adjust("10 seconds")
      assert.isUndefined(second.pollUnsafe())
      yield* first.depart()
      yield* first.release
      yield* TestClock.adjust("10 millis")
      const permit = yield* Fiber.join(second)
      yield* permit.release
      // nothing of it is left
      const third = yield* lane.acquire(a, { draws })
      yield* third.release
    })
  )

  it.effect("leaves its place when nobody wants it any more", () =>
    Effect.gen(function* () {
      const book = bookOf({ tokens: { rate: 1, burst: 10 } })
      const { lane } = yield* laneOver(book)
      const spent = yield* lane.acquire(a, { draws: [draw("tokens", 10)] })
      const big = yield* Effect.forkChild(lane.acquire(a, { draws: [draw("tokens", 10)] }))
      yield* TestClock.adjust("1 second")
      const small = yield* Effect.forkChild(lane.acquire(b, { draws: tokens }))
      yield* TestClock.adjust("10 millis")
      assert.isDefined(small.pollUnsafe())
      const late = yield* Effect.forkChild(lane.acquire(b, { draws: tokens }))
      yield* Fiber.interrupt(big)
      yield* TestClock.adjust("2 seconds")
      assert.isDefined(late.pollUnsafe())
      yield* spent.release
    })
  )

  it.effect("is not waited for behind one that waits for something else", () =>
    Effect.gen(function* () {
      const book = bookOf({ never: { rate: 1, per: 3_600_000, burst: 1 } })
      const { lane } = yield* laneOver(book)
      const draws = [draw("never")]
      yield* lane.acquire(a, { draws })
      const stuck = yield* Effect.forkChild(lane.acquire(a, { draws }))
      yield* TestClock.adjust("10 millis")
      const free = yield* Effect.forkChild(lane.acquire(a))
      yield* TestClock.adjust("10 millis")
      assert.isDefined(free.pollUnsafe())
      assert.isUndefined(stuck.pollUnsafe())
    })
  )

  it.effect("is charged for what it has cost, and for nothing where it was never sent", () =>
    Effect.gen(function* () {
      const book = bookOf({ tokens: { rate: 1, burst: 10, settle: { header: "x-cost" } } })
      const { lane } = yield* laneOver(book)
      const draws = [draw("tokens", 10)]
      const unsent = yield* lane.acquire(a, { draws })
      yield* unsent.release
      const sent = yield* lane.acquire(a, { draws })
      yield* sent.depart()
      yield* sent.settle(costing(13))
      yield* sent.release
      const next = yield* Effect.forkChild(lane.acquire(a, { draws: tokens }))
      yield* TestClock.adjust("3900 millis")
      assert.isUndefined(next.pollUnsafe())
      yield* TestClock.adjust("200 millis")
      assert.isDefined(next.pollUnsafe())
    })
  )
})
