/**
 * The whole store over any database that answers the commands: rows are written and read here, statements elsewhere.
 *
 * Jobs stored just now are kept in memory until their first start (`Fresh`), which is right only where one process owns
 * the database; one with several owners is given none.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { states } from "../../engine/JobState.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import { credentialsDiffer } from "../job/JobKey.ts"
import { classes, means } from "../job/LaneName.ts"
import * as Filing from "../store/Filing.ts"
import type { Crowded, Enqueued, JobFilter, JobPort } from "../store/JobRecords.ts"
import type { JoinPort, Moved } from "../store/JoinRecords.ts"
import type { Store } from "../store/JobStore.ts"
import { StaleEpoch, type StoreError } from "../store/StoreError.ts"
import type { UpkeepPort } from "../store/Upkeep.ts"
import { batchPort } from "./BatchRows.ts"
import type { JobInsert, Listing, LoadedJob } from "./Commands.ts"
import { credentialPort } from "./CredentialRows.ts"
import type { Executor } from "./Running.ts"
import { deliveryPort } from "./DeliveryRows.ts"
import { failurePort } from "./FailureRows.ts"
import * as Fresh from "./Fresh.ts"
import { historyPort } from "./HistoryRows.ts"
import * as JobRows from "./JobRows.ts"
import { lanePort } from "./LaneRows.ts"
import { encodeDraws, limitPort } from "./LimitRows.ts"
import { noticePort } from "./NoticeRows.ts"
import { orderPort } from "./OrderRows.ts"
import { placeOf, reader } from "./Reader.ts"
import { schedulePort } from "./ScheduleRows.ts"
import { secretPort } from "./SecretRows.ts"
import { trustPort } from "./TrustRows.ts"

/** How a store differs from the usual one. */
export interface RowStoreOptions {
  /** What keeps jobs until their first start. */
  readonly fresh?: Fresh.Fresh | undefined
  /** Headers that are credentials beside those that always are. Defaults to none. */
  readonly credentials?: ReadonlyArray<string> | undefined
}

/** Makes a store over an executor. */
export const over = (run: Executor, { credentials, fresh = Fresh.make(freshBytes) }: RowStoreOptions = {}): Store => ({
  ...filingPort(run, { fresh, credentials }),
  ...jobPort(run, fresh),
  ...batchPort(run, readJob),
  ...failurePort(run),
  ...deliveryPort(run),
  ...lanePort(run),
  ...limitPort(run),
  ...schedulePort(run),
  ...orderPort(run),
  ...historyPort(run),
  ...secretPort(run),
  ...credentialPort(run),
  ...trustPort(run),
  ...noticePort(run),
  ...upkeepPort(run)
})

/** Stored jobs that are kept in memory until their start: their steps as JSON, and about as much for the rest. */
const freshBytes = 8 * 1024 * 1024
const freshOverhead = 1024

type First = LoadedJob | "behind" | undefined

