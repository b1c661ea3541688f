/** Jobs that draw on limits, through a whole dam. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as LimitOptions from "../../../src/dam/lane/LimitOptions.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { backup, busy, setUp, url } from "../support.ts"

const limit = LimitOptions.make
const tokens = (n: number, cost = 1) =>
  Step.get(url).pipe(Step.idempotentKey(`key ${n}`), Step.limit("tokens", { cost }))

const moments = (exchanges: ReadonlyArray<{ readonly at: number }>) => exchanges.map(({ at }) => at)

describe("jobs that draw on a limit", () => {
  it.effect("are called as it allows, retries included, and those behind them that need it not are not held up", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        callLimits: { tokens: limit({ rate: 1, per: "10 seconds", burst: 1 }) },
        target: Script.all(Script.on(backup, { status: 200 }), Script.always(Script.inTurn(busy, { status: 200 })))
      })
      const first = yield* dam.submit(tokens(1))
      yield* dam.submit(tokens(2))
      const free = yield* dam.submit(Step.get(backup))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(free)).state, "succeeded")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.get(first)).state, "succeeded")
      const calls = (yield* dam.exchanges).filter(({ asked }) => asked.request.url === url)
      assert.lengthOf(calls, 3)
      for (const [n, at] of moments(calls).entries()) assert.isAtLeast(at, 10_000 * n)
    })
  )

  it.effect("draw on what their fallback says while that is called, and on nothing of their own", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        callLimits: { tokens: limit({ rate: 1, per: "1 hour", burst: 2 }), other: limit({ rate: 1, per: "1 minute" }) },
        target: Script.all(Script.on(url, { status: 500 }), Script.on(backup, { status: 200 }))
      })
      const step = Step.limit(Step.get(backup), "other")
      const id = yield* dam.submit(
        tokens(1).pipe(Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 }), Step.fallback(step))
      )
      const other = yield* dam.submit(
        tokens(2).pipe(Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 }), Step.fallback(step))
      )
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
      assert.notStrictEqual((yield* dam.get(other)).state, "succeeded")
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual((yield* dam.get(other)).state, "succeeded")
    })
  )

  it.effect("draw on what their fallback says after a crash too, which leaves them in the queue of before", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        callLimits: { tokens: limit({ rate: 1, per: "1 hour", burst: 2 }), other: limit({ rate: 1, per: "1 minute" }) },
        target: Script.all(
          Script.on(`${url}small`, Script.inTurn(Script.hang, { status: 200 })),
          Script.on(url, { status: 500 })
        )
      })
      const small = Step.limit(Step.get(`${url}small`), "other")
      const id = yield* dam.submit(
        tokens(1).pipe(Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 }), Step.fallback(small))
      )
      yield* TestClock.adjust("5 seconds")
      yield* dam.stop
      assert.lengthOf(yield* dam.exchanges, 2)
      const { engine } = yield* dam.begin()
      yield* TestClock.adjust("50 seconds")
      assert.lengthOf(yield* dam.exchanges, 2)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
      // what was drawn for the first call alone
      assert.closeTo((yield* engine.callLimits.get("tokens"))?.levels[0]?.available ?? 0, 1, 0.1)
    })
  )

  it.effect("pay what their answers say", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        callLimits: {
          tokens: limit({ rate: 100, per: "1 second", burst: 100, settle: { json: "usage.total_tokens" } })
        },
        target: Script.always({ status: 200, body: JSON.stringify({ usage: { total_tokens: 600 } }) })
      })
      yield* dam.submit(tokens(1, 50))
      yield* dam.submit(tokens(2, 50))
      yield* TestClock.adjust("30 seconds")
      const [first = 0, second = 0] = moments(yield* dam.exchanges)
      // 500 are owed, and 50 needed
      assert.closeTo(second - first, 5500, 20)
    })
  )

  it.effect("are told what they wait for, and when that is over", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ callLimits: { tokens: limit({ rate: 10, per: "1 minute", burst: 10 }) } })
      yield* dam.submit(tokens(1, 10))
      yield* TestClock.adjust(10)
      const id = yield* dam.submit(tokens(2, 5))
      const last = yield* dam.submit(tokens(3, 5))
      yield* TestClock.adjust(1)
      const said = yield* Effect.flatMap(dam.get(id), dam.engine.explain)
      const [reason] = said.reasons
      assert.deepInclude(reason, { kind: "limit" })
      assert.match(reason?.message ?? "", /^the limit tokens has 0\.00\d+ left of the 5 it costs; it opens in 30 s$/)
      assert.closeTo(said.estimatedStart ?? 0, 30_000, 20)
      const behind = yield* Effect.flatMap(dam.get(last), dam.engine.explain)
      assert.closeTo(behind.estimatedStart ?? 0, 60_000, 20)
      yield* TestClock.adjust((said.estimatedStart ?? 0) - 20 - (yield* Clock.currentTimeMillis))
      assert.strictEqual((yield* dam.get(id)).epoch, 0)
      yield* TestClock.adjust(40)
      assert.strictEqual((yield* dam.get(id)).epoch, 1)
    })
  )

  it.effect("wait for a limit that was taken out of the config, until somebody defines it", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const id = yield* dam.submit(tokens(1))
      yield* TestClock.adjust("1 minute")
      const said = yield* Effect.flatMap(dam.get(id), dam.engine.explain)
      assert.strictEqual(
        said.reasons.at(-1)?.message,
        "the limit tokens is not defined any more; an operator has to define it again"
      )
      assert.strictEqual(said.confidence, "unknown")
      yield* dam.engine.callLimits.set("tokens", limit({ rate: 1 }), "ops")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
    })
  )

  it.effect("keep a limit that an operator would delete, and are told of by number", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const { callLimits } = dam.engine
      yield* callLimits.set("tokens", limit({ rate: 1, per: "1 hour" }), "ops")
      yield* dam.submit(tokens(1))
      yield* dam.submit(tokens(2))
      yield* TestClock.adjust("1 second")
      assert.deepInclude(yield* Effect.flip(callLimits.remove("tokens")), { _tag: "LimitInUse", jobs: 1 })
      yield* callLimits.set("tokens", limit({ rate: 10 }), "ops")
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(yield* callLimits.remove("tokens"))
      assert.isFalse(callLimits.isKnown("tokens"))
    })
  )
})
