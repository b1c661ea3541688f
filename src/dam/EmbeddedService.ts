/** The dam as a client's service, in process: the same port that the remote EZThrottle implements over HTTP. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { isTerminal } from "../engine/JobState.ts"
import type { FailureFilter, Failures, Job, JobFilter, JobPage, JobResult, Service } from "../run/Service.ts"
import { JobNotFound, ServiceError, WrongJobState } from "../run/Service.ts"
import type { Failure } from "../step/Failure.ts"
import { JobRefused, ServiceFailed, ServiceRateLimited, TransportError } from "../step/Failure.ts"
import type { Receipt } from "../step/Reply.ts"
import type { Step } from "../step/StepModel.ts"
import type { Delegation } from "../transport/HttpTransport.ts"
import * as Views from "./api/JobShapes.ts"
import { breachIn, breachOfLimits, breachOfTree, jobOf } from "./intake/InProcess.ts"
import type { Limits } from "./intake/Limits.ts"
import { credentialsDiffer, type Refused } from "./intake/Refusal.ts"
import type { StoredJob } from "./job/Job.ts"
import * as Search from "./job/Search.ts"
import { localCustomer } from "./job/JobKey.ts"
import * as Secrets from "./secrets/Secrets.ts"
import type { DeliveryPort } from "./store/DeliveryRecords.ts"
import type { FailurePort } from "./store/FailureRecords.ts"
import type { JobPort } from "./store/JobRecords.ts"
import type { SecretPort } from "./store/SecretRecords.ts"
import type { StoreError } from "./store/StoreError.ts"
import type { Overloaded } from "./work/Admission.ts"
import * as ClientCredentials from "./work/ClientCredentials.ts"
import * as ClientOrders from "./work/ClientOrders.ts"
import * as ClientSchedules from "./work/ClientSchedules.ts"
import { traceIdOf } from "./observe/Tracing.ts"
import type { Engine } from "./work/Engine.ts"
import * as Erasing from "./work/Erasing.ts"
import * as ManyInProcess from "./work/ManyInProcess.ts"
import * as ServiceChange from "./work/ServiceChange.ts"
import type { WrongState } from "./work/WrongState.ts"

/** What the service works with. */
interface Parts {
  readonly engine: Engine["Service"]
  readonly store: JobPort & FailurePort & SecretPort & Pick<DeliveryPort, "deliveries">
  readonly limits: Limits | undefined
  /** Headers that are credentials beside those that always are. */
  readonly credentials: ReadonlyArray<string> | undefined
}

/** Makes the service over a dam at work. */
export const make = (
  engine: Parts["engine"],
  store: Parts["store"],
  limits?: Limits,
  credentials?: ReadonlyArray<string>
): Service["Service"] => {
  const parts: Parts = { engine, store, limits, credentials }
  return {
    transport: { kind: "delegating", submit: (delegation) => submit(parts, delegation) },
    results: { await: (jobId) => awaitResult(parts, jobId) },
    job: (jobId) => Effect.flatMap(find(parts, jobId), (job) => show(parts, job)),
    explain: (jobId) => Effect.flatMap(find(parts, jobId), (job) => Secrets.inService(engine.explain(job))),
    runNow: (jobId) => changed(parts, jobId, engine.runNow),
    change: (jobId, change) =>
      Effect.flatMap(find(parts, jobId), (job) =>
        Effect.flatMap(ServiceChange.change(engine, limits, job, change), (after) => show(parts, after))
      ),
    cancel: (jobId) => changed(parts, jobId, engine.cancel),
    rerun: (jobId) => rerun(parts, jobId),
    erase: (jobId) => changed(parts, jobId, (job) => Erasing.erase(store, job)),
    list: (filter) => list(parts, filter),
    failures: (filter) => failures(parts, filter),
    many: ManyInProcess.make(parts),
    secrets: Secrets.make(store, localCustomer),
    schedules: ClientSchedules.make(engine.schedules, (step, now) => breachOfStep(parts, step, now)),
    credentials: ClientCredentials.make(engine),
    orders: ClientOrders.make(engine.orders)
  }
}

