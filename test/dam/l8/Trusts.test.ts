import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as TestClock from "effect/testing/TestClock"
import { Untrusted } from "../../../src/dam/l8/Initiator.ts"
import * as L8Trusts from "../../../src/dam/l8/Trusts.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import { logged } from "../Logged.ts"

const origin = "https://hooks.example"

/** A receiver whose proofs go as the test says, and are counted. */
const setUp = Effect.gen(function* () {
  const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
  const state = { key: "first" as string | undefined, handshakes: 0 }
  const handshake = Effect.suspend(() => {
    state.handshakes++
    return state.key === undefined
      ? Effect.fail(new Untrusted({ problem: `it is down (${state.handshakes})` }))
      : Effect.succeed(state.key)
  })
  const over = (trusts: L8Trusts.Trusts) =>
    Effect.map(Effect.result(trusts.prove(origin, "job_1", handshake)), (end) =>
      end._tag === "Success" ? "trusted" : end.failure.problem
    )
  const trusts = L8Trusts.make(store)
  return { store, state, handshake, trusts, prove: over(trusts), over }
})

describe("trust in an origin", () => {
  it.effect("is proved once, holds for 24 hours, and is proved again then", () =>
    Effect.gen(function* () {
      const { prove, state } = yield* setUp
      assert.strictEqual(yield* prove, "trusted")
      yield* TestClock.adjust("23 hours")
      assert.strictEqual(yield* prove, "trusted")
      assert.strictEqual(state.handshakes, 1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* prove, "trusted")
      assert.strictEqual(state.handshakes, 2)
    })
  )

  it.effect("ends with its day when the origin proves itself no more", () =>
    Effect.gen(function* () {
      const { prove, state } = yield* setUp
      assert.strictEqual(yield* prove, "trusted")
      state.key = undefined
      yield* TestClock.adjust("24 hours")
      assert.strictEqual(yield* prove, "it is down (2)")
    })
  )

  it.effect("is not asked for again within 10 minutes of a failure", () =>
    Effect.gen(function* () {
      const { prove, state } = yield* setUp
      state.key = undefined
      assert.strictEqual(yield* prove, "it is down (1)")
      state.key = "first"
      yield* TestClock.adjust("599 seconds")
      assert.strictEqual(yield* prove, "it is down (1)")
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* prove, "trusted")
    })
  )

  it.effect("is proved by one handshake however many deliveries wait for it", () =>
    Effect.gen(function* () {
      const { handshake, state, trusts } = yield* setUp
      const open = yield* Latch.make()
      const slow = Effect.andThen(open.await, handshake)
      const waiting = yield* Effect.forEach(Array.from({ length: 20 }), () =>
        Effect.forkChild(trusts.prove(origin, "job_1", slow), { startImmediately: true })
      )
      yield* open.open
      yield* Fiber.joinAll(waiting)
      assert.strictEqual(state.handshakes, 1)
    })
  )

  it.effect("outlives a restart", () =>
    Effect.gen(function* () {
      const { over, prove, state, store } = yield* setUp
      assert.strictEqual(yield* prove, "trusted")
      assert.strictEqual(yield* over(L8Trusts.make(store)), "trusted")
      assert.strictEqual(state.handshakes, 1)
    })
  )
})

describe("a key that changed", () => {
  it.effect("raises an alarm, is not adopted, and costs the trust until the old one is proved again", () =>
    Effect.gen(function* () {
      const { prove, state, store, trusts } = yield* setUp
      yield* prove
      state.key = "second"
      yield* TestClock.adjust("24 hours")
      const alarms = yield* logged(prove)
      assert.include(alarms.value, "its key has changed")
      assert.lengthOf(alarms.lines, 1)
      assert.include(alarms.lines[0], `${origin} proves another key`)
      assert.deepInclude(yield* store.l8Trust(origin), { publicKey: "first", changedKey: "second" })
      // told once, however often it is tried
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual((yield* logged(prove)).lines, [])
      assert.strictEqual(state.handshakes, 3)
      state.key = "first"
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(yield* prove, "trusted")
      assert.isUndefined((yield* trusts.list)[0]?.changedKey)
    })
  )

  it.effect("costs it also after a restart, and is adopted once the old one is forgotten", () =>
    Effect.gen(function* () {
      const { over, prove, state, store } = yield* setUp
      yield* prove
      state.key = "second"
      yield* TestClock.adjust("24 hours")
      yield* logged(prove)
      const again = L8Trusts.make(store)
      assert.include((yield* logged(over(again))).value, "its key has changed")
      assert.isTrue(yield* again.forget(origin))
      assert.strictEqual(yield* over(again), "trusted")
      assert.deepInclude(yield* store.l8Trust(origin), { publicKey: "second", changedKey: undefined })
    })
  )
})

describe("revoking", () => {
  it.effect("ends trust at once and for good, whatever is proved, until the origin is forgotten", () =>
    Effect.gen(function* () {
      const { over, prove, state, store, trusts } = yield* setUp
      yield* prove
      assert.deepInclude(yield* trusts.revoke(origin), { publicKey: "first", revokedAt: 0 })
      yield* TestClock.adjust("48 hours")
      assert.strictEqual(yield* prove, "its trust was revoked")
      assert.strictEqual(yield* over(L8Trusts.make(store)), "its trust was revoked")
      assert.strictEqual(state.handshakes, 1)
      yield* trusts.forget(origin)
      assert.isFalse(yield* trusts.forget(origin))
      assert.strictEqual(yield* prove, "trusted")
    })
  )

  it.effect("wins over a handshake that is under way", () =>
    Effect.gen(function* () {
      const { handshake, trusts } = yield* setUp
      const open = yield* Latch.make()
      const running = yield* Effect.forkChild(
        Effect.flip(trusts.prove(origin, "job_1", Effect.andThen(open.await, handshake))),
        { startImmediately: true }
      )
      yield* trusts.revoke(origin)
      yield* open.open
      assert.strictEqual((yield* Fiber.join(running)).problem, "its trust was revoked")
      assert.isDefined((yield* trusts.list)[0]?.revokedAt)
    })
  )
})
