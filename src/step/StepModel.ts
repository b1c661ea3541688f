/**
 * The shape of a step and the one place that makes it.
 *
 * Every step has every field, in the same order; what was not said is `undefined` or the protocol's default. So steps
 * are equal by value, and engines see one hidden class.
 */
import type * as Duration from "effect/Duration"
import type { Pipeable } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import type * as Schema from "effect/Schema"
import type { Request } from "./Request.ts"
import type { RetryPolicy } from "./RetryPolicy.ts"

/**
 * `FRUGAL` tries here first and forwards to EZThrottle when that fails; `PERFORMANCE` hands over at once.
 *
 * @category models
 * @since 0.1.0
 */
export type StepType = "FRUGAL" | "PERFORMANCE"

/**
 * Where else an attempt may leave from: only the step's own regions (`strict`), or other healthy ones too (`fallback`).
 *
 * @category models
 * @since 0.1.0
 */
export type RegionPolicy = "fallback" | "strict"

/**
 * What several regions mean: the first good answer wins (`race`), or all are called and all answers kept (`fanout`).
 *
 * @category models
 * @since 0.1.0
 */
export type ExecutionMode = "race" | "fanout"

/**
 * How a call is recognised as the same call. `Hash`: SHA-256 of method, URL and body. `Unique`: one fresh UUID per
 * execution. `Custom`: the key given.
 *
 * @category models
 * @since 0.1.0
 */
export type Idempotency =
  { readonly _tag: "Hash" } | { readonly _tag: "Unique" } | { readonly _tag: "Custom"; readonly key: string }

/**
 * Who is told the result.
 *
 * @category models
 * @since 0.1.0
 */
export interface Webhook {
  readonly url: string
  /** Where the delivery may leave from, tried in order; empty: wherever the service is. */
  readonly regions: ReadonlyArray<string>
  /** Whether its 2xx counts towards `webhookQuorum`. */
  readonly hasQuorumVote: boolean
  /** Beside those of every delivery; what is secret of them is named. Left out: none. */
  readonly headers?: Readonly<Record<string, string>>
  /** The credential that signs it. Left out: the customer's webhook secrets do. */
  readonly secret?: string
  /** `link`: the answer goes without its body, and with a link to that. Left out: whole. */
  readonly body?: "link"
}

/**
 * What a call draws on a limit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Draw {
  /** Of the limit. */
  readonly name: string
  /** Whose share of it: each key has the whole limit for itself. Empty where all calls share one. */
  readonly key: string
  /** Units; 1 unless it was said. */
  readonly cost: number
}

/**
 * What a chained step takes from the answer before it, both places as JSON Pointers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fill {
  /** `/path/NAME`, which stands as `{NAME}` in the path of its URL, `/query/NAME`, `/headers/NAME`, `/body` or a place in it. */
  readonly into: string
  /** `/response/status`, `/response/headers/NAME`, `/response/body` or a place in it, or a place in `/metadata`. */
  readonly from: string
}

/**
 * How soon a job has its turn among those of its account in a lane.
 *
 * @category models
 * @since 0.1.0
 */
export type Priority = "high" | "normal" | "low"

/**
 * In which line a job stands: one of a key runs at a time, first in, first out.
 *
 * @category models
 * @since 0.1.0
 */
export interface Order {
  readonly key: string
  /** Whether the next one goes (`continue`), or all wait for somebody's word (`stop`), when one has failed for good. */
  readonly onFailure: "continue" | "stop"
}

/**
 * Of the jobs of a key that come soon after each other only the newest runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Debounce {
  readonly key: string
  /** How long after it was taken it runs, unless another one comes. */
  readonly wait: Duration.Duration
  /** How long the first may be put off by others; `undefined`: as long as they come. */
  readonly atMost: Duration.Duration | undefined
}

/**
 * When a call is made once more beside itself: after a time, or later than so many of a hundred calls to its target have
 * ended. One of the two is there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hedge {
  readonly after: Duration.Duration | undefined
  readonly percentile: number | undefined
  /** Further calls. */
  readonly max: number
  readonly to: "same" | "region"
}

/**
 * When a fallback runs, judged against the path directly before it. `OnError`: it ended with one of these codes or
 * without an answer. `OnTimeout`: it took longer than that. `Any`: it failed.
 *
 * @category models
 * @since 0.1.0
 */
