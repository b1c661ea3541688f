import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { drawing } from "../../run/support.ts"
import { ok, setUp, url } from "../support.ts"

const lane = "api.example:443"
const down: Script.Input = { status: 500 }
const once = Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 })
const pace = { rps: 10, maxConcurrent: 4 }
const breaker = { minimum: 4, coolDown: "10 seconds", ramp: [0.1, 0.5], step: "4 seconds" } as const

/** A dam whose target is down as often as it is said, and jobs that wait for it. */
const world = Effect.fnUntraced(function* (fails: number, jobs: number) {
  const dam = yield* setUp({
    target: Script.always(Script.failTimes(fails, down, ok)),
    pacing: { pace, breaker }
  })
  yield* Effect.forEach(Array.from({ length: jobs }), (_, n) => dam.submit(once(Step.get(`${url}${n}`))))
  return dam
})

const times = (sent: ReadonlyArray<string>) => sent.map((call) => Math.round(Number(call.split(" ")[1])))

describe("the breaker of a lane", () => {
  it.effect("opens when most calls fail; jobs wait, one call asks, and what follows comes by a ramp", () =>
    Effect.gen(function* () {
      const dam = yield* world(4, 40)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(times(yield* dam.sent), [0, 1, 101, 201])
      yield* TestClock.adjust("30 seconds")
      const [probe = 0, ...after] = times(yield* dam.sent).slice(4)
      assert.strictEqual(probe, 8951)
      const within = (from: number, to: number) => after.filter((at) => at >= probe + from && at < probe + to).length
      // a tenth of ten a second, then half of it, then all
      assert.approximately(within(0, 4000), 4, 1)
      assert.approximately(within(4000, 8000), 20, 2)
      const gaps = after.map((at, n) => at - (after[n - 1] ?? probe))
      assert.isAtLeast(Math.min(...gaps), 99)
      assert.strictEqual(after.length, 35)
    })
  )

  it.effect("opens for longer when its probe fails, and says so in the lane and in explain", () =>
    Effect.gen(function* () {
      const dam = yield* world(5, 8)
      yield* TestClock.adjust("5 seconds")
      const waiting = yield* dam.submit(once(Step.get(`${url}waits`)))
      yield* TestClock.adjust("10 millis")
      const { reasons } = yield* Effect.flatMap(dam.get(waiting), dam.engine.explain)
      const hold = reasons.find(({ kind }) => kind === "hold") ?? assert.fail("there is no hold")
      assert.match(
        hold.message,
        /^api.example:443 is left alone for another .* \(its breaker is open: most calls failed\)$/
      )
      const { holds } = yield* dam.engine.steering.get(lane)
      assert.deepInclude(holds[0], { reason: "breaker", until: 8951 })
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude((yield* dam.engine.steering.get(lane)).holds[0], { reason: "breaker", until: 26_451 })
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* dam.sent, 9)
      assert.deepStrictEqual((yield* dam.engine.steering.get(lane)).holds, [])
    })
  )

  it.effect("keeps what a policy promises: its retries wait, and none is eaten", () =>
    Effect.gen(function* () {
      const dam = yield* world(6, 0)
      const job = yield* dam.runToEnd(
        Step.retryPolicy(Step.get(url), { maxRetries: 7, base: "1 millis", retryCodes: [500] })
      )
      assert.strictEqual(job.state, "succeeded")
      assert.lengthOf(job.history, 7)
    })
  )

  it.effect("does not open for refusals, for what a target answers, and where it is off", () =>
    Effect.gen(function* () {
      for (const [status, options] of [
        [404, breaker],
        [500, false]
      ] as const) {
        const dam = yield* setUp({ target: Script.always({ status }), pacing: { pace, breaker: options } })
        yield* Effect.forEach(Array.from({ length: 10 }), (_, n) => dam.submit(once(Step.get(`${url}${n}`))))
        yield* TestClock.adjust("5 seconds")
        assert.lengthOf(yield* dam.sent, 10)
      }
    })
  )

  it.effect("leaves plain retries alone by default: it takes fifty calls", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(down), pacing: { pace } })
      yield* Effect.forEach(Array.from({ length: 49 }), (_, n) => dam.submit(once(Step.get(`${url}${n}`))))
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* dam.sent, 49)
      assert.deepStrictEqual((yield* dam.engine.steering.get(lane)).holds, [])
      yield* dam.submit(once(Step.get(url)))
      yield* TestClock.adjust("1 second")
      assert.deepInclude((yield* dam.engine.steering.get(lane)).holds[0], { reason: "breaker" })
    })
  )

  it.effect("outlives a restart of the dam: one call asks then, too", () =>
    Effect.gen(function* () {
      const first = yield* world(4, 20)
      yield* TestClock.adjust("5 seconds")
      yield* first.stop
      const dam = yield* setUp({ target: Script.always(down), pacing: { pace, breaker }, store: first.store })
      yield* TestClock.adjust("3 seconds")
      assert.deepInclude((yield* dam.engine.steering.get(lane)).holds[0], { reason: "breaker", until: 8951 })
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(yield* dam.sent, 1)
      // the second time in a row, and so twice as long
      const [hold] = (yield* dam.engine.steering.get(lane)).holds
      assert.deepInclude(hold, { reason: "breaker", until: 26_451 })
    })
  )

  it.effect("is closed by a reset of its lane, which then has its pace again", () =>
    Effect.gen(function* () {
      const dam = yield* world(4, 20)
      yield* TestClock.adjust("5 seconds")
      const { holds, maxConcurrent } = yield* dam.engine.steering.change(lane, "local", { _tag: "Reset" })
      assert.deepStrictEqual([holds, maxConcurrent], [[], pace.maxConcurrent])
      yield* TestClock.adjust("2 seconds")
      assert.lengthOf(yield* dam.sent, 20)
    })
  )

  it.effect("is opened, closed and isolated by hand, and tells so", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace, breaker: false } })
      const steer = (to: "open" | "closed" | "isolated", note?: string) =>
        Effect.provideService(
          dam.engine.steering.change(lane, "ops", { _tag: "Breaker", to, note }),
          Random.Random,
          drawing()
        )
      const opened = yield* steer("open", "a hunch")
      assert.deepStrictEqual(opened.breaker, { state: "open", since: 0, until: 4375, why: "a hunch", share: 0 })
      yield* dam.submit(once(Step.get(url)))
      yield* TestClock.adjust("4 seconds")
      assert.lengthOf(yield* dam.sent, 0)
      assert.deepStrictEqual((yield* steer("closed")).breaker, undefined)
      yield* TestClock.adjust("10 millis")
      assert.lengthOf(yield* dam.sent, 1)
      yield* steer("open")
      yield* dam.submit(once(Step.get(`${url}2`)))
      yield* TestClock.adjust("5 seconds")
      assert.lengthOf(yield* dam.sent, 2)
      assert.deepInclude((yield* dam.engine.steering.get(lane)).breaker, {
        state: "ramping",
        why: "by ops",
        share: 0.1
      })
      assert.deepStrictEqual((yield* steer("isolated")).paused, { by: "ops", at: 9010, note: "isolated" })
      yield* dam.submit(once(Step.get(`${url}3`)))
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(yield* dam.sent, 2)
      yield* steer("closed")
      yield* TestClock.adjust("10 millis")
      assert.lengthOf(yield* dam.sent, 3)
      assert.deepStrictEqual(
        (yield* dam.engine.steering.log(lane, 9)).map(({ action, detail }) => `${action} ${detail}`),
        ["breaker closed", "breaker isolated", "breaker open", "breaker closed", "breaker open: a hunch"]
      )
    })
  )

  it.effect("that is closed by hand lets the jobs go that it has parked", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.always(Script.failTimes(4, down, ok)),
        pacing: { pace, breaker: { ...breaker, coolDown: "1 hour", longest: "1 hour" } }
      })
      const retried = Step.retryPolicy({ maxRetries: 3, base: "100 minutes", retryCodes: [500] })
      const ids = yield* Effect.forEach([1, 2, 3, 4], (n) => dam.submit(retried(Step.get(`${url}${n}`))))
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* dam.sent, 4)
      yield* dam.engine.steering.change(lane, "ops", { _tag: "Breaker", to: "closed", note: undefined })
      yield* TestClock.adjust("10 seconds")
      const states = yield* Effect.forEach(ids, (id) => Effect.map(dam.get(id), ({ state }) => state))
      // the one whose failure has opened it; the others sit out pauses of their own
      assert.deepStrictEqual(states.toSorted(), ["parked", "parked", "parked", "succeeded"])
    })
  )
})
