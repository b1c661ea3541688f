/**
 * Copies of a database, made while a dam works on it: consistent as of one moment, and marked as copies.
 *
 * The file is read through a connection of its own that sees the moment it began at, a little at a time and beside the
 * event loop, so that nobody who hands a job in waits for it. The log cannot be folded meanwhile and grows by what is
 * written. Half a copy never stands under the name that was asked for.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import { existsSync, linkSync, renameSync, rmSync, statSync } from "node:fs"
import { backup, DatabaseSync } from "./Sqlite.ts"
import { numberOf } from "./Database.ts"
import { fileIn, makePrivate } from "./Ownership.ts"
import { applicationId } from "./Tables.ts"

/**
 * A copy that was made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Copied {
  readonly file: string
  readonly bytes: number
  /** Epoch milliseconds of the moment that it shows. */
  readonly copiedAt: number
}

/**
 * No copy was made, and nothing of one is left.
 *
 * @category errors
 * @since 0.1.0
 */
export class BackupFailed extends Schema.TaggedError<BackupFailed>()("BackupFailed", { problem: Schema.String }) {
  override get message() {
    return `no copy was made: ${this.problem}`
  }
}

/**
 * How far a copy is, in bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  readonly done: number
  readonly total: number
}

/** The setting by which a copy knows that it is one: the moment that it shows. */
export const copiedAtSetting = "copied_at"

/** Pages at a time: 1 MiB. */
const rate = 256

/**
 * Copies a database into a file that is not there yet. Only its owner may read it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const copy = Effect.fnUntraced(function* (
  path: string,
  to: string,
  onProgress: (progress: Progress) => void = () => undefined
): Effect.fn.Return<Copied, BackupFailed> {
  const from = fileIn(path)
  if (from === undefined) return yield* failed("a database in memory has no file; submit to one that has")
  if (!existsSync(from)) return yield* failed(`there is no database at ${from}`)
  if (existsSync(to)) return yield* failed(taken(to))
  const part = `${to}.${randomUUID().slice(0, 8)}.part`
  return yield* Effect.acquireUseRelease(
    orFailed(() => open(from)),
    (source) =>
      Effect.gen(function* () {
        const copiedAt = yield* Clock.currentTimeMillis
        yield* orFailed(() => makePrivate(part))
        yield* copyPages(source, part, onProgress)
        yield* orFailed(() => mark(part, copiedAt))
        yield* orFailed(() => place(part, to))
        return { file: to, bytes: statSync(to).size, copiedAt }
      }),
    (source, exit) =>
      Effect.sync(() => {
        source.close()
        if (Exit.isFailure(exit))
          for (const end of ["", "-wal", "-shm", "-journal"]) rmSync(part + end, { force: true })
      })
  )
})

/** The connection stays in a transaction: what is committed from now on is not seen. */
const open = (from: string): DatabaseSync => {
  const source = new DatabaseSync(from, { readOnly: true })
  source.exec("PRAGMA busy_timeout = 5000; PRAGMA cache_size = -4096; BEGIN")
  if (numberOf(source, "PRAGMA application_id") === applicationId) return source
  source.close()
  throw new Error("it is a database of another program")
}

const copyPages = (source: DatabaseSync, part: string, onProgress: (progress: Progress) => void) =>
  Effect.callback<void, BackupFailed>((resume) => {
    const pageSize = numberOf(source, "PRAGMA page_size")
    let isStopped = false
    const progress = ({
      remainingPages,
      totalPages
    }: {
      readonly remainingPages: number
      readonly totalPages: number
    }) => {
      if (isStopped) throw new Error("it was stopped")
      onProgress({ done: (totalPages - remainingPages) * pageSize, total: totalPages * pageSize })
    }
    const copying = backup(source, part, { rate, progress }).then(
      () => resume(Effect.void),
      (error: unknown) => resume(failed(messageOf(error)))
    )
    return Effect.promise(() => {
      isStopped = true
      return copying
    })
  })

/** Of an owner the copy knows nothing. */
const mark = (part: string, copiedAt: number): void => {
  const db = new DatabaseSync(part)
  db.exec("PRAGMA synchronous = FULL; DELETE FROM settings WHERE name = 'owner'")
  db.prepare("INSERT OR REPLACE INTO settings VALUES (?, ?)").run(copiedAtSetting, String(copiedAt))
  db.close()
}

/** Gives a copy its name, which somebody else may have got meanwhile: a link is refused then, a rename would not be. */
const place = (part: string, to: string): void => {
  const linked = Result.try(() => linkSync(part, to))
  if (Result.isSuccess(linked)) return rmSync(part)
  // not every file system has links
  if (existsSync(to)) throw new Error(taken(to))
  renameSync(part, to)
}

const taken = (to: string): string => `${to} is there already; choose another name`

const orFailed = <A>(body: () => A): Effect.Effect<A, BackupFailed> =>
  Effect.try({ try: body, catch: (error) => new BackupFailed({ problem: messageOf(error) }) })

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const failed = (problem: string) => Effect.fail(new BackupFailed({ problem }))
