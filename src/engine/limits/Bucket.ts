/**
 * One limit, for one key of it: how many units are left, and how many calls are open. Pure.
 *
 * What is admitted over any window is at most what the rate brings in it and the burst. What calls have cost beyond what
 * they said is owed, and no call is let through before it is brought in. All moments are monotonic milliseconds.
 *
 * @since 0.1.0
 */
import type { Limit } from "./Limit.ts"

/**
 * The state of a limit for one key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bucket {
  readonly limit: Limit
  /** Units at the moment `at`; below zero what is owed. */
  readonly level: number
  readonly at: number
  /** Calls that are open. */
  readonly open: number
}

/**
 * Makes a bucket that is full, or as full as is said.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (limit: Limit, now: number, level: number = limit.burst): Bucket => ({
  limit,
  level: Math.min(limit.burst, level),
  at: now,
  open: 0
})

/**
 * The units that could be taken now; below zero what is owed, `undefined` where the limit has no rate.
 *
 * @category accessors
 * @since 0.1.0
 */
export const available = (self: Bucket, now: number): number | undefined =>
  self.limit.rate === undefined ? undefined : Math.min(self.limit.burst, grown(self, now))

/**
 * The moment from which a call of this cost may pass; `Infinity` while one that is open has to end first.
 *
 * **Details** — a call dearer than the burst, as may happen where the limit was lowered behind it, waits until the rate
 * has brought in what it costs.
 *
 * @category accessors
 * @since 0.1.0
 */
export const opensAt = ({ at, level, limit, open }: Bucket, cost: number): number => {
  if (limit.concurrency !== undefined && open >= limit.concurrency) return Number.POSITIVE_INFINITY
  if (limit.rate === undefined || cost - level <= fine(cost)) return Number.NEGATIVE_INFINITY
  return at + ((cost - level) * limit.per) / limit.rate
}

/**
 * Lets a call pass.
 *
 * @category verbs
 * @since 0.1.0
 */
export const take = (self: Bucket, cost: number, now: number): Bucket => ({
  limit: self.limit,
  level: Math.min(Math.max(self.limit.burst, cost), grown(self, now)) - cost,
  at: Math.max(self.at, now),
  open: self.open + 1
})

/**
 * Notes that a call has ended.
 *
 * @category verbs
 * @since 0.1.0
 */
export const leave = (self: Bucket): Bucket => ({ ...self, open: Math.max(0, self.open - 1) })

/**
 * Corrects what a call was taken to cost by what it has cost; nothing, where it was never made.
 *
 * @category verbs
 * @since 0.1.0
 */
export const settle = (self: Bucket, cost: number, actual: number, now: number): Bucket => ({
  ...self,
  level: Math.min(self.limit.burst, Math.min(self.limit.burst, grown(self, now)) + cost - actual),
  at: Math.max(self.at, now)
})

/**
 * Takes over another definition: what is left stays, as far as the new burst holds it.
 *
 * @category verbs
 * @since 0.1.0
 */
export const change = (self: Bucket, limit: Limit, now: number): Bucket => ({
  limit,
  level: self.limit.rate === undefined ? limit.burst : Math.min(limit.burst, self.limit.burst, grown(self, now)),
  at: Math.max(self.at, now),
  open: self.open
})

/**
 * Whether one made anew would let through no more than this one.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isQuiet = (self: Bucket, now: number): boolean =>
  self.open === 0 && (self.limit.rate === undefined || grown(self, now) >= self.limit.burst)

/** Not cut at the burst: a call that is dearer is waited for. */
const grown = ({ at, level, limit }: Bucket, now: number): number =>
  limit.rate === undefined ? limit.burst : level + (Math.max(0, now - at) * limit.rate) / limit.per

/** What sums of fractions are wrong by is no reason to wait for another millisecond. */
const fine = (cost: number): number => 1e-9 * Math.max(1, cost)
