/**
 * When one host, or one account's queue of it, may be called next: pure arithmetic over a monotonic clock.
 *
 * A gate spaces calls evenly. Being late gives back less than `burst` calls, so that in any second at most the rate plus
 * `burst` calls pass, however the timers fall. It counts twice: when a call may pass, and when it is sent, which is later
 * by what has to be written before; calls that were held up by a slow disk are sent no closer together than they may
 * pass. All moments are monotonic milliseconds.
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
  /** Calls beyond the rate that a second may see. */
  readonly burst: number
  /** When the next call is due if all came on time. */
  readonly dueAt: number
  /** When the last call passed. */
  readonly passedAt: number
  /** When the next call is due to be sent, going by those that were sent. */
  readonly sendDueAt: number
  /** When the last call was sent. */
  readonly sentAt: number
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
 * The ceiling of a pace that is found out, where none was set.
 *
 * @category constants
 * @since 0.1.0
 */
export const ceilingPace: Pace = { rps: 50, maxConcurrent: 10 }

/**
 * The pace of a receiver of webhooks that has said nothing: whoever gave the URL expects its results there.
 *
 * @category constants
 * @since 0.1.0
 */
export const receiverPace: Pace = { rps: 100, maxConcurrent: 20 }

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
  passedAt: Number.NEGATIVE_INFINITY,
  sendDueAt: Number.NEGATIVE_INFINITY,
  sentAt: Number.NEGATIVE_INFINITY,
  open: 0,
  heldUntil: Number.NEGATIVE_INFINITY
})

/**
 * The moment from which a call may pass; `Infinity` while as many calls are in flight as may be.
 *
 * @category accessors
 * @since 0.1.0
 */
export const opensAt = (self: Gate): number => {
  if (self.open >= self.pace.maxConcurrent) return Number.POSITIVE_INFINITY
  return Math.max(self.dueAt, self.heldUntil)
}

/**
 * Lets one call pass at a moment at which the gate is open.
 *
 * @category verbs
 * @since 0.1.0
 */
export const pass = (self: Gate, now: number): Gate => ({
  ...self,
  open: self.open + 1,
  dueAt: dueAfter(self, self.dueAt, now),
  passedAt: now
})

/**
 * Takes back a call that has passed and will not be sent: the next one takes its turn.
 *
 * @category verbs
 * @since 0.1.0
 */
export const back = (self: Gate): Gate => ({ ...self, dueAt: self.dueAt - 1000 / self.pace.rps })

/**
 * Notes that a call which has passed is sent, not before `sendDueAt`.
 *
 * @category verbs
 * @since 0.1.0
 */
export const send = (self: Gate, now: number): Gate => ({
  ...self,
  sendDueAt: dueAfter(self, self.sendDueAt, now),
  sentAt: now
})

/**
 * Notes a call that another gate has let pass: it is open here too, and the next is due an interval after it.
 *
 * @category verbs
 * @since 0.1.0
 */
export const note = (self: Gate, now: number): Gate => ({
  ...self,
  open: self.open + 1,
  dueAt: Math.max(self.dueAt, now + 1000 / self.pace.rps),
  passedAt: now
})

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
 * Changes the pace. The next call is then due one interval of the new pace after the last one, sooner or later than it
 * was; saying the same pace again changes nothing.
 *
 * @category verbs
 * @since 0.1.0
 */
export const learn = (
  self: Gate,
  pace: { readonly rps: number | undefined; readonly maxConcurrent: number | undefined }
): Gate => {
  const { maxConcurrent = self.pace.maxConcurrent, rps = self.pace.rps } = pace
  return {
    ...self,
    pace: { rps, maxConcurrent },
    dueAt: rps === self.pace.rps ? self.dueAt : self.passedAt + 1000 / rps,
    sendDueAt: rps === self.pace.rps ? self.sendDueAt : self.sentAt + 1000 / rps
  }
}

/**
 * Whether a gate made anew with the same pace would let through no more than this one.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isQuiet = (self: Gate, now: number): boolean =>
  self.open === 0 &&
  self.heldUntil <= now &&
  Math.max(self.dueAt, self.sendDueAt) <= now - (creditOf(self) * 1000) / self.pace.rps

/**
 * How many calls being late may give back. A second holds whole calls, so what a rate has behind its point leaves less
 * room; below one call a second lateness is too small beside the interval to be worth giving back.
 */
const creditOf = ({ burst, pace: { rps } }: Gate): number =>
  Math.max(0, rps < 1 ? burst - 1 : burst - (rps % 1) - 0.001)

const dueAfter = (self: Gate, dueAt: number, now: number): number => {
  const interval = 1000 / self.pace.rps
  return Math.max(dueAt, now - creditOf(self) * interval) + interval
}
