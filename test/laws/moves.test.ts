import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { Decision, Ended } from "../../src/engine/Decide.ts"
import { decide } from "../../src/engine/Decide.ts"
import * as Moves from "../../src/engine/Moves.ts"
import * as Pause from "../../src/engine/Pause.ts"
import * as RetrySchedule from "../../src/engine/RetrySchedule.ts"
import type { ResolvedRetryPolicy } from "../../src/step/RetryPolicy.ts"
import { resolve } from "../../src/step/RetryPolicy.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import { between, bool, oneOf, optional } from "../../src/testing/Generators.ts"
import { drawing } from "../run/support.ts"

const AnyEnded: Arbitrary.Arbitrary<Ended> = Arbitrary.flatMap(bool, (isAnswer): Arbitrary.Arbitrary<Ended> =>
  isAnswer
    ? Arbitrary.map(
        Arbitrary.all([oneOf([200, 404, 409, 429, 429, 500, 502, 503, 503, 504]), optional(between(0, 60_000))]),
        ([status, retryAfter]): Ended => ({ _tag: "Answered", status, retryAfter })
      )
    : Arbitrary.map(Arbitraries.failure, (failure): Ended => ({ _tag: "Failed", failure }))
)
const World = Arbitrary.all({
  policy: Arbitraries.retryPolicy,
  endings: Arbitrary.array(Arbitrary.all({ ended: AnyEnded, racer: between(0, 2) }), { maxLength: 24 }),
  spare: between(0, 4),
  patience: oneOf([0, 5000, 30_000, Number.POSITIVE_INFINITY]),
  random: Arbitrary.map(between(0, 99), (n) => n / 100)
})
const runs = { arbitrary: { runs: 1000 } }

const starts = ["iad", "lax", undefined]
const spareOf = (count: number) => ["ord", "fra", "sin", "gru"].slice(0, count)
const drawn = (random: number) => Effect.provideService(Random.Random, drawing(random))

type Story = ReadonlyArray<Moves.Move | "stop">

/** What racers that obey `decide` do, each ending belonging to one of them. */
const obeyed = (policy: ResolvedRetryPolicy, world: typeof World extends Arbitrary.Arbitrary<infer A> ? A : never) => {
  const at = [...starts]
  const spare = spareOf(world.spare)
  let [retries, reroutes] = [0, 0]
  return world.endings.map(({ ended, racer }): Moves.Move | "stop" => {
    const situation = { spent: { retries, reroutes }, regionLeft: spare.length > 0, patience: world.patience }
    const decision: Decision = decide(policy, ended, situation)
    if (decision._tag === "Stop") return "stop"
    const isRetry = decision._tag === "Retry"
    if (isRetry) retries++
    else {
      reroutes++
      at[racer] = spare.shift()
    }
    return { kind: isRetry ? "retry" : "reroute", region: at[racer], pause: Pause.draw(decision.pause, world.random) }
  })
}

describe("laws of the schedule of moves", () => {
  it.effect.prop(
    "racers that step it over one budget do what racers do that obey the decision",
    { world: World },
    ({ world }) =>
      Effect.gen(function* () {
        const policy = resolve(world.policy)
        const budget: Moves.Budget = { spent: { retries: 0, reroutes: 0 }, spare: spareOf(world.spare) }
        const racers = yield* Effect.forEach(starts, (region) => {
          const seat = Moves.seat(region)
          const own = Moves.schedule({ policy, patience: world.patience }, budget, seat)
          return Effect.map(Schedule.toStep(own), (step) => ({ seat, step }))
        })
        const story: Array<Story[number]> = []
        for (const { ended, racer } of world.endings) {
          const { seat, step } = racers[racer] ?? assert.fail("there is no such racer")
          const last = seat.last
          const output = yield* Pull.matchEffect(step(0, ended), {
            onSuccess: Effect.succeed,
            onDone: (move) => Effect.succeed(move),
            onFailure: Effect.die
          })
          if ("kind" in output) {
            assert.strictEqual(output, last)
            story.push("stop")
            continue
          }
          const [move, delay] = output
          assert.deepStrictEqual(delay, Duration.millis(move.pause))
          Moves.advance(seat, move)
          story.push(move)
        }
        assert.deepStrictEqual(story, obeyed(policy, world))
      }).pipe(drawn(world.random)),
    runs
  )

  it.effect.prop(
    "asked again about the same ending it answers the same and claims nothing, and what is given back is as before",
    { world: World },
    ({ world }) =>
      Effect.gen(function* () {
        const budget: Moves.Budget = { spent: { retries: 0, reroutes: 0 }, spare: spareOf(world.spare) }
        const seat = Moves.seat("iad")
        const own = Moves.schedule({ policy: resolve(world.policy), patience: world.patience }, budget, seat)
        const steps = [yield* Schedule.toStep(own), yield* Schedule.toStep(own)]
        for (const { ended } of world.endings) {
          const before = { spent: budget.spent, spare: [...budget.spare] }
          const answers = yield* Effect.forEach(steps, (step) => Effect.exit(step(0, ended)))
          assert.deepStrictEqual(answers[1], answers[0])
          const { next } = seat
          const after = { spent: budget.spent, spare: [...budget.spare] }
          const spent = after.spent.retries + after.spent.reroutes - before.spent.retries - before.spent.reroutes
          assert.strictEqual(spent, next === undefined ? 0 : 1)
          Moves.giveBack(budget, seat)
          assert.deepStrictEqual({ ...budget }, before)
          if (next === undefined) continue
          yield* Effect.exit(
            own.pipe(
              Schedule.toStep,
              Effect.flatMap((step) => step(0, ended))
            )
          )
          assert.deepStrictEqual({ ...budget }, after)
          Moves.advance(seat, next)
        }
      }).pipe(drawn(world.random)),
    runs
  )

  it.effect.prop(
    "the schedule for effects of one's own counts the retries of the decision, within one region and with all patience",
    { world: World },
    ({ world }) =>
      Effect.gen(function* () {
        const policy = resolve(world.policy)
        const step = yield* Schedule.toStep(RetrySchedule.schedule(world.policy))
        let retries = 0
        for (const { ended } of world.endings) {
          const situation = { spent: { retries, reroutes: 0 }, regionLeft: false, patience: Number.POSITIVE_INFINITY }
          const decision = decide(policy, ended, situation)
          const output = yield* Pull.catchDone(step(0, ended), (count) => Effect.succeed(count))
          if (decision._tag === "Stop") assert.strictEqual(output, retries)
          else {
            const pause = Pause.draw(decision.pause, world.random)
            assert.deepStrictEqual(output, [++retries, Duration.millis(pause)])
          }
        }
      }).pipe(drawn(world.random)),
    runs
  )
})
