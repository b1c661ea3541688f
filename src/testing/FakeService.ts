/**
 * An EZThrottle in memory: receipts, duplicates, refusals, results and secrets, all in the hands of the test.
 *
 * It answers at once and never calls a target; a job ends when the test says so.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { credentialsIn, hash } from "../engine/Idempotency.ts"
import type { Job as ShownJob, JobResult } from "../run/Service.ts"
import {
  CannotAwait,
  JobNotFound,
  NotOffered,
  OrderNotFound,
  Service,
  ServiceError,
  WrongJobState
} from "../run/Service.ts"
import type { Failure } from "../step/Failure.ts"
import { JobRefused, ServiceDenied, ServiceRateLimited, ServiceUnreachable, TransportError } from "../step/Failure.ts"
import type { Receipt } from "../step/Reply.ts"
import { isSuccess } from "../step/Reply.ts"
import type { Step } from "../step/StepModel.ts"
import { makeStep } from "../step/StepValue.ts"
import type { Delegation } from "../transport/HttpTransport.ts"
import type { JobJson } from "../wire/Job.ts"
import * as Job from "../wire/Job.ts"
import type { ReplyLike } from "./Answer.ts"
import { toResponse } from "./Answer.ts"
import type { DelegationCall } from "./Call.ts"
import { ledger } from "./Call.ts"
import * as Credentials from "./FakeCredentials.ts"
import * as FakeFailures from "./FakeFailures.ts"
import * as Schedules from "./FakeSchedules.ts"
import type { FakeSecrets } from "./FakeSecrets.ts"
import * as Secrets from "./FakeSecrets.ts"

/**
 * A job as the fake keeps it.
 *
 * @category models
 * @since 0.1.0
 */
export interface FakeJob {
  readonly jobId: string
  /** The key it is filed under; under HASH the one the service computes. */
  readonly key: string
  readonly step: Step
  /** What would have been sent. */
  readonly json: JobJson
  /** Epoch milliseconds before which it shall not start. */
  readonly retryAt: number | undefined
  /** `queued` or `racing`, then `succeeded`, `failed` or `cancelled`. */
  readonly status: string
  readonly result: JobResult | undefined
}

/**
 * How the fake is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface FakeServiceOptions {
  /** Whether results can be awaited. `false` answers `CannotAwait`, as the cloud does. Defaults to `true`. */
  readonly tellsResults?: boolean | undefined
  /** What becomes of what only a dam can read. Defaults to `refuse`, as the cloud does; a dam takes it with `send`. */
  readonly extensions?: Job.EncodeOptions["extensions"]
}

/**
 * An EZThrottle in memory, and the test's handles on it.
 *
 * @category services
 * @since 0.1.0
 */
export class FakeService extends Context.Service<
  FakeService,
  Service["Service"] & {
    /** Every submission so far, refused ones included. */
    readonly delegations: Effect.Effect<ReadonlyArray<DelegationCall>>
    /** Every job that was accepted, oldest first. A duplicate is not a job of its own. */
    readonly jobs: Effect.Effect<ReadonlyArray<FakeJob>>
    /** Ends a job with the answer of its target: a 2xx is a success, anything else a failure. */
    readonly complete: (jobId: string, reply: ReplyLike) => Effect.Effect<void>
    /** Ends a job whose target never answered. */
    readonly failJob: (jobId: string, error: string) => Effect.Effect<void>
    /** Answers submissions with a failure: the next `times`, or all until `accept`. */
    readonly failWith: (failure: Failure, times?: number) => Effect.Effect<void>
    /** The plan refuses: not worth repeating. */
    readonly deny: (times?: number) => Effect.Effect<void>
    /** Too many submissions, until a moment in epoch milliseconds when one is given. */
    readonly rateLimit: (retryAt?: number, times?: number) => Effect.Effect<void>
    /** Nobody there. */
    readonly disconnect: (times?: number) => Effect.Effect<void>
    /** Takes submissions again. */
    readonly accept: Effect.Effect<void>
    /** The secrets as a test may see them, and a way to set them behind the client's back. */
    readonly storedSecrets: FakeSecrets
  }
>()("ezthrottle-effect/testing/FakeService") {
  /**
   * Makes a fake with no jobs and no secrets.
   *
   * @category constructors
   * @since 0.1.0
   */
  static readonly make = (options: FakeServiceOptions = {}): Effect.Effect<FakeService["Service"]> =>
    Effect.sync(() => makeUnsafe(options))

  /**
   * A fake, also as the service of a client.
   *
   * @category layers
   * @since 0.1.0
   */
  static readonly layer: Layer.Layer<FakeService | Service> = Layer.effectContext(
    Effect.map(FakeService.make(), (fake) => Context.make(FakeService, fake).pipe(Context.add(Service, fake)))
  )
}

interface Kept {
  job: FakeJob
  endedAt: number
  readonly ended: Deferred.Deferred<JobResult>
}

const who = ({ request }: Step): string => JSON.stringify(credentialsIn(request.headers))

