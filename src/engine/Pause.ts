/**
 * How long to wait before the next attempt: bounds fixed here, the length drawn by whoever waits, so tests can seed it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { ResolvedRetryPolicy } from "../step/RetryPolicy.ts"

/**
 * A pause between `atLeast` and `atLeast + spread` milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pause {
  readonly atLeast: number
  readonly spread: number
}

/**
 * No pause.
 *
 * @category constants
 * @since 0.1.0
 */
export const none: Pause = { atLeast: 0, spread: 0 }

/**
 * The pause before the next retry: full jitter below a ceiling that starts at `base` and doubles with each retry up to
 * `cap`. A `Retry-After` is the lower bound, and the spread is what the ceiling has beyond it, never their sum.
 *
 * @category decisions
 * @since 0.1.0
 */
export const beforeRetry = (
  policy: ResolvedRetryPolicy,
  retriesSoFar: number,
  retryAfter: number | undefined
): Pause => {
  // any base has reached any cap long before, and a base of zero must not meet an infinite factor
  const factor = 2 ** Math.min(retriesSoFar, 64)
  const ceiling = Math.min(Duration.toMillis(policy.cap), Duration.toMillis(policy.base) * factor)
  const atLeast = retryAfter ?? 0
  return { atLeast, spread: Math.max(0, ceiling - atLeast) }
}

/**
 * The pause before a reroute: none of our own, since another region is fresh; a `Retry-After` still holds.
 *
 * @category decisions
 * @since 0.1.0
 */
export const beforeReroute = (retryAfter: number | undefined): Pause =>
  retryAfter === undefined ? none : { atLeast: retryAfter, spread: 0 }

/**
 * The length of a pause in milliseconds for a number drawn from 0 (inclusive) to 1 (exclusive).
 *
 * @category decisions
 * @since 0.1.0
 */
export const draw = (self: Pause, random: number): number => self.atLeast + self.spread * random
