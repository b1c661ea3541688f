/**
 * The job store on one Postgres database: one owner, and one commit for all who wait for it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { errorOf, executor } from "../rows/Calls.ts"
import type { Fault } from "../rows/Commands.ts"
import { kinds } from "../rows/Kinds.ts"
import { over } from "../rows/RowStore.ts"
import { empty } from "../rows/Tally.ts"
import { JobStore } from "../store/JobStore.ts"
import type { StoreError } from "../store/StoreError.ts"
import { recount } from "./Counts.ts"
import * as Driver from "./Driver.ts"
import * as Groups from "./Groups.ts"
import * as Line from "./Line.ts"
import * as Ownership from "./Ownership.ts"
import * as Session from "./Session.ts"

/**
 * Which database the jobs are kept in.
 *
 * @category models
 * @since 0.1.0
 */
export interface PostgresOptions {
  /** `postgres://user:password@host:port/database`, with `sslmode` and the like behind it. */
  readonly url: Redacted.Redacted
  /** The schema that holds the tables, made where it is not there. Defaults to `ezthrottle`. */
  readonly schema?: string | undefined
  /** Headers that are credentials beside those that always are. Defaults to none. */
  readonly credentials?: ReadonlyArray<string> | undefined
}

/**
 * Opens a store for as long as the scope lasts.
 *
 * **Details** — fails with a line to act on when the database cannot be reached or written, belongs to a newer version, or
 * is in use: one store owns a database. What was handed in before the scope ends is written. A connection that breaks is
 * made again; until then everything fails with `StorageFailed`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: PostgresOptions
): Effect.fn.Return<JobStore["Service"], StoreError, Scope.Scope> {
  const owner = Ownership.owner()
  const tally = empty()
  const driver = yield* Effect.promise(Driver.load)
  const opened = Effect.gen(function* () {
    const on = yield* session(driver, options, true)
    const epoch = yield* Ownership.take(on, owner)
    yield* recount(on, tally)
    return Groups.over(on, tally, epoch)
  })
  const writer = yield* Effect.mapError(Line.make(opened, "at once"), errorOf)
  const reading = Effect.map(session(driver, options, false), (on) => Groups.beside(on, tally))
  const reader = yield* Effect.mapError(Line.make(reading, "later"), errorOf)
  const run = executor((call, resume) => (kinds[call[0]] === "longRead" ? reader(call, resume) : writer(call, resume)))
  return over(run, { credentials: options.credentials })
})

/**
 * Provides the store.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: PostgresOptions): Layer.Layer<JobStore, StoreError> =>
  Layer.effect(JobStore, make(options))

const session = (
  { connection }: Driver.Driver,
  { schema = "ezthrottle", url }: PostgresOptions,
  isWriter: boolean
): Effect.Effect<Session.Session, Fault, Scope.Scope> =>
  connection
    .make({
      url,
      applicationName: isWriter ? "ezthrottle dam" : "ezthrottle dam, reading",
      multiplex: isWriter,
      types: Session.types(),
      connectTimeout: "5 seconds",
      keepAlive: "10 seconds",
      preparedStatementCacheSize: 300,
      maxMessageSize: 256 * 1024 * 1024,
      startupParameters: {
        search_path: schema,
        timezone: "UTC",
        client_min_messages: "error",
        idle_in_transaction_session_timeout: "10s",
        // what is written is few rows that an index leads to, however many there are
        ...(isWriter ? { random_page_cost: "1.1", enable_hashjoin: "off", enable_mergejoin: "off" } : {}),
        // an owner that is gone without a word is missed within half a minute
        tcp_keepalives_idle: "10",
        tcp_keepalives_interval: "5",
        tcp_keepalives_count: "3"
      }
    })
    .pipe(Effect.mapBoth({ onFailure: Session.faultOf, onSuccess: Session.over }))
