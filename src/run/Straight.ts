/**
 * The straight way: the first attempt of a plain step, made without what only a second one would need.
 *
 * Nothing is decided here. A 2xx ends the step; after anything else what happened so far is a history, and the interpreter
 * goes on from it as it does after a crash. So there is one policy, and most calls never meet it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type { Ended } from "../engine/Decide.ts"
import { isGood } from "../engine/Good.ts"
import type { ConnectionFailed, TransportError } from "../step/FailureModel.ts"
import type { EndedAttempt } from "../step/HistoryModel.ts"
import type { Completed, Outcome, StepError } from "../step/Outcome.ts"
import { stepError } from "../step/Outcome.ts"
import type { Response } from "../step/ReplyModel.ts"
import type { Step } from "../step/StepModel.ts"
import * as Direct from "../transport/Direct.ts"
import type { Exchange, Exchanging } from "../transport/HttpTransport.ts"
import type { Strategies } from "../transport/Strategies.ts"
import type { Execution, Facts } from "./Execution.ts"
import { begin } from "./Execution.ts"
import { isGoodAttempt, responseOf } from "./GoodAttempt.ts"
import type { Host } from "./Host.ts"
import * as Keys from "./Keys.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * Whether plain steps take it. Defaults to `true`; tests turn it off to see that nothing differs.
 *
 * @internal
 */
export const Straight = Context.Reference<boolean>("ezthrottle-effect/run/Straight", { defaultValue: () => true })

/** What the interpreter does with a step, and with what happened to it so far. */
export type Interpret = (step: Step, strategies: Strategies["Service"], host: Host) => Effect.Effect<Outcome, StepError>

/** What is needed where one good answer to one call is not all there is. */
export interface Rest {
  readonly interpret: Interpret
  /** What an answer means for the history. */
  readonly read: (response: Response, nowMillis: number) => { readonly ending: Ended; readonly response: Response }
  /** Runs a step on its straight way in a fiber: in its turn, in a span, recorded. */
  readonly inFiber: (straight: StraightRun) => Effect.Effect<Outcome, StepError>
}

/** Brings it; some programs load it only when they need it. */
export type Resting = Effect.Effect<Rest, ConnectionFailed>

/**
 * Whether a step can be sent at once: here first, once at a time, now, with a key that stands, and with nothing that
 * might end it early or follow on its success. The rules between its fields have been checked.
 */
export const isPlain = (step: Step): boolean =>
  step.regions.length === 0 &&
  step.retryAt === undefined &&
  step.startBefore === undefined &&
  step.onFailureTimeout === undefined &&
  step.totalTimeout === undefined &&
  step.timeoutHeader === undefined &&
  step.hedge === undefined &&
  step.onSuccess === undefined &&
  step.fallbacks[0]?.trigger._tag !== "OnTimeout" &&
  !Keys.hasUnique(step)

/** The transport of a step that can be. */
export const over = (step: Step, strategies: Strategies["Service"], host: Host): Exchanging | undefined => {
  if (!isPlain(step) || host.history.length > 0) return undefined
  const [{ transport }] = step.type === "FRUGAL" ? strategies.frugal : strategies.performance
  return transport.kind === "exchanging" ? transport : undefined
}

/**
 * How the one call of a step is begun without a fiber of its own; `undefined` where something has to happen around it: a
 * span, a turn, a row in a store.
 */
export const direct = (
  { host, transport }: StraightRun,
  { cache }: Fiber.Fiber<unknown, unknown>
): Direct.Begin | undefined =>
  cache.tracer === undefined && host.record === undefined && host.paced === undefined && host.rules === undefined
    ? Direct.of(transport)
    : undefined

/** Runs a step whose call is begun as {@link direct} says, and counts it where the answer is its end. */
export const runDirect = (
  resting: Resting,
  straight: StraightRun,
  beginCall: Direct.Begin,
  fiber: Fiber.Fiber<unknown, unknown>
): Effect.Effect<Outcome, StepError> =>
  Effect.callback<Outcome, StepError>((resume) => {
    const { host, step, strategies } = straight
    const execution: Execution = { step, strategies, host, history: host.history }
    const ended = begin(execution, step, first, fiber)
    const clock = fiber.getRef(Clock.Clock)
    const now = () => clock.currentTimeMillisUnsafe()
    const further = (goesOn: (rest: Rest) => EndedAttempt) =>
      Effect.matchEffect(resting, {
        onSuccess: (rest) => goOn(rest.interpret, straight, execution, goesOn(rest)),
        onFailure: (reason) => {
          ended({ _tag: "Failed", failure: reason }, undefined)
          return stepError(step, reason, execution.history)
        }
      })
    const rest = (result: Effect.Effect<Response, TransportError>) =>
      Telemetry.step(
        step,
        Effect.matchEffect(
          Effect.onInterrupt(result, () => Effect.sync(() => ended({ _tag: "Interrupted" }, undefined))),
          {
            onSuccess: (reply) =>
              further(({ read }) => {
                const { ending, response } = read(reply, now())
                return ended(ending, response)
              }),
            onFailure: ({ kept, reason }) => {
              const attempt = ended({ _tag: "Failed", failure: reason }, kept)
              return further(() => attempt)
            }
          }
        )
      )
    let isTold = false
    const stop = beginCall(exchangeOf(straight), fiber, (result, more) => {
      isTold = true
      if (more !== undefined || Exit.isFailure(result) || !isGood(result.value.status))
        return resume(rest(more ?? result))
      const { value: response } = result
      const ending = { _tag: "Answered", status: response.status, retryAfter: undefined } as const
      const outcome = completed(step, execution, ended(ending, response))
      Telemetry.countStep(outcome, fiber.context)
      resume(Exit.succeed(outcome))
    })
    return Effect.sync(() => {
      // what it was resumed with may be interrupted too
      if (isTold) return
      stop()
      ended({ _tag: "Interrupted" }, undefined)
    })
  })

/** The one exchange of a step. */
export const exchangeOf = ({ host, step }: StraightRun): Exchange => ({
  request: Keys.requestFor(step, host),
  region: undefined,
  step,
  timeoutMillis: host.attemptTimeout(step),
  attempt: "0.0.0"
})

/** Ends a step with a good attempt, or goes on after any other. */
export const goOn = (
  interpret: Interpret,
  { host, step, strategies }: StraightRun,
  execution: Execution,
  attempt: EndedAttempt
): Effect.Effect<Outcome, StepError> =>
  isGoodAttempt(attempt)
    ? Effect.succeed(completed(step, execution, attempt))
    : interpret(step, strategies, { ...host, history: execution.history, goesOn: true })

/** How a step ends whose one attempt was good. */
export const completed = (step: Step, { history }: Pick<Execution, "history">, attempt: EndedAttempt): Completed => ({
  _tag: "Completed",
  response: responseOf(attempt),
  region: undefined,
  answeredBy: step,
  path: 0,
  responses: [],
  history,
  chained: undefined
})

/** A step on its straight way. */
export interface StraightRun {
  readonly step: Step
  readonly strategies: Strategies["Service"]
  readonly host: Host
  readonly transport: Exchanging
}

/** What is known of the first attempt of a step that is sent straight. */
export const first: Facts = { path: 0, racer: 0, kind: "start", region: undefined, pause: 0 }
