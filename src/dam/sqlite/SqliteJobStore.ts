/**
 * The job store on one SQLite file: WAL, `synchronous = FULL`, one writer, and one commit for all who wait for it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { over } from "../rows/RowStore.ts"
import { JobStore } from "../store/JobStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { DatabaseOptions } from "./Database.ts"
import { sameThread, worker } from "./Executor.ts"

/**
 * Where the jobs are kept, and who writes them.
 *
 * @category models
 * @since 0.1.0
 */
export interface SqliteOptions {
  /** The file, made when it does not exist; its folder must. `:memory:` keeps nothing. */
  readonly path: string
  /**
   * `worker`: a thread of its own, and everybody who waits shares a commit. `sameThread`: at once, in the calling
   * thread, for tests in virtual time. Defaults to `worker`.
   */
  readonly executor?: "worker" | "sameThread" | undefined
  /** How long to wait for another process to let the file go. Defaults to zero: one dam owns a file. */
  readonly busyTimeout?: Duration.Input | undefined
  /** The database does not grow beyond; then writes fail with `StorageFull`. Unlimited by default. */
  readonly maxBytes?: number | undefined
  /** Keeps an index of the texts of URLs and errors, so that few jobs are looked at for them. Defaults to `false`. */
  readonly textSearch?: boolean | undefined
  /** Headers that are credentials beside those that always are. Defaults to none. */
  readonly credentials?: ReadonlyArray<string> | undefined
}

/**
 * Opens a store for as long as the scope lasts.
 *
 * **Details** — fails with a line to act on when the file can only be read, is damaged, belongs to another program or a
 * newer version, or is in use: one store owns a file. What was handed in before the scope ends is written.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: SqliteOptions): Effect.Effect<JobStore["Service"], StoreError, Scope.Scope> => {
  const database: DatabaseOptions = {
    path: options.path,
    busyTimeout: Duration.toMillis(options.busyTimeout ?? Duration.zero),
    maxBytes: options.maxBytes,
    textSearch: options.textSearch
  }
  return Effect.map(options.executor === "sameThread" ? sameThread(database) : worker(database), (run) =>
    over(run, { credentials: options.credentials })
  )
}

/**
 * Provides the store.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: SqliteOptions): Layer.Layer<JobStore, StoreError> =>
  Layer.effect(JobStore, make(options))
