import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as JobId from "../../../src/dam/job/JobId.ts"
import { accountOf } from "../../../src/dam/job/LaneName.ts"
import type { PacingOptions } from "../../../src/dam/lane/Dial.ts"
import * as Lanes from "../../../src/dam/lane/Lanes.ts"
import * as Permits from "../../../src/dam/lane/Permits.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Reply from "../../../src/step/Reply.ts"

const lane = "api.example:443"

/** One call at a time, unless a test says otherwise, and no pace that would be felt beside it. */
const setUp = Effect.fnUntraced(function* (pace: PacingOptions["pace"] = { rps: 1000, maxConcurrent: 1 }, most = 10) {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const room = Places.make(() => 100).of
  const lanes = yield* Lanes.make(
    store,
    { pace },
    {
      start: () => Effect.void,
      room,
      permitsIn: (name) => permits.held(name)
    }
  )
  const permits: Permits.Permits = yield* Permits.make({ lanes, newId: JobId.fresh, most })
  return { lanes, permits }
})

const ask = (more: Partial<Permits.Ask> = {}): Permits.Ask => {
  const { customer = "a" } = more
  return {
    customer,
    lane,
    account: accountOf(customer, {}),
    draws: [],
    waitMillis: 40_000,
    leaseMillis: 30_000,
    departs: false,
    ...more
  }
}

/** Lets everything happen that is due. */
const settle = TestClock.adjust("1 millis")

const report: Permits.Report = { response: Reply.response(200), sentAt: undefined }

const failure = <A, E>(exit: Exit.Exit<A, E>): E | undefined =>
  Exit.isFailure(exit) ? exit.cause.reasons.find(Cause.isFailReason)?.error : undefined

