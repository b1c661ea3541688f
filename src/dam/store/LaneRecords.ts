/**
 * How many jobs of a lane are not finished.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneCounts {
  readonly scheduled: number
  readonly queued: number
  readonly parked: number
  readonly running: number
}

/**
 * The pace a lane has learnt, kept over restarts.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredPace {
  readonly lane: string
  /** Empty for the lane itself, else an account queue of it. */
  readonly account: string
  readonly rps: number | undefined
  readonly maxConcurrent: number | undefined
  readonly accountQueues: boolean | undefined
  readonly heldUntil: number | undefined
  /** Which answer brought the hold. */
  readonly heldBy: HeldBy | undefined
  /** Epoch milliseconds of the last traffic; forgotten an hour later. */
  readonly seenAt: number
}

/**
 * That a lane is stopped, by whom and since when.
 *
 * @category models
 * @since 0.1.0
 */
export interface Paused {
  readonly by: string
  /** Epoch milliseconds. */
  readonly at: number
  readonly note: string | undefined
}

/**
 * What operators have said of a lane.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredSteering {
  readonly lane: string
  readonly rps: number | undefined
  readonly maxConcurrent: number | undefined
  readonly paused: Paused | undefined
}

/**
 * Something an operator did.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneLogEntry {
  readonly lane: string
  /** Epoch milliseconds. */
  readonly at: number
  /** The customer of the key, or `local`. */
  readonly by: string
  readonly action: "pause" | "resume" | "pace" | "reset"
  readonly detail: string
}

/**
 * Which answer brought a hold: a `Retry-After`, a rate limit that is used up, or a 429 that said no more.
 *
 * @category models
 * @since 0.1.0
 */
export interface HeldBy {
  readonly reason: "retry_after" | "rate_limit" | "refused"
  readonly status: number
  readonly jobId: string | undefined
}

/**
 * Jobs that stand before another one: of its own queue, and of the other queues, each counted no further than matters.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ahead {
  readonly queue: string
  readonly jobs: number
  readonly others: ReadonlyArray<{ readonly queue: string; readonly jobs: number }>
}
