/**
 * Who owns a database, so that no two dams run its jobs.
 *
 * A lock that the connection of the writer holds for as long as it lives keeps a second dam out, and the row of `dam`
 * says who the owner is. Each owner has an epoch of its own there, which every transaction that writes reads under a
 * shared lock: a former owner whose connection only seemed to be gone commits nothing after the next one has begun.
 */
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Fault, Row } from "../rows/Commands.ts"
import { broken, type Session } from "./Session.ts"
import { bootstrap, migrations } from "./Tables.ts"

/** What an owner is known by, for as long as it lives. */
export interface Owner {
  readonly mark: string
  /** The epoch that it began; `undefined` before. */
  epoch: number | undefined
}

/** Makes one that owns nothing yet. */
export const owner = (): Owner => ({ mark: randomUUID(), epoch: undefined })

/** Takes a database over a connection, or says who has it; one that was taken before is taken up again. Answers the epoch. */
export const take = Effect.fnUntraced(function* (
  on: Session,
  self: Owner
): Effect.fn.Return<number, Fault, Scope.Scope> {
  yield* fit(on)
  // given back before the connection ends, which the server notices a while after that
  yield* Effect.acquireRelease(locked(on, self), () => Effect.timeoutOption(Effect.ignore(on.run(unlock)), parting))
  yield* on.run(bootstrap)
  yield* on.run("INSERT INTO dam DEFAULT VALUES ON CONFLICT DO NOTHING")
  yield* migrate(on)
  if (self.epoch === undefined) {
    const since = DateTime.formatIso(yield* DateTime.now)
    const begun = yield* on.one(
      `UPDATE dam SET epoch = epoch + 1, mark = $1, pid = $2, host = $3, since = $4, backend = pg_backend_pid()
       RETURNING epoch`,
      self.mark,
      process.pid,
      hostname(),
      since
    )
    return (self.epoch = Number(begun?.["epoch"]))
  }
  const again = yield* on.run(
    "UPDATE dam SET backend = pg_backend_pid() WHERE mark = $1 AND epoch = $2",
    self.mark,
    self.epoch
  )
  return again === 0 ? yield* Effect.fail(taken) : self.epoch
})

/** Finds that the owner is another one by now. To be read in each transaction that writes. */
export const stillOwned = "SELECT 1 FROM dam WHERE epoch = $1 FOR SHARE"

/** What a former owner finds. */
export const taken: Fault = {
  kind: "lost",
  detail: "another dam has taken its database over; this one must be stopped",
  local: false
}

/** What the database must be. */
const fit = Effect.fnUntraced(function* (on: Session): Effect.fn.Return<void, Fault> {
  const found = yield* on.one(
    `SELECT current_schema() AS schema, current_setting('search_path') AS path, pg_is_in_recovery()::integer AS standby,
       getdatabaseencoding() AS encoding, current_setting('synchronous_commit') AS durability, current_setting('server_version_num')::integer AS version`
  )
  if (Number(found?.["version"]) < oldest) return yield* Effect.fail(broken("it is older than Postgres 13"))
  if (found?.["encoding"] !== "UTF8") return yield* Effect.fail(broken("its encoding is not UTF8; create one that is"))
  if (found["standby"] === 1) return yield* Effect.fail(standby)
  // nothing is acknowledged that is not on disk, whatever the server does for others
  if (found["durability"] === "off") yield* on.run("SET synchronous_commit = on")
  if (found["schema"] === null) yield* on.run(`CREATE SCHEMA IF NOT EXISTS ${String(found["path"])}`)
})

const oldest = 130_000

const standby: Fault = { ...broken("Postgres can only be read from; it is a standby"), isGone: true }

/** Locks what is named after the schema, since a database may hold several dams beside each other. */
const locked = Effect.fnUntraced(function* (on: Session, self: Owner): Effect.fn.Return<void, Fault> {
  for (let turn = 0; ; turn++) {
    const lock = yield* on.one(
      `SELECT pg_try_advisory_lock(${lockSpace}, hashtext(current_schema()))::integer AS taken`
    )
    if (lock?.["taken"] === 1) return
    const row = yield* Effect.orElseSucceed(
      on.one("SELECT mark, pid, host, since, backend FROM dam"),
      (): Row | undefined => undefined
    )
    const isOwn = row?.["mark"] === self.mark
    if (self.epoch !== undefined && row !== undefined && !isOwn) return yield* Effect.fail(taken)
    // the owner may have ended a moment ago, and the server not have missed it yet
    if (turn === turns) return yield* Effect.fail(used(row))
    if (isOwn) yield* on.one("SELECT pg_terminate_backend($1)", row["backend"] ?? null)
    yield* Effect.sleep(50)
  }
})

const unlock = "SELECT pg_advisory_unlock_all()"

const parting = "2 seconds"

/** `ezth` in ASCII. */
const lockSpace = 0x657a7468

const turns = 20

const used = (row: Row | undefined): Fault => {
  const { host, pid, since } = row ?? {}
  const who = pid === process.pid && host === hostname() ? "this very process" : `process ${pid} on ${host}`
  const known = pid === undefined || pid === null ? "" : ` (${who}, since ${since})`
  return broken(`another dam is using it${known}; only one dam may own a database`)
}

/** Brings the tables to the newest version, each step in a transaction of its own, forwards only. */
const migrate = Effect.fnUntraced(function* (on: Session): Effect.fn.Return<void, Fault> {
  const version = Number((yield* on.one("SELECT version FROM dam"))?.["version"])
  if (version > migrations.length) {
    return yield* Effect.fail(
      broken(`it was written by a newer version (${version}, this one knows ${migrations.length})`)
    )
  }
  for (const [place, statements] of migrations.entries()) {
    if (place < version) continue
    yield* on.run("BEGIN")
    for (const statement of statements) yield* on.run(statement)
    yield* on.run("UPDATE dam SET version = $1", place + 1)
    yield* on.commit
  }
})