/** Files jobs: in a fiber, and where the executor can do that without one. */
const filingPort = (
  run: Executor,
  { credentials, fresh }: RowStoreOptions & { readonly fresh: Fresh.Fresh }
): Pick<JobPort & JoinPort, "enqueue" | "enqueueBelow" | "enqueueOver"> => {
  const { begin } = run
  const found = (job: NewJob, first: LoadedJob): Effect.Effect<Enqueued, StoreError> =>
    Effect.map(readJob(first), (known) => compare(job, known, credentials))
  const filed = (job: NewJob, insert: JobInsert, first: First) =>
    first === undefined || first === "behind" ? stored(fresh, job, insert, first) : found(job, first)
  const filedBelow = (job: NewJob, insert: JobInsert, first: First | number) =>
    typeof first === "number"
      ? Effect.succeed<Enqueued | Crowded>({ _tag: "Crowded", jobs: first })
      : filed(job, insert, first)
  return {
    enqueue: Filing.begunBy(
      (job) =>
        Effect.suspend(() => {
          const insert = JobRows.encodeJob(job)
          return Effect.flatMap(run("enqueue", insert), (first) => asEffect(filed(job, insert, first)))
        }),
      begin &&
        ((done, job) => {
          const insert = JobRows.encodeJob(job)
          begin((first) => done(orFailed(first, (row) => filed(job, insert, row))), "enqueue", insert)
        })
    ),
    enqueueBelow: Filing.begunBy<[number], Enqueued | Crowded, StoreError>(
      (job, most) =>
        Effect.suspend(() => {
          const insert = JobRows.encodeJob(job)
          return Effect.flatMap(run("enqueueBelow", insert, most), (first) => asEffect(filedBelow(job, insert, first)))
        }),
      begin &&
        ((done, job, most) => {
          const insert = JobRows.encodeJob(job)
          begin((first) => done(orFailed(first, (row) => filedBelow(job, insert, row))), "enqueueBelow", insert, most)
        })
    ),
    enqueueOver: (job, over, most) =>
      Effect.suspend(() => {
        const insert = JobRows.encodeJob(job)
        // it will not be started
        if (over !== undefined) fresh.take(over.id)
        const finish = over && { id: over.id, finish: JobRows.encodeFinish(over.finish) }
        return Effect.flatMap(
          run("enqueueOver", insert, finish ?? null, most ?? null),
          (first): Effect.Effect<Enqueued | Crowded | Moved, StoreError> =>
            first === "moved" ? Effect.succeed({ _tag: "Moved" }) : asEffect(filedBelow(job, insert, first))
        )
      })
  }
}

const asEffect = <A>(
  filed: Filing.Stored | Effect.Effect<A, StoreError>
): Effect.Effect<A | Filing.Stored, StoreError> => (Effect.isEffect(filed) ? filed : Effect.succeed(filed))

const orFailed = <A, B>(
  answer: Result.Result<A, StoreError>,
  filed: (value: A) => Filing.Stored | Effect.Effect<B, StoreError>
): Filing.Stored | Effect.Effect<B, StoreError> =>
  Result.isFailure(answer) ? Effect.fail(answer.failure) : filed(answer.success)

const jobPort = (
  run: Executor,
  fresh: Fresh.Fresh
): Omit<JobPort & JoinPort, "enqueue" | "enqueueBelow" | "enqueueOver"> => ({
  debounced: (customer, key) => run("debounced", customer, key),
  following: (leaderId, limit) => run("following", leaderId, limit),
  get: (id) => Effect.flatMap(run("get", id), readOptionalJob),
  list: (filter) => {
    const listing = listingOf(filter)
    if (listing === undefined) return Effect.succeed({ jobs: [], cursor: undefined })
    return Effect.flatMap(run("list", listing), ({ jobs, next }) =>
      Effect.map(Effect.forEach(jobs, readJob), (page) => ({ jobs: page, cursor: next?.toString() }))
    )
  },
  count: (filter) => {
    const listing = listingOf({ ...filter, cursor: undefined, limit: 1 })
    return listing === undefined ? Effect.succeed({ jobs: 0, isExact: true }) : run("count", listing)
  },
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
  park: (id, epoch, { next, ...parking }) =>
    orStale(
      id,
      run("park", id, epoch, {
        ...parking,
        next: next && [next.lane, next.queue, encodeDraws(next.draws) ?? null]
      })
    ),
  hasten: (id, now) => run("hasten", id, now),
  change: ({ isRetimed, job, now, revision }) =>
    Effect.suspend(() => {
      // what is kept for its start is not what it is any more
      fresh.take(job.id)
      return run("change", job.id, JobRows.encodeChange({ isRetimed, job, now, revision }))
    }),
  lift: (lane, now) => run("lift", lane, now),
  finish: (id, epoch, finish) =>
    Effect.suspend(() =>
      Effect.flatMap(run("finish", id, epoch, JobRows.encodeFinish(finish)), (areOpen) =>
        areOpen === undefined ? Effect.fail(new StaleEpoch({ jobId: id })) : Effect.succeed(areOpen)
      )
    ),
  finishIdle: (id, finish) =>
    Effect.suspend(() => {
      // it will not be started
      fresh.take(id)
      return run("finishIdle", id, JobRows.encodeFinish(finish))
    }),
  deleteEnded: (ids) => run("deleteEnded", JSON.stringify(ids)),
  // the log holds what stood there before
  erase: (id, at) => Effect.tap(run("erase", id, at), () => run("foldLog"))
})

