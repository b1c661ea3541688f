/**
 * Lanes as the store knows them, and the port to what stands in them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Kept } from "../../engine/pace/Kept.ts"
import type { Ticket } from "./JobRecords.ts"
import type { StoreError } from "./StoreError.ts"

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
  /** Epoch milliseconds since when its pace is what it is; `undefined` where no pace was learnt. */
  readonly taughtAt: number | undefined
  /** What was found of the pace, where it is another than the one that was set. */
  readonly kept: Kept | undefined
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
  /** Whether its pace is found out, under `rps` and `maxConcurrent` as the ceiling. */
  readonly find: boolean | undefined
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
  readonly action: "pause" | "resume" | "pace" | "reset" | "rule" | "breaker"
  readonly detail: string
}

/**
 * What brought a hold: an answer's `Retry-After`, a rate limit that is used up, a 429 that said no more, that this
 * machine lacks what a call needs (`shortage`), or that most calls have failed (`breaker`).
 *
 * @category models
 * @since 0.1.0
 */
export interface HeldBy {
  readonly reason: "retry_after" | "rate_limit" | "refused" | "shortage" | "breaker"
  /** Of the answer; `undefined` where there was none. */
  readonly status: number | undefined
  readonly jobId: string | undefined
  /** Of a breaker: how often it has opened in a row, and why. */
  readonly times?: number
  readonly why?: string
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

/**
 * What stands in a lane, what the lane has learnt, and what operators said of it.
 *
 * @category ports
 * @since 0.1.0
 */
export interface LanePort {
  /** Lanes that have queued jobs. */
  readonly lanes: Effect.Effect<ReadonlyArray<string>, StoreError>
  /** The queues of a lane that have queued jobs, so that each gets its turn however long another is. */
  readonly queues: (lane: string) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** The next queued jobs of one queue in a lane behind `after`, in order; ids only. */
  readonly page: (
    lane: string,
    queue: string,
    after: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<Ticket>, StoreError>
  /** How many queued jobs a lane has. */
  readonly depth: (lane: string) => Effect.Effect<number, StoreError>
  /** How many queued jobs of the lane stand before this one. */
  readonly position: (id: string) => Effect.Effect<number | undefined, StoreError>
  /** What stands before a job that waits; `undefined` when it does not wait. */
  readonly ahead: (id: string) => Effect.Effect<Ahead | undefined, StoreError>
  /** The queued jobs of each queue of a lane, counted no further than `most`. */
  readonly queueLengths: (lane: string, most: number) => Effect.Effect<Ahead["others"], StoreError>
  /** The unfinished jobs of every lane that has any, from counts that are kept: no job is read. */
  readonly laneCounts: Effect.Effect<ReadonlyArray<readonly [lane: string, counts: LaneCounts]>, StoreError>
  readonly paces: Effect.Effect<ReadonlyArray<StoredPace>, StoreError>
  readonly savePace: (pace: StoredPace) => Effect.Effect<void, StoreError>
  readonly steering: Effect.Effect<ReadonlyArray<StoredSteering>, StoreError>
  /** Notes what an operator did, and what holds from now on (`undefined`: nothing); `forgets` what the lane was taught. */
  readonly steer: (
    entry: LaneLogEntry,
    steering: StoredSteering | undefined,
    forgets: boolean
  ) => Effect.Effect<void, StoreError>
  /** What operators did with a lane, newest first. */
  readonly laneLog: (lane: string, limit: number) => Effect.Effect<ReadonlyArray<LaneLogEntry>, StoreError>
}
