import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { Ended } from "../../src/engine/Decide.ts"
import { schedule } from "../../src/engine/RetrySchedule.ts"
import * as Interpreter from "../../src/run/Interpreter.ts"
import { ConnectionFailed } from "../../src/step/Failure.ts"
import type { RetryPolicyOptions } from "../../src/step/RetryPolicy.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import { drawing, ending, toEnd } from "../run/support.ts"

const answered = (status: number, retryAfter?: number): Ended => ({ _tag: "Answered", status, retryAfter })
const refused: Ended = { _tag: "Failed", failure: new ConnectionFailed({ kind: "refused", detail: "" }) }
const policyOf = (options?: RetryPolicyOptions) =>
  Step.get("https://api.example/").pipe(Step.retryPolicy(options)).retryPolicy

/** Milliseconds after the first try at which an effect that fails with these endings in turn is tried. */
const tries = (endings: ReadonlyArray<Ended>, by: Schedule.Schedule<unknown, Ended>, random = drawing()) =>
  Effect.gen(function* () {
    const at: Array<number> = []
    const failing = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const ended = endings[Math.min(at.push(now) - 1, endings.length - 1)]
      return ended === undefined ? Effect.void : Effect.fail(ended)
    })
    yield* toEnd(Effect.provideService(Effect.ignore(Effect.retry(failing, by)), Random.Random, random))
    return fromFirst(at)
  })

const fromFirst = (at: ReadonlyArray<number>) => at.map((moment) => moment - (at[0] ?? 0))

describe("the schedule of a retry policy", () => {
  it.effect("retries with doubling, jittered pauses and ends after the last retry", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* tries([answered(503)], schedule(policyOf())), [0, 100, 300, 700])
    })
  )

  it.effect("keeps to Retry-After where that is longer", () =>
    Effect.gen(function* () {
      const endings = [answered(429, 2000), answered(429, 200), answered(503)]
      assert.deepStrictEqual(yield* tries(endings, schedule(policyOf())), [0, 2000, 2300, 2700])
    })
  )

  it.effect("stops at an unlisted status, and goes on without an answer", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* tries([answered(404)], schedule(policyOf())), [0])
      assert.deepStrictEqual(yield* tries([refused, answered(404)], schedule(policyOf())), [0, 100])
    })
  )

  it.effect("without a policy takes the protocol's defaults, and no retries is no retry", () =>
    Effect.gen(function* () {
      assert.lengthOf(yield* tries([refused], schedule(undefined)), 4)
      assert.lengthOf(yield* tries([refused], schedule(policyOf({ maxRetries: 0 }))), 1)
    })
  )

  it.effect("starts afresh each time it is used", () =>
    Effect.gen(function* () {
      const once = schedule(policyOf({ maxRetries: 1 }))
      assert.lengthOf(yield* tries([refused], once), 2)
      assert.lengthOf(yield* tries([refused], once), 2)
    })
  )

  it.effect("can be bounded further", () =>
    Effect.gen(function* () {
      const generous = schedule(policyOf({ maxRetries: 50 }))
      assert.lengthOf(yield* tries([answered(503)], Schedule.upTo(generous, { times: 2 })), 3)
      const brief = yield* tries([answered(503)], Schedule.upTo(generous, { duration: "1 second" }))
      assert.deepStrictEqual(brief, [0, 100, 300, 700, 1500])
    })
  )

  it.effect("pauses as the interpreter does, drawn from the same seed", () =>
    Effect.gen(function* () {
      const options = { maxRetries: 8, base: "150 millis", cap: "2 seconds" } as const
      const answers = [503, 429, 503, 503, 429, 503, 503, 503, 503]
      const headers = (index: number) => (index % 3 === 1 ? { "retry-after": "1" } : undefined)
      const endings = answers.map((status, index) => answered(status, headers(index) && 1000))
      const seeded = Random.withSeed(Effect.service(Random.Random), "the same")
      const alone = yield* tries(endings, schedule(policyOf(options)), yield* seeded)

      const [first = { status: 503 }, ...rest] = answers.map((status, index) => ({ status, headers: headers(index) }))
      const wire = yield* Script.make(Script.always(Script.inTurn(first, ...rest)))
      const step = Step.get("https://api.example/").pipe(Step.retryPolicy(options))
      const run = ending(Interpreter.run(step, Strategies.only(wire)))
      yield* toEnd(Effect.provideService(run, Random.Random, yield* seeded))
      const interpreted = fromFirst((yield* wire.exchanges).map(({ at }) => at))
      assert.lengthOf(interpreted, 9)
      assert.isBelow(Math.max(...interpreted.map((at, index) => Math.abs(at - (alone[index] ?? Number.NaN)))), 0.001)
      assert.notStrictEqual(interpreted[1], 75)
    })
  )
})
