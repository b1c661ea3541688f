/**
 * How much goes through the dam and how fast, over the last hour: counts and latencies in spans of ten seconds, in
 * memory that does not grow. Nothing of it outlives the process.
 *
 * @since 0.1.0
 */

/**
 * What happened in ten seconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Span {
  /** Its beginning, epoch milliseconds. */
  readonly at: number
  readonly accepted: number
  readonly succeeded: number
  readonly failed: number
  readonly cancelled: number
  /** From acceptance, or from the moment it was scheduled for, to the first start. */
  readonly wait: Percentiles
  /** From acceptance to the end. */
  readonly total: Percentiles
}

/**
 * Milliseconds, each within a tenth; `null` where nothing was measured.
 *
 * @category models
 * @since 0.1.0
 */
export interface Percentiles {
  readonly count: number
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/**
 * Takes notes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stats {
  readonly accepted: (now: number) => void
  readonly started: (now: number, waited: number) => void
  readonly ended: (now: number, state: "succeeded" | "failed" | "cancelled", took: number) => void
  /** The spans of the last hour in which something happened, oldest first. */
  readonly read: (now: number) => ReadonlyArray<Span>
}

/**
 * How long a span is, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const spanMillis = 10_000

/** Spans that are kept: an hour. */
const spans = 360

/** Bounds grow by a fifth: 120 of them reach from a millisecond to a month. */
const factor = 1.2
const bins = 120

interface Kept {
  at: number
  accepted: number
  succeeded: number
  failed: number
  cancelled: number
  readonly wait: Uint32Array
  readonly total: Uint32Array
}

/**
 * Makes it with nothing noted.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Stats => {
  const kept = new Map<number, Kept>()
  const spanAt = (now: number): Kept => {
    const at = Math.floor(now / spanMillis) * spanMillis
    const slot = (at / spanMillis) % spans
    const known = kept.get(slot)
    if (known?.at === at) return known
    const made = {
      at,
      accepted: 0,
      succeeded: 0,
      failed: 0,
      cancelled: 0,
      wait: new Uint32Array(bins),
      total: new Uint32Array(bins)
    }
    kept.set(slot, made)
    return made
  }
  return {
    accepted: (now) => void spanAt(now).accepted++,
    started: (now, waited) => count(spanAt(now).wait, waited),
    ended: (now, state, took) => {
      const span = spanAt(now)
      span[state]++
      count(span.total, took)
    },
    read: (now) =>
      Array.from(kept.values())
        .filter(({ at }) => at > now - spans * spanMillis && at <= now)
        .toSorted((one, other) => one.at - other.at)
        .map((span) => ({ ...span, wait: percentilesOf(span.wait), total: percentilesOf(span.total) }))
  }
}

const count = (histogram: Uint32Array, millis: number): void => {
  const bin = millis < 1 ? 0 : Math.min(bins - 1, 1 + Math.floor(Math.log(millis) / Math.log(factor)))
  histogram[bin] = (histogram[bin] ?? 0) + 1
}

/** The middle of a bin. */
const millisOf = (bin: number): number => (bin === 0 ? 0 : Math.round(factor ** (bin - 0.5)))

const percentilesOf = (histogram: Uint32Array): Percentiles => {
  const all = histogram.reduce((sum, here) => sum + here, 0)
  const at = (share: number): number | null => {
    let left = Math.ceil(all * share)
    if (all === 0) return null
    for (const [bin, here] of histogram.entries()) {
      left -= here
      if (left <= 0) return millisOf(bin)
    }
    return null
  }
  return { count: all, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
