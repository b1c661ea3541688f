/**
 * A job as the callers of the facade write it: one object in camelCase, with the jobs of its chain inside.
 *
 * @since 0.1.0
 */
import type { HeaderValue } from "../step/SecretHeader.ts"
import * as Result from "effect/Result"
import type { JobChange } from "../run/Service.ts"
import type { ExecutionMode, RegionPolicy, Step } from "../step/StepModel.ts"
import type { BodyOptions } from "./Bodies.ts"
import * as Bodies from "./Bodies.ts"
import { EZThrottleError } from "./Errors.ts"
import type { HeadersOptions, MetadataOptions } from "./Given.ts"
import { plain, spelt } from "./Given.ts"
import * as Later from "./Later.ts"

/**
 * A webhook to tell the result.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookOptions {
  readonly url: string | URL
  /** Where the delivery may leave from, tried in order. */
  readonly regions?: ReadonlyArray<string> | undefined
  /** Whether its 2xx counts towards the quorum. Defaults to `true`. */
  readonly hasQuorumVote?: boolean | undefined
  /** The same in the protocol's spelling. */
  readonly has_quorum_vote?: boolean | undefined
  /** Headers beside those of every delivery; one that holds a secret names it (`Step.secret`). To a dam only. */
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined
  /** The credential that signs it, in place of the webhook secrets. To a dam only. */
  readonly secret?: string | undefined
  /** `link`: the answer without its body, and a link to that. To a dam only. */
  readonly body?: "link" | undefined
}

/**
 * How often and on which answers a call is repeated, in either spelling.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicyOptions {
  /** Further attempts in the same region. Defaults to `3`. */
  readonly maxRetries?: number | undefined
  /** Further attempts in another region. Defaults to `2`. */
  readonly maxReroutes?: number | undefined
  /** Statuses that are tried again in the same region. Defaults to 429 and 503. */
  readonly retryCodes?: ReadonlyArray<number> | undefined
  /** Statuses that go to another region. Defaults to 500, 502 and 504. */
  readonly rerouteCodes?: ReadonlyArray<number> | undefined
  readonly max_retries?: number | undefined
  readonly max_reroutes?: number | undefined
  readonly retry_codes?: ReadonlyArray<number> | undefined
  readonly reroute_codes?: ReadonlyArray<number> | undefined
}

/**
 * What each call of a job draws on a limit of a dam.
 *
 * @category models
 * @since 0.1.0
 */
export interface DrawOptions {
  /** Of the limit. */
  readonly name: string
  /** Whose share of it: each key has the whole limit for itself. Defaults to one share that all calls without a key have. */
  readonly key?: string | undefined
  /** Units. Defaults to `1`. */
  readonly cost?: number | undefined
}

/**
 * What `changeJob` changes of a job that waits: what is left out stays as it is, `null` takes it away.
 *
 * @category models
 * @since 0.1.0
 */
export type ChangeJobOptions = JobChange

/**
 * A job for `submitJob`.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobOptions {
  readonly url: string | URL
  /** Defaults to `GET`. */
  readonly method?: string | undefined
  readonly headers?: HeadersOptions | undefined
  /** Text, bytes, or what a browser makes of a form. The cloud takes text only. */
  readonly body?: BodyOptions | undefined
  /** Comes back with the result. */
  readonly metadata?: MetadataOptions | undefined
  readonly webhooks?: ReadonlyArray<WebhookOptions> | undefined
  /** How many voting webhooks must answer 2xx. Defaults to `1`. */
  readonly webhookQuorum?: number | undefined
  readonly regions?: ReadonlyArray<string> | undefined
  /** Defaults to `fallback`. */
  readonly regionPolicy?: RegionPolicy | undefined
  /** Defaults to `race`. */
  readonly executionMode?: ExecutionMode | undefined
  readonly retryPolicy?: RetryPolicyOptions | undefined
  /** What each call draws on beside the pace of its host. Only a dam keeps limits. */
  readonly limits?: ReadonlyArray<DrawOptions> | undefined
  /** What it takes from the answer of the job around it, once that has ended: both places as JSON Pointers. Only a dam fills. */
  readonly fills?: ReadonlyArray<{ readonly into: string; readonly from: string }> | undefined
  readonly fallbackJob?: FallbackJobOptions | undefined
  readonly onSuccess?: JobOptions | undefined
  readonly onFailure?: JobOptions | undefined
  /** Milliseconds after which the job has failed. */
  readonly onFailureTimeoutMs?: number | undefined
  readonly idempotentKey?: string | undefined
  /** Epoch milliseconds before which the job shall not start. */
  readonly retryAt?: number | undefined
  /** Milliseconds after it is taken up before which the job shall not start. Only a dam counts them. */
  readonly delayMs?: number | undefined
  /** Epoch milliseconds before which the job must have started; else it has expired. Only a dam looks. */
  readonly startBefore?: number | undefined
  /** How soon it has its turn. Defaults to `normal`. Only a dam has turns. */
  readonly priority?: "high" | "normal" | "low" | undefined
  /** The line that it stands in: one of a key runs at a time, in the order in which a dam took them in. */
  readonly inOrder?: OrderOptions | undefined
  /** Of the jobs of a key that come soon after each other only the newest runs. Only a dam does it. */
  readonly debounce?: { readonly key: string; readonly waitMs: number; readonly atMostMs?: number } | undefined
  /** Whether identical calls that are in flight at once share one answer. Only a dam does it. */
  readonly coalesce?: boolean | undefined
  /** When a slow call is made once more beside itself. Only a dam hedges. */
  readonly hedge?:
    | {
        /** Later than so many of a hundred calls to the target. Defaults to 95. */
        readonly percentile?: number | undefined
        readonly afterMs?: number | undefined
        /** Defaults to 1. */
        readonly max?: number | undefined
        /** Defaults to `same`. */
        readonly to?: "same" | "region" | undefined
      }
    | undefined
  /** Milliseconds that one attempt may take. Only a dam reads it. */
  readonly attemptTimeoutMs?: number | undefined
  /** Milliseconds after it is taken up in which the job must have succeeded. Only a dam reads it. */
  readonly totalTimeoutMs?: number | undefined
  /** The header that tells the target how many milliseconds an attempt may still take. Only a dam sends it. */
  readonly timeoutHeader?: string | undefined
}

/**
 * The line that a job stands in.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderOptions {
  readonly key: string
  /** Whether a job that has failed for good lets the next one go, or stops the key. Defaults to `continue`. */
  readonly onFailure?: "continue" | "stop" | undefined
}

/**
 * The job that runs when the one around it failed.
 *
 * @category models
 * @since 0.1.0
 */
export interface FallbackJobOptions extends JobOptions {
  /** Defaults to any failure. */
  readonly trigger?:
    | { readonly type: "on_error"; readonly codes: ReadonlyArray<number> }
    | { readonly type: "on_timeout"; readonly timeout_ms: number }
    | { readonly [key: string]: never }
    | undefined
}

/** Reads a job as a step, or rejects with an `EZThrottleError` that names the bad field as the caller spelt it. */
export const toStep = async (options: JobOptions): Promise<Step> => {
  // what is changed while the reader is loaded is not seen
  const job = plain(await Bodies.settle(options))
  const { decode } = await Later.remote()
  return Result.getOrThrowWith(
    decode(job),
    (error) => new EZThrottleError(`${spelt(error.field, options)}: ${error.problem}`, null, { cause: error })
  )
}
