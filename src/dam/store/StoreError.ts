import * as Schema from "effect/Schema"

/**
 * The disk is full; nothing was stored. Submitting again later is right.
 *
 * @category errors
 * @since 0.1.0
 */
export class StorageFull extends Schema.TaggedError<StorageFull>()("StorageFull", {}) {
  override get message() {
    return "the database's disk is full; free space and try again"
  }
}

/**
 * The store cannot work: it is read-only, broken, or closed.
 *
 * @category errors
 * @since 0.1.0
 */
export class StorageFailed extends Schema.TaggedError<StorageFailed>()("StorageFailed", { detail: Schema.String }) {
  override get message() {
    return `the database failed: ${this.detail}`
  }
}

/**
 * What a store can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type StoreError = StorageFull | StorageFailed

/**
 * Another start of the job has taken over.
 *
 * @category errors
 * @since 0.1.0
 */
export class StaleEpoch extends Schema.TaggedError<StaleEpoch>()("StaleEpoch", { jobId: Schema.String }) {}
