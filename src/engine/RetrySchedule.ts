/**
 * A retry policy as a `Schedule`, to compose with schedules of one's own.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { RetryPolicy } from "../step/RetryPolicy.ts"
import * as RetryPolicies from "../step/RetryPolicy.ts"
import type { Ended } from "./Decide.ts"
import { decide } from "./Decide.ts"
import * as Pause from "./Pause.ts"

/**
 * Makes a schedule that takes endings and pauses as the interpreter does within one region; it outputs the number of
 * retries so far and ends where the policy stops.
 *
 * **When to use** — to repeat an effect of one's own as a step would, or to bound a policy further, for instance with
 * `Schedule.upTo`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule = (policy: RetryPolicy | undefined): Schedule.Schedule<number, Ended> => {
  const resolved = RetryPolicies.resolve(policy, RetryPolicies.defaults)
  return Schedule.fromStep(
    Effect.sync(() => {
      let retries = 0
      return (_now: number, ended: Ended) => {
        const decision = decide(resolved, ended, {
          spent: { retries, reroutes: 0 },
          regionLeft: false,
          patience: Number.POSITIVE_INFINITY
        })
        if (decision._tag === "Stop") return Cause.done(retries)
        const { pause } = decision
        return Effect.map(Random.next, (random): [number, Duration.Duration] => [
          ++retries,
          Duration.millis(Pause.draw(pause, random))
        ])
      }
    })
  )
}
