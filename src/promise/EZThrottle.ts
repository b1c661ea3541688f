/**
 * The client of the facade: the official SDK's methods over the client of this library.
 *
 * Nothing is decided here. A method reads its arguments as a step, runs it, and gives the outcome its official shape.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Client from "../run/ClientService.ts"
import type { Step } from "../step/StepModel.ts"
import { checkOptions, type EZThrottleOptions } from "./ClientOptions.ts"
import * as Composition from "./Composition.ts"
import { EZThrottleError, toError } from "./Errors.ts"
import type { ChangeJobOptions, JobOptions } from "./JobOptions.ts"
import { toStep } from "./JobOptions.ts"
import { awaitOpen } from "./Idle.ts"
import * as Later from "./Later.ts"
import type { CredentialOptions, CredentialView, OrderView } from "./Kept.ts"
import type { ListFailuresOptions, ListJobsOptions } from "./Listing.ts"
import type { SubmitCount, SubmitManyOptions } from "./Many.ts"
import type { BulkOptions, BulkResult, SubmitAllOptions } from "./All.ts"
import { ofBatch } from "./Batches.ts"
import type { BatchView, FailureList, JobAnswer, JobExplanation, JobView } from "./Results.ts"
import type { QueueResult, SecretAnswer, SecretsView } from "./Results.ts"
import { failureList, jobAnswer, jobExplanation, jobView, queueResult, secretsView } from "./Results.ts"
import type { CallOptions, Runtime } from "./Running.ts"
import type { ScheduleOptions, ScheduleView } from "./Schedules.ts"
import { about, run, settled } from "./Running.ts"
import { optionalSecret, secret, withSecrets } from "./SecretTexts.ts"

/**
 * What `queueRequest` takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface QueueOptions extends JobOptions {
  /** Told the result beside the `webhooks`; its 2xx counts towards the quorum. */
  readonly webhookUrl?: string | URL | null | undefined
}

/**
 * What `queueAndWait` takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface QueueAndWaitOptions extends QueueOptions {
  /** Milliseconds to wait. Defaults to 300000. */
  readonly timeout?: number | undefined
  /** Accepted and not needed: the result comes when it is there. */
  readonly pollInterval?: number | undefined
}

/**
 * What `awaitJob` takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface AwaitJobOptions extends CallOptions {
  /** Milliseconds to wait. Defaults to 300000; `Infinity` waits for ever. */
  readonly timeout?: number | undefined
}

/**
 * What `request` takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestOptions {
  readonly url: string | URL
  /** Defaults to `GET`. */
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  // not `BodyInit`, a name that only TypeScript's DOM library has
  readonly body?: RequestInit["body"] | undefined
}

/**
 * A client. Nothing is sent and nothing checked before the first call; a missing API key is missed by remote calls only.
 *
 * @category models
 * @since 0.1.0
 */
export class EZThrottle {
  /** What every call runs on. */
  readonly runtime: Runtime
  /** Runs children of jobs for a webhook receiver of `ezthrottle-effect/webhook`: give it as its `client`. */
  readonly runner: Pick<Client.EZThrottle["Service"], "execute">
  readonly #service: Partial<AsyncDisposable> | undefined

  constructor(options: EZThrottleOptions = {}) {
    checkOptions(options)
    this.#service = options.runtime === undefined ? options.service : undefined
    const runtime = options.runtime ?? ManagedRuntime.make(Composition.layer(options))
    this.runtime = runtime
    this.runner = {
      execute: (step) =>
        Effect.flatMap(Effect.orDie(runtime.contextEffect), (context) =>
          Effect.provideContext(Client.execute(step), context)
        )
    }
  }

  /** Hands a job over and resolves with the service's answer. */
  async submitJob(job: JobOptions, options?: CallOptions): Promise<JobAnswer> {
    return run(this.runtime, submit(await toStep(job)), options)
  }

  /**
   * Hands over thousands of jobs, a few at a time. A list, a generator, lines of a file: what comes later is asked for
   * only when there is room for it, and nothing is kept of what was taken.
   */
  async submitMany(
    jobs: Iterable<JobOptions> | AsyncIterable<JobOptions>,
    options?: SubmitManyOptions
  ): Promise<SubmitCount> {
    const { submitMany } = await Later.remote()
    return submitMany((job, call) => this.submitJob(job, call), jobs, options)
  }

