/**
 * Batches as the store knows them: thousands of jobs that were handed in together.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { JobState } from "../../engine/JobState.ts"
import type { Step } from "../../step/StepModel.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import type { StoreError } from "./StoreError.ts"
import type { Finish } from "./JobRecords.ts"

/**
 * Where a batch is. `open`: lines are still to come. `showing`: all lines of one that is shown as a whole are there, and
 * become jobs. `running`: no line is to come, and some jobs have not ended. `ended`: all have.
 *
 * @category models
 * @since 0.1.0
 */
export type BatchState = (typeof batchStates)[number]

/**
 * Every {@link BatchState}.
 *
 * @category constants
 * @since 0.1.0
 */
export const batchStates = ["open", "showing", "running", "ended"] as const

/**
 * What a caller says of a batch.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchDefinition {
  /** Whether its jobs are shown as a whole, or not at all. */
  readonly together: boolean
  /** Told once all have ended, with a summary. */
  readonly webhook: string | undefined
  readonly metadata: Step["metadata"]
  /** Becomes a job once all have ended. */
  readonly onComplete: Step | undefined
  /** Becomes a job at the first that failed. */
  readonly onAnyFailure: Step | undefined
}

/**
 * A batch to be stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface NewBatch extends BatchDefinition {
  readonly customer: string
  /** Unique among those of its customer. */
  readonly id: string
  /** The batch whose failed jobs it runs again, by its id. */
  readonly rerunOf: string | undefined
  /** Epoch milliseconds. */
  readonly createdAt: number
}

/**
 * A batch as stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredBatch extends NewBatch {
  /** Names it among those of all customers. */
  readonly number: number
  readonly state: BatchState
  /** Every line up to here was taken, or refused; nothing is known of those behind. */
  readonly through: number
  /** Lines that became jobs, or will. */
  readonly accepted: number
  /** Lines whose key or call was known already. */
  readonly duplicates: number
  readonly refused: number
  readonly touchedAt: number
  readonly closedAt: number | undefined
  readonly endedAt: number | undefined
  readonly cancelledAt: number | undefined
  /** When the first of its jobs failed. */
  readonly failedAt: number | undefined
  /** What came of its steps: the ids of their jobs, once they are filed. */
  readonly completeJob: string | undefined
  readonly failureJob: string | undefined
  /** Whether what its end starts is done. */
  readonly isTold: boolean
}

/**
 * What is noted of a line that became no job.
 *
 * @category models
 * @since 0.1.0
 */
export type LineNote =
  | {
      readonly _tag: "Refused"
      readonly line: number
      readonly code: string
      readonly field: string | undefined
      readonly problem: string
    }
  | { readonly _tag: "Duplicate"; readonly line: number; readonly jobId: string }

/**
 * Some lines of a batch, to be written in one commit.
 *
 * @category models
 * @since 0.1.0
 */
export interface LineGroup {
  readonly batch: StoredBatch
  /** Every line up to here must be settled, or nothing is written. */
  readonly after: number
  /** Every line up to here is settled then. */
  readonly through: number
  readonly jobs: ReadonlyArray<NewJob>
  readonly notes: ReadonlyArray<LineNote>
  readonly at: number
  /** They were refused before; one that is not any more is left out. Defaults to `false`. */
  readonly isAgain?: boolean | undefined
  /** Unfinished jobs that the customer may have. Defaults to any number. */
  readonly most?: number | undefined
}

/**
 * What became of a group. `Moved`: nothing was written, because the batch has got elsewhere meanwhile. `Known`: nothing was
 * written, because jobs have these keys already, by their places in the group. `Crowded`: nothing was written, because its
 * customer has so many unfinished jobs.
 *
 * @category models
 * @since 0.1.0
 */
export type Added =
  | { readonly _tag: "Added" }
  | { readonly _tag: "Moved"; readonly batch: StoredBatch | undefined }
  | { readonly _tag: "Known"; readonly known: ReadonlyArray<{ readonly place: number; readonly job: StoredJob }> }
  | { readonly _tag: "Crowded"; readonly jobs: number }

/**
 * Jobs of a batch by where they are. What is no longer kept is counted among what it ended as.
 *
 * @category models
 * @since 0.1.0
 */
export type BatchCounts = Readonly<Record<JobState, number>>

/**
 * A job that was shown with others.
 *
 * @category models
 * @since 0.1.0
 */
export interface ShownJob {
  readonly id: string
  readonly customer: string
  readonly lane: string
  /** The name of its queue. */
  readonly queue: string
  readonly state: "scheduled" | "queued"
}

/**
 * What the store keeps of batches.
 *
 * @category ports
 * @since 0.1.0
 */
export interface BatchPort {
  /** Stores a batch; one of this id that its customer has already is answered as it is. */
  readonly openBatch: (
    batch: NewBatch
  ) => Effect.Effect<{ readonly batch: StoredBatch; readonly isNew: boolean }, StoreError>
  readonly batch: (customer: string, id: string) => Effect.Effect<StoredBatch | undefined, StoreError>
  /** Those of a customer, the newest first. */
  readonly batches: (
    customer: string,
    cursor: string | undefined,
    limit: number
  ) => Effect.Effect<{ readonly batches: ReadonlyArray<StoredBatch>; readonly cursor: string | undefined }, StoreError>
  readonly addLines: (group: LineGroup) => Effect.Effect<Added, StoreError>
  /** No line is to come. Whether it was open; one that is shown together stays so while a line of it is refused. */
  readonly closeBatch: (batch: number, at: number) => Effect.Effect<boolean, StoreError>
  /** Takes no line any more, and is to have its jobs called off. Whether it had not ended. */
  readonly callOffBatch: (batch: number, at: number) => Effect.Effect<boolean, StoreError>
  readonly batchCounts: (batch: number) => Effect.Effect<BatchCounts, StoreError>
  /** What was noted of lines, in their order, behind one. */
  readonly lineNotes: (
    batch: number,
    kind: LineNote["_tag"],
    behind: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<LineNote>, StoreError>
  /** Batches for which something is to be done: their end or first failure to be told, lines to be shown or called off. */
  readonly dueBatches: (limit: number) => Effect.Effect<ReadonlyArray<StoredBatch>, StoreError>
  /** Makes jobs of some lines that are shown together, or forgets them where they are not to be shown. */
  readonly showLines: (batch: number, at: number, limit: number) => Effect.Effect<ReadonlyArray<ShownJob>, StoreError>
  /** Ids of jobs that have not ended. */
  readonly liveInBatch: (batch: number, limit: number) => Effect.Effect<ReadonlyArray<string>, StoreError>
  /** Its jobs have been called off: it ends, unless some are left. */
  readonly batchCalledOff: (batch: number, at: number) => Effect.Effect<void, StoreError>
  /** Notes that its first failure was told, by which job. */
  readonly failureTold: (batch: number, job: string) => Effect.Effect<void, StoreError>
  /** Notes that its end was told, by which job, with what is delivered of it in the same commit. */
  readonly endTold: (
    batch: number,
    job: string | undefined,
    notice: { readonly job: NewJob; readonly finish: Finish } | undefined
  ) => Effect.Effect<void, StoreError>
  /** Jobs that failed, in the order of their places, behind one. */
  readonly failedInBatch: (
    batch: number,
    behind: number,
    limit: number
  ) => Effect.Effect<ReadonlyArray<{ readonly id: string; readonly place: number }>, StoreError>
}