/** What makes two calls under one key the same, whoever makes them. */
const callOf = ({ request }: Step): string => hash({ ...request, headers: {} })

/** The jobs and how they end. */
const makeBook = (options: Job.EncodeOptions) => {
  const kept = new Map<string, Kept>()
  const byKey = new Map<string, Kept>()

  const file = (delegation: Delegation): Result.Result<Receipt, Failure> =>
    Result.flatMap(Job.encode(delegation, options), (json) => {
      const { step } = delegation
      const key = json.idempotent_key ?? hash(step.request)
      const known = byKey.get(key)
      if (known !== undefined) {
        if (key === hash(step.request) && who(known.job.step) !== who(step)) {
          return Result.fail(new JobRefused({ status: 422, received: '{"code":"credentials_differ"}' }))
        }
        return callOf(known.job.step) === callOf(step)
          ? Result.succeed(receiptOf(known.job, true))
          : Result.fail(new JobRefused({ status: 422, received: '{"error":"the key belongs to another call"}' }))
      }
      const job = add(step, key, json)
      const entry = kept.get(job.jobId)
      if (entry !== undefined) byKey.set(key, entry)
      return Result.succeed(receiptOf(job, false))
    })

  const add = (step: Step, key: string, json: JobJson): FakeJob => {
    const jobId = `job-${kept.size + 1}`
    const status = step.regions.length > 1 && step.executionMode === "race" ? "racing" : "queued"
    const job = { jobId, key, step, json, retryAt: json.retry_at, status, result: undefined }
    kept.set(jobId, { job, endedAt: 0, ended: Deferred.makeUnsafe() })
    return job
  }

  const find = (jobId: string): Effect.Effect<Kept, ServiceError> =>
    Effect.suspend(() => {
      const entry = kept.get(jobId)
      return entry === undefined
        ? Effect.fail(new ServiceError({ reason: new JobNotFound({ jobId }) }))
        : Effect.succeed(entry)
    })

  const end = (
    jobId: string,
    result: Pick<JobResult, "error" | "response" | "status">,
    status: string = result.status === "success" ? "succeeded" : "failed"
  ): Effect.Effect<void> =>
    Effect.flatMap(Effect.all([Effect.orDie(find(jobId)), Clock.currentTimeMillis]), ([entry, now]) => {
      if (entry.job.result !== undefined) return Effect.die(new Error(`${jobId} has ended already`))
      const { key, step } = entry.job
      const whole = { jobId, idempotentKey: key, metadata: step.metadata, ...result }
      entry.job = { ...entry.job, status, result: whole }
      entry.endedAt = now
      return Deferred.succeed(entry.ended, whole)
    })

  const failed = Effect.sync(() =>
    [...kept.values()]
      .filter(({ job }) => job.status === "failed")
      .map(({ endedAt, job }) => ({ job, at: endedAt }))
      .toSorted((one, other) => one.at - other.at)
  )
  /** What is erased has neither body nor headers, and its answer neither. */
  const erase = (jobId: string): Effect.Effect<void> =>
    Effect.map(Effect.orDie(find(jobId)), (entry) => {
      const { json, result, step } = entry.job
      const { body: _, headers: __, ...kept } = json
      entry.job = {
        ...entry.job,
        json: kept,
        step: makeStep({ ...step, request: { ...step.request, headers: {}, body: undefined } }),
        result: result && { ...result, response: undefined }
      }
    })

  return { add, erase, file, find, end, failed, all: Effect.sync(() => Array.from(kept.values(), ({ job }) => job)) }
}

/** What submissions are answered with in place of a receipt. */
const makeMood = () => {
  let failing: { readonly failure: Failure; left: number } | undefined
  return {
    failure: () => (failing !== undefined && failing.left-- > 0 ? failing.failure : undefined),
    failWith: (failure: Failure, times: number = Number.POSITIVE_INFINITY) =>
      Effect.sync(() => {
        failing = { failure, left: times }
      }),
    accept: Effect.sync(() => {
      failing = undefined
    })
  }
}

