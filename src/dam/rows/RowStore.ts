import * as Effect from "effect/Effect"
import { type JobStore } from "../store/JobStore.ts"
import { type DeadLetterFilter } from "../store/DeliveryRecords.ts"
import { type JobFilter, type Enqueued } from "../store/JobRecords.ts"
import { StaleEpoch, type StoreError, StorageFailed } from "../store/StoreError.ts"
import type { Executor, Listing, Wanted } from "./Commands.ts"
import * as Fresh from "./Fresh.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import { states } from "../../engine/JobState.ts"
import * as Schema from "effect/Schema"
import { invalid } from "../../step/InvalidStep.ts"
import * as DeliveryRows from "./DeliveryRows.ts"
import * as JobRows from "./JobRows.ts"
import * as LaneRows from "./LaneRows.ts"
import * as SecretRows from "./SecretRows.ts"
import * as SteeringRows from "./SteeringRows.ts"
import * as TrustRows from "./TrustRows.ts"

export const over = (run: Executor, fresh = Fresh.make(freshBytes)): JobStore["Service"] => ({
  enqueue: (job) =>
    Effect.suspend(() => {
      const insert = JobRows.encodeJob(job)
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
    Effect.suspend(() => orStale(id, run("record", id, epoch, JobRows.encodeAttempt(attempt)))),
  park: (id, epoch, dueAt, heldSince) => orStale(id, run("park", id, epoch, dueAt, heldSince ?? null)),
  finish: (id, epoch, finish) =>
    Effect.suspend(() => orStale(id, run("finish", id, epoch, JobRows.encodeFinish(finish)))),
  finishIdle: (id, finish) =>
    Effect.suspend(() => {
      // it will not be started
      fresh.take(id)
      return run("finishIdle", id, JobRows.encodeFinish(finish))
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
        json: DeliveryRows.encodeDeliveryAttempt(attempt),
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
        secrets.map(({ customer, ...known }) => [customer, ...SecretRows.encodeSecrets(known)] as const),
        settings
      ),
      run("foldLog")
    ),
  setSecrets: (customer, secrets) => {
    const [primary, secondary] = secrets === undefined ? [null, null] : SecretRows.encodeSecrets(secrets)
    return run("setSecrets", customer, primary, secondary)
  },

  takeL8Nonce: (nonce, now, keepMillis, most) => run("takeL8Nonce", nonce, now, keepMillis, most),
  l8Trust: (origin) => Effect.flatMap(run("l8Trust", origin), readTrust),
  l8Trusts: (limit) => Effect.flatMap(run("l8Trusts", limit), readTrusts),
  saveL8Trust: (trust) => run("saveL8Trust", ...TrustRows.encodeTrust(trust)),
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
const readJob = reader(JobRows.LoadedJob, JobRows.toJob)
const readOptionalJob = (row: unknown) => (row === undefined ? Effect.succeed(undefined) : readJob(row))
const readTickets = reader(Schema.Array(LaneRows.LoadedTicket), (rows) => rows.map(LaneRows.toTicket))
const readDeliveries = reader(Schema.Array(DeliveryRows.LoadedDelivery), (rows) => rows.map(DeliveryRows.toDelivery))
const readDueDeliveries = reader(Schema.Array(DeliveryRows.LoadedDueDelivery), (rows) =>
  rows.map(DeliveryRows.toDueDelivery)
)
const readDeadLetters = reader(Schema.Array(DeliveryRows.LoadedDeadLetter), (rows) =>
  rows.map(DeliveryRows.toDeadLetter)
)
const readEndpoints = reader(Schema.Array(DeliveryRows.LoadedEndpoint), (rows) => rows.map(DeliveryRows.toEndpoint))
const readPaces = reader(Schema.Array(LaneRows.LoadedPace), (rows) => rows.map(LaneRows.toPace))
const readSetting = reader(Schema.UndefinedOr(Schema.Struct({ value: Schema.String })), (row) => row?.value)
const readEverySecret = reader(
  Schema.Array(Schema.Struct({ customer: Schema.String, ...SecretRows.LoadedSecrets.fields })),
  (rows) => rows.map(({ customer, ...row }) => ({ customer, ...SecretRows.toSecrets(row) }))
)
const readSecrets = reader(Schema.UndefinedOr(SecretRows.LoadedSecrets), (row) => row && SecretRows.toSecrets(row))
const readTrust = reader(Schema.UndefinedOr(TrustRows.LoadedTrust), (row) => row && TrustRows.toTrust(row))
const readTrusts = reader(Schema.Array(TrustRows.LoadedTrust), (rows) => rows.map(TrustRows.toTrust))
const readSteering = reader(Schema.Array(SteeringRows.LoadedSteering), (rows) => rows.map(SteeringRows.toSteering))
const readLog = reader(Schema.Array(SteeringRows.LoadedEntry), (rows) => rows.map(SteeringRows.toEntry))
const readLanes = reader(Schema.Array(Schema.Struct({ lane: Schema.String })), (rows) => rows.map(({ lane }) => lane))
const readAccounts = reader(Schema.Array(Schema.Struct({ account: Schema.String })), (rows) =>
  rows.map(({ account }) => account)
)
const readDeliveryState = reader(JobRows.LoadedJob.fields.job.fields.delivery_state, (state) => state)
