/**
 * Jobs as the store knows them, and the port to them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { DeliveryState, JobState } from "../../engine/JobState.ts"
import type { Attempt } from "../../step/History.ts"
import type { Draw, Priority } from "../../step/StepModel.ts"
import type { NewDelivery } from "../job/Delivery.ts"
import type { NewJob, JobResult, StoredJob } from "../job/Job.ts"
import type { Search } from "../job/Search.ts"
import type { StoreError, StaleEpoch } from "./StoreError.ts"

/**
 * What became of a job that was handed in. `Stored`: it is new. `Duplicate`: the key names an earlier job, returned as
 * it is now. `Conflict`: the given key names a job with another payload (cloud dialect only). `CredentialsDiffer`: no key
 * was given, and the first job with this call has other credentials, so that its result is nobody else's.
 *
 * @category models
 * @since 0.1.0
 */
export type Enqueued =
  | { readonly _tag: "Stored"; readonly state: JobState }
  | { readonly _tag: "Duplicate"; readonly job: StoredJob }
  | { readonly _tag: "Conflict"; readonly jobId: string }
  | { readonly _tag: "CredentialsDiffer"; readonly jobId: string }

/**
 * The customer has as many unfinished jobs as it may; nothing was stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface Crowded {
  readonly _tag: "Crowded"
  readonly jobs: number
}

/**
 * A job's place in a lane, without its payload.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ticket {
  readonly id: string
  /** An account, or what `queueOf` makes of it. */
  readonly queue: string
  /** Order within the lane; grows with acceptance. */
  readonly seq: number
  /** What its next call draws on beside the pace of the lane. Defaults to nothing. */
  readonly draws?: ReadonlyArray<Draw> | undefined
}

/**
 * How an execution ended, written in one transaction with what follows from it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Finish {
  readonly state: "succeeded" | "failed" | "cancelled"
  readonly at: number
  readonly result: JobResult
  readonly children: ReadonlyArray<NewJob>
  readonly deliveries: ReadonlyArray<NewDelivery>
  /** The attempt that ended it, where it was not recorded before. */
  readonly attempt?: Attempt | undefined
  /** Votes that make the result count as delivered; the step's own where it is left out. */
  readonly quorum?: number | undefined
}

/**
 * How a job is parked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parking {
  /** Epoch milliseconds from which it is queued again. */
  readonly dueAt: number
  /** When the job's own first 429 came; a later one changes nothing. */
  readonly heldSince?: number | undefined
  /** The lane whose hold it sits out, where it would be over sooner without. */
  readonly heldBy?: string | undefined
  /** How long the pause is, counted from the end of the last attempt in milliseconds; left out where it is none of the job's own. */
  readonly pausedFor?: number | undefined
  /** Where it is queued then. Defaults to where it is. */
  readonly next?: NextCall | undefined
}

/**
 * Where the next call of a job waits for its turn: the lane of its host, the queue there, and what it draws on.
 *
 * @category models
 * @since 0.1.0
 */
export interface NextCall {
  readonly lane: string
  readonly queue: string
  readonly draws: ReadonlyArray<Draw>
}

/**
 * What `list` selects by; what is left out does not restrict.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobFilter {
  readonly customer: string
  readonly states?: ReadonlyArray<JobState> | undefined
  readonly deliveryStates?: ReadonlyArray<DeliveryState> | undefined
  readonly lane?: string | undefined
  readonly account?: string | undefined
  /** The job that started them, by its id. */
  readonly parent?: string | undefined
  /** The job that they run again, by its id. */
  readonly rerunOf?: string | undefined
  /** The key of the order that they stand in. */
  readonly order?: string | undefined
  readonly priority?: Priority | undefined
  /** The batch they were handed in with, by its id. */
  readonly batch?: string | undefined
  readonly createdFrom?: number | undefined
  readonly createdTo?: number | undefined
  /** Top-level metadata fields that must equal these texts; numbers and booleans count as JSON spells them. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** What somebody typed; it must hold beside all the rest. */
  readonly search?: Search | undefined
  /** In the order in which jobs were taken. Defaults to `false`, the newest first. */
  readonly oldestFirst?: boolean | undefined
  /** The `cursor` of the page before; one that no page gave selects nothing. */
  readonly cursor?: string | undefined
  /** 1 to 200. */
  readonly limit: number
}

