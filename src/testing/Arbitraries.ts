/**
 * Random steps, answers and scripts for property tests, with Effect's own `Arbitrary`.
 *
 * Steps are valid, across fields and at every depth, and made of few hosts, regions and statuses, so that random trees
 * and random answers meet. They shrink to small steps.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { Failure } from "../step/Failure.ts"
import { AttemptTimedOut, ConnectionFailed, InvalidResponse } from "../step/Failure.ts"
import type { Response } from "../step/Reply.ts"
import type { RetryPolicy } from "../step/RetryPolicy.ts"
import * as Request from "../step/Request.ts"
import type { Fallback, Idempotency, Step, StepType, Trigger, Webhook } from "../step/StepModel.ts"
import { makeStep } from "../step/StepModel.ts"
import type { Answer } from "./Answer.ts"
import * as Answers from "./Answer.ts"

/**
 * What random steps are made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface StepOptions {
  /** How deep fallbacks and chains nest at most. Defaults to `3`; `0` is a single call. */
  readonly depth?: number | undefined
  /** Types to choose from; `undefined` stands for a step that names none. Defaults to all three. */
  readonly types?: readonly [StepType | undefined, ...ReadonlyArray<StepType | undefined>] | undefined
  /** Regions to choose from. Defaults to `iad`, `lax`, `ord` and `fra`. */
  readonly regions?: readonly [string, ...ReadonlyArray<string>] | undefined
}

/**
 * Generates steps.
 *
 * @category generators
 * @since 0.1.0
 */
export const step = (options: StepOptions = {}): Arbitrary.Arbitrary<Step> => tree(flat(options), options.depth ?? 3)

/**
 * Generates requests: any method, URL, headers, and bodies of text or bytes.
 *
 * @category generators
 * @since 0.1.0
 */
export const request: Arbitrary.Arbitrary<Request.Request> = Arbitrary.suspended
