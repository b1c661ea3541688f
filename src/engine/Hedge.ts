/**
 * When a slow call is made once more beside itself: state of a target in, what happened, state out.
 *
 * Each call of a step that hedges earns its target a twentieth of a hedge, and a hedge costs one, so that hedges stay
 * below that share of the traffic whatever the latencies do. A target that refuses or says to wait is left alone.
 */
import * as Duration from "effect/Duration"
import type { Ended } from "./Decide.ts"
import { isSuccess, isTooMany } from "./Decide.ts"
import * as Latency from "./Latency.ts"
import type { Hedge } from "../step/StepModel.ts"

/**
 * What hedging knows of a target.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target {
  readonly latency: Latency.Latency
  /** Hedges that may be made now. */
  readonly credit: number
  /** The moment until which there are none, in milliseconds. */
  readonly quietUntil: number
}

/** The share of calls that may be hedged. @category bounds @since 0.1.0 */
export const share = 0.05
/** Hedges that may come at once after a long time without any. @category bounds @since 0.1.0 */
export const burst = 10
/** Milliseconds that a call may take before it is slow, while too few were seen. @category bounds @since 0.1.0 */
export const startAfter = 1000
/** Milliseconds without hedges after a refusal that says no more. @category bounds @since 0.1.0 */
export const quiet = 10_000

/** A target of which nothing is known: one hedge may be made. @category constructors @since 0.1.0 */
export const unknown: Target = { latency: Latency.unknown, credit: 1, quietUntil: Number.NEGATIVE_INFINITY }

/**
 * Milliseconds after which a call is slow.
 *
 * @category decisions
 * @since 0.1.0
 */
export const slowAfter = ({ after, percentile }: Hedge, { latency }: Target): number =>
  after === undefined ? (Latency.percentile(latency, percentile ?? 95) ?? startAfter) : Duration.toMillis(after)

/** A call has left that may be hedged. @category transitions @since 0.1.0 */
export const called = (self: Target): Target => ({ ...self, credit: Math.min(burst, self.credit + share) })

/**
 * Pays for a hedge at a moment; `undefined`: there is to be none.
 *
 * @category decisions
 * @since 0.1.0
 */
export const paid = (self: Target, now: number): Target | undefined =>
  // twenty twentieths are a little less than one
  now < self.quietUntil || self.credit < 1 - 1e-9 ? undefined : { ...self, credit: Math.max(0, self.credit - 1) }

/** A hedge that was paid for was not made after all. @category transitions @since 0.1.0 */
export const givenBack = (self: Target): Target => ({ ...self, credit: Math.min(burst, self.credit + 1) })

/** A call took so long, or longer where it lost. @category transitions @since 0.1.0 */
export const took = (self: Target, millis: number, now: number): Target => ({
  ...self,
  latency: Latency.observe(self.latency, millis, now)
})

/**
 * A call has ended: its time counts where there was an answer, and a refusal keeps hedges away.
 *
 * @category transitions
 * @since 0.1.0
 */
export const ended = (self: Target, ending: Ended, millis: number, now: number): Target => {
  if (ending._tag === "Failed") return self
  const refuses = isTooMany(ending) || ending.status === 503 || ending.says === "used_up"
  // a refusal is quick, and says nothing of how long an answer takes
  if (!refuses && ending.retryAfter === undefined) return took(self, millis, now)
  const until = now + (ending.retryAfter ?? quiet)
  const seen = isSuccess(ending) ? took(self, millis, now) : self
  return { ...seen, quietUntil: Math.max(seen.quietUntil, until) }
}
