/**
 * A store in a file of SQLite, over Node's own driver: durable, with nothing to install.
 *
 * Several processes of one machine may share the file.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Stream from "effect/Stream"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { EventStore } from "./EventStore.ts"
import { EventStoreFailed } from "./EventStore.ts"
import * as SqlEventStore from "./SqlEventStore.ts"

/**
 * A store and the file it has open.
 *
 * @category models
 * @since 0.1.0
 */
export interface SqliteEventStore extends EventStore, Disposable {}

/**
 * Opens a store; throws `EventStoreFailed` when the file cannot be used.
 *
 * **Details** — what it has acknowledged is on disk (`synchronous = FULL`). Another process that writes is waited for,
 * 5 seconds at most.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = (path: string): SqliteEventStore => Effect.runSync(opened(path))

const opened = Effect.fnUntraced(function* (path: string): Effect.fn.Return<SqliteEventStore, EventStoreFailed> {
  // asked for instead of imported: a runtime that lacks it still loads the rest of the package
  const sqlite = process.getBuiltinModule("node:sqlite")
  if (sqlite === undefined) {
    return yield* new EventStoreFailed({ problem: "this runtime has no node:sqlite; it takes Node 22.19 or later" })
  }
  const database = yield* Effect.try({
    try: () => {
      const database = new sqlite.DatabaseSync(path)
      database.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
      return database
    },
    catch: (cause) => new EventStoreFailed({ problem: `${path}: ${String(cause)}` })
  })
  const sql = yield* SqlClient.make({
    acquirer: Effect.succeed(connectionTo(database)),
    compiler: Statement.makeCompilerSqlite(),
    driver: "node:sqlite",
    spanAttributes: []
  }).pipe(Effect.provide(Reactivity.layer))
  const store = yield* Effect.provideService(SqlEventStore.make, SqlClient.SqlClient, sql)
  return { ...store, [Symbol.dispose]: () => database.close() }
})

const connectionTo = (database: DatabaseSync): Connection => {
  const run = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.try({
      // the statements of the store bind texts and numbers only
      try: () => database.prepare(sql).all(...(params as ReadonlyArray<SQLInputValue>)),
      catch: (cause) => new SqlError({ reason: classifySqliteError(cause, { message: String(cause) }) })
    })
  const values = (sql: string, params: ReadonlyArray<unknown>) =>
    Effect.map(run(sql, params), (rows) => rows.map((row) => Object.values(row)))
  return {
    execute: run,
    executeRaw: run,
    executeStream: (sql, params) => Stream.fromIterableEffect(run(sql, params)),
    executeValues: values,
    executeValuesUnprepared: values,
    executeUnprepared: run
  }
}
