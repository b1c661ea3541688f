import * as Draws from "./Draws.ts"
import * as Fills from "./Fills.ts"
import { format } from "./StepFormat.ts"
import { toJson } from "./StepEncoded.ts"
import { pipeArguments } from "effect/Pipeable"
import { NodeInspectSymbol } from "effect/Inspectable"
import { type StepFields, type Step, TypeId, type Fallback } from "./StepModel.ts"

/** Makes a step from checked fields; what is left out takes its default. The line of fallbacks is flattened here. */
export const makeStep = (fields: Pick<StepFields, "request"> & Partial<StepFields>): Step => new Made(fields)

/** A step with some fields changed; what is `undefined` in the change is `undefined` then. */
export const changed = (self: Step, change: Partial<StepFields>): Step =>
  change.fallbacks === undefined ? Object.assign(new Made(self), change) : makeStep({ ...self, ...change })

// A constructor, because an object that is created first and filled afterwards has no hidden class: a verb would take
// more than ten times as long.
export class Made implements Step {
  readonly request: StepFields["request"]
  readonly type: StepFields["type"]
  readonly description: StepFields["description"]
  readonly responseDescription: StepFields["responseDescription"]
  readonly fallbackOnError: StepFields["fallbackOnError"]
  readonly localTimeout: StepFields["localTimeout"]
  readonly attemptTimeout: StepFields["attemptTimeout"]
  readonly timeoutHeader: StepFields["timeoutHeader"]
  readonly hedge: StepFields["hedge"]
  readonly retryPolicy: StepFields["retryPolicy"]
  readonly retryUnsafe: StepFields["retryUnsafe"]
  readonly limits: StepFields["limits"]
  readonly fills: StepFields["fills"]
  readonly regions: StepFields["regions"]
  readonly regionPolicy: StepFields["regionPolicy"]
  readonly executionMode: StepFields["executionMode"]
  readonly webhooks: StepFields["webhooks"]
  readonly webhookQuorum: StepFields["webhookQuorum"]
  readonly idempotency: StepFields["idempotency"]
  readonly sendIdempotencyKey: StepFields["sendIdempotencyKey"]
  readonly retryAt: StepFields["retryAt"]
  readonly delay: StepFields["delay"]
  readonly startBefore: StepFields["startBefore"]
  readonly priority: StepFields["priority"]
  readonly inOrder: StepFields["inOrder"]
  readonly debounce: StepFields["debounce"]
  readonly coalesce: StepFields["coalesce"]
  readonly metadata: StepFields["metadata"]
  readonly fallbacks: StepFields["fallbacks"]
  readonly onSuccess: StepFields["onSuccess"]
  readonly onFailure: StepFields["onFailure"]
  readonly onFailureTimeout: StepFields["onFailureTimeout"]
  readonly totalTimeout: StepFields["totalTimeout"]

  constructor(fields: Pick<StepFields, "request"> & Partial<StepFields>) {
    this.request = fields.request
    this.type = fields.type
    this.description = fields.description
    this.responseDescription = fields.responseDescription
    this.fallbackOnError = fields.fallbackOnError
    this.localTimeout = fields.localTimeout
    this.attemptTimeout = fields.attemptTimeout
    this.timeoutHeader = fields.timeoutHeader
    this.hedge = fields.hedge
    this.retryPolicy = fields.retryPolicy
    this.retryUnsafe = fields.retryUnsafe
    this.limits = fields.limits === undefined ? [] : Draws.inOrder(fields.limits)
    this.fills = fields.fills === undefined ? [] : Fills.inOrder(fields.fills)
    this.regions = fields.regions ?? []
    this.regionPolicy = fields.regionPolicy ?? "fallback"
    this.executionMode = fields.executionMode ?? "race"
    this.webhooks = fields.webhooks ?? []
    this.webhookQuorum = fields.webhookQuorum ?? 1
    this.idempotency = fields.idempotency ?? { _tag: "Hash" }
    this.sendIdempotencyKey = fields.sendIdempotencyKey ?? false
    this.retryAt = fields.retryAt
    this.delay = fields.delay
    this.startBefore = fields.startBefore
    this.priority = fields.priority
    this.inOrder = fields.inOrder
    this.debounce = fields.debounce
    this.coalesce = fields.coalesce ?? false
    this.metadata = fields.metadata ?? {}
    // what was made here is in one line already
    this.fallbacks = fields instanceof Made ? fields.fallbacks : (fields.fallbacks ?? []).flatMap(oneLine)
    this.onSuccess = fields.onSuccess
    this.onFailure = fields.onFailure
    this.onFailureTimeout = fields.onFailureTimeout
    this.totalTimeout = fields.totalTimeout
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

export const oneLine = ({ step, trigger }: Fallback): ReadonlyArray<Fallback> =>
  step.fallbacks.length === 0
    ? [{ step, trigger }]
    : [{ step: makeStep({ ...step, fallbacks: [] }), trigger }, ...step.fallbacks]
