/**
 * The client of the facade: the official SDK's methods over the client of this library.
 *
 * Nothing is decided here. A method reads its arguments as a step, runs it, and gives the outcome its official shape.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Client from "../run/EZThrottle.ts"
import type { JobReceiver, Secrets, Service } from "../run/Service.ts"
import type { Step } from "../step/StepModel.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as Composition from "./Composition.ts"
import { EZThrottleError, toError } from "./Errors.ts"
import type { JobOptions } from "./JobOptions.ts"
import { toStep } from "./JobOptions.ts"
import type { JobAnswer, JobExplanation, QueueResult, SecretAnswer, SecretsView } from "./Results.ts"
import { jobAnswer, jobExplanation, queueResult, secretsView } from "./Results.ts"
import type { CallOptions, Runtime } from "./Running.ts"
import { run } from "./Running.ts"

/**
 * How a client is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface EZThrottleOptions {
  /** Defaults to the environment variable `EZTHROTTLE_API_KEY`; needed for remote calls only. */
  readonly apiKey?: string | undefined
  /** Base URL of the proxy. Defaults to EZThrottle Cloud's. */
  readonly tracktagsUrl?: string | undefined
  /** Base URL of the service behind the proxy. Defaults to EZThrottle Cloud's. */
  readonly ezthrottleUrl?: string | undefined
  /** Tells the results that EZThrottle itself does not tell: what webhooks brought, for instance. */
  readonly receiver?: JobReceiver | undefined
  /** What takes jobs over instead of EZThrottle Cloud: an embedded dam, for instance. Disposed with the client. */
  readonly service?: (Service["Service"] & Partial<AsyncDisposable>) | undefined
  /** What makes the local calls of FRUGAL steps. Defaults to one over `fetch`. */
  readonly transport?: Exchanging | undefined
  /** Everything at once, a test's clock included; the other options are not looked at. Disposed with the client. */
  readonly runtime?: Runtime | undefined
}

/**
 * What `queueRequest` takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface QueueOptions extends Pick<JobOptions, "body" | "headers" | "metadata" | "method" | "retryAt" | "url"> {
  /** Told the result; its 2xx counts towards the quorum. */
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
  readonly body?: BodyInit | null | undefined
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
    return run(this.runtime, submit(toStep(job)), options)
  }

  /** @deprecated Use `submitJob`, which can say everything a job can. */
  async queueRequest(request: QueueOptions, options?: CallOptions): Promise<JobAnswer> {
    return this.submitJob(jobOf(request), options)
  }

  /** Hands a job over and waits for its result. A failed job is a result too. */
  async queueAndWait(given: QueueAndWaitOptions, options?: CallOptions): Promise<QueueResult> {
    const { pollInterval: _, timeout = 300_000, ...request } = given ?? noJob()
    if (!(timeout > 0)) throw new EZThrottleError("timeout: Expected a positive number of milliseconds")
    return run(this.runtime, submitAndWait(toStep(jobOf(request)), timeout), options)
  }

  /**
   * Tells why a job waits and until when: its reasons, an estimated start and how sure that is. Only a dam can tell;
   * EZThrottle Cloud rejects.
   */
  async explainJob(jobId: string, options?: CallOptions): Promise<JobExplanation> {
    const explained = Effect.mapError(Client.explain(jobId), (error) => toError(error, jobId))
    return run(this.runtime, Effect.map(explained, jobExplanation), options)
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
    const reached = Effect.catchReason(submit(toStep(job)), "StepError", "ServiceUnreachable", () => Effect.undefined)
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
  return queueResult(result, accepted)
})

const withSecrets = <A, E>(use: (secrets: Secrets) => Effect.Effect<A, E>) =>
  Effect.flatMap(Client.EZThrottle, ({ secrets }) => use(secrets))

// a caller without types may pass anything; the service refuses what is too short
const secret = (text: string): Redacted.Redacted<string> => Redacted.make(String(text ?? ""))

const optionalSecret = (text: string | null | undefined): Redacted.Redacted<string> | undefined =>
  text ? secret(text) : undefined

const jobOf = (given: QueueOptions): JobOptions => {
  const { webhookUrl, ...request } = given ?? noJob()
  return {
    ...request,
    webhooks: webhookUrl === undefined || webhookUrl === null ? undefined : [{ url: webhookUrl, hasQuorumVote: true }]
  }
}

const noJob = (): never => {
  throw new EZThrottleError("job: Expected an object")
}