const upkeepPort = (run: Executor): UpkeepPort => ({
  recover: run("recover"),
  release: (now) => run("release", now),
  shiftPauses: (millis) => run("shiftPauses", millis),
  overdue: (now, limit) => run("overdue", now, limit),
  sweep: (endedBefore, limit) => run("sweep", endedBefore, limit),
  fillTexts: (jobs) => run("fillTexts", jobs),
  stats: run("stats")
})

const stored = (fresh: Fresh.Fresh, job: NewJob, insert: JobInsert, place: "behind" | undefined): Filing.Stored => {
  const state = place === undefined ? insert.state : "scheduled"
  if (state === "queued") fresh.add(job, insert.step.length + freshOverhead)
  return { _tag: "Stored", state }
}

/** `Enqueued` of a key that is known. */
export type Met<Known> =
  | Extract<Enqueued, { readonly _tag: "Conflict" | "CredentialsDiffer" }>
  | { readonly _tag: "Duplicate"; readonly job: Known }

/** What a job is to the one that has its key already. */
export const compare = <Known extends NewJob>(
  job: NewJob,
  known: Known,
  credentials: ReadonlyArray<string> | undefined
): Met<Known> => {
  if (job.dialect === "cloud" && job.keyGiven && known.payload !== job.payload) {
    return { _tag: "Conflict", jobId: known.id }
  }
  // a hash is not a key of whoever is somebody else, in whichever order the two come
  return (!job.keyGiven || !known.keyGiven) && credentialsDiffer(job.step.request, known.step.request, credentials)
    ? { _tag: "CredentialsDiffer", jobId: known.id }
    : { _tag: "Duplicate", job: known }
}

const orStale = (
  jobId: string,
  done: Effect.Effect<boolean, StoreError>
): Effect.Effect<void, StoreError | StaleEpoch> =>
  Effect.flatMap(done, (isDone) => (isDone ? Effect.void : Effect.fail(new StaleEpoch({ jobId }))))

/** The narrower of two names; the name of a host means all its lanes. */
const narrower = (one: string | undefined, other: string | undefined): string | undefined => {
  if (one === undefined || other === undefined) return one ?? other
  return means(one, other) ? other : means(other, one) ? one : nowhere
}

/** No lane has this name. */
const nowhere = ""

/** A cursor of nobody's making selects nothing, and neither do two lanes at once. */
const listingOf = (filter: JobFilter): Listing | undefined => {
  const { oldestFirst = false, search } = filter
  const behind = placeOf(filter.cursor, oldestFirst ? 0 : Number.MAX_SAFE_INTEGER)
  const lane = narrower(filter.lane, search?.lane)
  if (behind === undefined || lane === nowhere) return undefined
  return {
    customer: filter.customer,
    states: filter.states ?? states,
    deliveryStates: filter.deliveryStates,
    lane,
    host: search?.host,
    id: search?.id,
    path: search?.path,
    texts: search?.texts ?? [],
    account: filter.account,
    parent: filter.parent,
    rerunOf: filter.rerunOf,
    order: filter.order,
    priority: filter.priority && (filter.priority === "normal" ? "" : classes[filter.priority]),
    batch: filter.batch,
    createdFrom: filter.createdFrom,
    createdTo: filter.createdTo,
    metadata: [...Object.entries(filter.metadata ?? {}), ...(search?.metadata ?? [])],
    oldestFirst,
    behind,
    limit: Math.min(Math.max(1, Math.trunc(filter.limit)), 200)
  }
}

const readWhole = reader(JobRows.LoadedJob, JobRows.toJob)

const readDamaged = reader(JobRows.DamagedJob, (row) => row)

/** A job that makes no sense is still there: whoever is to run it ends it, and nobody else's page fails because of it. */
const readJob = (row: unknown): Effect.Effect<StoredJob, StoreError> =>
  readWhole(row).pipe(
    Effect.catch(({ detail }) => Effect.map(readDamaged(row), (damaged) => JobRows.toDamaged(damaged, detail)))
  )

const readOptionalJob = (row: unknown) => (row === undefined ? Effect.succeed(undefined) : readJob(row))