export type Trigger =
  | { readonly _tag: "Any" }
  | { readonly _tag: "OnError"; readonly codes: ReadonlyArray<number> }
  | { readonly _tag: "OnTimeout"; readonly after: Duration.Duration }

/**
 * A step of the line that runs when the one before it failed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fallback {
  readonly step: Step
  readonly trigger: Trigger
}

/**
 * The fields of a step.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepFields {
  readonly request: Request
  /** `undefined`: a fallback takes its parent's, everything else is `PERFORMANCE`. */
  readonly type: StepType | undefined
  /** What the call is for; appears in `toString`, spans and traces, never on the wire. */
  readonly description: string | undefined
  /** What a good answer looks like; shown where `description` is. */
  readonly responseDescription: string | undefined
  /** Statuses on which a FRUGAL step is forwarded; `undefined`: 429, 500, 502, 503, 504. */
  readonly fallbackOnError: ReadonlyArray<number> | undefined
  /** Limit of one local attempt; `undefined`: 30 seconds. */
  readonly localTimeout: Duration.Duration | undefined
  /** Limit of one attempt, wherever it is made; `undefined`: `localTimeout` here, a dam's own limit there. */
  readonly attemptTimeout: Duration.Duration | undefined
  /** The header that tells the target how many milliseconds an attempt may still take; `undefined`: none. */
  readonly timeoutHeader: string | undefined
  /** How a slow call is hedged; `undefined`: not at all. */
  readonly hedge: Hedge | undefined
  readonly retryPolicy: RetryPolicy | undefined
  /**
   * Whether a call that changes something may be made again where it may have been carried out; `undefined`: whoever
   * executes says so.
   */
  readonly retryUnsafe: boolean | undefined
  /** What each call of the step draws on beside the pace of its host, by name and key; a fallback has its own. */
  readonly limits: ReadonlyArray<Draw>
  /** What it takes from the answer of the step that it is chained to, by the place it fills. */
  readonly fills: ReadonlyArray<Fill>
  readonly regions: ReadonlyArray<string>
  readonly regionPolicy: RegionPolicy
  readonly executionMode: ExecutionMode
  readonly webhooks: ReadonlyArray<Webhook>
  readonly webhookQuorum: number
  readonly idempotency: Idempotency
  /** Sends the key of a HASH step to the target as `Idempotency-Key` too. */
  readonly sendIdempotencyKey: boolean
  /** Not before this moment, epoch milliseconds. */
  readonly retryAt: number | undefined
  /** Not before this long after it, or the step it is a fallback of, is taken up. */
  readonly delay: Duration.Duration | undefined
  /** The moment before which it must have started, epoch milliseconds; else it has expired and fails. */
  readonly startBefore: number | undefined
  /** `undefined`: `normal`. */
  readonly priority: Priority | undefined
  /** The line that it stands in; `undefined`: none. */
  readonly inOrder: Order | undefined
  /** How jobs that come soon after each other become one; `undefined`: they do not. */
  readonly debounce: Debounce | undefined
  /** Whether identical calls that are in flight at once share one answer. */
  readonly coalesce: boolean
  readonly metadata: { readonly [key: string]: Schema.Json }
  /** One line: a fallback's own fallbacks stand before its next sibling, and have none themselves. */
  readonly fallbacks: ReadonlyArray<Fallback>
  readonly onSuccess: Step | undefined
  readonly onFailure: Step | undefined
  /** The one deadline over everything the step does before `onFailure` runs. */
  readonly onFailureTimeout: Duration.Duration | undefined
  /** The same from when it was taken up, the wait for its moment included; the earlier of the two ends it. */
  readonly totalTimeout: Duration.Duration | undefined
}

/**
 * An immutable value that says which HTTP call to make and how it must survive.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step extends StepFields, Pipeable {
  readonly [TypeId]: typeof TypeId
  toString(): string
  toJSON(): unknown
}

/**
 * Marks steps.
 *
 * @category models
 * @since 0.1.0
 */
export const TypeId = "~ezthrottle-effect/Step"

/**
 * Tells whether a value is a step.
 *
 * @category guards
 * @since 0.1.0
 */
export const isStep = (value: unknown): value is Step => hasProperty(value, TypeId)
