/** Where a dam keeps its jobs: a file of its own, or a Postgres database that is loaded when it is used. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { L8Options } from "../l8/L8.ts"
import * as Backup from "../sqlite/Backup.ts"
import * as SqliteJobStore from "../sqlite/SqliteJobStore.ts"
import type { JobStore } from "../store/JobStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import { InvalidOption } from "./DamOptions.ts"
import * as Driver from "../postgres/Driver.ts"

/** What of the options says where. */
export interface StorageOptions {
  readonly path?: string | undefined
  readonly database?: string | Redacted.Redacted | undefined
  readonly executor?: "worker" | "sameThread" | undefined
  readonly maxBytes?: number | undefined
  readonly textSearch?: boolean | undefined
  readonly credentials?: ReadonlyArray<string> | undefined
  readonly l8?: L8Options | undefined
}

/** What cannot be among them. */
export const problemIn = (options: StorageOptions): string | undefined => {
  const { database, executor, l8, maxBytes, path, textSearch } = options
  if (database === undefined) return path === undefined ? "path: Expected a file, or database instead of it" : undefined
  if (path !== undefined) return "path: Unexpected beside database; a dam has one place for its jobs"
  if (urlOf(database) === undefined) {
    return "database: Expected a URL such as postgres://user@host:5432/name; special characters in it are percent-encoded"
  }
  if (executor === "sameThread") return "executor: Unexpected with database, which is reached over a network"
  if (maxBytes !== undefined) return "admission.fileBytes: Unexpected with database; Postgres has its own limits"
  if (textSearch === true) return "textSearch: Unexpected with database, which keeps no index of texts"
  return l8 !== undefined && l8.privateKey === undefined
    ? "webhooks.l8.privateKey: Expected with database, since there is no file beside which a key is kept"
    : undefined
}

/** Opens the store. */
export const open = Effect.fnUntraced(function* (
  options: StorageOptions
): Effect.fn.Return<JobStore["Service"], StoreError | InvalidOption, Scope.Scope> {
  const problem = problemIn(options)
  if (problem !== undefined) return yield* new InvalidOption({ problem })
  const { credentials, database, executor, maxBytes, textSearch } = options
  if (database === undefined) {
    return yield* SqliteJobStore.make({ path: nameOf(options), executor, maxBytes, textSearch, credentials })
  }
  const { make } = yield* loaded
  return yield* make({ url: Redacted.isRedacted(database) ? database : Redacted.make(database), credentials })
})

/** Copies the file; a database has tools of its own for that. */
export const backup = (
  options: StorageOptions,
  to: string,
  onProgress?: (progress: Backup.Progress) => void
): Effect.Effect<Backup.Copied, Backup.BackupFailed> =>
  options.database === undefined
    ? Backup.copy(nameOf(options), to, onProgress)
    : Effect.fail(
        new Backup.BackupFailed({ problem: "a Postgres database is copied by its own tools, such as pg_dump" })
      )

/** The file, or the database without what is secret about it. */
export const nameOf = ({ database, path = "" }: StorageOptions): string => {
  const url = database === undefined ? undefined : urlOf(database)
  if (database === undefined) return path
  return url === undefined ? "a database" : described(url)
}

/** A database as operators may see it: who, where and which, without password and settings. */
const described = ({ hostname, pathname, port, username }: URL): string =>
  `postgres://${username === "" ? "" : `${username}@`}${hostname}${port === "" ? "" : `:${port}`}${pathname}`

const urlOf = (database: string | Redacted.Redacted): URL | undefined => {
  const url = URL.parse(Redacted.isRedacted(database) ? Redacted.value(database) : database)
  return url !== null && (url.protocol === "postgres:" || url.protocol === "postgresql:") ? url : undefined
}

const loaded = Effect.tryPromise({
  try: () => Promise.all([import("../postgres/PostgresJobStore.ts"), Driver.load()]).then(([store]) => store),
  catch: (error) =>
    new InvalidOption({
      problem: String(error).includes(Driver.from)
        ? "database: Postgres is reached through a package of its own; install it: npm install @effect/sql-pg@4"
        : `database: what Postgres is reached through cannot be loaded: ${String(error)}`
    })
})
