/**
 * What a service of ours or theirs offers beside taking steps over: looking at jobs, waiting for results, webhook
 * secrets. The remote EZThrottle implements it over HTTP, the dam in process.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Redacted } from "effect/Redacted"
import type * as Schema from "effect/Schema"
import type { DeliveryState, JobState } from "../engine/JobState.ts"
import { type Failure, TransportError, type Unsendable } from "../step/FailureModel.ts"
import type { Response } from "../step/ReplyModel.ts"
import type { Step } from "../step/StepModel.ts"
import { TaggedError } from "../step/TaggedError.ts"
import type { Delegating } from "../transport/HttpTransport.ts"
import type { Explanation } from "../wire/Explained.ts"
import type { FailureFilter, Failures } from "../wire/FailedJobs.ts"
import type { Schedule, ScheduleOptions } from "../wire/Schedules.ts"
import type { Batch, BatchPart } from "./Batch.ts"
import type { Credential, CredentialNotFound, CredentialOptions, CredentialRefused } from "./Credentials.ts"
import type { Order, OrderNotFound, OrderNotStopped } from "./Orders.ts"
import type { InvalidSchedule, ScheduleNotFound, TooManySchedules } from "./ScheduleErrors.ts"

export type { Batch, BatchOptions, BatchPart } from "./Batch.ts"
export type { Explanation, Reason } from "../wire/Explained.ts"
export type { FailureFilter, FailureGroup, Failures } from "../wire/FailedJobs.ts"
export type { Schedule, ScheduleOptions } from "../wire/Schedules.ts"
export { type Credential, CredentialNotFound, type CredentialOptions, CredentialRefused } from "./Credentials.ts"
export { type Order, OrderNotFound, OrderNotStopped } from "./Orders.ts"
export { InvalidSchedule, ScheduleNotFound, TooManySchedules } from "./ScheduleErrors.ts"

/**
 * A job as the service reports it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Job {
  readonly jobId: string
  /** The state's name as the service gave it. */
  readonly status: string
  /** The service's whole answer, unchanged. */
  readonly answer: { readonly [key: string]: Schema.Json }
}

/**
 * What jobs are listed by; what is left out does not restrict.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobFilter {
  /** Any of these states. */
  readonly status?: ReadonlyArray<JobState> | undefined
  /** Any of these states of what is told about them. */
  readonly deliveryStatus?: ReadonlyArray<DeliveryState> | undefined
  /** A canonical `host:port`. */
  readonly lane?: string | undefined
  readonly account?: string | undefined
  /** The id of the job that started them. */
  readonly parent?: string | undefined
  /** The id of the job that they run again. */
  readonly rerunOf?: string | undefined
  /** The key of the order that they stand in. */
  readonly order?: string | undefined
  readonly priority?: "high" | "normal" | "low" | undefined
  /** The id of the batch that they were handed in with. */
  readonly batch?: string | undefined
  /** Epoch milliseconds. */
  readonly createdFrom?: number | undefined
  /** Epoch milliseconds. */
  readonly createdTo?: number | undefined
  /** Top-level fields of the metadata that must equal these texts. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /**
   * What a person would type: the beginning of an id, a host with or without a path, `name=value` of metadata, and text
   * of the URL or of the error. All of it must hold.
   */
  readonly q?: string | undefined
  /** Defaults to `newest`, which come first. */
  readonly sort?: "newest" | "oldest" | undefined
  /** The `cursor` of the page before. */
  readonly cursor?: string | undefined
  /** 1 to 200. Defaults to 50. */
  readonly limit?: number | undefined
}

/**
 * What is changed of a job that waits: what is left out stays as it is, `null` takes it away.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobChange {
  readonly priority?: "high" | "normal" | "low" | null | undefined
  /** Epoch milliseconds before which it shall not start. */
  readonly retryAt?: number | null | undefined
  /** Milliseconds from now, in place of `retryAt`. */
  readonly delayMs?: number | undefined
  /** Epoch milliseconds before which it must have started. */
  readonly startBefore?: number | null | undefined
  readonly body?: string | null | undefined
  readonly bodyBase64?: string | undefined
  /** By name; what is not named stays. */
  readonly headers?: Readonly<Record<string, string | null>> | undefined
  /** The revision that is meant, as the job tells it. Defaults to whichever it is. */
  readonly revision?: number | undefined
}

