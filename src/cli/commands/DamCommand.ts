/** `ezthrottle dam`: the flags, and what becomes of them. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flags from "./Flags.ts"
import type * as Serving from "../serving/Serving.ts"
import type * as Settings from "../serving/Settings.ts"

const flags = {
  port: Flag.Int("port").pipe(
    Flag.filter(
      (port) => port >= 0 && port <= 65_535,
      () => "a port is a number from 0 to 65535"
    ),
    Flag.withMetavar("PORT"),
    Flag.withDescription("Port to listen on, 0 for a free one (8080)"),
    Flag.optional
  ),
  host: Flags.text("host", "ADDRESS", "Address to listen on; beyond loopback it takes keys (127.0.0.1)").pipe(
    Flag.optional
  ),
  db: Flags.text("db", "FILE", "Database file, made when it is not there (./ezthrottle.db)").pipe(Flag.optional),
  database: Flags.text(
    "database",
    "URL",
    "A Postgres database in place of a file; or EZTHROTTLE_DATABASE_URL in the environment, where nobody else reads it"
  ).pipe(Flag.optional),
  databasePasswordFile: Flags.text("database-password-file", "FILE", "The password for it").pipe(Flag.optional),
  config: Flags.text("config", "FILE", "Settings in YAML; flags win over it").pipe(Flag.optional),
  keysFile: Flags.text(
    "keys-file",
    "FILE",
    "API keys, one customer:key or customer:key:operator per line; or EZTHROTTLE_DAM_KEYS in the environment"
  ).pipe(Flag.optional),
  allowPrivate: Flag.Boolean("allow-private").pipe(
    Flag.withDescription("Let jobs and webhooks reach private and loopback addresses"),
    Flag.withDefault(false)
  ),
  allowEgress: Flags.text(
    "allow-egress",
    "HOST|CIDR",
    "Let jobs and webhooks reach this host or range; may be repeated"
  ).pipe(Flag.atLeast(0)),
  backupDir: Flags.text(
    "backup-dir",
    "FOLDER",
    "Let operators make backups over HTTP, into this folder and nowhere else"
  ).pipe(Flag.optional),
  resumeCopy: Flag.Boolean("resume-copy").pipe(
    Flag.withDescription("Go on with a database that is a backup: what ended after it was made is called again"),
    Flag.withDefault(false)
  ),
  textSearch: Flag.Literals("text-search", ["on", "off"]).pipe(
    Flag.withMetavar("on|off"),
    Flag.withDescription("Keep an index of the texts of URLs and errors, for searches among very many jobs (off)"),
    Flag.optional
  )
} as const

// the server is most of this package: no other command waits for it
const loadSettings = Effect.promise(() => import("../serving/Settings.ts"))
const loadServing = Effect.promise(() => import("../serving/Serving.ts"))

/** The command; `serve` is what it does once everything is settled. */
export const make = <R>(serve: (settings: Settings.Settings) => Effect.Effect<void, Serving.CannotStart, R>) =>
  Command.make(
    "dam",
    flags,
    ({ allowEgress, allowPrivate, backupDir, config, db, host, keysFile, port, resumeCopy, textSearch, ...postgres }) =>
      Effect.flatMap(
        Effect.flatMap(loadSettings, ({ settle }) =>
          settle({
            database: Option.getOrUndefined(postgres.database),
            databasePasswordFile: Option.getOrUndefined(postgres.databasePasswordFile),
            port: Option.getOrUndefined(port),
            host: Option.getOrUndefined(host),
            db: Option.getOrUndefined(db),
            config: Option.getOrUndefined(config),
            keysFile: Option.getOrUndefined(keysFile),
            allowPrivate,
            allowEgress,
            backupDir: Option.getOrUndefined(backupDir),
            resumeCopy,
            textSearch: Option.getOrUndefined(Option.map(textSearch, (is) => is === "on"))
          })
        ),
        serve
      )
  ).pipe(
    Command.withDescription(
      "Starts a durable EZThrottle on one SQLite file, or one Postgres database. Ends with 0 when it was asked to stop, 1 when it could not " +
        "start, 2 when the command line or the settings are wrong, 130 or 143 when it was stopped at once."
    ),
    Command.withShortDescription("Start a durable EZThrottle on one SQLite file"),
    Command.withExamples([
      { command: "ezthrottle dam", description: "For this machine, on port 8080" },
      {
        command: "ezthrottle dam --host 0.0.0.0 --keys-file keys.txt --config dam.yaml",
        description: "For a network, with keys and settings"
      },
      { command: "ezthrottle dam --database postgres://dam@db.internal/dam", description: "With its jobs in Postgres" }
    ])
  )

export const command = make((settings) => Effect.flatMap(loadServing, ({ serve }) => serve(settings)))