const submit = Effect.fnUntraced(function* (parts: Parts, delegation: Delegation) {
  const { credentials, engine } = parts
  const job = yield* jobOf(delegation, credentials)
  const breach = breachOfStep(parts, delegation.step, job.createdAt)
  if (breach !== undefined) return yield* refusal(breach.status, breach.problem)
  const enqueued = yield* Effect.mapError(
    engine.submit(job),
    (error) => new TransportError({ reason: failureOf(error, job.createdAt) })
  )
  switch (enqueued._tag) {
    case "Stored":
      return receiptOf(Views.accepted(job), job.id, job.key, false)
    case "Duplicate":
      return receiptOf(Views.duplicate(enqueued.job), enqueued.job.id, enqueued.job.key, true)
    case "Conflict":
      return yield* refusal(422, `the key names job ${enqueued.jobId}, which has another URL, method or body`)
    case "CredentialsDiffer":
      return yield* refusal(422, credentialsDiffer(enqueued.jobId))
  }
})

const refusal = (status: number, received: string) =>
  new TransportError({ reason: new JobRefused({ status, received }) })

const find = ({ store }: Parts, jobId: string): Effect.Effect<StoredJob, ServiceError> =>
  Effect.flatMap(Secrets.inService(store.get(jobId)), (job) =>
    job === undefined ? Effect.fail(new ServiceError({ reason: new JobNotFound({ jobId }) })) : Effect.succeed(job)
  )

const show = ({ store }: Parts, job: StoredJob): Effect.Effect<Job, ServiceError> =>
  Effect.map(Secrets.inService(store.deliveries(job.id)), (deliveries) => ({
    jobId: job.id,
    status: job.state,
    answer: Views.whole(job, { deliveries, traceId: traceIdOf(job) })
  }))

const awaitResult = Effect.fnUntraced(function* (
  parts: Parts,
  jobId: string
): Effect.fn.Return<JobResult, ServiceError> {
  while (true) {
    const result = yield* lookAndListen(parts, jobId)
    if (result !== undefined) return result
  }
})

/** The result, or nothing when the job went on or the reader was cut off: then it is looked again. */
const lookAndListen = (parts: Parts, jobId: string): Effect.Effect<JobResult | undefined, ServiceError> =>
  Effect.scoped(
    Effect.gen(function* () {
      // listening begins before looking, so that no end falls between the two
      const events = Stream.runDrain(parts.engine.events(jobId))
      const listening = yield* Effect.forkScoped(events, { startImmediately: true })
      const job = yield* find(parts, jobId)
      if (isTerminal(job.state)) return resultOf(job)
      yield* Fiber.await(listening)
      return undefined
    })
  )

/** Does something to a job, and shows what has become of it. */
const changed = Effect.fnUntraced(function* (
  parts: Parts,
  jobId: string,
  change: (job: StoredJob) => Effect.Effect<StoredJob, StoreError | WrongState>
): Effect.fn.Return<Job, ServiceError> {
  return yield* show(parts, yield* allowed(change(yield* find(parts, jobId))))
})

const rerun = Effect.fnUntraced(function* (parts: Parts, jobId: string): Effect.fn.Return<Job, ServiceError> {
  const made = yield* allowed(parts.engine.rerun(yield* find(parts, jobId)))
  return { jobId: made.id, status: "queued", answer: Views.accepted(made) }
})

const list = (
  { store }: Parts,
  { deliveryStatus, limit = 50, q, sort, status, ...filter }: JobFilter = {}
): Effect.Effect<JobPage, ServiceError> => {
  const wanted = {
    ...filter,
    customer: localCustomer,
    states: status,
    deliveryStates: deliveryStatus,
    search: q === undefined ? undefined : Search.parse(q),
    oldestFirst: sort === "oldest",
    limit
  }
  return Effect.map(Secrets.inService(store.list(wanted)), ({ cursor, jobs }) => ({
    jobs: jobs.map((job) => ({ jobId: job.id, status: job.state, answer: Views.summary(job) })),
    cursor
  }))
}

const failures = (
  { store }: Parts,
  { host, limit = 50, sort = "newest", ...window }: FailureFilter = {}
): Effect.Effect<Failures, ServiceError> =>
  Effect.map(
    Secrets.inService(store.failures({ ...window, customer: localCustomer, host: host?.toLowerCase(), sort, limit })),
    ({ groupCount, groups, isExact, lookedAt, since }) => ({
      failures: groups.map(({ newest, ...group }) => ({
        lane: group.lane,
        responseStatus: group.status,
        errorTag: group.tag,
        errorKind: group.kind,
        error: newest.message,
        jobs: group.jobs,
        firstSeen: group.firstAt,
        lastSeen: group.lastAt,
        newestJobId: newest.id
      })),
      groups: groupCount,
      seen: { jobs: lookedAt, isExact, since }
    })
  )

