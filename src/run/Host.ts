/**
 * What differs between executing a step in a client and executing it in a durable service.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import type { Rules } from "../engine/Refusal.ts"
import type { Attempt, EndedAttempt, History } from "../step/HistoryModel.ts"
import type { Chained, NotTaken, Outcome, StepError } from "../step/Outcome.ts"
import type { Request } from "../step/Request.ts"
import type { ResolvedRetryPolicy } from "../step/RetryPolicy.ts"
import * as RetryPolicy from "../step/RetryPolicy.ts"
import type { Step } from "../step/StepModel.ts"
import type { Targets } from "./Targets.ts"
import type { PacedCall } from "../transport/HttpTransport.ts"

/**
 * Starts the step chained to one that has ended. Returns `Ended` or `Failed` when it was run to its end, `Started` when
 * a job of its own will run it.
 *
 * @category models
 * @since 0.1.0
 */
export type ChildStarter = (
  relation: "onSuccess" | "onFailure",
  child: Step,
  parent: Outcome | StepError
) => Effect.Effect<Chained>

/**
 * The surroundings of an execution.
 *
 * @category models
 * @since 0.1.0
 */
export interface Host {
  /** What a step without a retry policy gets. The client: one attempt. */
  readonly unsetPolicy: ResolvedRetryPolicy
  /** Limit of one attempt in milliseconds. */
  readonly attemptTimeout: (step: Step) => number
  /** The longest `Retry-After` to sleep through, in milliseconds. */
  readonly patience: (step: Step) => number
  /** The key a target gets for HASH steps on unsafe methods; `undefined`: only where the step asks for it. */
  readonly hashKey: string | undefined
  /** What is known of how the target of a request refuses. `undefined`: no more than of every upstream. */
  readonly rules: ((request: Request) => Rules | undefined) | undefined
  /** What happened before this run; the run goes on from there. */
  readonly history: History
  /** Whether that happened just now, in this very run: nothing of the pause behind it is over. Defaults to `false`. */
  readonly goesOn?: boolean | undefined
  /**
   * Milliseconds of the pause behind the last attempt of `history` for which a run before this one was ended. It is over
   * and is not drawn again. `undefined`: the run broke off in some other way.
   */
  readonly rested: number | undefined
  /** Epoch milliseconds when the step was accepted, for the limits over everything; `undefined`: when the run starts. */
  readonly acceptedAt: number | undefined
  /** Stores an attempt; the next decision waits for it. `undefined`: nothing to store. */
  readonly record: ((attempt: Attempt) => Effect.Effect<void>) | undefined
  /** Waits between attempts. With `alone` nothing else of the step is running, so a host may interrupt the run instead and resume it later. */
  readonly pause: (millis: number, alone: boolean) => Effect.Effect<void>
  /**
   * Lets each exchange wait for its turn. What it waits counts for the limits over everything, but not for the attempt's limit and
   * not for a fallback's `onTimeout`. With `alone` nothing else of the step is running, so a host may interrupt the run
   * instead of waiting, as for `pause`. `undefined`: everything is sent at once.
   */
  readonly paced:
    | ((call: PacedCall, exchange: Effect.Effect<EndedAttempt>, alone: boolean) => Effect.Effect<EndedAttempt>)
    | undefined
  /**
   * Milliseconds from now after which an attempt is made again without spending anything; `undefined`: its ending counts.
   * That time counts as waiting for a turn.
   */
  readonly repeatsAfter:
    ((step: Step, request: Request, attempt: EndedAttempt) => Effect.Effect<number | undefined>) | undefined
  /** What hedges know of targets. `undefined`: what was learnt over the transport at hand. */
  readonly hedges?: Targets | undefined
  /** Whether an earlier run has started the step, so that it cannot expire any more. Defaults to `false`. */
  readonly hasBegun?: boolean | undefined
  /** Fills a step from the answer it is chained to. `undefined`: it is chained to none. */
  readonly fill?: ((step: Step) => Result.Result<Step, NotTaken>) | undefined
  /** `undefined`: chained steps are executed inline. */
  readonly startChild: ChildStarter | undefined
}

/**
 * The client: one attempt unless the step has a policy, 30 seconds per attempt, chains inline, nothing stored.
 *
 * @category constants
 * @since 0.1.0
 */
export const client: Host = {
  unsetPolicy: RetryPolicy.once,
  attemptTimeout: (step) => attemptTimeout(step),
  patience: (step) => localTimeout(step),
  hashKey: undefined,
  rules: undefined,
  history: [],
  rested: undefined,
  acceptedAt: undefined,
  record: undefined,
  pause: (millis) => Effect.sleep(millis),
  paced: undefined,
  repeatsAfter: undefined,
  startChild: undefined
}

const localTimeout = (step: Step): number =>
  step.localTimeout === undefined ? 30_000 : Duration.toMillis(step.localTimeout)

const attemptTimeout = (step: Step): number =>
  step.attemptTimeout === undefined ? localTimeout(step) : Duration.toMillis(step.attemptTimeout)
