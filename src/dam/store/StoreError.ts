/**
 * What a store fails with, and how a write is repeated until it is taken.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
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
 * The file of the store is not where it was, or belongs to another dam by now: nothing is acknowledged any more that
 * nobody would find again.
 *
 * @category errors
 * @since 0.1.0
 */
export class StorageLost extends Schema.TaggedError<StorageLost>()("StorageLost", { detail: Schema.String }) {
  override get message() {
    return `the database is lost: ${this.detail}`
  }
}

/**
 * The disk failed in the middle of a commit: it may have been stored or not. Submitting again with the same key is right.
 *
 * @category errors
 * @since 0.1.0
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", { detail: Schema.String }) {
  override get message() {
    return `whether it is stored is unknown: ${this.detail}`
  }
}

/**
 * The database is a copy that nobody has said to go on with: what it holds may have ended since, and what is handed in
 * may be thrown away with it.
 *
 * @category errors
 * @since 0.1.0
 */
export class IsCopy extends Schema.TaggedError<IsCopy>()("IsCopy", {
  /** Epoch milliseconds of the moment that it shows. */
  copiedAt: Schema.Number
}) {
  override get message() {
    return "this database is a copy; nothing is taken and nothing sent until the dam is started with --resume-copy"
  }
}

/**
 * What a store can fail with.
 *
 * @category errors
 * @since 0.1.0
 */
export type StoreError = StorageFull | StorageFailed | StorageLost | OutcomeUnknown | IsCopy

/**
 * Another start of the job has taken over.
 *
 * @category errors
 * @since 0.1.0
 */
export class StaleEpoch extends Schema.TaggedError<StaleEpoch>()("StaleEpoch", { jobId: Schema.String }) {}

/**
 * Repeats a write until the store takes it: what has happened must not be forgotten because a disk is full.
 *
 * @category combinators
 * @since 0.1.0
 */
export const untilWritten = <A, E>(
  jobId: string,
  write: Effect.Effect<A, E | StoreError>
): Effect.Effect<A, Exclude<E, StoreError>> =>
  // nearly every write is taken at once, so nothing is made ready for another
  write.pipe(
    Effect.catch((error) =>
      isStoreError(error)
        ? Effect.logWarning(`job ${jobId}: ${error.message}; trying again`).pipe(
            Effect.andThen(Effect.sleep(againAfter)),
            Effect.andThen(untilWritten(jobId, write))
          )
        : // only other errors end the repetition
          Effect.fail(error as Exclude<E, StoreError>)
    )
  )

/** When a store that failed is asked again, in milliseconds. */
const againAfter = 1000

const isStoreError = (error: unknown): error is StoreError =>
  typeof error === "object" &&
  error !== null &&
  "_tag" in error &&
  typeof error._tag === "string" &&
  storeErrors.has(error._tag)

const storeErrors: ReadonlySet<string> = new Set<StoreError["_tag"]>([
  "StorageFailed",
  "StorageFull",
  "IsCopy",
  "StorageLost",
  "OutcomeUnknown"
])
