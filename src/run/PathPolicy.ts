/**
 * What the schedule of a path is composed with: a program says in one place, for all of its steps or for some, how much
 * longer, shorter or otherwise they are tried again.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type * as Schedule from "effect/Schedule"
import type { Ended } from "../engine/Decide.ts"
import type { Move } from "../engine/Moves.ts"
import type { Request } from "../step/Request.ts"
import type { Step } from "../step/StepModel.ts"

export type { Ended } from "../engine/Decide.ts"
export type { Move } from "../engine/Moves.ts"

/**
 * What a path is about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  /** The step, or the fallback with what it inherits. */
  readonly step: Step
  /** The call as it is sent. */
  readonly request: Request
}

/**
 * Makes the schedule of a path from the one that its policy is. What it outputs does not matter; where it ends, the
 * path ends, and its delay is the pause.
 *
 * @category models
 * @since 0.1.0
 */
export type Compose = (schedule: Schedule.Schedule<Move, Ended>, subject: Subject) => Schedule.Schedule<unknown, Ended>

/**
 * Called for a path after its first attempt that may be followed by another, once for each region that it races, and
 * again for a job that goes on after a restart; it must not throw. By default the policy's schedule is stepped as it is.
 *
 * @category references
 * @since 0.1.0
 */
export const PathPolicy: Context.Reference<Compose | undefined> = Context.Reference<Compose | undefined>(
  "ezthrottle-effect/run/PathPolicy",
  { defaultValue: () => undefined }
)

/**
 * Composes the schedules of all steps below it.
 *
 * **When to use** — to bound or slow down what steps say, or to give one host another schedule: return `schedule` for
 * the others.
 * **Details** — a schedule that does not ask the policy's goes on beyond its counts; it goes where the policy would go,
 * and stays where it is when the policy has stopped. An ending that is final for the policy (a 2xx, a status in neither
 * list, a certificate that is not trusted, a `Retry-After` beyond patience) ends the path whatever the schedule says;
 * so do deadlines. A delay without end is an end.
 * **Gotchas** — the delay is taken as it is: one that is shorter than a `Retry-After` breaks it.
 * `Schedule.max([schedule, other])` keeps to both. A layer further in replaces this one.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (compose: Compose): Layer.Layer<never> => Layer.succeed(PathPolicy, compose)