/**
 * Some jobs, in the order that was asked for. A search may answer a short or empty page that has a `cursor`.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobPage {
  readonly jobs: ReadonlyArray<Job>
  /** Where the next page begins; `undefined` after the last. */
  readonly cursor: string | undefined
}

/**
 * The final result of a job. A failed job is a result too.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobResult {
  readonly jobId: string
  readonly idempotentKey: string | undefined
  readonly status: "success" | "failed"
  /** `undefined` when the target never answered. */
  readonly response: Response | undefined
  /** Why there is no response, or why the job failed, when the service says so. */
  readonly error: string | undefined
  readonly metadata: { readonly [key: string]: Schema.Json }
}

/**
 * Webhook secrets as the service shows them: masked.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookSecrets {
  readonly customerId: string
  readonly primarySecret: string
  readonly secondarySecret: string | undefined
  readonly hasSecondary: boolean
}

/**
 * The service knows no such job.
 *
 * @category errors
 * @since 0.1.0
 */
export class JobNotFound extends TaggedError("JobNotFound")<{ readonly jobId: string }> {
  override get message() {
    return `EZThrottle knows no job ${this.jobId}`
  }
}

/**
 * Nothing here can learn the result: the service has no route for it and no receiver is configured.
 *
 * @category errors
 * @since 0.1.0
 */
export class CannotAwait extends TaggedError("CannotAwait")<{ readonly jobId: string }> {
  override get message() {
    return `The service does not tell the result of job ${this.jobId}; configure a webhook receiver, or use a dam`
  }
}

/**
 * The service has no such operation: EZThrottle Cloud does less than a dam.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotOffered extends TaggedError("NotOffered")<{ readonly operation: string }> {
  override get message() {
    return `The service does not offer ${this.operation}; a dam does`
  }
}

/**
 * The job is in a state in which this cannot be done: one that has ended is not cancelled, one that has not is not run
 * again.
 *
 * @category errors
 * @since 0.1.0
 */
export class WrongJobState extends TaggedError("WrongJobState")<{
  readonly jobId: string
  readonly detail: string
}> {
  override get message() {
    return this.detail
  }
}

/**
 * The result did not come within the time given. The job goes on.
 *
 * @category errors
 * @since 0.1.0
 */
export class AwaitTimedOut extends TaggedError("AwaitTimedOut")<{
  readonly jobId: string
  readonly afterMillis: number
}> {
  override get message() {
    return `Timeout waiting for job ${this.jobId}`
  }
}

/**
 * No webhook secret is set.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoSecrets extends TaggedError("NoSecrets") {
  override get message() {
    return "No webhook secrets configured. Call createWebhookSecret() first."
  }
}

/**
 * Rotation needs the old secret, and the service shows it masked only.
 *
 * @category errors
 * @since 0.1.0
 */
export class OldSecretUnknown extends TaggedError("OldSecretUnknown") {
  override get message() {
    return "The old secret is unknown here: pass it as the second argument, or set it with this client first"
  }
}

/**
 * A webhook secret that the protocol does not allow.
 *
 * @category errors
 * @since 0.1.0
 */
export class WeakSecret extends TaggedError("WeakSecret")<{ readonly problem: string }> {
  override get message() {
    return this.problem
  }
}

/**
 * The service knows no such batch.
 *
 * @category errors
 * @since 0.1.0
 */
export class BatchNotFound extends TaggedError("BatchNotFound")<{ readonly batchId: string }> {
  override get message() {
    return `The service knows no batch ${this.batchId}`
  }
}

/**
 * A call to the service failed; `reason` says why.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServiceError extends TaggedError("ServiceError")<{
  readonly reason:
    | Failure
    | JobNotFound
    | CannotAwait
    | NotOffered
    | WrongJobState
    | BatchNotFound
    | AwaitTimedOut
    | NoSecrets
    | OldSecretUnknown
    | WeakSecret
    | InvalidSchedule
    | ScheduleNotFound
    | TooManySchedules
    | CredentialRefused
    | CredentialNotFound
    | OrderNotFound
    | OrderNotStopped
}> {
  override get message() {
    return this.reason.message
  }
}

/**
 * What is done to many jobs.
 *
 * @category models
 * @since 0.1.0
 */
