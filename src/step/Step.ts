/**
 * A Step is an immutable value that says which HTTP call to make and how it must survive.
 *
 * Constructors make one, verbs return a changed copy, data-first or piped; nothing here can send. A verb checks its own
 * field and throws `InvalidStep`; rules between fields are checked by `check`, which every execution calls first.
 *
 * @since 0.1.0
 */
import type * as Model from "./StepModel.ts"

export * from "./StepVerbs.ts"
export { answer, fill, type FillOptions, from, type From } from "./StepFill.ts"
export { at, attemptTimeout, delay, startBefore, timeoutHeader, totalTimeout } from "./StepTime.ts"
export { hedge, type HedgeOptions } from "./StepHedge.ts"
export { secret, type SecretOptions } from "./StepSecret.ts"
export { type WebhookOptions } from "./StepWebhook.ts"
export { coalesce, debounce, type DebounceOptions, inOrder, type OrderOptions, priority } from "./StepTurn.ts"
export { isStep } from "./StepModel.ts"
export { inherit } from "./StepInherit.ts"
export { check } from "./StepRules.ts"
export { decode, StepFromJson } from "./StepJson.ts"
export { toJson, type StepEncoded } from "./StepEncoded.ts"

// aliases, because the bundled declarations would take re-exported types of a namespace for values
/**
 * Of the jobs of a key that come soon after each other only the newest runs.
 *
 * @category models
 * @since 0.1.0
 */
export type Debounce = Model.Debounce

/**
 * What a call draws on a limit.
 *
 * @category models
 * @since 0.1.0
 */
export type Draw = Model.Draw

/**
 * What a chained step takes from the answer before it.
 *
 * @category models
 * @since 0.1.0
 */
export type Fill = Model.Fill

/**
 * What several regions mean: `race` or `fanout`.
 *
 * @category models
 * @since 0.1.0
 */
export type ExecutionMode = Model.ExecutionMode

/**
 * A step of the line that runs when the one before it failed, and when it does.
 *
 * @category models
 * @since 0.1.0
 */
export type Fallback = Model.Fallback

/**
 * How a call is recognised as the same call.
 *
 * @category models
 * @since 0.1.0
 */
export type Idempotency = Model.Idempotency

/**
 * In which line a job stands, and what becomes of it when one has failed for good.
 *
 * @category models
 * @since 0.1.0
 */
export type Order = Model.Order

/**
 * How soon a job has its turn: `high`, `normal` or `low`.
 *
 * @category models
 * @since 0.1.0
 */
export type Priority = Model.Priority

/**
 * Where else an attempt may leave from: `fallback` or `strict`.
 *
 * @category models
 * @since 0.1.0
 */
export type RegionPolicy = Model.RegionPolicy

/**
 * An immutable value that says which HTTP call to make and how it must survive.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = Model.Step

/**
 * The fields of a step.
 *
 * @category models
 * @since 0.1.0
 */
export type StepFields = Model.StepFields

/**
 * `FRUGAL` or `PERFORMANCE`.
 *
 * @category models
 * @since 0.1.0
 */
export type StepType = Model.StepType

/**
 * When a fallback runs.
 *
 * @category models
 * @since 0.1.0
 */
export type Trigger = Model.Trigger

/**
 * Who is told the result.
 *
 * @category models
 * @since 0.1.0
 */
export type Webhook = Model.Webhook