/**
 * How many jobs a filter selects.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counted {
  readonly jobs: number
  /** Whether these are all; otherwise there are at least so many. */
  readonly isExact: boolean
}

/**
 * What becomes of a job that waits, as it is then.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly job: StoredJob
  /** The revision that it was made from; of any, where it is left out. */
  readonly revision?: number | undefined
  /** Whether it has another time. */
  readonly isRetimed: boolean
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * The jobs themselves: filed, run, ended, listed. Writes of an execution carry its epoch.
 *
 * @category ports
 * @since 0.1.0
 */
export interface JobPort {
  /** Files a job unless its key is known. Answers after the commit. A job with `rerunOf` skips the key index. */
  readonly enqueue: (job: NewJob) => Effect.Effect<Enqueued, StoreError>
  /**
   * The same, unless its customer has so many unfinished jobs already, children and reruns among them: counted as they are
   * written, so that no number of callers at once gets beyond. A key that is known is answered as ever.
   */
  readonly enqueueBelow: (job: NewJob, most: number) => Effect.Effect<Enqueued | Crowded, StoreError>
  readonly get: (id: string) => Effect.Effect<StoredJob | undefined, StoreError>
  /**
   * A page of jobs. It may end before `limit`, and even be empty, when its jobs are large or much had to be looked
   * through; without a `cursor` it is the last.
   */
  readonly list: (
    filter: JobFilter
  ) => Effect.Effect<{ readonly jobs: ReadonlyArray<StoredJob>; readonly cursor: string | undefined }, StoreError>
  /** Counts what `list` would go through, up to ten thousand jobs; `cursor` and `limit` mean nothing here. */
  readonly count: (filter: Omit<JobFilter, "cursor" | "limit">) => Effect.Effect<Counted, StoreError>
  /** queued -> running with the next epoch; `undefined` when it is not queued any more. */
  readonly start: (id: string, at: number) => Effect.Effect<StoredJob | undefined, StoreError>
  /** Adds an attempt to the history of a running job. */
  readonly record: (id: string, epoch: number, attempt: Attempt) => Effect.Effect<void, StoreError | StaleEpoch>
  /** running -> parked. */
  readonly park: (id: string, epoch: number, parking: Parking) => Effect.Effect<void, StoreError | StaleEpoch>
  /** scheduled or parked -> queued, whenever it was due; its deadline counts from now. `undefined` when it is neither. */
  readonly hasten: (
    id: string,
    now: number
  ) => Effect.Effect<{ readonly lane: string; readonly queue: string } | undefined, StoreError>
  /**
   * Changes a job that is scheduled, queued or parked: its step, lane, account, priority and time; its key stays. With
   * another time it is scheduled, unless others of its order come first. `Stale`: it was changed since. `Settled`: it runs,
   * or has ended.
   */
  readonly change: (change: Change) => Effect.Effect<"Changed" | "Stale" | "Settled", StoreError>
  /** Makes the jobs due that sit out a hold of this lane; answers how many. */
  readonly lift: (lane: string, now: number) => Effect.Effect<number, StoreError>
  /**
   * Ends a running job: result, children and deliveries in one transaction. Answers whether all of the deliveries may be
   * made at once, because none of their endpoints is disabled.
   */
  readonly finish: (id: string, epoch: number, finish: Finish) => Effect.Effect<boolean, StoreError | StaleEpoch>
  /** Ends a job that is not running (cancelled, deadline passed). `false` when it is running or final. */
  readonly finishIdle: (id: string, finish: Finish) => Effect.Effect<boolean, StoreError>
  /** Deletes those of these jobs that have ended and whose webhooks are settled; answers how many. Their keys are free then. */
  readonly deleteEnded: (ids: ReadonlyArray<string>) => Effect.Effect<number, StoreError>
  /**
   * Takes all that a job has sent and received out of the store, its attempts, deliveries and dead letters included, and
   * leaves nothing of it on disk. Id, key, state, times and the name of its error stay. `undefined`: there is no such job.
   */
  readonly erase: (id: string, at: number) => Effect.Effect<Erased | undefined, StoreError>
}

/**
 * What became of an erasure: `unended` and `untold` jobs are left as they are.
 *
 * @category models
 * @since 0.1.0
 */
export type Erased = "erased" | "unended" | "untold"
