/**
 * Opens the file of the SQLite store, makes sure that it keeps its promises, and says in a line what is wrong if not.
 *
 * Everything here is synchronous and runs in the thread that writes.
 */
import * as Result from "effect/Result"
import { DatabaseSync } from "./Sqlite.ts"
import type { Fault } from "../rows/Commands.ts"
import * as Ownership from "./Ownership.ts"
import * as Standing from "./Standing.ts"
import { applicationId, migrations } from "./Tables.ts"
import * as TextIndex from "./TextIndex.ts"

/** How the file is opened. Plain data, since it travels to the writing thread. */
export interface DatabaseOptions {
  readonly path: string
  /** Milliseconds to wait for another process to let the file go. */
  readonly busyTimeout: number
  /** The database does not grow beyond, whatever the disk has left. */
  readonly maxBytes: number | undefined
  /** Whether it keeps an index of texts. */
  readonly textSearch?: boolean | undefined
  /** Whether it is only read, beside the thread that writes. */
  readonly readsOnly?: boolean | undefined
}

/** An open database, and what tells that its owner may go on writing it. */
export interface Opened {
  readonly db: DatabaseSync
  /** Says why nothing may be written, without a look into the database. */
  readonly standing: Standing.Standing
  /** Says so from inside a transaction. */
  readonly owned: Standing.Standing
  readonly close: () => void
}

/** Opens a database at the newest version, or says why it must not be used. */
export const open = (options: DatabaseOptions): Result.Result<Opened, Fault> =>
  Ownership.take(options.path, options.busyTimeout).pipe(
    Result.flatMap((ownership) => {
      const opened = openOwned(options, ownership)
      if (Result.isFailure(opened)) ownership?.giveBack()
      return opened
    }),
    Result.mapError((fault) => ({ ...fault, detail: `${options.path}: ${fault.detail}` }))
  )

/** Opens a database that another thread of this process owns and writes. */
export const openBeside = ({ path }: DatabaseOptions): Result.Result<DatabaseSync, Fault> =>
  attempt(() => {
    const db = new DatabaseSync(path, { readOnly: true })
    // it waits only where the log is being made anew
    db.exec("PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192")
    return db
  })

const openOwned = (
  options: DatabaseOptions,
  ownership: Ownership.Ownership | undefined
): Result.Result<Opened, Fault> =>
  Result.flatMap(
    attempt(() => {
      if (ownership !== undefined) Ownership.makePrivate(ownership.file)
      return new DatabaseSync(options.path, { enableForeignKeyConstraints: true })
    }),
    (db) => {
      const ready = attempt(() => {
        prepare(db, options)
        return ownership === undefined ? inMemory : marked(db, ownership)
      })
      if (Result.isFailure(ready)) {
        db.close()
        return Result.fail(ready.failure)
      }
      const close = () => {
        db.close()
        ownership?.giveBack()
      }
      return Result.succeed({ ...ready.success, db, close })
    }
  )

const inMemory = { standing: () => undefined, owned: () => undefined }

/** Writes the owner's mark, so that a former one stops. */
const marked = (db: DatabaseSync, { file, mark }: Ownership.Ownership) => {
  db.prepare("INSERT OR REPLACE INTO settings VALUES ('owner', ?)").run(mark)
  const owner = db.prepare("SELECT value FROM settings WHERE name = 'owner'")
  return {
    standing: Standing.of(file),
    owned: () => (owner.get()?.["value"] === mark ? undefined : Standing.taken)
  }
}

/** Runs something on the database and names what SQLite threw. */
export const attempt = <A>(body: () => A, toFault: (error: unknown) => Fault = faultOf): Result.Result<A, Fault> =>
  Result.try({ try: body, catch: toFault })

/** Bytes that the database holds. Room that was freed is used again, so it does not count, whatever the file's size. */
export const bytesOf = (db: DatabaseSync): number =>
  (numberOf(db, "PRAGMA page_count") - numberOf(db, "PRAGMA freelist_count")) * numberOf(db, "PRAGMA page_size")

/** The one number a statement answers; 0 where it answers nothing. */
export const numberOf = (db: DatabaseSync, sql: string): number =>
  Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0)

const prepare = (db: DatabaseSync, { busyTimeout, maxBytes, textSearch }: DatabaseOptions): void => {
  db.exec(`PRAGMA busy_timeout = ${Math.trunc(busyTimeout)}`)
  const isFile = db.location() !== null
  if (isFile) db.exec("PRAGMA journal_mode = WAL")
  db.exec("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768")
  // Random keys change the same pages again and again; a long log writes each of them to its place only once. Beyond
  // 16 MiB that saves 2 µs a job at most; the last group before it is written back is large, so it begins below that.
  db.exec("PRAGMA wal_autocheckpoint = 3000; PRAGMA journal_size_limit = 16777216")
  const pageSize = numberOf(db, "PRAGMA page_size")
  if (maxBytes !== undefined) db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.trunc(maxBytes / pageSize))}`)

  const mode = Object.values(db.prepare("PRAGMA journal_mode").get() ?? {})[0]
  if (isFile && mode !== "wal") throw new Refused("its disk does not support SQLite's write-ahead log")
  if (numberOf(db, "PRAGMA synchronous") !== FULL) throw new Refused("SQLite did not accept synchronous = FULL")
  migrate(db, textSearch === true)
}

const FULL = 2

const migrate = (db: DatabaseSync, textSearch: boolean): void => {
  const version = numberOf(db, "PRAGMA user_version")
  const isOurs = numberOf(db, "PRAGMA application_id") === applicationId
  if (!isOurs && numberOf(db, "SELECT count(*) FROM sqlite_schema") > 0) {
    throw new Refused("it is a database of another program; choose another file")
  }
  if (version > migrations.length) {
    throw new Refused(`it was written by a newer version (${version}, this one knows ${migrations.length})`)
  }
  db.exec("BEGIN IMMEDIATE")
  for (const migration of migrations.slice(version)) db.exec(migration)
  const lack = TextIndex.settle(db, textSearch)
  if (lack !== undefined) throw new Refused(lack)
  // written at every start, so that a file which can only be read is found out now
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`)
  db.exec("COMMIT")
}

class Refused extends Error {}

/** What SQLite's result code is, 0 for anything else that was thrown. */
const codeOf = (error: unknown): number =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode : 0

/** The kind of SQLite's result code, which is its low byte. */
export const kindOf = (error: unknown): number => codeOf(error) & 0xff

/** SQLITE_IOERR. */
export const ioError = 10

/** Names what SQLite threw. */
export const faultOf = (error: unknown): Fault => {
  const code = codeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  // the lock of a writer cannot be had on a file opened for reading: SQLITE_IOERR_LOCK
  if (code === 3850) return failed("it can only be read, or its disk has no locks; the dam must be able to write it")
  switch (kindOf(error)) {
    case 3:
    case 8:
      return failed("it can only be read; the dam must be able to write it")
    case 5:
    case 6:
      return failed("another process is using it; only one dam may own a file")
    case 7:
      return failed(message)
    case ioError:
      return failed(`its disk failed (${message})`)
    case 11:
    case 26:
      return failed(`it is damaged or no SQLite database (${message}); restore a backup or choose another file`)
    case 13:
      return { kind: "full", detail: message, local: false }
    case 14:
      return failed("it cannot be opened; its folder must exist and be writable")
    default:
      return { kind: "failed", detail: message, local: true }
  }
}

const failed = (detail: string): Fault => ({ kind: "failed", detail, local: false })