const makeUnsafe = ({ extensions, tellsResults = true }: FakeServiceOptions): FakeService["Service"] => {
  const calls = ledger<Delegation, Receipt>()
  const book = makeBook({ extensions })
  const { all, end, file, find } = book
  const { accept, failWith, failure } = makeMood()
  const storedSecrets = Secrets.make()

  const submit = (delegation: Delegation): Effect.Effect<Receipt, TransportError> =>
    Effect.suspend(() => {
      const refused = failure()
      return Result.match(refused === undefined ? file(delegation) : Result.fail(refused), {
        onFailure: (reason) => Effect.fail(new TransportError({ reason })),
        onSuccess: Effect.succeed
      })
    })

  let firings = 0
  const fire = (step: Step): Effect.Effect<string, ServiceError> =>
    Effect.suspend(() =>
      Result.match(file({ step, key: `firing-${++firings}`, retryAt: undefined }), {
        onFailure: (reason) => Effect.fail(new ServiceError({ reason })),
        onSuccess: ({ jobId }) => Effect.succeed(jobId)
      })
    )

  return {
    transport: { kind: "delegating", submit: (delegation) => calls.note(delegation, submit(delegation)) },
    ...jobVerbs(book),
    results: {
      await: (jobId) =>
        tellsResults
          ? Effect.flatMap(find(jobId), ({ ended }) => Deferred.await(ended))
          : Effect.fail(new ServiceError({ reason: new CannotAwait({ jobId }) }))
    },
    many: { sendBatch: none, batch: none, awaitBatch: none, cancelBatch: none, rerunBatch: none, bulk: none },
    secrets: storedSecrets.secrets,
    schedules: Schedules.make(fire),
    credentials: Credentials.make(),
    // no job of the fake waits for another, so none is stopped
    orders: {
      stopped: Effect.succeed([]),
      resume: (order) => Effect.fail(new ServiceError({ reason: new OrderNotFound({ order }) }))
    },
    storedSecrets,
    delegations: calls.calls,
    jobs: all,
    complete: (jobId, like) =>
      Effect.suspend(() => {
        const response = toResponse(like)
        return end(jobId, { status: isSuccess(response) ? "success" : "failed", response, error: undefined })
      }),
    failJob: (jobId, error) => end(jobId, { status: "failed", response: undefined, error }),
    failWith,
    deny: (times) => failWith(new ServiceDenied({ detail: "quota exceeded" }), times),
    rateLimit: (retryAt, times) => failWith(new ServiceRateLimited({ detail: "too many requests", retryAt }), times),
    disconnect: (times) =>
      failWith(new ServiceUnreachable({ detail: "connection refused", maybeAccepted: false }), times),
    accept
  }
}

/** What is asked of jobs one by one, and of their list. */
const jobVerbs = ({ add, all, end, erase, failed, find }: ReturnType<typeof makeBook>) =>
  ({
    job: (jobId) => Effect.map(find(jobId), ({ job }) => shown(job)),
    explain: (jobId) =>
      Effect.map(find(jobId), ({ job }) => ({
        jobId,
        status: job.status,
        reasons: [],
        estimatedStart: undefined,
        confidence: "unknown"
      })),
    runNow: (jobId) => Effect.map(find(jobId), ({ job }) => shown(job)),
    change: (jobId) =>
      Effect.flatMap(find(jobId), ({ job }) =>
        Effect.fail(wrongState(job, "jobs of the fake do not wait, so none can be changed"))
      ),
    cancel: (jobId) =>
      Effect.flatMap(find(jobId), ({ job }) =>
        job.result === undefined
          ? Effect.as(
              end(jobId, { status: "failed", response: undefined, error: "cancelled" }, "cancelled"),
              shown({ ...job, status: "cancelled" })
            )
          : Effect.fail(wrongState(job, "only a job that has not ended can be cancelled"))
      ),
    rerun: (jobId) =>
      Effect.flatMap(find(jobId), ({ job }) =>
        job.result === undefined
          ? Effect.fail(wrongState(job, "only a finished job can be run again"))
          : Effect.sync(() => shown(add(job.step, job.key, job.json)))
      ),
    erase: (jobId) =>
      Effect.flatMap(find(jobId), ({ job }) =>
        job.result === undefined
          ? Effect.fail(wrongState(job, "only what has ended can be erased: cancel it first"))
          : Effect.as(erase(jobId), shown(job))
      ),
    list: ({ cursor = "0", limit = 50, status } = {}) =>
      Effect.map(all, (jobs) => {
        const from = Number(cursor)
        const found = jobs.toReversed().filter((job) => status?.some((state) => stateOf(job) === state) ?? true)
        return {
          jobs: found.slice(from, from + limit).map((job) => shown(job)),
          cursor: from + limit < found.length ? `${from + limit}` : undefined
        }
      }),
    failures: (filter) => Effect.map(failed, (jobs) => FakeFailures.grouped(jobs, filter))
  }) satisfies Partial<Service["Service"]>

/** The fake has jobs one by one, as the cloud has. */
const none = () => Effect.fail(new ServiceError({ reason: new NotOffered({ operation: "batches of jobs" }) }))

const shown = ({ jobId, key, status }: FakeJob): ShownJob => ({
  jobId,
  status,
  answer: { job_id: jobId, status, idempotent_key: key }
})

// a race is one of the ways to wait
const stateOf = ({ status }: FakeJob): string => (status === "racing" ? "queued" : status)

const wrongState = ({ jobId, status }: FakeJob, wanted: string) =>
  new ServiceError({ reason: new WrongJobState({ jobId, detail: `job ${jobId} is ${status}; ${wanted}` }) })

const receiptOf = ({ jobId, key, status }: FakeJob, duplicate: boolean): Receipt => ({
  _tag: "Receipt",
  jobId,
  status,
  idempotentKey: key,
  duplicate,
  answer: { job_id: jobId, status, idempotent_key: key, ...(duplicate ? { duplicate } : {}) }
})
