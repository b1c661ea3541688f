import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import type { Compose } from "../../../src/run/PathPolicy.ts"
import * as PathPolicy from "../../../src/run/PathPolicy.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { backup, busy, lines, ok, refusal, setUp, url } from "../support.ts"

const order = Step.post(url).pipe(Step.retryPolicy({ maxRetries: 6, retryCodes: [503] }))

const below = (compose: Compose) => Effect.provideService(PathPolicy.PathPolicy, compose)

const slowly: Compose = (schedule) =>
  schedule.pipe(
    Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.sum(duration, Duration.minutes(5)))),
    Schedule.upTo({ times: 2 })
  )

describe("jobs of a dam with composed schedules", () => {
  it.effect("are parked for its pauses, and counted on where they come back", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(busy) })
      const job = yield* dam.runToEnd(order)
      assert.deepStrictEqual(lines(job), ["0 start 503", "0 retry 503", "0 retry 503"])
      assert.deepStrictEqual(
        job.history.map(({ pause }) => Math.round(pause)),
        [0, 300_100, 300_200]
      )
      assert.deepInclude(job, { state: "failed", epoch: 3 })
    }).pipe(below(slowly))
  )

  it.effect("go on after another start of the dam", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.inTurn(busy, Script.hang, busy, busy, ok))
      const dam = yield* setUp({ target })
      const id = yield* dam.submit(order)
      yield* TestClock.adjust("6 minutes")
      yield* dam.stop
      const { stop } = yield* dam.begin()
      yield* TestClock.adjust("1 hour")
      const job = yield* dam.get(id)
      assert.deepStrictEqual(lines(job), ["0 start 503", "0 retry interrupted", "0 retry 503", "0 retry 503"])
      assert.strictEqual(job.state, "failed")
      yield* stop
    }).pipe(below(slowly))
  )

  it.effect("repeat a 429 with the lane, whatever the schedule says", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.inTurn(refusal(60), busy, refusal(60), ok)) })
      const job = yield* dam.runToEnd(order)
      assert.deepStrictEqual(lines(job), ["0 start 429", "0 repeat 503", "0 retry 429", "0 repeat 200"])
    }).pipe(below((schedule) => Schedule.upTo(schedule, { times: 1 })))
  )

  it.effect("count a pause in the store for a fallback's onTimeout, also one that the policy would not have made", () =>
    Effect.gen(function* () {
      const step = order.pipe(
        Step.retryPolicy({ maxRetries: 0 }),
        Step.fallback(Step.post(backup), { onTimeout: "15 minutes" })
      )
      const dam = yield* setUp({ target: Script.all(Script.on(url, busy), Script.on(backup, ok)) })
      const job = yield* dam.runToEnd(step)
      assert.deepStrictEqual(lines(job), ["0 start 503", "0 retry 503", "0 retry 503", "1 start 200"])
      assert.deepStrictEqual(
        job.history.map(({ at }) => Math.round(at)),
        [0, 360_000, 720_000, 900_000]
      )
    }).pipe(below(() => Schedule.spaced("6 minutes")))
  )
})
