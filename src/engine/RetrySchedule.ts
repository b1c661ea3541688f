/**
 * A retry policy as a `Schedule`, to compose with schedules of one's own.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { RetryPolicy } from "../step/RetryPolicy.ts"
import * as RetryPolicies from "../step/RetryPolicy.ts"
import type { Ended } from "./Decide.ts"
import * as Moves from "./Moves.ts"

/**
 * Makes a schedule that takes endings and pauses as the interpreter does within one region; it outputs the number of
 * retries so far and ends where the policy stops.
 *
 * **When to use** — to repeat an effect of one's own as a step would, or to bound a policy further, for instance with
 * `Schedule.upTo`. What a step itself does is composed with `PathPolicy`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule = (policy: RetryPolicy | undefined): Schedule.Schedule<number, Ended> => {
  const rules = {
    policy: RetryPolicies.resolve(policy, RetryPolicies.defaults),
    patience: Number.POSITIVE_INFINITY
  }
  return Schedule.fromStep(
    Effect.suspend(() => {
      const budget: Moves.Budget = { spent: { retries: 0, reroutes: 0 }, spare: [] }
      const seat = Moves.seat(undefined)
      return Moves.schedule(rules, budget, seat).pipe(
        Schedule.tap(({ output }) => Effect.sync(() => Moves.advance(seat, output))),
        Schedule.map(() => budget.spent.retries),
        Schedule.toStep
      )
    })
  )
}
