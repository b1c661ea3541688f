/** How long what is handed over waits for a service that cannot take it. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { exits, type Problem } from "../output/Problem.ts"

/** Waits out what passes: for ever while the service asks to slow down, for a while when nothing answers. */
export const patiently = <A, R>(effect: Effect.Effect<A, Problem, R>): Effect.Effect<A, Problem, R> => {
  const attempt = (silent: number): Effect.Effect<A, Problem, R> =>
    Effect.catchTag(effect, "Problem", (problem) => {
      if (problem.passesAfter === undefined) return Effect.fail(problem)
      const failures = problem.exit === exits.unreachable ? silent + 1 : 0
      if (failures > patience) return Effect.fail(problem)
      const pause = Math.min(10_000, 250 * 2 ** failures)
      return Effect.flatMap(Random.next, (drawn) =>
        Effect.delay(attempt(failures), Math.max(problem.passesAfter ?? 0, pause * (0.5 + drawn / 2)))
      )
    })
  return Effect.suspend(() => attempt(0))
}

const patience = 5
