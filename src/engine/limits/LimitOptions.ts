/**
 * Limits as people write them: what is left out is filled in, in one way wherever they are kept.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Limit, Settle } from "./Limit.ts"

/**
 * What calls draw on together: so many units in so long, so many calls at once. One of `rate` and `concurrency` is needed.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitOptions {
  /** Units in `per`. Units are whatever calls say they cost: requests, tokens, points. Defaults to as many as come. */
  readonly rate?: number | undefined
  /** Defaults to a second. */
  readonly per?: Duration.Input | undefined
  /**
   * Units that may be taken at once after a rest. A call that costs more is refused by a dam, and waits in a program until
   * the rate has brought them in. Defaults to `rate`, at least 1.
   */
  readonly burst?: number | undefined
  /** Calls open at once. Defaults to as many as come. */
  readonly concurrency?: number | undefined
  /** Where an answer tells what its call has cost. Defaults to nowhere: it cost what it said before. */
  readonly settle?: Settle | undefined
}

/**
 * Fills in what was left out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resolve = ({ burst, concurrency, per = 1000, rate, settle }: LimitOptions): Limit => ({
  rate,
  per: Duration.toMillis(Duration.fromInputUnsafe(per)),
  // one that is slower than a unit in `per` lets one through nevertheless; where units are not counted, all may come
  burst: burst ?? (rate === undefined ? Number.MAX_SAFE_INTEGER : Math.max(1, rate)),
  concurrency,
  // names of headers are read in any case, and kept in lower case
  settle: settle !== undefined && "header" in settle ? { header: settle.header.toLowerCase() } : settle,
  weights: {}
})