export interface BulkRequest {
  readonly action: "cancel" | "rerun" | "delete"
  /** Which jobs. An empty one is all of them. */
  readonly filter: Omit<JobFilter, "cursor" | "limit" | "sort">
  /** Only tells how many there are, and shows some. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
  /** Where to go on, as the answer before said. */
  readonly cursor?: string | undefined
}

/**
 * What was done to many jobs.
 *
 * @category models
 * @since 0.1.0
 */
export interface BulkDone {
  /** To how many it was done; of a dry run, to how many it would be. */
  readonly jobs: number
  /** `false` where there are at least so many. */
  readonly isExact: boolean
  /** To how many it could not be done: they were in another state by then. */
  readonly skipped: number
  readonly examples: ReadonlyArray<Job>
  /** Where to go on, for time was up; `undefined` when all is done. */
  readonly cursor: string | undefined
}

/**
 * What a service does with jobs by the thousand. EZThrottle Cloud does none of it, and fails with `NotOffered`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ManyJobs {
  /** Hands over some steps of a batch. Those that it has already are not taken twice. */
  readonly sendBatch: (part: BatchPart) => Effect.Effect<Batch, ServiceError>
  readonly batch: (batchId: string) => Effect.Effect<Batch, ServiceError>
  /** Waits until all jobs of a batch have ended, and what its end starts is there. */
  readonly awaitBatch: (batchId: string) => Effect.Effect<Batch, ServiceError>
  /** Takes no step any more, and has its jobs called off. */
  readonly cancelBatch: (batchId: string) => Effect.Effect<Batch, ServiceError>
  /** Has the jobs run again that failed, as a batch of their own, which is answered. */
  readonly rerunBatch: (batchId: string) => Effect.Effect<Batch, ServiceError>
  readonly bulk: (request: BulkRequest) => Effect.Effect<BulkDone, ServiceError>
}

/**
 * Where the result of a job can be learnt: the service itself, or a webhook receiver.
 *
 * @category models
 * @since 0.1.0
 */
export interface ResultSource {
  /** Waits for the final result, however long it takes; interruption ends the wait. */
  readonly await: (jobId: string) => Effect.Effect<JobResult, ServiceError>
}

/**
 * A webhook receiver as a client sees it: it tells results, and may take care of a job's children.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobReceiver extends ResultSource {
  /**
   * Makes a step ready to be handed over: the receiver is told the job's result, and children that are to run here are
   * kept back, stored before this returns. Without it the step goes as it is.
   */
  readonly handOver?: ((step: Step) => Effect.Effect<Step, Unsendable>) | undefined
}

/**
 * The transport of a service whose results go to a receiver.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toldTo = (transport: Delegating, receiver: JobReceiver | undefined): Delegating => {
  const handOver = receiver?.handOver
  return handOver === undefined
    ? transport
    : {
        kind: "delegating",
        submit: (delegation) =>
          handOver(delegation.step).pipe(
            Effect.mapError((reason) => new TransportError({ reason })),
            Effect.flatMap((step) => transport.submit({ ...delegation, step }))
          )
      }
}

/**
 * Webhook secrets. Each at least 16 characters.
 *
 * @category models
 * @since 0.1.0
 */
export interface Secrets {
  readonly create: (
    primary: Redacted<string>,
    secondary?: Redacted<string>
  ) => Effect.Effect<{ readonly status: string; readonly message: string }, ServiceError>
  /** Fails with `NoSecrets` when none is set. */
  readonly get: Effect.Effect<WebhookSecrets, ServiceError>
  readonly delete: Effect.Effect<{ readonly status: string; readonly message: string }, ServiceError>
  /**
   * Makes `next` the primary and keeps the old one as secondary: `old` if given, else the one this client set. Fails
   * with `OldSecretUnknown` when neither is known.
   */
  readonly rotate: (
    next: Redacted<string>,
    old?: Redacted<string>
  ) => Effect.Effect<{ readonly status: string; readonly message: string }, ServiceError>
}