  /**
   * Hands over thousands of jobs as one batch, a part at a time: what comes later is asked for when what was before it is
   * taken. With a `batchId` the same jobs go on where they were cut off. Only a dam can; EZThrottle Cloud rejects.
   */
  async submitAll(
    jobs: Iterable<JobOptions> | AsyncIterable<JobOptions>,
    options?: SubmitAllOptions
  ): Promise<BatchView> {
    const { submitAll } = await Later.remote()
    return submitAll(this.runtime, jobs, options)
  }

  /** Shows a batch as it is now. Only a dam can; EZThrottle Cloud rejects. */
  async getBatch(batchId: string, options?: CallOptions): Promise<BatchView> {
    return ofBatch(this.runtime, ({ batch }) => batch(batchId), options)
  }

  /** Waits until all jobs of a batch have ended. Only a dam can; EZThrottle Cloud rejects. */
  async awaitBatch(batchId: string, options?: CallOptions): Promise<BatchView> {
    return ofBatch(this.runtime, ({ awaitBatch }) => awaitBatch(batchId), options)
  }

  /** Calls off what has not ended of a batch. Only a dam can; EZThrottle Cloud rejects. */
  async cancelBatch(batchId: string, options?: CallOptions): Promise<BatchView> {
    return ofBatch(this.runtime, ({ cancelBatch }) => cancelBatch(batchId), options)
  }

  /** Runs the jobs of a batch again that failed, as a batch of their own. Only a dam can; EZThrottle Cloud rejects. */
  async rerunBatch(batchId: string, options?: CallOptions): Promise<BatchView> {
    return ofBatch(this.runtime, ({ rerunBatch }) => rerunBatch(batchId), options)
  }

  /**
   * Cancels, runs again or deletes all jobs that a filter finds; `dryRun` only tells how many they are. Only a dam can;
   * EZThrottle Cloud rejects.
   */
  async bulkJobs(request: BulkOptions, options?: CallOptions): Promise<BulkResult> {
    const { bulkJobs } = await Later.remote()
    return bulkJobs(this.runtime, request, options)
  }

  /** @deprecated Use `submitJob`, which can say everything a job can. */
  async queueRequest(request: QueueOptions, options?: CallOptions): Promise<JobAnswer> {
    return this.submitJob(jobOf(request), options)
  }

  /** Hands a job over and waits for its result. A failed job is a result too. */
  async queueAndWait(given: QueueAndWaitOptions, options?: CallOptions): Promise<QueueResult> {
    const { pollInterval: _, timeout = 300_000, ...request } = given ?? noJob()
    return run(this.runtime, submitAndWait(await toStep(jobOf(request)), limitOf(timeout)), options)
  }

  /** Shows a job as it is now. */
  async getJob(jobId: string, options?: CallOptions): Promise<JobView> {
    return run(this.runtime, about(jobId, Client.job(jobId), jobView), options)
  }

  /** Waits for the result of a job that was handed over before. A failed job is a result too. */
  async awaitJob(jobId: string, { timeout = 300_000, ...options }: AwaitJobOptions = {}): Promise<QueueResult> {
    const result = Client.awaitJob(jobId, { timeout: limitOf(timeout) })
    return run(
      this.runtime,
      about(jobId, result, (ended) => queueResult(ended, undefined)),
      options
    )
  }

  /**
   * Lets a job go that is scheduled or parked, whatever it waits for; its lane's pace and holds it keeps to. Only a dam
   * can; EZThrottle Cloud rejects.
   */
  async runJobNow(jobId: string, options?: CallOptions): Promise<JobView> {
    return run(this.runtime, about(jobId, Client.runNow(jobId), jobView), options)
  }

  /**
   * Changes a job that waits: its priority, time, body or headers; its key stays. What is left out stays as it is, `null` takes
   * it away. Only a dam can; EZThrottle Cloud rejects.
   */
  async changeJob(jobId: string, change: ChangeJobOptions, options?: CallOptions): Promise<JobView> {
    return run(this.runtime, about(jobId, Client.change(jobId, change), jobView), options)
  }

  /** Stops a job that has not ended. Only a dam can; EZThrottle Cloud rejects. */
  async cancelJob(jobId: string, options?: CallOptions): Promise<JobView> {
    return run(this.runtime, about(jobId, Client.cancel(jobId), jobView), options)
  }

  /** Runs a job that has ended once more, as a new job. Only a dam can; EZThrottle Cloud rejects. */
  async rerunJob(jobId: string, options?: CallOptions): Promise<JobView> {
    return run(this.runtime, about(jobId, Client.rerun(jobId), jobView), options)
  }

