/**
 * The client: executes steps, hands them over, looks after jobs.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Accepted, Outcome, StepError } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"
import type {
  Batch,
  BulkDone,
  BulkRequest,
  Credentials,
  Explanation,
  FailureFilter,
  Failures,
  Job,
  JobChange,
  JobFilter,
  JobPage,
  JobResult,
  ManyJobs,
  Orders,
  Schedules,
  Secrets
} from "./Service.ts"
import type { ServiceError } from "./Service.ts"
import type { BatchBroken, SubmitAllOptions } from "./SubmitAll.ts"

/**
 * How long `awaitJob` waits.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwaitOptions {
  /** Fails with `AwaitTimedOut` after this. Defaults to 5 minutes; `Duration.infinity` waits for ever. */
  readonly timeout?: Duration.Input | undefined
}

/**
 * Executes steps over the strategies in place.
 *
 * @category services
 * @since 0.1.0
 */
export class EZThrottle extends Context.Service<
  EZThrottle,
  {
    /** Runs a step to its end: `Completed`, `Accepted`, or a `StepError`. Interruption stops all of it. */
    readonly execute: (step: Step) => Effect.Effect<Outcome, StepError>
    /** Hands a step over to the service, whatever its type. */
    readonly submit: (step: Step) => Effect.Effect<Accepted, StepError>
    /** Looks at a job once. */
    readonly job: (jobId: string) => Effect.Effect<Job, ServiceError>
    /** Tells why a job waits and until when. */
    readonly explain: (jobId: string) => Effect.Effect<Explanation, ServiceError>
    /** Lets a job go that is scheduled or parked, whatever it waits for. */
    readonly runNow: (jobId: string) => Effect.Effect<Job, ServiceError>
    readonly change: (jobId: string, change: JobChange) => Effect.Effect<Job, ServiceError>
    /** Stops a job that has not ended, and shows it. */
    readonly cancel: (jobId: string) => Effect.Effect<Job, ServiceError>
    /** Files a job that has ended once more; answers the new job. */
    readonly rerun: (jobId: string) => Effect.Effect<Job, ServiceError>
    /** Takes out what an ended job has sent and received, and shows what is left of it. */
    readonly erase: (jobId: string) => Effect.Effect<Job, ServiceError>
    /** Lists jobs, newest first, a page at a time. */
    readonly list: (filter?: JobFilter) => Effect.Effect<JobPage, ServiceError>
    /** Groups failed jobs by host, status and reason. */
    readonly failures: (filter?: FailureFilter) => Effect.Effect<Failures, ServiceError>
    /** Waits for the result of a job. A failed job is a result too. */
    readonly awaitJob: (jobId: string, options?: AwaitOptions) => Effect.Effect<JobResult, ServiceError>
    /** Jobs by the thousand: batches, and what is done to all jobs that a filter finds. */
    readonly many: ManyJobs
    readonly secrets: Secrets
    /** Jobs at times, of a dam. */
    readonly schedules: Schedules
    /** Credentials that headers name, kept by a dam. */
    readonly credentials: Credentials
    /** Lines of jobs of which one runs at a time, of a dam. */
    readonly orders: Orders
  }
>()("ezthrottle-effect/run/EZThrottle") {}

/**
 * Runs a step to its end over the client in place.
 *
 * @category running
 * @since 0.1.0
 */
export const execute = (step: Step): Effect.Effect<Outcome, StepError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.execute(step))

/**
 * Hands a step over to the service in place, whatever its type.
 *
 * @category running
 * @since 0.1.0
 */
export const submit = (step: Step): Effect.Effect<Accepted, StepError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.submit(step))

/**
 * Looks at a job once.
 *
 * @category running
 * @since 0.1.0
 */
export const job = (jobId: string): Effect.Effect<Job, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.job(jobId))

/**
 * Tells why a job waits and until when.
 *
 * @category running
 * @since 0.1.0
 */
export const explain = (jobId: string): Effect.Effect<Explanation, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.explain(jobId))

/**
 * Lets a job go that is scheduled or parked, whatever it waits for; its lane's pace and holds it keeps to. Only a dam can.
 *
 * @category running
 * @since 0.1.0
 */
