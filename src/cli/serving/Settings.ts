/** What a dam is started with: the command line over the file over the environment over the defaults. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ConfigFile from "../../dam/config/ConfigFile.ts"
import * as EgressPolicy from "../../dam/egress/EgressPolicy.ts"
import * as Webhook from "../../dam/egress/Webhook.ts"
import { isLoopback, KeysRequired } from "../../dam/http/HttpServer.ts"
import * as Keys from "../../dam/http/door/Keys.ts"

/** The flags as they were given. */
export interface Flags {
  readonly port: number | undefined
  readonly host: string | undefined
  readonly db: string | undefined
  readonly database: string | undefined
  readonly databasePasswordFile: string | undefined
  readonly config: string | undefined
  readonly keysFile: string | undefined
  readonly allowPrivate: boolean
  readonly allowEgress: ReadonlyArray<string>
  readonly backupDir: string | undefined
  readonly resumeCopy: boolean
  readonly textSearch: boolean | undefined
}

/** Everything a start needs to know. */
export interface Settings {
  readonly file: ConfigFile.ConfigFile
  readonly host: string
  readonly port: number
  /** Where the jobs are: a file, absolute, or `:memory:`; or a database. */
  readonly storage: { readonly path: string } | { readonly database: Redacted.Redacted }
  readonly keys: Keys.Keys | undefined
  /** Where they are read again from, when it has changed. */
  readonly keysFile: string | undefined
  readonly policy: EgressPolicy.EgressPolicy
  /** Where backups go that are asked for over HTTP; absolute. */
  readonly backupDir: string | undefined
  readonly resumeCopy: boolean
  readonly textSearch: boolean
  /** What secrets are sealed with in the database. */
  readonly masterKey: Redacted.Redacted | undefined
  /** What L8 signs with, where it is on; else a key in a file. */
  readonly l8Key: Redacted.Redacted | undefined
}

/** A setting that cannot be used; the command ends with 2. */
export class InvalidSettings extends Schema.TaggedError<InvalidSettings>()("InvalidSettings", {
  problem: Schema.String
}) {
  override get message() {
    return this.problem
  }
}

/** Settles flags, file and environment, and checks what can be checked before anything is opened. */
export const settle = Effect.fnUntraced(function* (
  flags: Flags
): Effect.fn.Return<Settings, InvalidSettings, FileSystem.FileSystem | Path.Path> {
  const file = flags.config === undefined ? ConfigFile.empty : yield* readConfig(flags.config)
  const host = flags.host ?? file.http.host ?? "127.0.0.1"
  const keysFile = flags.keysFile ?? file.keysFile
  const keys = yield* keysFile === undefined ? orInvalid(Keys.fromEnvironment) : readKeys(keysFile)
  if (keys === undefined && !isLoopback(host)) return yield* invalid(new KeysRequired({ host }).message)
  const policy = EgressPolicy.make({
    allowPrivate: flags.allowPrivate || file.egress.allowPrivate === true,
    allowEgress: [...(file.egress.allowEgress ?? []), ...flags.allowEgress]
  })
  const settled = yield* orInvalid(Effect.fromResult(policy))
  const denied = Webhook.problemIn(
    { policy: settled, httpsOnly: file.http.httpsWebhooks === true },
    "notices.urls",
    file.dam.notices?.urls ?? []
  )
  if (denied !== undefined) return yield* invalid(`${flags.config}: ${denied}`)
  const backupDir = flags.backupDir ?? file.backupDir
  const path = yield* Path.Path
  return {
    file,
    host,
    port: flags.port ?? file.http.port ?? 8080,
    storage: yield* storageOf(flags, file),
    keys,
    keysFile,
    backupDir: backupDir === undefined ? undefined : path.resolve(backupDir),
    resumeCopy: flags.resumeCopy || file.dam.resumeCopy === true,
    textSearch: flags.textSearch ?? file.dam.textSearch ?? false,
    masterKey: Option.getOrUndefined(yield* orInvalid(Config.option(Config.Redacted("EZTHROTTLE_MASTER_KEY")))),
    l8Key: Option.getOrUndefined(yield* orInvalid(Config.option(Config.Redacted("L8_PRIVATE_KEY")))),
    policy: settled
  }
})

/** A file or a database: the command line over the file over the environment. */
const storageOf = Effect.fnUntraced(function* (
  flags: Flags,
  file: ConfigFile.ConfigFile
): Effect.fn.Return<Settings["storage"], InvalidSettings, FileSystem.FileSystem | Path.Path> {
  const places = [
    { db: flags.db, database: flags.database },
    { db: file.db, database: file.database },
    {
      db: undefined,
      database: Option.getOrUndefined(yield* orInvalid(Config.option(Config.Redacted("EZTHROTTLE_DATABASE_URL"))))
    }
  ]
  const { database, db = "./ezthrottle.db" } = places.find((place) => place.db ?? place.database) ?? {}
  if (database === undefined) return { path: db === ":memory:" ? db : (yield* Path.Path).resolve(db) }
  if (places.some((place) => place.database === database && place.db !== undefined)) {
    return yield* invalid("--db and --database: a dam has one place for its jobs; name one of them")
  }
  const url = URL.parse(Redacted.isRedacted(database) ? Redacted.value(database) : database)
  if (url === null || (url.protocol !== "postgres:" && url.protocol !== "postgresql:")) {
    return yield* invalid("--database: Expected a URL such as postgres://user@host:5432/name")
  }
  const passwordFile = flags.databasePasswordFile ?? file.databasePasswordFile
  if (passwordFile !== undefined)
    url.password = encodeURIComponent((yield* readText("--database-password-file", passwordFile)).trim())
  return { database: Redacted.make(url.href) }
})

const readConfig = (path: string) =>
  Effect.flatMap(readText("--config", path), (text) =>
    Effect.fromResult(Result.mapError(ConfigFile.parse(text), ({ message }) => invalid(`${path}: ${message}`)))
  )

const readKeys = (path: string) =>
  Effect.flatMap(readText("--keys-file", path), (text) =>
    Effect.fromResult(Result.mapError(Keys.parse(text), ({ message }) => invalid(`${path}: ${message}`)))
  )

const readText = (flag: string, path: string) =>
  FileSystem.FileSystem.use((files) => files.readFileString(path)).pipe(
    Effect.mapError(({ reason }) =>
      invalid(
        `${flag} ${path}: ${reason._tag === "NotFound" ? "there is no such file" : `cannot be read (${reason._tag})`}`
      )
    )
  )

const invalid = (problem: string) => new InvalidSettings({ problem })

const orInvalid = <A, R>(effect: Effect.Effect<A, { readonly message: string }, R>) =>
  Effect.mapError(effect, ({ message }) => invalid(message))