describe("permits", () => {
  it.effect("are granted in turn, and the next comes when one is reported", () =>
    Effect.gen(function* () {
      const { permits } = yield* setUp()
      const first = yield* permits.acquire(ask())
      assert.include(first, { lane, leaseMillis: 30_000, expiresAt: 30_000, departed: false })
      assert.match(first.id, /^permit_[0-9a-z]{26}$/)
      const second = yield* Effect.forkChild(permits.acquire(ask()))
      yield* TestClock.adjust("20 seconds")
      assert.isUndefined(second.pollUnsafe())
      assert.strictEqual(permits.held(lane), 1)
      assert.isTrue((yield* permits.depart({ customer: "a", id: first.id }, 0)).departed)
      assert.deepStrictEqual(yield* permits.report({ customer: "a", id: first.id }, report), { lane, heldMillis: 0 })
      yield* settle
      assert.include(yield* Fiber.join(second), { lane, departed: false })
    })
  )

  it.effect(
    "leave their turn to the next where they are given back unused, and use it up where their call departed",
    () =>
      Effect.gen(function* () {
        const { permits } = yield* setUp({ rps: 0.5, maxConcurrent: 9 })
        const unused = yield* permits.acquire(ask())
        yield* permits.giveBack({ customer: "a", id: unused.id })
        // the turn is free at once
        const used = yield* permits.acquire(ask({ waitMillis: 0, departs: true }))
        assert.isTrue(used.departed)
        yield* permits.giveBack({ customer: "a", id: used.id })
        const late = yield* Effect.forkChild(Effect.exit(permits.acquire(ask({ waitMillis: 0 }))))
        yield* TestClock.adjust("100 millis")
        assert.deepInclude(failure(yield* Fiber.join(late)), { _tag: "NoTurn", lane, retryAfter: 1000 })
      })
  )

  it.effect("end with their lease, which counts as a call that was sent", () =>
    Effect.gen(function* () {
      const { permits } = yield* setUp({ rps: 0.01, maxConcurrent: 1 })
      const { id } = yield* permits.acquire(ask())
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual(permits.held(lane), 1)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(permits.held(lane), 0)
      assert.strictEqual(failure(yield* Effect.exit(permits.renew({ customer: "a", id })))?._tag, "UnknownPermit")
      // one that was given back unused would leave its turn at once; this one is due after the pace
      const next = yield* Effect.forkChild(permits.acquire(ask({ waitMillis: 200_000 })))
      yield* TestClock.adjust("60 seconds")
      assert.isUndefined(next.pollUnsafe())
      yield* TestClock.adjust("15 seconds")
      assert.isDefined(next.pollUnsafe())
    })
  )

  it.effect("are over when their lease is, though nobody has looked yet", () =>
    Effect.gen(function* () {
      const { permits } = yield* setUp()
      yield* permits.acquire(ask())
      yield* TestClock.adjust("500 millis")
      const { id } = yield* Effect.tap(
        Effect.forkChild(permits.acquire(ask({ lane: "other:443", leaseMillis: 1000 }))),
        () => settle
      ).pipe(Effect.flatMap(Fiber.join))
      yield* TestClock.adjust("1000 millis")
      const exit = yield* Effect.exit(permits.report({ customer: "a", id }, report))
      assert.strictEqual(failure(exit)?._tag, "UnknownPermit")
    })
  )

  it.effect("last as long as they are renewed", () =>
    Effect.gen(function* () {
      const { permits } = yield* setUp()
      const { id } = yield* permits.acquire(ask())
      for (let n = 1; n <= 5; n++) {
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual((yield* permits.renew({ customer: "a", id })).expiresAt, n * 20_000 + 30_000)
      }
      assert.strictEqual((yield* permits.renew({ customer: "a", id }, 60_000)).leaseMillis, 60_000)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(permits.held(lane), 1)
      yield* permits.report({ customer: "a", id }, report)
      assert.strictEqual(permits.held(lane), 0)
    })
  )

  it.effect("give the place back of whoever hangs up while it waits", () =>
    Effect.gen(function* () {
      const { lanes, permits } = yield* setUp({ rps: 1000, maxConcurrent: 1 }, 2)
      const { id } = yield* permits.acquire(ask())
      const gone = yield* Effect.forkChild(permits.acquire(ask()))
      yield* settle
      assert.strictEqual((yield* lanes.views)[0]?.waiting, 1)
      yield* Fiber.interrupt(gone)
      assert.strictEqual((yield* lanes.views)[0]?.waiting, 0)
      // it counts no more either
      const next = yield* Effect.forkChild(permits.acquire(ask()))
      yield* settle
      yield* permits.giveBack({ customer: "a", id })
      yield* settle
      assert.include(yield* Fiber.join(next), { lane })
    })
  )

  it.effect("go to customers in turns, whoever asks for more of them", () =>
    Effect.gen(function* () {
      const { permits } = yield* setUp({ rps: 1000, maxConcurrent: 1 }, 100)
      const order: Array<string> = []
      const call = (customer: string) =>
        Effect.gen(function* () {
          const { id } = yield* permits.acquire(ask({ customer, departs: true }))
          order.push(customer)
          yield* Effect.sleep("10 millis")
          yield* permits.report({ customer, id }, report)
        })
      const all = yield* Effect.forkChild(
        Effect.forEach([..."aaaaaaaaaa", ..."bbb"], call, { concurrency: "unbounded", discard: true })
      )
      yield* TestClock.adjust("5 seconds")
      yield* Fiber.join(all)
      assert.strictEqual(order.slice(0, 7).filter((customer) => customer === "b").length, 3)
    })
  )

  it.effect("are bounded for each customer, with those that are waited for", () =>
    Effect.gen(function* () {
      const { permits } = yield* setUp({ rps: 1000, maxConcurrent: 1 }, 2)
      const { id } = yield* permits.acquire(ask())
      const waiting = yield* Effect.forkChild(permits.acquire(ask()))
      yield* settle
      const refused = yield* Effect.exit(permits.acquire(ask({ lane: "other:443" })))
      assert.deepInclude(failure(refused), { _tag: "TooManyPermits", limit: 2, current: 2 })
      const other = yield* Effect.forkChild(permits.acquire(ask({ customer: "b", lane: "other:443" })))
      yield* settle
      assert.include(yield* Fiber.join(other), { lane: "other:443" })
      yield* permits.report({ customer: "a", id }, report)
      yield* settle
      yield* Fiber.join(waiting)
      const again = yield* Effect.forkChild(permits.acquire(ask({ lane: "third:443" })))
      yield* settle
      assert.include(yield* Fiber.join(again), { lane: "third:443" })
    })
  )

  it.effect("are none over a database that is a copy: beside the original nobody would keep the pace", () =>
    Effect.gen(function* () {
      const { lanes } = yield* setUp()
      const permits = yield* Permits.make({ lanes, newId: JobId.fresh, most: 10, copiedAt: 7 })
      assert.deepInclude(failure(yield* Effect.exit(permits.acquire(ask()))), { _tag: "IsCopy", copiedAt: 7 })
    })
  )

  it.effect("are known to their customer alone", () =>
    Effect.gen(function* () {
      const { permits } = yield* setUp()
      const { id } = yield* permits.acquire(ask())
      const stranger = { customer: "b", id }
      const tries: ReadonlyArray<Effect.Effect<unknown, Permits.NoTurn | Permits.UnknownPermit>> = [
        permits.renew(stranger),
        permits.depart(stranger, 0),
        permits.report(stranger, report),
        permits.giveBack(stranger)
      ]
      for (const tried of tries) {
        assert.strictEqual(failure(yield* Effect.exit(tried))?._tag, "UnknownPermit")
      }
      assert.strictEqual(permits.held(lane), 1)
    })
  )

  it.effect("hold back everybody for whom one is reported as refused, also whoever has a permit already", () =>
    Effect.gen(function* () {
      const { permits } = yield* setUp({ rps: 1000, maxConcurrent: 5 })
      const first = yield* permits.acquire(ask({ departs: true }))
      const held = yield* Effect.forkChild(permits.acquire(ask({ customer: "b" })))
      yield* settle
      const { id } = yield* Fiber.join(held)
      const response = Reply.response(429, { "retry-after": "20" })
      const after = yield* permits.report({ customer: "a", id: first.id }, { response, sentAt: undefined })
      assert.deepStrictEqual(after, { lane, heldMillis: 20_000 })
      // whoever would wait in vain is told so at once
      const retryAfter = (error: Permits.NoTurn) => Effect.succeed(error.retryAfter)
      const inVain = yield* Effect.forkChild(
        Effect.all([
          Effect.catchTag(permits.depart({ customer: "b", id }, 5000), "NoTurn", retryAfter),
          Effect.catchTag(permits.acquire(ask({ waitMillis: 5000 })), "NoTurn", retryAfter)
        ])
      )
      yield* settle
      assert.deepStrictEqual(yield* Fiber.join(inVain), [20_000, 20_000])
      const gone = yield* Effect.forkChild(permits.depart({ customer: "b", id }, 40_000))
      yield* TestClock.adjust("19 seconds")
      assert.isUndefined(gone.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      assert.isTrue((yield* Fiber.join(gone)).departed)
    })
  )

  it.effect("do not end while their call waits to depart, and depart once", () =>
    Effect.gen(function* () {
      const { lanes, permits } = yield* setUp({ rps: 1000, maxConcurrent: 5 })
      const { id } = yield* permits.acquire(ask({ leaseMillis: 2000 }))
      yield* lanes.steering.change(lane, "operator", { _tag: "Pause", note: undefined })
      const waits = yield* Effect.forkChild(permits.depart({ customer: "a", id }, 40_000))
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(permits.held(lane), 1)
      yield* lanes.steering.change(lane, "operator", { _tag: "Resume" })
      yield* settle
      assert.isTrue((yield* Fiber.join(waits)).departed)
      yield* permits.depart({ customer: "a", id }, 0)
      assert.strictEqual((yield* lanes.views)[0]?.calls, 1)
      assert.strictEqual((yield* lanes.steering.get(lane)).permits, 1)
    })
  )

  it.effect("wait no longer for a departure once they are given back", () =>
    Effect.gen(function* () {
      const { lanes, permits } = yield* setUp({ rps: 1000, maxConcurrent: 5 })
      const { id } = yield* permits.acquire(ask())
      yield* lanes.steering.change(lane, "operator", { _tag: "Pause", note: undefined })
      const waits = yield* Effect.forkChild(Effect.exit(permits.depart({ customer: "a", id }, 5000)))
      yield* settle
      yield* permits.giveBack({ customer: "a", id })
      yield* lanes.steering.change(lane, "operator", { _tag: "Resume" })
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(failure(yield* Fiber.join(waits))?._tag, "UnknownPermit")
      assert.strictEqual((yield* lanes.views)[0]?.calls, 0)
    })
  )

  it.effect("believe no clock beyond what is known: an answer is news of between the departure and now", () =>
    Effect.gen(function* () {
      const told: Array<number> = []
      const { lanes } = yield* setUp({ rps: 1000, maxConcurrent: 5 })
      const permits = yield* Permits.make({
        lanes: {
          ...lanes,
          observe: (answer) =>
            Effect.andThen(
              Effect.sync(() => void told.push(answer.sentAt)),
              lanes.observe(answer)
            )
        },
        newId: JobId.fresh,
        most: 10
      })
      yield* TestClock.adjust("10 seconds")
      for (const sentAt of [0, 10_700, 99_000, undefined]) {
        const acquired = yield* Effect.forkChild(permits.acquire(ask({ departs: true })))
        yield* settle
        const { id } = yield* Fiber.join(acquired)
        yield* TestClock.adjust("499 millis")
        yield* permits.report({ customer: "a", id }, { response: Reply.response(200), sentAt })
      }
      const now = Number(yield* Clock.monotonicTimeNanos) / 1e6
      assert.deepStrictEqual(
        told.map((at) => now - at),
        [2000, 1300, 500, 500]
      )
    })
  )
})
