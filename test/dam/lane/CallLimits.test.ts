import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as CallLimits from "../../../src/dam/lane/CallLimits.ts"
import * as LimitBook from "../../../src/dam/lane/LimitBook.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import { claimOf, costing, limitOf } from "./LimitSchedule.ts"

const tokens = limitOf({ rate: 1, per: 1000, burst: 100, settle: { header: "x-cost" } })

const monotonic = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

const drawing = (cost: number): LimitBook.Drawing => ({
  draws: [{ name: "tokens", key: "k", cost }],
  claim: claimOf("a")
})

type Stored = Parameters<Parameters<typeof CallLimits.make>[0]["saveLimit"]>[0]

/** A store, and dams over it, one after the other. */
const setUp = Effect.gen(function* () {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const begin = Effect.fnUntraced(function* (configured: Parameters<typeof CallLimits.make>[1] = { tokens }) {
    const scope = yield* Scope.make()
    const { book, steering } = yield* Scope.provide(CallLimits.make(store, configured), scope)
    const waits = (cost: number) =>
      Effect.map(monotonic, (now) => Math.max(0, LimitBook.look(book, drawing(cost), now) - now))
    const draw = (cost: number, actual = cost) =>
      Effect.map(monotonic, (now) => {
        const taken = LimitBook.take(book, drawing(cost), now)
        LimitBook.settle(book, taken, costing(actual), now)
        LimitBook.leave(book, taken, true, now)
      })
    return { steering, waits, draw, stop: Scope.close(scope, Exit.void) }
  })
  return { store, begin }
})

describe("limits of a dam that begins again", () => {
  it.effect("have what was left when it was stopped, and what has come in since", () =>
    Effect.gen(function* () {
      const { begin } = yield* setUp
      const before = yield* begin()
      assert.strictEqual(yield* before.waits(100), 0)
      yield* before.draw(70)
      yield* before.stop
      yield* TestClock.adjust("10 seconds")
      const after = yield* begin()
      assert.strictEqual(yield* after.waits(40), 0)
      assert.closeTo(yield* after.waits(100), 60_000, 1)
    })
  )

  it.effect("have nothing where nobody knows: after a crash they fill from the beginning", () =>
    Effect.gen(function* () {
      const { begin } = yield* setUp
      yield* (yield* begin()).draw(10)
      yield* TestClock.adjust("10 seconds")
      const after = yield* begin()
      assert.closeTo(yield* after.waits(50), 50_000, 1)
      // nor are they full when that one is stopped soon
      yield* after.stop
      yield* TestClock.adjust("10 seconds")
      const last = yield* begin()
      assert.closeTo(yield* last.waits(50), 40_000, 1)
    })
  )

  it.effect("owe what they owed, stopped or not", () =>
    Effect.gen(function* () {
      const { begin } = yield* setUp
      yield* (yield* begin()).draw(10, 150)
      yield* TestClock.adjust("1 second")
      const after = yield* begin()
      assert.closeTo(yield* after.waits(1), 50_000, 2)
      const last = yield* begin()
      assert.closeTo(yield* last.waits(1), 50_000, 2)
    })
  )

  it.effect("are kept no longer than until they are full", () =>
    Effect.gen(function* () {
      const { begin, store } = yield* setUp
      const kept = Effect.map(store.levels, ({ levels }) => levels.length)
      const first = yield* begin()
      yield* first.draw(70)
      yield* first.stop
      assert.strictEqual(yield* kept, 1)
      yield* (yield* begin()).stop
      assert.strictEqual(yield* kept, 1)
      yield* TestClock.adjust("71 seconds")
      yield* (yield* begin()).stop
      assert.strictEqual(yield* kept, 0)
    })
  )

  it.effect("are full where no dam has used the file before", () =>
    Effect.gen(function* () {
      const { begin } = yield* setUp
      yield* begin({})
      const after = yield* begin()
      assert.strictEqual(yield* after.waits(100), 0)
    })
  )
})

describe("operators", () => {
  it.effect("define limits over those of the config, and take that back", () =>
    Effect.gen(function* () {
      const { begin } = yield* setUp
      const { steering, stop } = yield* begin()
      assert.deepInclude(yield* steering.get("tokens"), { source: "configured", since: undefined })
      yield* TestClock.adjust("1 second")
      const mine = limitOf({ rate: 5 })
      assert.deepInclude(yield* steering.set("tokens", mine, "ops"), { source: "operator", since: 1000, by: "ops" })
      yield* steering.set("other", mine, "ops")
      yield* stop
      const after = yield* begin()
      assert.deepStrictEqual(
        (yield* after.steering.list).map(({ limit: { rate }, name, source }) => [name, source, rate]),
        [
          ["other", "operator", 5],
          ["tokens", "operator", 5]
        ]
      )
      assert.deepInclude(yield* after.steering.remove("tokens"), { source: "configured", limit: tokens })
      assert.isUndefined(yield* after.steering.remove("other"))
      assert.deepStrictEqual(after.steering.names(), ["tokens"])
    })
  )

  it.effect("find what they have changed both stored and in use, whenever they lose patience", () =>
    Effect.gen(function* () {
      const { store } = yield* setUp
      const slow = {
        ...store,
        saveLimit: (limit: Stored) => Effect.andThen(store.saveLimit(limit), Effect.sleep(1000))
      }
      const { steering } = yield* CallLimits.make(slow, {})
      const first = yield* Effect.forkChild(steering.set("own", limitOf({ rate: 1 }), "ops"))
      yield* TestClock.adjust(500)
      const second = yield* Effect.forkChild(steering.set("own", limitOf({ rate: 2 }), "ops"))
      yield* Effect.forkChild(Fiber.interrupt(first))
      yield* TestClock.adjust(2000)
      yield* Fiber.await(second)
      assert.strictEqual(steering.definition("own")?.rate, 2)
      assert.deepStrictEqual(
        (yield* store.limits).map(({ limit }) => limit.rate),
        [2]
      )
      const third = yield* Effect.forkChild(steering.set("own", limitOf({ rate: 3 }), "ops"))
      yield* TestClock.adjust(500)
      yield* Effect.forkChild(Fiber.interrupt(third))
      yield* TestClock.adjust(1000)
      assert.strictEqual(steering.definition("own")?.rate, 3)
    })
  )

  it.effect("see what is left, open and waited for, of keys that are in use", () =>
    Effect.gen(function* () {
      const { begin } = yield* setUp
      const dam = yield* begin()
      assert.deepStrictEqual((yield* dam.steering.get("tokens"))?.levels, [])
      yield* dam.draw(10, 130)
      yield* dam.waits(1)
      assert.deepStrictEqual((yield* dam.steering.get("tokens"))?.levels, [
        { key: "k", available: -30, open: 0, waiting: 1 }
      ])
    })
  )
})
