import * as Duration from "effect/Duration"
import { isGood } from "../../engine/Decide.ts"
import type { DeliveryAttempt, StoredDelivery } from "../job/Delivery.ts"
import type { EndpointRule, NextDelivery } from "../store/DeliveryRecords.ts"

/**
 * The pauses before the attempts of a delivery: none, then 5 s, 5 min, 30 min, 2 h, 5 h, 10 h,
 * 14 h, 20 h and 24 h, each with up to a fifth of jitter.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultSchedule: ReadonlyArray<Duration.Duration> = [
  Duration.zero,
  Duration.seconds(5),
  Duration.minutes(5),
  Duration.minutes(30),
  Duration.hours(2),
  Duration.hours(5),
  Duration.hours(10),
  Duration.hours(14),
  Duration.hours(20),
  Duration.hours(24)
]

/**
 * How deliveries are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeliveryOptions {
  /** Pauses before the attempts; their number is the number of attempts. */
  readonly schedule: ReadonlyArray<Duration.Duration>
  /** Limit of one attempt in milliseconds. */
  readonly timeoutMillis: number
  /** Deliveries to one receiver's host that are under way at once, most of them waiting for its lane. */
  readonly concurrency: number
  /** When an endpoint that fails is disabled, and how often it is probed then. */
  readonly endpoints: EndpointRule
  /** Whether an endpoint that works again is told what was given up while it failed. Defaults to `false`. */
  readonly redrive?: boolean | undefined
}

/**
 * The defaults: the schedule above, 15 seconds per attempt, 100 under way; an endpoint is disabled after 20 failures in a
 * row over a day or longer, and probed every hour.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults: DeliveryOptions = {
  schedule: defaultSchedule,
  timeoutMillis: 15000,
  concurrency: 100,
  endpoints: { failures: 20, failingMillis: 24 * 3600000, probeMillis: 3600000 },
  redrive: false
}

/** What follows from an attempt. A `Retry-After` is a lower bound of the next pause. */
export const nextOf = (
  schedule: DeliveryOptions["schedule"],
  { attempts, spent }: StoredDelivery,
  { at, latency, retryAfter, status }: Made,
  jitter: number
): NextDelivery => {
  const ended = Math.ceil(at + latency)
  if (status !== undefined && isGood(status)) return { _tag: "Delivered" }
  if (status === 410) return { _tag: "Dead", reason: "receiver_gone", at: ended }
  // once may be a mistake of something in between; the same bytes are no smaller the next time
  const isTooLarge = status === 413 && attempts.slice(spent).some((earlier) => earlier.status === 413)
  if (isTooLarge) return { _tag: "Dead", reason: "too_large", at: ended }
  const pause = schedule[attempts.length - spent + 1]
  return pause === undefined
    ? { _tag: "Dead", reason: "attempts_exhausted", at: ended }
    : {
        _tag: "Again",
        dueAt: ended + Math.ceil(Math.max(Duration.toMillis(pause) * jitter, retryAfter)),
        spends: true
      }
}
export const mostJitter = 1.2

/** An attempt, and what the receiver asked for. */
export interface Made extends DeliveryAttempt {
  /** Milliseconds of its `Retry-After`. */
  readonly retryAfter: number
  /** What this machine lacked to make it at all. */
  readonly lacks?: string | undefined
}
export const brokenAttempt = (at: number, error: string): Made => ({
  at,
  latency: 0,
  status: undefined,
  error,
  excerpt: undefined,
  retryAfter: 0
})
