/**
 * The client: executes steps, hands them over, looks after jobs.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Accepted, Outcome, StepError } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"
import { Strategies } from "../transport/Strategies.ts"
import * as Interpreter from "./Interpreter.ts"
import type { Explanation, FailureFilter, Failures, Job, JobChange, JobFilter, JobPage, JobResult } from "./Service.ts"
import type { Schedules, Secrets } from "./Service.ts"
import { AwaitTimedOut, Service, ServiceError } from "./Service.ts"

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
    /** Lists jobs, newest first, a page at a time. */
    readonly list: (filter?: JobFilter) => Effect.Effect<JobPage, ServiceError>
    /** Groups failed jobs by host, status and reason. */
    readonly failures: (filter?: FailureFilter) => Effect.Effect<Failures, ServiceError>
    /** Waits for the result of a job. A failed job is a result too. */
    readonly awaitJob: (jobId: string, options?: AwaitOptions) => Effect.Effect<JobResult, ServiceError>
    readonly secrets: Secrets
    /** Jobs at times, of a dam. */
    readonly schedules: Schedules
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
 * Builds the client from strategies and a service.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (strategies: Strategies["Service"], service: Service["Service"]): EZThrottle["Service"] => ({
  execute: (step) => Interpreter.run(step, strategies),
  submit: (step) => Interpreter.submit(step, service.transport),
  job: service.job,
  explain: service.explain,
  runNow: service.runNow,
  change: service.change,
  cancel: service.cancel,
  rerun: service.rerun,
  list: service.list,
  failures: service.failures,
  awaitJob: (jobId, options) => {
    const limit = Duration.fromInputUnsafe(options?.timeout ?? Duration.minutes(5))
    return Effect.flatMap(Effect.timeoutOption(service.results.await(jobId), limit), (result) =>
      Option.isSome(result)
        ? Effect.succeed(result.value)
        : Effect.fail(new ServiceError({ reason: new AwaitTimedOut({ jobId, afterMillis: Duration.toMillis(limit) }) }))
    )
  },
  secrets: service.secrets,
  schedules: service.schedules
})

/**
 * The client over the strategies and the service in place.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<EZThrottle, never, Strategies | Service> = Layer.effect(
  EZThrottle,
  Effect.map(Effect.all([Strategies, Service]), ([strategies, service]) => make(strategies, service))
)
