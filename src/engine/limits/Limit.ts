/**
 * What several calls draw on together: so many units in so long, so many calls at once.
 *
 * @since 0.1.0
 */

/**
 * A limit. Units are whatever its calls say they cost: requests, tokens, points.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limit {
  /** Units in `per`; `undefined`: as many as come. */
  readonly rate: number | undefined
  /** Milliseconds. */
  readonly per: number
  /** Units that may be taken at once after a rest, and the most that a call may cost. */
  readonly burst: number
  /** Calls open at once; `undefined`: as many as come. */
  readonly concurrency: number | undefined
  /** Where an answer tells what its call has cost; `undefined`: it cost what it said before. */
  readonly settle: Settle | undefined
  /** How much of what is scarce each customer gets beside the others; one that is not named has 1. */
  readonly weights: Readonly<Record<string, number>>
}

/**
 * A header of the answer, or a path into its JSON such as `usage.total_tokens`.
 *
 * @category models
 * @since 0.1.0
 */
export type Settle = { readonly header: string } | { readonly json: string }
