/**
 * What batches need of the dam.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"
import type { NewJob, StoredJob } from "../job/Job.ts"
import type { BatchPort } from "../store/BatchRecords.ts"
import type { Enqueued, JobPort } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Overloaded } from "./Admission.ts"
import type * as BatchLines from "./BatchLines.ts"
import type { WrongState } from "./WrongState.ts"

/**
 * What batches need.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchParts extends Omit<BatchLines.Taking, "store"> {
  readonly store: BatchPort & Pick<JobPort, "get">
  readonly submit: (job: NewJob) => Effect.Effect<Enqueued, StoreError | Overloaded>
  readonly cancelJob: (job: StoredJob) => Effect.Effect<StoredJob, StoreError | WrongState>
  readonly newId: Effect.Effect<string>
  /** Opened when a job of a batch has ended. */
  readonly signal: Latch.Latch
  /** Whether nothing is begun any more. */
  readonly leaving: () => boolean
}