/** What the dam will not do, as a client of its service is told. */
const allowed = <A>(done: Effect.Effect<A, StoreError | Overloaded | WrongState>): Effect.Effect<A, ServiceError> =>
  done.pipe(
    Effect.catch((error) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(new ServiceError({ reason: reasonOf(error, now) })))
    )
  )

const reasonOf = (error: StoreError | Overloaded | WrongState, now: number): Failure | WrongJobState =>
  error._tag === "WrongState" ? new WrongJobState({ jobId: error.jobId, detail: error.message }) : failureOf(error, now)

/** A service that is built when it is first used. */
export const lazily = (service: Effect.Effect<Service["Service"], StoreError>): Service["Service"] => {
  const started = Secrets.inService(service)
  const use = <A>(call: (it: Service["Service"]) => Effect.Effect<A, ServiceError>) => Effect.flatMap(started, call)
  return {
    transport: {
      kind: "delegating",
      submit: (delegation) =>
        Effect.flatMap(
          Effect.mapError(service, (error) => new TransportError({ reason: failureOf(error, 0) })),
          ({ transport }) => transport.submit(delegation)
        )
    },
    results: { await: (jobId) => use(({ results }) => results.await(jobId)) },
    job: (jobId) => use(({ job }) => job(jobId)),
    explain: (jobId) => use(({ explain }) => explain(jobId)),
    runNow: (jobId) => use(({ runNow }) => runNow(jobId)),
    change: (jobId, change) => use((of) => of.change(jobId, change)),
    cancel: (jobId) => use(({ cancel }) => cancel(jobId)),
    rerun: (jobId) => use(({ rerun }) => rerun(jobId)),
    erase: (jobId) => use(({ erase }) => erase(jobId)),
    list: (filter) => use(({ list }) => list(filter)),
    failures: (filter) => use(({ failures }) => failures(filter)),
    many: {
      sendBatch: (part) => use(({ many }) => many.sendBatch(part)),
      batch: (id) => use(({ many }) => many.batch(id)),
      awaitBatch: (id) => use(({ many }) => many.awaitBatch(id)),
      cancelBatch: (id) => use(({ many }) => many.cancelBatch(id)),
      rerunBatch: (id) => use(({ many }) => many.rerunBatch(id)),
      bulk: (request) => use(({ many }) => many.bulk(request))
    },
    secrets: {
      create: (primary, secondary) => use(({ secrets }) => secrets.create(primary, secondary)),
      get: use(({ secrets }) => secrets.get),
      delete: use(({ secrets }) => secrets.delete),
      rotate: (next, old) => use(({ secrets }) => secrets.rotate(next, old))
    },
    schedules: ClientSchedules.lazily((call) => use(({ schedules }) => call(schedules))),
    credentials: {
      put: (name, credential) => use(({ credentials }) => credentials.put(name, credential)),
      list: use(({ credentials }) => credentials.list),
      delete: (name) => use(({ credentials }) => credentials.delete(name))
    },
    orders: {
      stopped: use(({ orders }) => orders.stopped),
      resume: (key) => use(({ orders }) => orders.resume(key))
    }
  }
}

const breachOfStep = ({ engine, limits }: Parts, step: Step, now: number): Refused | undefined =>
  (limits === undefined ? breachOfTree(step) : breachIn(step, limits, now)) ?? breachOfLimits(step, engine.callLimits)

const receiptOf = (
  answer: ReturnType<typeof Views.accepted>,
  jobId: string,
  idempotentKey: string,
  duplicate: boolean
): Receipt => ({
  _tag: "Receipt",
  jobId,
  status: typeof answer["status"] === "string" ? answer["status"] : "queued",
  idempotentKey,
  duplicate,
  answer
})

const failureOf = (error: StoreError | Overloaded, now: number): Failure =>
  error._tag === "Overloaded"
    ? new ServiceRateLimited({ detail: error.message, retryAt: now + error.retryAfterSeconds * 1000 })
    : new ServiceFailed({ status: 503, received: error.message })

const resultOf = ({ id, key, result, state, step }: StoredJob): JobResult => ({
  jobId: id,
  idempotentKey: key,
  status: state === "succeeded" ? "success" : "failed",
  response: result?.response,
  error: result?.error?.message,
  metadata: step.metadata
})