/**
 * Schedules: a job at each moment of a cron expression, or every so long. Only a dam has them; what has none fails with
 * `NotOffered`. About a name that is unknown each fails with `ScheduleNotFound`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Schedules {
  /** Defines one, or all of it anew: it goes on from now, and stays paused if it was. Fails with `InvalidSchedule` or `TooManySchedules`. */
  readonly put: (name: string, schedule: ScheduleOptions) => Effect.Effect<Schedule, ServiceError>
  readonly get: (name: string) => Effect.Effect<Schedule, ServiceError>
  /** All of the caller, by their names. */
  readonly list: Effect.Effect<ReadonlyArray<Schedule>, ServiceError>
  /** Ends one; jobs that it has submitted go on. */
  readonly delete: (name: string) => Effect.Effect<void, ServiceError>
  /** Fires nothing until it is resumed; what waits is dropped. */
  readonly pause: (name: string) => Effect.Effect<Schedule, ServiceError>
  /** Goes on from now; what came in the pause is not made up. */
  readonly resume: (name: string) => Effect.Effect<Schedule, ServiceError>
  /** Submits its job once, whatever its times and its pause say. */
  readonly runNow: (name: string) => Effect.Effect<Schedule, ServiceError>
}

/**
 * Credentials of the caller. Only a dam keeps them, and it shows none of their secrets; what keeps none fails with
 * `NotOffered`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  /** Sets one, all of it, in place of what it was. Fails with `CredentialRefused`. */
  readonly put: (name: string, credential: CredentialOptions) => Effect.Effect<Credential, ServiceError>
  /** All of the caller, by their names. */
  readonly list: Effect.Effect<ReadonlyArray<Credential>, ServiceError>
  /** Deletes one; jobs that name it fail when they are called. Fails with `CredentialNotFound`. */
  readonly delete: (name: string) => Effect.Effect<void, ServiceError>
}

/**
 * Orders of the caller. Only a dam has them; what has none fails with `NotOffered`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Orders {
  /** Those that a failure has stopped, the first thousand by their keys. */
  readonly stopped: Effect.Effect<ReadonlyArray<Order>, ServiceError>
  /** Lets one go on. Fails with `OrderNotFound`, or with `OrderNotStopped`. */
  readonly resume: (key: string) => Effect.Effect<Order, ServiceError>
}

/**
 * A service that runs steps: the remote EZThrottle or an embedded dam.
 *
 * @category services
 * @since 0.1.0
 */
export class Service extends Context.Service<
  Service,
  {
    readonly transport: Delegating
    readonly results: ResultSource
    /** Looks at a job once. */
    readonly job: (jobId: string) => Effect.Effect<Job, ServiceError>
    /** Tells why a job waits and until when. Fails with `NotOffered` where the service cannot. */
    readonly explain: (jobId: string) => Effect.Effect<Explanation, ServiceError>
    /** Lets a job go that is scheduled or parked. Fails with `NotOffered` where the service cannot. */
    readonly runNow: (jobId: string) => Effect.Effect<Job, ServiceError>
    /** Changes a job that waits, and shows it. Fails with `NotOffered` where the service cannot. */
    readonly change: (jobId: string, change: JobChange) => Effect.Effect<Job, ServiceError>
    /** Stops a job that has not ended, and shows it. */
    readonly cancel: (jobId: string) => Effect.Effect<Job, ServiceError>
    /** Files a job that has ended once more; answers the new job. */
    readonly rerun: (jobId: string) => Effect.Effect<Job, ServiceError>
    /** Takes out what an ended job has sent and received, and shows what is left of it. */
    readonly erase: (jobId: string) => Effect.Effect<Job, ServiceError>
    /** A page of jobs. Like the three before it, it fails with `NotOffered` where the service cannot. */
    readonly list: (filter?: JobFilter) => Effect.Effect<JobPage, ServiceError>
    /** Groups failed jobs by host, status and reason. Fails with `NotOffered` where the service cannot. */
    readonly failures: (filter?: FailureFilter) => Effect.Effect<Failures, ServiceError>
    /** Jobs by the thousand. */
    readonly many: ManyJobs
    readonly secrets: Secrets
    readonly schedules: Schedules
    readonly credentials: Credentials
    readonly orders: Orders
  }
>()("ezthrottle-effect/run/Service") {}
