/**
 * When one host, or one account's queue of it, may be called next: pure arithmetic over a monotonic clock.
 *
 * A gate spaces calls evenly. Being late gives back at most `burst` calls, so that in any second at most the rate plus
 * `burst` calls pass, however the timers fall. All moments are monotonic milliseconds.
 *
 * @since 0.1.0
 */

/**
 * How fast an upstream may be called.
 *
 * @category models
 * @since 0.1.0
 */
export interface Pace {
  /** Calls per second; fractions allowed. */
  readonly rps: number
  /** Calls in flight at once. */
  readonly maxConcurrent: number
}

/**
 * The state of a gate.
 *
 * @category models
 * @since 0.1.0
 */
export interface Gate {
  readonly pace: Pace
  /** Calls that being late may give back. */
  readonly burst: number
  /** When the next call is due if all came on time. */
  readonly dueAt: number
  /** Calls in flight. */
  readonly open: number
  /** No call before this, whatever the pace. */
  readonly heldUntil: number
}

/**
 * The pace of an upstream that has said nothing (wire protocol, "Pacing headers").
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultPace: Pace = { rps: 2, maxConcurrent: 2 }

/**
 * Makes a gate that is open now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (pace: Pace = defaultPace, burst = 1): Gate => ({
  pace,
  burst,
  dueAt: Number.NEGATIVE_INFINITY,
  open: 0,
  heldUntil: Number.NEGATIVE_INFINITY
})

/**
 * The moment from which a call may pass; `Infinity` while as many calls are in flight as may be.
 *
 * @category accessors
 * @since 0.1.0
 */
export const opensAt = (self: Gate): number =>
  self.open >= self.pace.maxConcurrent ? Number.POSITIVE_INFINITY : Math.max(self.dueAt, self.heldUntil)

/**
 * Lets one call pass at a moment at which the gate is open.
 *
 * @category verbs
 * @since 0.1.0
 */
export const pass = (self: Gate, now: number): Gate => {
  const interval = 1000 / self.pace.rps
  // strictly less than `burst` whole intervals, or a window could hold one call more
  const credit = self.burst * interval * 0.999
  return { ...self, open: self.open + 1, dueAt: Math.max(self.dueAt, now - credit) + interval }
}

/**
 * Notes that a call has ended.
 *
 * @category verbs
 * @since 0.1.0
 */
export const leave = (self: Gate): Gate => ({ ...self, open: Math.max(0, self.open - 1) })

/**
 * Closes the gate until a moment; an earlier hold never shortens a later one.
 *
 * @category verbs
 * @since 0.1.0
 */
export const hold = (self: Gate, until: number): Gate => ({ ...self, heldUntil: Math.max(self.heldUntil, until) })

/**
 * Changes the pace. A call that is due later than the new pace asks for is brought forward.
 *
 * @category verbs
 * @since 0.1.0
 */
export const learn = (self: Gate, pace: Partial<Pace>, now: number): Gate => {
  const next = { ...self.pace, ...pace }
  return { ...self, pace: next, dueAt: Math.min(self.dueAt, now + 1000 / next.rps) }
}
