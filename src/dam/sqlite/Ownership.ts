/**
 * Who owns a database file, so that no two dams run its jobs.
 *
 * SQLite's own locks on the file are not enough: POSIX drops all locks of a process on a file when the process closes any
 * descriptor of it, as a copy made by the application does. So a second file, `FILE.lock`, is locked for as long as the
 * owner lives. It is a database too, whose lock lets others read what stands in it: who the owner is. Should that lock be
 * dropped as well, the next owner writes its mark into the database, and the former one finds it before it commits.
 */
import { randomUUID } from "node:crypto"
import { chmodSync, closeSync, existsSync, lstatSync, openSync, realpathSync, statSync } from "node:fs"
import { hostname } from "node:os"
import { basename, dirname, join } from "node:path"
import * as Result from "effect/Result"
import { DatabaseSync } from "./Sqlite.ts"
import type { Fault } from "../rows/Commands.ts"

/** A file that is owned, until it is given back. */
export interface Ownership {
  /** What the owner writes into the database, and nobody else knows. */
  readonly mark: string
  /** The file itself, behind links. */
  readonly file: string
  readonly giveBack: () => void
}

/** Takes a file, or says who has it. A database in memory is nobody else's. */
export const take = (path: string, busyTimeout: number): Result.Result<Ownership | undefined, Fault> => {
  const named = fileIn(path)
  if (named === undefined) return Result.succeed(undefined)
  return Result.try({
    try: () => {
      const file = resolved(named)
      makePrivate(`${file}.lock`)
      return { mark: randomUUID(), file, lock: new DatabaseSync(`${file}.lock`) }
    },
    catch: () => failed(existsSync(named) ? readOnly : "it cannot be opened; its folder must exist and be writable")
  }).pipe(
    Result.flatMap(({ file, lock, mark }) =>
      Result.try({
        try: () => {
          hold(lock, mark, busyTimeout)
          return { mark, file, giveBack: () => lock.close() }
        },
        catch: (error) => {
          const fault = refusal(lock, error)
          lock.close()
          return fault
        }
      })
    )
  )
}

/** Makes a file that only its owner may read, or sees to it that nobody else may. */
export const makePrivate = (file: string): void => {
  const known = statSync(file, { throwIfNoEntry: false })
  // whoever was faster has made it the same way; a file that is there is never opened here, which would drop its locks
  if (known === undefined) Result.try(() => closeSync(openSync(file, "wx", ownersOnly)))
  // of somebody else's file SQLite will say what is wrong, if anything is
  else if ((known.mode & 0o077) !== 0 && known.isFile()) Result.try(() => chmodSync(file, known.mode & 0o700))
}

const ownersOnly = 0o600

/** The file that SQLite would open; `undefined` for a database in memory. */
export const fileIn = (path: string): string | undefined => {
  const [name = "", query = ""] = path.startsWith("file:") ? path.slice(5).split(/[?#]/) : [path]
  const file = name.replace(/^\/\/[^/]*/, "")
  return file === "" || file === ":memory:" || query.includes("mode=memory") ? undefined : file
}

const resolved = (file: string): string =>
  lstatSync(file, { throwIfNoEntry: false }) === undefined
    ? join(realpathSync(dirname(file)), basename(file))
    : realpathSync(file)

/**
 * Locks the file for writing and keeps the lock: others may read it then, and none can have the same. What stands in it
 * was committed before, so the lock is let go for a moment; whoever got in between has written over it.
 */
const hold = (lock: DatabaseSync, mark: string, busyTimeout: number): void => {
  lock.exec(`PRAGMA busy_timeout = ${Math.trunc(busyTimeout)}; BEGIN IMMEDIATE`)
  do {
    lock.exec(`PRAGMA busy_timeout = ${readersLeaveWithin}`)
    lock.exec("CREATE TABLE IF NOT EXISTS owner (pid INTEGER, host TEXT, since TEXT, mark TEXT); DELETE FROM owner")
    lock
      .prepare("INSERT INTO owner VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%SZ'), ?)")
      .run(process.pid, hostname(), mark)
    lock.exec("COMMIT; PRAGMA busy_timeout = 0; BEGIN IMMEDIATE")
  } while (lock.prepare("SELECT mark FROM owner").get()?.["mark"] !== mark)
}

/** Milliseconds within which somebody who only looks who the owner is has looked. */
const readersLeaveWithin = 2000

const refusal = (lock: DatabaseSync, error: unknown): Fault => {
  const code = error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode : 0
  switch (code & 0xff) {
    case 8:
    case 14:
      return failed(readOnly)
    case 5:
    case 6:
      return failed(`another dam is using it${ownerIn(lock)}; only one dam may own a file`)
    case 11:
    case 26:
      return failed("the file of the same name with .lock at its end is not the lock of a dam; remove it")
    default:
      return failed(`its lock cannot be taken (${error instanceof Error ? error.message : String(error)})`)
  }
}

/** The one who comes first may not have written yet. */
const ownerIn = (lock: DatabaseSync): string =>
  Result.getOrElse(
    Result.try(() => {
      const { host, pid, since } = lock.prepare("SELECT pid, host, since FROM owner").get() ?? {}
      const who = pid === process.pid && host === hostname() ? "this very process" : `process ${pid} on ${host}`
      return pid === undefined ? "" : ` (${who}, since ${since})`
    }),
    () => ""
  )

const readOnly = "it can only be read, or the lock beside it can; the dam must be able to write it and its folder"

const failed = (detail: string): Fault => ({ kind: "failed", detail, local: false })
