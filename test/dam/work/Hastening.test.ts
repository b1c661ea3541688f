import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as EmbeddedService from "../../../src/dam/EmbeddedService.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { backup, fast, lines, ok, refusal, setUp, url } from "../support.ts"

const day = 24 * 3600
const reset = { _tag: "Reset" } as const
const lane = "api.example:443"

describe("a job that is wanted now", () => {
  it.effect("is not kept for its time, and is told to be queued", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const id = yield* dam.submit(Step.get(url).pipe(Step.retryAt(3_600_000), Step.onFailureTimeout("1 minute")))
      const seen = yield* Effect.forkChild(Stream.runCollect(dam.engine.events(id)), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Effect.flatMap(dam.get(id), dam.engine.runNow)).state, "queued")
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
      assert.deepStrictEqual(yield* dam.sent, ["api 1000"])
      const states = seen.pollUnsafe()
      assert.deepStrictEqual(states?._tag === "Success" ? states.value.map(({ state }) => state) : [], [
        "queued",
        "running",
        "succeeded"
      ])
    })
  )

  it.effect("has its deadline count from now", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.hang) })
      const id = yield* dam.submit(Step.get(url).pipe(Step.retryAt(3_600_000), Step.onFailureTimeout("10 seconds")))
      yield* Effect.flatMap(dam.get(id), dam.engine.runNow)
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual((yield* dam.get(id)).result?.error?.tag, "DeadlineExceeded")
    })
  )

  it.effect("does not finish its pause, which counts as rested", () =>
    Effect.gen(function* () {
      const policy = Step.retryPolicy({ base: "1 hour", cap: "1 hour" })
      const dam = yield* setUp({ target: Script.always(Script.inTurn({ status: 500 }, ok)) })
      const id = yield* dam.submit(policy(Step.get(url)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "parked")
      yield* Effect.flatMap(dam.get(id), dam.engine.runNow)
      yield* TestClock.adjust("1 second")
      const job = yield* dam.get(id)
      assert.deepStrictEqual([job.state, ...lines(job)], ["succeeded", "0 start 500", "0 retry 200"])
    })
  )

  it.effect("still keeps to the pace and the holds of its lane", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.inTurn(refusal(60), ok)) })
      const id = yield* dam.submit(Step.get(url))
      yield* TestClock.adjust("1 second")
      yield* Effect.flatMap(dam.get(id), dam.engine.runNow)
      yield* TestClock.adjust("58 seconds")
      assert.deepStrictEqual([(yield* dam.get(id)).state, (yield* dam.sent).length], ["queued", 1])
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
    })
  )

  it.effect("may be queued already, but neither run nor have ended", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.hang), pacing: { pace: { rps: 9, maxConcurrent: 1 } } })
      const first = yield* dam.submit(Step.get(url))
      const second = yield* dam.submit(Step.get(`${url}second`))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Effect.flatMap(dam.get(second), dam.engine.runNow)).state, "queued")
      const refused = yield* Effect.flip(Effect.flatMap(dam.get(first), dam.engine.runNow))
      assert.strictEqual(refused.message, `job ${first} is running; only a job that waits can be run now`)
    })
  )

  it.effect("is let go by a client in process, which is told how it stands", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const service = EmbeddedService.make(dam.engine, dam.store)
      const id = yield* dam.submit(Step.retryAt(Step.get(url), 3_600_000))
      assert.deepInclude(yield* service.runNow(id), { jobId: id, status: "queued" })
      assert.deepInclude(yield* service.results.await(id), { status: "success" })
      const refused = yield* Effect.flip(service.runNow(id))
      assert.deepInclude(refused.reason, { _tag: "WrongJobState", jobId: id })
    })
  )
})

describe("a lane that an operator resets", () => {
  it.effect("lets the job go that was told to wait by the hold it lifts", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.inTurn(refusal(day), ok)) })
      const id = yield* dam.submit(Step.get(url))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "parked")
      yield* dam.engine.steering.change(lane, "me", reset)
      yield* TestClock.adjust("1 second")
      const job = yield* dam.get(id)
      assert.deepStrictEqual([job.state, ...lines(job)], ["succeeded", "0 start 429", "0 repeat 200"])
    })
  )

  it.effect("lets a job go whose own pause is as long because of the hold", () =>
    Effect.gen(function* () {
      const unready = { status: 503, headers: { "Retry-After": String(day) } }
      const dam = yield* setUp({ target: Script.always(Script.inTurn(unready, ok)) })
      const id = yield* dam.submit(Step.get(url))
      yield* TestClock.adjust("1 second")
      yield* dam.engine.steering.change(lane, "me", reset)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
    })
  )

  it.effect("lets a job go that waits for the host of its fallback", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        pacing: fast,
        target: Script.all(Script.on(url, { status: 404 }), Script.always(Script.inTurn(refusal(day), ok)))
      })
      const id = yield* dam.submit(Step.fallback(Step.get(url), Step.get(backup)))
      yield* TestClock.adjust("1 second")
      yield* dam.engine.steering.change(lane, "me", reset)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "parked")
      yield* dam.engine.steering.change("backup.example:443", "me", reset)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
    })
  )

  it.effect("leaves pauses alone that are a job's own, scheduled jobs, and other lanes", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.all(
          Script.on(url, Script.inTurn({ status: 500 }, ok)),
          Script.always(Script.inTurn(refusal(day), ok))
        )
      })
      const own = yield* dam.submit(Step.retryPolicy(Step.get(url), { base: "1 hour", cap: "1 hour" }))
      const later = yield* dam.submit(Step.retryAt(Step.get(`${url}later`), 7_200_000))
      const other = yield* dam.submit(Step.get(backup))
      yield* TestClock.adjust("1 second")
      yield* dam.engine.steering.change(lane, "me", reset)
      yield* TestClock.adjust("1 second")
      const states = yield* Effect.forEach([own, later, other], (id) => Effect.map(dam.get(id), ({ state }) => state))
      assert.deepStrictEqual(states, ["parked", "scheduled", "parked"])
    })
  )
})
