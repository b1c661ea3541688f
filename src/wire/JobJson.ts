/**
 * A job as the wire spells it: snake_case at every depth, what equals its default left out.
 *
 * This file and its neighbours `Job*.ts` are the only ones that know these names.
 */
import type * as Schema from "effect/Schema"
import type { HeaderValue } from "../step/SecretHeader.ts"
import type { ExecutionMode, Fill, Hedge, Order, Priority, RegionPolicy } from "../step/StepModel.ts"

/**
 * A webhook of a job.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookJson {
  readonly url: string
  readonly regions?: ReadonlyArray<string>
  /** Left out when `true`. */
  readonly has_quorum_vote?: boolean
  /** Extensions of the dam: more headers, the credential that signs it, and whether it has a link in place of a body. */
  readonly headers?: { readonly [name: string]: HeaderValue }
  readonly secret?: string
  readonly body?: "link"
}

/**
 * The retry policy of a job. The pauses stay with whoever executes.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicyJson {
  readonly max_retries?: number
  readonly max_reroutes?: number
  readonly retry_codes?: ReadonlyArray<number>
  readonly reroute_codes?: ReadonlyArray<number>
}

/**
 * What a job draws on a limit; without a key what all share, without a cost 1.
 *
 * @category models
 * @since 0.1.0
 */
export interface DrawJson {
  readonly name: string
  readonly key?: string
  readonly cost?: number
}

/**
 * The line that a job stands in; `on_failure` is left out where it is `continue`.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderJson {
  readonly key: string
  readonly on_failure?: Order["onFailure"]
}

/**
 * Of the jobs of a key that come soon after each other only the newest runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface DebounceJson {
  readonly key: string
  readonly wait_ms: number
  readonly at_most_ms?: number
}

/**
 * When a fallback runs; `{}`: on any failure.
 *
 * @category models
 * @since 0.1.0
 */
export interface TriggerJson {
  readonly type?: "on_error" | "on_timeout"
  readonly codes?: ReadonlyArray<number>
  readonly timeout_ms?: number
}

/**
 * A job as the wire spells it.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobJson {
  readonly url: string
  readonly method?: string
  /** The name of a secret as a value is an extension of the dam. */
  readonly headers?: { readonly [name: string]: HeaderValue }
  readonly body?: string
  /** An extension of the dam: a body that is not text. */
  readonly body_base64?: string
  readonly metadata?: { readonly [key: string]: Schema.Json }
  readonly webhooks?: ReadonlyArray<WebhookJson>
  readonly webhook_quorum?: number
  readonly regions?: ReadonlyArray<string>
  readonly region_policy?: RegionPolicy
  readonly execution_mode?: ExecutionMode
  readonly retry_policy?: RetryPolicyJson
  /** An extension of the dam: whether a call that changes something may be made again where it may have been carried out. */
  readonly retry_unsafe?: boolean
  /** An extension of the dam: what each call draws on beside the pace of its host. */
  readonly limits?: ReadonlyArray<DrawJson>
  /** An extension of the dam: what a chained job takes from the answer of the job before it. */
  readonly fills?: ReadonlyArray<Fill>
  readonly fallback_job?: FallbackJson
  readonly on_success?: JobJson
  readonly on_failure?: JobJson
  readonly on_failure_timeout_ms?: number
  readonly idempotent_key?: string
  readonly retry_at?: number
  /** An extension of the dam: how long after it is taken up it may start. */
  readonly delay_ms?: number
  /** An extension of the dam: the moment before which it must have started. */
  readonly start_before?: number
  /** An extension of the dam: how soon it has its turn. */
  readonly priority?: Priority
  /** An extension of the dam: the line that it stands in. */
  readonly in_order?: OrderJson
  /** An extension of the dam: how jobs that come soon after each other become one. */
  readonly debounce?: DebounceJson
  /** An extension of the dam: whether identical calls that are in flight at once share one answer. */
  readonly coalesce?: boolean
  /** An extension of the dam: when a slow call is made once more beside itself. */
  readonly hedge?: HedgeJson
  /** An extension of the dam: limit of one attempt. */
  readonly attempt_timeout_ms?: number
  /** An extension of the dam: the header that tells the target how long an attempt may still take. */
  readonly timeout_header?: string
  /** An extension of the dam: how long after it is taken up it must have succeeded. */
  readonly total_timeout_ms?: number
}

/**
 * When a call is slow: later than so many of a hundred calls to its target, or after a time; how many more there are then,
 * and where from.
 *
 * @category models
 * @since 0.1.0
 */
export interface HedgeJson {
  readonly percentile?: number
  readonly after_ms?: number
  readonly max?: number
  readonly to?: Hedge["to"]
}

/**
 * A fallback: a job with the trigger of its place in the line. The next of the line is its own `fallback_job`.
 *
 * @category models
 * @since 0.1.0
 */
export interface FallbackJson extends JobJson {
  readonly trigger?: TriggerJson
}

/** How many jobs may sit in each other. */
export const maxNested = 128

/** How deep the JSON may nest, metadata included, before it can no longer be walked and printed safely. */
export const maxDepth = 2 * maxNested