export const runNow = (jobId: string): Effect.Effect<Job, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.runNow(jobId))

/**
 * Changes a job that waits: its priority, time, body or headers; its key stays. Only a dam can.
 *
 * @category running
 * @since 0.1.0
 */
export const change = (jobId: string, change: JobChange): Effect.Effect<Job, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.change(jobId, change))

/**
 * Stops a job that has not ended, and shows it.
 *
 * @category running
 * @since 0.1.0
 */
export const cancel = (jobId: string): Effect.Effect<Job, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.cancel(jobId))

/**
 * Files a job that has ended once more; answers the new job.
 *
 * @category running
 * @since 0.1.0
 */
export const rerun = (jobId: string): Effect.Effect<Job, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.rerun(jobId))

/**
 * Takes out what an ended job has sent and received; its id, its key, its end and its times are left. Only a dam can.
 *
 * @category running
 * @since 0.1.0
 */
export const erase = (jobId: string): Effect.Effect<Job, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.erase(jobId))

/**
 * Lists jobs, newest first, a page at a time.
 *
 * @category running
 * @since 0.1.0
 */
export const list = (filter?: JobFilter): Effect.Effect<JobPage, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.list(filter))

/**
 * Groups failed jobs by host, status and reason, with how many they are, since when, and the newest. Only a dam can.
 *
 * @category running
 * @since 0.1.0
 */
export const failures = (filter?: FailureFilter): Effect.Effect<Failures, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.failures(filter))

/**
 * Waits for the result of a job.
 *
 * @category running
 * @since 0.1.0
 */
export const awaitJob = (jobId: string, options?: AwaitOptions): Effect.Effect<JobResult, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, (client) => client.awaitJob(jobId, options))

/**
 * Hands over any number of steps as one batch, a part at a time: as much is asked of the stream as the service takes, and
 * nothing is kept of what was taken. Only a dam can.
 *
 * **When to use** — thousands of jobs that belong together, or that are only to be handed over fast.
 * **Details** — with a `batchId` the same steps go on where they were cut off, and none is taken twice; without one it is
 * drawn, and told by `onProgress` and by what it fails with.
 *
 * @category running
 * @since 0.1.0
 */
export const submitAll = <E, R>(
  steps: Stream.Stream<Step, E, R>,
  options?: SubmitAllOptions
): Effect.Effect<Batch, E | BatchBroken, EZThrottle | R> =>
  Effect.flatMap(EZThrottle, ({ many }) =>
    // streams are loaded by whoever has one
    Effect.flatMap(
      Effect.promise(() => import("./SubmitAll.ts")),
      (loaded) => loaded.submitAll(many, steps, options)
    )
  )

/**
 * Looks at a batch once.
 *
 * @category running
 * @since 0.1.0
 */
export const batch = (batchId: string): Effect.Effect<Batch, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, ({ many }) => many.batch(batchId))

/**
 * Waits until all jobs of a batch have ended.
 *
 * @category running
 * @since 0.1.0
 */
export const awaitBatch = (batchId: string): Effect.Effect<Batch, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, ({ many }) => many.awaitBatch(batchId))

/**
 * Calls off what has not ended of a batch; it takes no step any more.
 *
 * @category running
 * @since 0.1.0
 */
export const cancelBatch = (batchId: string): Effect.Effect<Batch, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, ({ many }) => many.cancelBatch(batchId))

/**
 * Has the jobs of a batch run again that failed, as a batch of their own; answers that one.
 *
 * @category running
 * @since 0.1.0
 */
export const rerunBatch = (batchId: string): Effect.Effect<Batch, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, ({ many }) => many.rerunBatch(batchId))

/**
 * Calls off, runs again or deletes all jobs that a filter finds, or says how many they would be. Only a dam can.
 *
 * **Gotchas** — of very many it does what it can within twenty seconds and answers a `cursor`: go on with it.
 *
 * @category running
 * @since 0.1.0
 */
export const bulk = (request: BulkRequest): Effect.Effect<BulkDone, ServiceError, EZThrottle> =>
  Effect.flatMap(EZThrottle, ({ many }) => many.bulk(request))