  /**
   * Takes out what an ended job has sent and received; its id, its key, its end and its times are left. Only a dam can;
   * EZThrottle Cloud rejects.
   */
  async eraseJob(jobId: string, options?: CallOptions): Promise<JobView> {
    return run(this.runtime, about(jobId, Client.erase(jobId), jobView), options)
  }

  /** Tells of jobs, newest first unless told otherwise, as long as they are asked for. Only a dam can; EZThrottle Cloud rejects. */
  async *listJobs(filter?: ListJobsOptions, options?: CallOptions): AsyncGenerator<JobView, void, undefined> {
    const { filterOf } = await Later.remote()
    const wanted = filterOf(filter)
    let cursor: string | undefined
    do {
      const page = await run(
        this.runtime,
        Effect.mapError(Client.list({ ...wanted, cursor }), (error) => toError(error)),
        options
      )
      yield* page.jobs.map(jobView)
      cursor = page.cursor
    } while (cursor !== undefined)
  }

  /**
   * Groups failed jobs by host, status and reason: how many, since when, and the newest of each. Only a dam can;
   * EZThrottle Cloud rejects.
   */
  async listFailures(filter?: ListFailuresOptions, options?: CallOptions): Promise<FailureList> {
    const { failureFilterOf } = await Later.remote()
    return run(
      this.runtime,
      Effect.mapBoth(Client.failures(failureFilterOf(filter)), {
        onFailure: (error) => toError(error),
        onSuccess: failureList
      }),
      options
    )
  }

