/** Room is counted in the moment of its use, and shared: by lanes in turns, and never by those alone that hang or wait. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { backup, busy, hook, ok, refusal, setUp, url } from "../support.ts"

describe("room for running jobs", () => {
  it.effect("lanes that read at the same time share the room", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        maxRunning: 3,
        target: Script.always(Script.later("10 seconds", ok)),
        through: (store) => ({ ...store, page: (...asked) => Effect.delay(store.page(...asked), 5) })
      })
      for (let n = 0; n < 9; n++) yield* dam.submit(Step.get(`https://host-${n}.example/`))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* dam.store.stats).jobs.running, 3)
    })
  )

  it.effect("a paused lane leaves room for the others", () =>
    Effect.gen(function* () {
      const failing = Script.on(/api\.example/, busy)
      const dam = yield* setUp({ maxRunning: 5, target: Script.all(failing, Script.always(ok)) })
      for (let n = 0; n < 5; n++) yield* dam.submit(Step.retryPolicy(Step.get(url + n), { base: 500 }))
      yield* TestClock.adjust(100)
      yield* dam.engine.steering.change("api.example:443", "ann", { _tag: "Pause", note: undefined })
      const other = yield* dam.submit(Step.get(backup))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* dam.get(other)).state, "succeeded")
    })
  )

  it.effect("is left by those who wait for a hold that begins while they stand in line", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.on(`${url}holding`, Script.inTurn(Script.later(2000, refusal(3600)), ok)),
        Script.on(/api\.example/, Script.inTurn(busy, ok)),
        Script.always(ok)
      )
      const dam = yield* setUp({ maxRunning: 4, target, pacing: { pace: { rps: 1000, maxConcurrent: 1 } } })
      for (let n = 0; n < 3; n++) yield* dam.submit(Step.retryPolicy(Step.get(url + n), { base: 500 }))
      yield* TestClock.adjust(10)
      yield* dam.submit(Step.get(`${url}holding`))
      yield* TestClock.adjust("3 seconds")
      const other = yield* dam.submit(Step.get(backup))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.get(other)).state, "succeeded")
      assert.strictEqual((yield* dam.store.stats).jobs.running, 0)
      yield* TestClock.adjust("2 hours")
      assert.strictEqual((yield* dam.store.stats).jobs.succeeded, 5)
    })
  )

  it.effect("goes round among lanes, so that a new one does not wait for the backlog of the others", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ maxRunning: 2, target: Script.always(Script.later(1000, ok)) })
      for (let n = 0; n < 650; n++) yield* dam.submit(Step.get(url + n))
      yield* TestClock.adjust("2500 millis")
      const fresh = yield* dam.submit(Step.get(backup))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* dam.get(fresh)).state, "succeeded")
    })
  )

  it.effect("is never all taken by a host that hangs", () =>
    Effect.gen(function* () {
      const hanging = Script.on(/api\.example/, Script.hang)
      const pacing = { pace: { rps: 10_000, maxConcurrent: 10_000 } }
      const dam = yield* setUp({ maxRunning: 90, pacing, target: Script.all(hanging, Script.always(ok)) })
      for (let n = 0; n < 500; n++) yield* dam.submit(Step.get(url + n))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* dam.store.stats).jobs.running, 80)
      const ids = yield* Effect.forEach(Array.from({ length: 50 }), (_, n) => dam.submit(Step.get(backup + n)))
      yield* TestClock.adjust("1 second")
      const states = yield* Effect.forEach(ids, (id) => Effect.map(dam.get(id), ({ state }) => state))
      assert.isTrue(states.every((state) => state === "succeeded"))
    })
  )
})

describe("stopping", () => {
  it.effect("a stop does not wait for what cannot happen", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ drain: Duration.seconds(10) })
      yield* dam.engine.steering.change("webhook@hooks.example:443", "ann", { _tag: "Pause", note: undefined })
      yield* dam.submit(Step.webhooks(Step.get(url), [{ url: hook }]))
      yield* TestClock.adjust("1 second")
      const stopping = yield* Effect.forkChild(dam.stop)
      yield* TestClock.adjust("1 second")
      const isStopped = stopping.pollUnsafe() !== undefined
      yield* TestClock.adjust("20 seconds")
      assert.isTrue(isStopped)
    })
  )
})
