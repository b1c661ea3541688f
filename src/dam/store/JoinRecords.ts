/**
 * Jobs that become one, or share an answer, as the store knows them, and the port to them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { NewJob } from "../job/Job.ts"
import type { Crowded, Enqueued, Finish } from "./JobRecords.ts"
import type { StoreError } from "./StoreError.ts"

/**
 * Another job waits to be replaced than was thought; nothing was stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface Moved {
  readonly _tag: "Moved"
}

/**
 * What jobs have to do with others that come soon after them, or are identical. One that shares the answer of another job is
 * `scheduled` without a moment until that one ends; when that one is called off, the first of them takes its place.
 *
 * @category ports
 * @since 0.1.0
 */
export interface JoinPort {
  /** The job of a key that waits to be replaced, by its id, and since when it is put off in epoch milliseconds. */
  readonly debounced: (
    customer: string,
    key: string
  ) => Effect.Effect<{ readonly id: string; readonly since: number } | undefined, StoreError>
  /**
   * Files a job in the place of another one, which ends: both or neither. `Moved`: it is not the one that waits, or one waits
   * though none was named. `most`: of unfinished jobs of the customer, where it takes nobody's place.
   */
  readonly enqueueOver: (
    job: NewJob,
    over: { readonly id: string; readonly finish: Finish } | undefined,
    most: number | undefined
  ) => Effect.Effect<Enqueued | Crowded | Moved, StoreError>
  /** Jobs that share the answer of another one and wait for it, by their ids, the first of them first. */
  readonly following: (leaderId: string, limit: number) => Effect.Effect<ReadonlyArray<string>, StoreError>
}