  /**
   * Defines a schedule, or all of it anew: it goes on from now, and stays paused if it was. Like all about schedules, only
   * a dam can; EZThrottle Cloud rejects.
   */
  async putSchedule(name: string, schedule: ScheduleOptions, options?: CallOptions): Promise<ScheduleView> {
    return (await this.#schedules()).put(name, schedule, options)
  }

  /** Shows a schedule with its next five moments. */
  async getSchedule(name: string, options?: CallOptions): Promise<ScheduleView> {
    return (await this.#schedules()).get(name, options)
  }

  /** Lists the schedules of the caller by their names. */
  async listSchedules(options?: CallOptions): Promise<ReadonlyArray<ScheduleView>> {
    return (await this.#schedules()).list(options)
  }

  /** Ends a schedule; jobs that it has submitted go on. */
  async deleteSchedule(name: string, options?: CallOptions): Promise<void> {
    return (await this.#schedules()).delete(name, options)
  }

  /** Fires nothing until the schedule is resumed; what waits is dropped. */
  async pauseSchedule(name: string, options?: CallOptions): Promise<ScheduleView> {
    return (await this.#schedules()).pause(name, options)
  }

  /** Lets a schedule go on from now; what came in its pause is not made up. */
  async resumeSchedule(name: string, options?: CallOptions): Promise<ScheduleView> {
    return (await this.#schedules()).resume(name, options)
  }

  /** Submits the job of a schedule once, whatever its times and its pause say. */
  async runScheduleNow(name: string, options?: CallOptions): Promise<ScheduleView> {
    return (await this.#schedules()).runNow(name, options)
  }

  async #schedules() {
    return (await Later.remote()).schedules(this.runtime)
  }

  /**
   * Has the dam keep a credential that headers name, all of it, in place of what it was. Nobody reads it back. Only a dam
   * with a master key can; EZThrottle Cloud rejects.
   */
  async putCredential(name: string, credential: CredentialOptions, options?: CallOptions): Promise<CredentialView> {
    return (await this.#kept()).putCredential(name, credential, options)
  }

  /** Lists the credentials of the caller by their names, without what is secret of them. */
  async listCredentials(options?: CallOptions): Promise<ReadonlyArray<CredentialView>> {
    return (await this.#kept()).listCredentials(options)
  }

  /** Deletes a credential; jobs that name it fail when they are called. */
  async deleteCredential(name: string, options?: CallOptions): Promise<void> {
    return (await this.#kept()).deleteCredential(name, options)
  }

  /** Lists the orders that a failure has stopped. Only a dam can; EZThrottle Cloud rejects. */
  async listStoppedOrders(options?: CallOptions): Promise<ReadonlyArray<OrderView>> {
    return (await this.#kept()).listStoppedOrders(options)
  }

  /** Lets an order go on that a failure has stopped. Only a dam can; EZThrottle Cloud rejects. */
  async resumeOrder(key: string, options?: CallOptions): Promise<OrderView> {
    return (await this.#kept()).resumeOrder(key, options)
  }

  async #kept() {
    return (await Later.remote()).kept(this.runtime)
  }

  /**
   * Waits until there is nothing left to do: no call of this client is under way, and every job of its dam has ended.
   *
   * **When to use** — at the end of a script, before the client is disposed of.
   * **Details** — a job that is scheduled or waits for its host is waited for too; `signal` sets a limit. EZThrottle
   * Cloud does not list jobs and goes on without this process, so there only the calls are waited for.
   */
  async idle(options?: CallOptions): Promise<void> {
    do await settled(this.runtime, options)
    while (await run(this.runtime, awaitOpen, options))
  }

  /**
   * Tells why a job waits and until when: its reasons, an estimated start and how sure that is. Only a dam can tell;
   * EZThrottle Cloud rejects.
   */
  async explainJob(jobId: string, options?: CallOptions): Promise<JobExplanation> {
    return run(this.runtime, about(jobId, Client.explain(jobId), jobExplanation), options)
  }

  /** Calls a target directly, without retry, forwarding or EZThrottle. */
  async request({ body, headers, method, url }: RequestOptions, { signal }: CallOptions = {}): Promise<Response> {
    return fetch(url, { method: method ?? "GET", headers: headers ?? {}, body: body ?? null, signal: signal ?? null })
  }

  /** Sets the webhook secrets, each of at least 16 characters. */
  async createWebhookSecret(
    primarySecret: string,
    secondarySecret?: string | null,
    options?: CallOptions
  ): Promise<SecretAnswer> {
    const [primary, secondary] = [secret(primarySecret), optionalSecret(secondarySecret)]
    return run(
      this.runtime,
      withSecrets(({ create }) => create(primary, secondary)),
      options
    )
  }

  /** Shows the webhook secrets, masked. */
  async getWebhookSecret(options?: CallOptions): Promise<SecretsView> {
    return run(
      this.runtime,
      Effect.map(
        withSecrets(({ get }) => get),
        secretsView
      ),
      options
    )
  }

  /** Removes the webhook secrets. */
  async deleteWebhookSecret(options?: CallOptions): Promise<SecretAnswer> {
    return run(
      this.runtime,
      withSecrets((secrets) => secrets.delete),
      options
    )
  }

  /**
   * Makes a new secret the primary and keeps the old one as secondary, so that receivers can move over.
   *
   * **Gotchas** — EZThrottle shows the old secret masked only: pass it, unless this client has set it.
   */
  async rotateWebhookSecret(
    newSecret: string,
    oldSecret?: string | null,
    options?: CallOptions
  ): Promise<SecretAnswer> {
    const [next, old] = [secret(newSecret), optionalSecret(oldSecret)]
    return run(
      this.runtime,
      withSecrets(({ rotate }) => rotate(next, old)),
      options
    )
  }

  /** Hands a job over, or resolves with the fallback's value when EZThrottle cannot be reached. */
  async forwardOrFallback<A>(
    fallback: () => A | Promise<A>,
    job: JobOptions,
    options?: CallOptions
  ): Promise<A | JobAnswer> {
    const reached = Effect.catchReason(
      submit(await toStep(job)),
      "StepError",
      "ServiceUnreachable",
      () => Effect.undefined
    )
    return (await run(this.runtime, reached, options)) ?? fallback()
  }

  /** Stops every call that still runs and releases what the client holds, the service it was given included. */
  async [Symbol.asyncDispose](): Promise<void> {
    return this.runtime.dispose().finally(() => this.#service?.[Symbol.asyncDispose]?.())
  }
}

const submit = (step: Step) => Effect.map(Client.submit(step), jobAnswer)

const submitAndWait = Effect.fnUntraced(function* (step: Step, timeout: number) {
  const accepted = yield* Effect.catchReason(Client.submit(step), "StepError", "MalformedAnswer", (cause) =>
    Effect.fail(new EZThrottleError("No job_id in response", null, { cause }))
  )
  const { jobId } = accepted
  const result = yield* Effect.mapError(Client.awaitJob(jobId, { timeout }), (error) => toError(error, jobId))
  return queueResult(result, accepted.key)
})

const limitOf = (timeout: number): number => {
  if (timeout > 0) return timeout
  throw new EZThrottleError("timeout: Expected a positive number of milliseconds")
}

const jobOf = (given: QueueOptions): JobOptions => {
  const { webhookUrl, ...request } = given ?? noJob()
  return {
    ...request,
    ...(webhookUrl === undefined || webhookUrl === null
      ? {}
      : { webhooks: [...(request.webhooks ?? []), { url: webhookUrl, hasQuorumVote: true }] })
  }
}

const noJob = (): never => {
  throw new EZThrottleError("job: Expected an object")
}
