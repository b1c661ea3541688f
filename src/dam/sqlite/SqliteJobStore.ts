/**
 * The job store on one SQLite file: WAL, `synchronous = FULL`, one writer, and one commit for all who wait for it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { states } from "../../engine/JobState.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import type { DeadLetterFilter, Enqueued, JobFilter, StoreError } from "../store/JobStore.ts"
import { invalid } from "../../step/InvalidStep.ts"
import { JobStore, StaleEpoch, StorageFailed } from "../store/JobStore.ts"
import type { DatabaseOptions } from "./Database.ts"
import type { Wanted } from "./DeadLetterCommands.ts"
import * as Fresh from "../rows/Fresh.ts"
import { type Executor, sameThread, worker } from "./Executor.ts"
import type { Listing } from "./ListCommand.ts"
import * as LaneRows from "../rows/DeliveryRows.ts"
import * as Steering from "../rows/SteeringRows.ts"
import * as Rows from "../rows/JobRows.ts"

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
}

/**
 * Opens a store for as long as the scope lasts.
 *
 * **Details** — fails with a line to act on when the file can only be read, is damaged, belongs to another program or a
 * newer version, or is in use: one store owns a file. What was handed in before the scope ends is written.
 * **Gotchas** — the thread is a file of its own in this package; a bundler that swallows the package leaves it behind.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: SqliteOptions): Effect.Effect<JobStore["Service"], StoreError, Scope.Scope> => {
  const database: DatabaseOptions = {
    path: options.path,
    busyTimeout: Duration.toMillis(options.busyTimeout ?? Duration.zero),
    maxBytes: options.maxBytes
  }
  return Effect.map(options.executor === "sameThread" ? sameThread(database) : worker(database), over)
}

/**
 * Provides the store.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: SqliteOptions): Layer.Layer<JobStore, StoreError> =>
  Layer.effect(JobStore, make(options))

const over = (run: Executor, fresh = Fresh.make(freshBytes)): JobStore["Service"] => ({
  enqueue: (job) =>
    Effect.suspend(() => {
      const insert = Rows.encodeJob(job)
      return Effect.flatMap(run("enqueue", insert), (first): Effect.Effect<Enqueued, StoreError> =>
        first === undefined
          ? Effect.sync(() => {
              if (insert.state === "queued") fresh.add(job, insert.step.length + freshOverhead)
              return { _tag: "Stored", state: insert.state }
            })
          : Effect.map(readJob(first), (known) => compare(job, known))
      )
    }),
  get: (id) => Effect.flatMap(run("get", id), readOptionalJob),
  list: (filter) => {
    const listing = listingOf(filter)
    if (listing === undefined) return Effect.succeed({ jobs: [], cursor: undefined })
    return Effect.flatMap(run("list", listing), ({ jobs, next }) =>
      Effect.map(Effect.forEach(jobs, readJob), (page) => ({ jobs: page, cursor: next?.toString() }))
    )
  },

  lanes: Effect.flatMap(run("lanes"), readLanes),
  accounts: (lane) => Effect.flatMap(run("accounts", lane), readAccounts),
  page: (lane, account, after, limit) => Effect.flatMap(run("page", lane, account, after, limit), readTickets),
  start: (id, at) =>
    Effect.suspend(() => {
      const known = fresh.take(id)
      return known === undefined
        ? Effect.flatMap(run("start", id, at), readOptionalJob)
        : Effect.map(run("begin", id, at), (epoch) =>
            epoch === undefined ? undefined : Fresh.started(known, epoch, at)
          )
    }),
  record: (id, epoch, attempt) =>
    Effect.suspend(() => orStale(id, run("record", id, epoch, Rows.encodeAttempt(attempt)))),
  park: (id, epoch, dueAt, heldSince) => orStale(id, run("park", id, epoch, dueAt, heldSince ?? null)),
  finish: (id, epoch, finish) => Effect.suspend(() => orStale(id, run("finish", id, epoch, Rows.encodeFinish(finish)))),
  finishIdle: (id, finish) =>
    Effect.suspend(() => {
      // it will not be started
      fresh.take(id)
      return run("finishIdle", id, Rows.encodeFinish(finish))
    }),
  release: (now) => run("release", now),
  overdue: (now, limit) => run("overdue", now, limit),
  recover: run("recover"),
  depth: (lane) => run("depth", lane),
  position: (id) => run("position", id),

  deliveryLanes: Effect.flatMap(run("deliveryLanes"), readLanes),
  dueDeliveries: (now, limit, except, lane) =>
    Effect.flatMap(
      run("dueDeliveries", now, limit, JSON.stringify([...except]), lane ?? null),
      ({ deliveries, nextDueAt }) =>
        Effect.map(readDueDeliveries(deliveries), (due) => ({
          deliveries: due,
          nextDueAt: typeof nextDueAt === "number" ? nextDueAt : undefined
        }))
    ),
  settleDelivery: (id, attempt, next, rule) =>
    Effect.suspend(() => {
      const made = attempt && {
        json: LaneRows.encodeDeliveryAttempt(attempt),
        at: attempt.at,
        isGone: attempt.status === 410
      }
      return Effect.flatMap(run("settleDelivery", id, made, next, rule), ({ deliveryState, endpoint }) =>
        Effect.map(readDeliveryState(deliveryState), (state) => ({ deliveryState: state, endpoint }))
      )
    }),
  deliveries: (jobId) => Effect.flatMap(run("deliveries", jobId), readDeliveries),

  deadLetters: ({ cursor, limit, ...filter }) => {
    const below = placeOf(cursor, Number.MAX_SAFE_INTEGER)
    if (below === undefined) return Effect.succeed({ deadLetters: [], cursor: undefined })
    return Effect.flatMap(run("deadLetters", wantedOf(filter), below, limit), ({ next, rows }) =>
      Effect.map(readDeadLetters(rows), (deadLetters) => ({ deadLetters, cursor: next?.toString() }))
    )
  },
  replay: ({ cursor, limit, ...filter }, now, spacing) => {
    const above = placeOf(cursor, 0)
    if (above === undefined) return Effect.succeed({ replayed: 0, lanes: [], cursor: undefined })
    return Effect.map(run("replay", wantedOf(filter), above, limit, now, spacing), ({ next, ...replayed }) => ({
      ...replayed,
      cursor: next?.toString()
    }))
  },
  purge: (filter, limit) => run("purge", wantedOf(filter), limit),
  endpoints: (customer) => Effect.flatMap(run("endpoints", customer), readEndpoints),
  enableEndpoint: (customer, url, now) =>
    Effect.map(Effect.flatMap(run("enableEndpoint", customer, url, now), readEndpoints), ([known]) => known),
  holdEndpoint: (customer, url, until) => run("holdEndpoint", customer, url, until),

  secrets: (customer) => Effect.flatMap(run("secrets", customer), readSecrets),
  everySecret: Effect.flatMap(run("everySecret"), readEverySecret),
  setting: (name) => Effect.flatMap(run("setting", name), readSetting),
  putSecrets: (secrets, settings) =>
    Effect.andThen(
      run(
        "putSecrets",
        secrets.map(({ customer, ...known }) => [customer, ...LaneRows.encodeSecrets(known)] as const),
        settings
      ),
      run("foldLog")
    ),
  setSecrets: (customer, secrets) => {
    const [primary, secondary] = secrets === undefined ? [null, null] : LaneRows.encodeSecrets(secrets)
    return run("setSecrets", customer, primary, secondary)
  },

  takeL8Nonce: (nonce, now, keepMillis, most) => run("takeL8Nonce", nonce, now, keepMillis, most),
  l8Trust: (origin) => Effect.flatMap(run("l8Trust", origin), readTrust),
  l8Trusts: (limit) => Effect.flatMap(run("l8Trusts", limit), readTrusts),
  saveL8Trust: (trust) => run("saveL8Trust", ...LaneRows.encodeTrust(trust)),
  forgetL8Trust: (origin) => run("forgetL8Trust", origin),

  paces: Effect.flatMap(run("paces"), readPaces),
  savePace: (pace) =>
    run(
      "savePace",
      pace.lane,
      pace.account,
      pace.rps ?? null,
      pace.maxConcurrent ?? null,
      pace.accountQueues === undefined ? null : Number(pace.accountQueues),
      pace.heldUntil ?? null,
      pace.seenAt,
      pace.heldBy === undefined ? null : LaneRows.encodeHeldBy(pace.heldBy)
    ),

  laneCounts: run("laneCounts"),
  ahead: (id) => run("ahead", id),
  steering: Effect.flatMap(run("steering"), readSteering),
  steer: (entry, steering, forgets) => run("steer", entry, steering, forgets),
  laneLog: (lane, limit) => Effect.flatMap(run("laneLog", lane, limit), readLog),

  sweep: (endedBefore, limit) => run("sweep", endedBefore, limit),
  stats: run("stats")
})

/** Stored jobs that are kept in memory until their start: their steps as JSON, and about as much for the rest. */
const freshBytes = 8 * 1024 * 1024
const freshOverhead = 1024

