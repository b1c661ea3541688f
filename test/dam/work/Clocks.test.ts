import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Dispatcher from "../../../src/dam/work/Dispatcher.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { hook, lines, ok, refusal, setUp, url } from "../support.ts"

const { clockEvery } = Dispatcher.defaults
const hours = 3_600_000
/** What the clock says when a test begins. */
const began = 1_000 * hours
const unready: Script.Input = { status: 503, headers: { "Retry-After": "5" } }

/** Runs a test whose clock can be set, while time goes on as it is. */
const withClock = <A, E, R>(test: (set: (by: number) => void) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) => {
    let shift = began
    const wall = () => clock.currentTimeMillisUnsafe() + shift
    const own = { currentTimeMillisUnsafe: wall, currentTimeMillis: Effect.sync(wall) }
    return test((by) => void (shift += by)).pipe(
      Effect.provideService(Clock.Clock, Object.assign(Object.create(clock), own))
    )
  })

describe("a clock that is set while the dam runs", () => {
  for (const [direction, by] of [
    ["back", -2 * hours],
    ["forward", 2 * hours]
  ] as const) {
    it.effect(`${direction} moves no pause: a parked job goes on when its pause is over`, () =>
      withClock((set) =>
        Effect.gen(function* () {
          const dam = yield* setUp({ clockEvery, target: Script.always(Script.inTurn(unready, ok)) })
          const id = yield* dam.submit(Step.get(url))
          yield* TestClock.adjust("1 second")
          set(by)
          yield* TestClock.adjust(3999)
          assert.strictEqual((yield* dam.get(id)).state, "parked")
          yield* TestClock.adjust("1 second")
          const job = yield* dam.get(id)
          assert.deepStrictEqual([job.state, ...lines(job)], ["succeeded", "0 start 503", "0 retry 200"])
          assert.strictEqual(job.history[1]?.pause, 5000)
        })
      )
    )

    it.effect(`${direction} moves no pause of a webhook: it is told again when its pause is over`, () =>
      withClock((set) =>
        Effect.gen(function* () {
          const dam = yield* setUp({
            clockEvery,
            receivers: Script.always(Script.failTimes(1, { status: 500 }, { status: 204 }))
          })
          yield* dam.submit(Step.webhooks(Step.get(url), [{ url: hook }]))
          yield* TestClock.adjust("1 second")
          set(by)
          // 5 s and the middle of the jitter
          yield* TestClock.adjust("4 seconds")
          assert.lengthOf(yield* dam.told, 1)
          yield* TestClock.adjust("1 second")
          assert.lengthOf(yield* dam.told, 2)
        })
      )
    )

    it.effect(`${direction} is seen within a second: explain names the moment as the clock says it now`, () =>
      withClock((set) =>
        Effect.gen(function* () {
          const dam = yield* setUp({ clockEvery, target: Script.always(Script.inTurn(unready, ok)) })
          const id = yield* dam.submit(Step.get(url))
          yield* TestClock.adjust("1 second")
          set(by)
          yield* TestClock.adjust("1 second")
          const { estimatedStart } = yield* Effect.flatMap(dam.get(id), dam.engine.explain)
          assert.strictEqual(estimatedStart, began + 5000 + by)
        })
      )
    )

    it.effect(`${direction} moves no hold of a lane, nor what explain says of it`, () =>
      withClock((set) =>
        Effect.gen(function* () {
          const dam = yield* setUp({ clockEvery, target: Script.always(Script.inTurn(refusal(60), ok)) })
          const id = yield* dam.submit(Step.get(url))
          yield* TestClock.adjust("1 second")
          const other = yield* dam.submit(Step.get(`${url}other`))
          set(by)
          yield* TestClock.adjust("1 second")
          for (const one of [id, other]) {
            const { estimatedStart = 0 } = yield* Effect.flatMap(dam.get(one), dam.engine.explain)
            assert.approximately(estimatedStart, began + 60_000 + by, 2)
          }
          yield* TestClock.adjust("57 seconds")
          assert.lengthOf(yield* dam.sent, 1)
          yield* TestClock.adjust("2 seconds")
          assert.lengthOf(yield* dam.sent, 3)
        })
      )
    )
  }

  it.effect("forward, a machine that slept: a job that is scheduled starts within a second, by itself", () =>
    withClock((set) =>
      Effect.gen(function* () {
        const dam = yield* setUp({ clockEvery })
        yield* dam.submit(Step.retryAt(Step.get(url), began + 2 * hours))
        yield* TestClock.adjust("1 second")
        set(2 * hours)
        yield* TestClock.adjust("1 second")
        assert.lengthOf(yield* dam.sent, 1)
      })
    )
  )

  it.effect("back keeps no job that was accepted before: it starts when its lane lets it", () =>
    withClock((set) =>
      Effect.gen(function* () {
        const dam = yield* setUp({ clockEvery, pacing: { pace: { rps: 0.1, maxConcurrent: 1 } } })
        yield* dam.submit(Step.get(url))
        const id = yield* dam.submit(Step.get(`${url}second`).pipe(Step.onFailureTimeout("1 hour")))
        yield* TestClock.adjust("1 second")
        set(-2 * hours)
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* dam.get(id)).state, "succeeded")
      })
    )
  )

  it.effect("back keeps a scheduled job for its own time", () =>
    withClock((set) =>
      Effect.gen(function* () {
        const dam = yield* setUp({ clockEvery })
        yield* dam.submit(Step.retryAt(Step.get(url), began + hours))
        yield* TestClock.adjust("30 minutes")
        set(-2 * hours)
        yield* TestClock.adjust("149 minutes")
        assert.lengthOf(yield* dam.sent, 0)
        yield* TestClock.adjust("1 minute")
        assert.lengthOf(yield* dam.sent, 1)
      })
    )
  )

  it.effect("ends what is past its deadline by the clock as it is now", () =>
    withClock((set) =>
      Effect.gen(function* () {
        const dam = yield* setUp({ clockEvery })
        const id = yield* dam.submit(
          Step.get(url).pipe(Step.retryAt(began + hours), Step.onFailureTimeout("1 minute")),
          {
            lane: "still"
          }
        )
        yield* dam.engine.steering.change("still", "me", { _tag: "Pause", note: undefined })
        yield* TestClock.adjust("1 second")
        set(2 * hours)
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* dam.get(id)).result?.error?.tag, "DeadlineExceeded")
      })
    )
  )
})
