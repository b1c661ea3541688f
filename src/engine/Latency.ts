/**
 * How long the calls of a target take, in fixed memory: a count for each length of time, each length about a tenth more
 * than the one before. What is old weighs less and less.
 */

/**
 * What is known of the latencies of a target.
 *
 * @category models
 * @since 0.1.0
 */
export interface Latency {
  /** Calls by length; old ones count less than one. */
  readonly counts: ReadonlyArray<number>
  readonly total: number
  /** The moment up to which it has aged, in milliseconds. */
  readonly agedAt: number
}

/** How many lengths are told apart: from a millisecond up to a quarter of an hour. */
const lengths = 160
/** How many lengths it takes to double. */
const perDouble = 8
/** Calls that weigh more than all that will come: from there on the old ones are halved. */
const most = 1000
/** Milliseconds after which what was seen weighs half. */
const halfLife = 600_000
/** Calls before a percentile means anything. */
const least = 20

/** Nothing is known yet. @category constructors @since 0.1.0 */
export const unknown: Latency = { counts: Array.from({ length: lengths }, () => 0), total: 0, agedAt: 0 }

/**
 * Adds what one call took, seen at a moment.
 *
 * @category transitions
 * @since 0.1.0
 */
export const observe = (self: Latency, millis: number, now: number): Latency => {
  const { agedAt, counts, total } = aged(self, now)
  const at = lengthOf(millis)
  return { counts: counts.with(at, (counts[at] ?? 0) + 1), total: total + 1, agedAt }
}

/**
 * The milliseconds within which so many of a hundred calls end; `undefined` while too few were seen. At most a tenth too
 * long.
 *
 * @category decisions
 * @since 0.1.0
 */
export const percentile = ({ counts, total }: Latency, percent: number): number | undefined => {
  if (total < least) return undefined
  const wanted = (total * percent) / 100
  let below = 0
  for (const [at, count] of counts.entries()) {
    below += count
    // halves do not add up to the last digit
    if (below >= wanted - 1e-6) return 2 ** (at / perDouble)
  }
  return 2 ** ((lengths - 1) / perDouble)
}

const lengthOf = (millis: number): number =>
  Math.min(lengths - 1, Math.ceil(Math.log2(Math.max(1, millis)) * perDouble - 1e-6))

const aged = (self: Latency, now: number): Latency => {
  if (self.total === 0) return { ...self, agedAt: now }
  const lives = Math.floor((now - self.agedAt) / halfLife)
  const halves = Math.max(0, lives) + (self.total >= most ? 1 : 0)
  if (halves === 0) return self
  const weight = 0.5 ** halves
  return {
    counts: self.counts.map((count) => count * weight),
    total: self.total * weight,
    agedAt: self.agedAt + Math.max(0, lives) * halfLife
  }
}
