/**
 * The shape of a step and the one place that makes it.
 *
 * Every step has every field, in the same order; what was not said is `undefined` or the protocol's default. So steps
 * are equal by value, and engines see one hidden class.
 */
import type * as Duration from "effect/Duration"
import { NodeInspectSymbol } from "effect/Inspectable"
import type { Pipeable } from "effect/Pipeable"
import { pipeArguments } from "effect/Pipeable"
import { hasProperty } from "effect/Predicate"
import type * as Schema from "effect/Schema"
import type { Request } from "./Request.ts"
import type { RetryPolicy } from "./RetryPolicy.ts"
import { format } from "./StepFormat.ts"
import { toJson } from "./StepEncoded.ts"

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
  readonly retryPolicy: RetryPolicy | undefined
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
  readonly metadata: { readonly [key: string]: Schema.Json }
  /** One line: a fallback's own fallbacks stand before its next sibling, and have none themselves. */
  readonly fallbacks: ReadonlyArray<Fallback>
  readonly onSuccess: Step | undefined
  readonly onFailure: Step | undefined
  /** The one deadline over everything the step does before `onFailure` runs. */
  readonly onFailureTimeout: Duration.Duration | undefined
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

/** Makes a step from checked fields; what is left out takes its default. The line of fallbacks is flattened here. */
export const makeStep = (fields: Pick<StepFields, "request"> & Partial<StepFields>): Step => new Made(fields)

// A constructor, because an object that is created first and filled afterwards has no hidden class: a verb would take
// more than ten times as long.
class Made implements Step {
  readonly request: StepFields["request"]
  readonly type: StepFields["type"]
  readonly description: StepFields["description"]
  readonly responseDescription: StepFields["responseDescription"]
  readonly fallbackOnError: StepFields["fallbackOnError"]
  readonly localTimeout: StepFields["localTimeout"]
  readonly retryPolicy: StepFields["retryPolicy"]
  readonly regions: StepFields["regions"]
  readonly regionPolicy: StepFields["regionPolicy"]
  readonly executionMode: StepFields["executionMode"]
  readonly webhooks: StepFields["webhooks"]
  readonly webhookQuorum: StepFields["webhookQuorum"]
  readonly idempotency: StepFields["idempotency"]
  readonly sendIdempotencyKey: StepFields["sendIdempotencyKey"]
  readonly retryAt: StepFields["retryAt"]
  readonly metadata: StepFields["metadata"]
  readonly fallbacks: StepFields["fallbacks"]
  readonly onSuccess: StepFields["onSuccess"]
  readonly onFailure: StepFields["onFailure"]
  readonly onFailureTimeout: StepFields["onFailureTimeout"]

  constructor(fields: Pick<StepFields, "request"> & Partial<StepFields>) {
    this.request = fields.request
    this.type = fields.type
    this.description = fields.description
    this.responseDescription = fields.responseDescription
    this.fallbackOnError = fields.fallbackOnError
    this.localTimeout = fields.localTimeout
    this.retryPolicy = fields.retryPolicy
    this.regions = fields.regions ?? []
    this.regionPolicy = fields.regionPolicy ?? "fallback"
    this.executionMode = fields.executionMode ?? "race"
    this.webhooks = fields.webhooks ?? []
    this.webhookQuorum = fields.webhookQuorum ?? 1
    this.idempotency = fields.idempotency ?? { _tag: "Hash" }
    this.sendIdempotencyKey = fields.sendIdempotencyKey ?? false
    this.retryAt = fields.retryAt
    this.metadata = fields.metadata ?? {}
    this.fallbacks = (fields.fallbacks ?? []).flatMap(oneLine)
    this.onSuccess = fields.onSuccess
    this.onFailure = fields.onFailure
    this.onFailureTimeout = fields.onFailureTimeout
  }
  get [TypeId](): typeof TypeId {
    return TypeId
  }
  pipe() {
    // oxlint-disable-next-line prefer-rest-params -- Effect's own `pipe` is built on `arguments`
    return pipeArguments(this, arguments)
  }
  toString() {
    return format(this)
  }
  toJSON() {
    return toJson(this)
  }
  [NodeInspectSymbol]() {
    return format(this)
  }
}

const oneLine = ({ step, trigger }: Fallback): ReadonlyArray<Fallback> =>
  step.fallbacks.length === 0
    ? [{ step, trigger }]
    : [{ step: makeStep({ ...step, fallbacks: [] }), trigger }, ...step.fallbacks]
