/**
 * What an answer says of the pace, as the finder hears it: whatever headers it came in.
 *
 * @since 0.1.0
 */

/**
 * An answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface Said {
  /** Whether the call got through: whatever became of it, it was not refused for being one too many. */
  readonly isAccepted: boolean
  /** Milliseconds until the next call, where it says so. */
  readonly wait?: number | undefined
  /** The quotas it tells of. Defaults to none. */
  readonly quotas?: ReadonlyArray<ToldQuota> | undefined
  /** Limits it tells without saying what is left of them. Defaults to none. */
  readonly policies?: ReadonlyArray<Policy> | undefined
}

/**
 * A quota as an answer tells it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToldQuota {
  /** Tells it from the others of the same upstream; empty where it has no name. */
  readonly name: string
  /** Calls per window. */
  readonly limit?: number | undefined
  /** Calls that are left. */
  readonly remaining: number
  readonly reset?: Reset | undefined
  /** Milliseconds of a window, where it is told. */
  readonly window?: number | undefined
}

/**
 * When a quota is renewed, as it was told.
 *
 * **Details** — `delta`: so long after the answer, in steps of `unit`. `dated`: a moment, beside the upstream's own time
 * in the same answer, both in whole seconds. `clock`: a moment by a clock that may differ from ours.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reset {
  readonly by: "delta" | "dated" | "clock"
  /** Milliseconds from the answer on, by our clock where the upstream's is not told. */
  readonly millis: number
  /** Milliseconds. Defaults to a second. */
  readonly unit?: number | undefined
}

/**
 * So many calls in so many milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly limit: number
  readonly window: number
}

/**
 * An interval of moments.
 *
 * @category models
 * @since 0.1.0
 */
export interface Interval {
  readonly from: number
  readonly by: number
}

/**
 * The moments between which a quota is renewed, and the least time that was told for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ends extends Interval {
  readonly told: number
  /** By how much it may be later than `by`, once it was seen to be. */
  readonly slack: number
}

const second = 1000

/** How much a clock of somebody else is thought to be off, before and after. */
const clockBehind = 2 * second
// in whole milliseconds, of which the last was rounded up
const clockAhead = 1.5 * second - 1
const clockSlack = 1.5 * second

/** A told end that was too early is passed by this much more. */
const slack = 0.5 * second

/**
 * The interval in which a told end lies, for a call sent at `sentAt` and answered at `now`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const endsOf = ({ by, millis, unit = second }: Reset, sentAt: number, now: number): Ends => {
  switch (by) {
    case "delta":
      return { from: sentAt + millis - unit, by: now + millis, told: millis, slack }
    case "dated":
      return { from: sentAt + millis - unit, by: now + millis + unit, told: millis, slack }
    case "clock":
      return {
        from: now + millis - clockBehind,
        by: now + millis + clockAhead,
        told: millis - clockBehind,
        slack: clockSlack
      }
  }
}
