import type { DeliveryState, JobState } from "../../engine/JobState.ts"
import type { NewDelivery } from "../job/Delivery.ts"
import type { Attempt } from "../../step/History.ts"
import type { NewJob, JobResult, StoredJob } from "../job/Job.ts"

/**
 * What became of a job that was handed in. `Stored`: it is new. `Duplicate`: the key names an earlier job, returned as
 * it is now. `Conflict`: the given key names a job with another payload (cloud dialect only).
 *
 * @category models
 * @since 0.1.0
 */
export type Enqueued =
  | { readonly _tag: "Stored"; readonly state: JobState }
  | { readonly _tag: "Duplicate"; readonly job: StoredJob }
  | { readonly _tag: "Conflict"; readonly jobId: string }

/**
 * A job's place in a lane, without its payload.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ticket {
  readonly id: string
  readonly account: string
  readonly isolated: boolean
  /** Order within the lane; grows with acceptance. */
  readonly seq: number
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
 * What `list` selects by; what is left out does not restrict. Newest first.
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
  readonly createdFrom?: number | undefined
  readonly createdTo?: number | undefined
  /** Top-level metadata fields that must equal these texts; numbers and booleans count as JSON spells them. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** The `cursor` of the page before; one that no page gave selects nothing. */
  readonly cursor?: string | undefined
  /** 1 to 200. */
  readonly limit: number
}