const compare = (job: NewJob, known: StoredJob): Enqueued =>
  job.dialect === "cloud" && job.keyGiven && known.payload !== job.payload
    ? { _tag: "Conflict", jobId: known.id }
    : { _tag: "Duplicate", job: known }

const orStale = (
  jobId: string,
  done: Effect.Effect<boolean, StoreError>
): Effect.Effect<void, StoreError | StaleEpoch> =>
  Effect.flatMap(done, (isDone) => (isDone ? Effect.void : Effect.fail(new StaleEpoch({ jobId }))))

const wantedOf = (filter: DeadLetterFilter): Wanted => ({
  customer: filter.customer,
  deliveryId: filter.deliveryId,
  jobId: filter.jobId,
  host: filter.host,
  since: filter.since,
  until: filter.until
})

/** The row behind which a cursor goes on; `undefined` for one of nobody's making. */
const placeOf = (cursor: string | undefined, start: number): number | undefined => {
  const place = cursor === undefined ? start : Number(cursor)
  return Number.isSafeInteger(place) ? place : undefined
}

/** A cursor of nobody's making selects nothing. */
const listingOf = (filter: JobFilter): Listing | undefined => {
  const below = placeOf(filter.cursor, Number.MAX_SAFE_INTEGER)
  if (below === undefined) return undefined
  return {
    customer: filter.customer,
    states: filter.states ?? states,
    deliveryStates: filter.deliveryStates,
    lane: filter.lane,
    account: filter.account,
    createdFrom: filter.createdFrom,
    createdTo: filter.createdTo,
    metadata: Object.entries(filter.metadata ?? {}),
    below,
    limit: Math.min(Math.max(1, Math.trunc(filter.limit)), 200)
  }
}

