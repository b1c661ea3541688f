/**
 * What an answer teaches about the pace of its upstream: pure, so that a table of answers can test it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Pacing from "../../engine/Pacing.ts"
import * as RateLimitHeaders from "../../engine/RateLimitHeaders.ts"
import * as RetryAfter from "../../engine/RetryAfter.ts"
import type { HeldBy } from "../store/LaneRecords.ts"

/**
 * What a lane takes from one answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lesson {
  readonly rps: number | undefined
  readonly maxConcurrent: number | undefined
  /** Whether each account of the host has a pace of its own from now on; `undefined`: as before. */
  readonly accountQueues: boolean | undefined
  /** Milliseconds from now during which nothing may be sent. */
  readonly hold: number | undefined
  /** Which answer brought the hold. */
  readonly heldBy?: HeldBy | undefined
  /** Headers that said something of pace, and whose values were nonsense. */
  readonly ignored: number
}

/**
 * Reads an answer. A `Retry-After` holds whatever the status; a 429 without one, and an exhausted rate limit, hold until
 * the limit's reset; a bare 429 holds for a second, doubling with each that follows, up to a minute.
 *
 * @category decisions
 * @since 0.1.0
 */
export const learn = (
  answer: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  context: {
    readonly nowMillis: number
    readonly bounds: Pacing.Bounds
    readonly refusalsInARow: number
    readonly jobId?: string | undefined
  }
): Lesson => {
  const pacing = Pacing.parse(answer.headers, context.bounds)
  const held = holdOf(answer, context)
  const isWaitUnclear =
    answer.headers["retry-after"] !== undefined && RetryAfter.parse(answer.headers, context.nowMillis) === undefined
  return {
    rps: pacing?.rps,
    maxConcurrent: pacing?.maxConcurrent,
    accountQueues: pacing?.accountQueue === undefined ? undefined : pacing.accountQueue === "enabled",
    hold: held?.millis,
    ...(held === undefined ? {} : { heldBy: { reason: held.reason, status: answer.status, jobId: context.jobId } }),
    ignored: (pacing?.ignored.length ?? 0) + Number(isWaitUnclear)
  }
}

const holdOf = (
  { headers, status }: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
  { nowMillis, refusalsInARow }: { readonly nowMillis: number; readonly refusalsInARow: number }
): { readonly millis: number; readonly reason: HeldBy["reason"] } | undefined => {
  const retryAfter = RetryAfter.parse(headers, nowMillis)
  if (retryAfter !== undefined) return { millis: Duration.toMillis(retryAfter), reason: "retry_after" }
  const limit = RateLimitHeaders.parse(headers, nowMillis)
  const exhausted = limit?.remaining === 0 && limit.resetAfter !== undefined
  if (exhausted && limit.resetAfter !== undefined) {
    return { millis: Duration.toMillis(limit.resetAfter), reason: "rate_limit" }
  }
  return status === 429 ? { millis: Math.min(60_000, 1000 * 2 ** refusalsInARow), reason: "refused" } : undefined
}