/** Reads what the database answered; a row that makes no sense is the store's failure, not the caller's. */
const reader = <S extends Schema.ConstraintDecoder<unknown>, A>(schema: S, convert: (row: S["Type"]) => A) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (row: unknown): Effect.Effect<A, StorageFailed> =>
    decode(row).pipe(
      Effect.mapError(
        ({ issue }) => new StorageFailed({ detail: `a row cannot be read at ${invalid("", issue).field}` })
      ),
      Effect.map(convert)
    )
}

const readJob = reader(Rows.LoadedJob, Rows.toJob)
const readOptionalJob = (row: unknown) => (row === undefined ? Effect.succeed(undefined) : readJob(row))
const readTickets = reader(Schema.Array(LaneRows.LoadedTicket), (rows) => rows.map(LaneRows.toTicket))
const readDeliveries = reader(Schema.Array(LaneRows.LoadedDelivery), (rows) => rows.map(LaneRows.toDelivery))
const readDueDeliveries = reader(Schema.Array(LaneRows.LoadedDueDelivery), (rows) => rows.map(LaneRows.toDueDelivery))
const readDeadLetters = reader(Schema.Array(LaneRows.LoadedDeadLetter), (rows) => rows.map(LaneRows.toDeadLetter))
const readEndpoints = reader(Schema.Array(LaneRows.LoadedEndpoint), (rows) => rows.map(LaneRows.toEndpoint))
const readPaces = reader(Schema.Array(LaneRows.LoadedPace), (rows) => rows.map(LaneRows.toPace))
const readSetting = reader(Schema.UndefinedOr(Schema.Struct({ value: Schema.String })), (row) => row?.value)
const readEverySecret = reader(
  Schema.Array(Schema.Struct({ customer: Schema.String, ...LaneRows.LoadedSecrets.fields })),
  (rows) => rows.map(({ customer, ...row }) => ({ customer, ...LaneRows.toSecrets(row) }))
)
const readSecrets = reader(Schema.UndefinedOr(LaneRows.LoadedSecrets), (row) => row && LaneRows.toSecrets(row))
const readTrust = reader(Schema.UndefinedOr(LaneRows.LoadedTrust), (row) => row && LaneRows.toTrust(row))
const readTrusts = reader(Schema.Array(LaneRows.LoadedTrust), (rows) => rows.map(LaneRows.toTrust))
const readSteering = reader(Schema.Array(Steering.LoadedSteering), (rows) => rows.map(Steering.toSteering))
const readLog = reader(Schema.Array(Steering.LoadedEntry), (rows) => rows.map(Steering.toEntry))
const readLanes = reader(Schema.Array(Schema.Struct({ lane: Schema.String })), (rows) => rows.map(({ lane }) => lane))
const readAccounts = reader(Schema.Array(Schema.Struct({ account: Schema.String })), (rows) =>
  rows.map(({ account }) => account)
)
const readDeliveryState = reader(Rows.LoadedJob.fields.job.fields.delivery_state, (state) => state)
