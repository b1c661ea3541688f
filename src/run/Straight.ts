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
import { isGood } from "../engine/Decide.ts"
import type { TransportError } from "../step/FailureModel.ts"
import type { EndedAttempt } from "../step/HistoryModel.ts"
import type { Completed, Outcome, StepError } from "../step/Outcome.ts"
import type { Response } from "../step/ReplyModel.ts"
import type { Step } from "../step/StepModel.ts"
import * as Direct from "../transport/Direct.ts"
import type { Exchange, Exchanging } from "../transport/HttpTransport.ts"
import type { Strategies } from "../transport/Strategies.ts"
import type { Execution, Facts } from "./Execution.ts"
import { begin, perform, readResponse } from "./Execution.ts"
import type { Host } from "./Host.ts"
import * as Keys from "./Keys.ts"
import { isGoodAttempt, responseOf } from "./PathEnd.ts"
import { sending } from "./Racer.ts"
import * as Telemetry from "./Telemetry.ts"
import { pacing } from "./Turns.ts"

/**
 * Whether plain steps take it. Defaults to `true`; tests turn it off to see that nothing differs.
 *
 * @internal
 */
export const Straight = Context.Reference<boolean>("ezthrottle-effect/run/Straight", { defaultValue: () => true })

/** What the interpreter does with a step, and with what happened to it so far. */
export type Interpret = (step: Step, strategies: Strategies["Service"], host: Host) => Effect.Effect<Outcome, StepError>

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

/** Runs a step over a transport that {@link over} has named; `interpret` does the rest where there is one. */
export const run = (interpret: Interpret, straight: StraightRun): Effect.Effect<Outcome, StepError> =>
  Effect.flatMap(straight.transport.regions, (regions) => {
    const { host, step, strategies, transport } = straight
    // where there are places to leave from, one is chosen
    if (regions.length > 0) return interpret(step, strategies, host)
    const execution: Execution = { step, strategies, host, history: host.history }
    const exchange = exchangeOf(straight)
    const sent = perform(execution, {
      step,
      facts: first,
      send: sending(transport, exchange),
      read: readResponse((host.rules ?? transport.rules)?.(exchange.request))
    })
    const paced = pacing(host, transport)
    return Effect.flatMap(
      paced === undefined ? sent : paced({ request: exchange.request, step }, sent, true),
      (attempt) => goOn(interpret, straight, execution, attempt)
    )
  })

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
  interpret: Interpret,
  straight: StraightRun,
  beginCall: Direct.Begin,
  fiber: Fiber.Fiber<unknown, unknown>
): Effect.Effect<Outcome, StepError> =>
  Effect.callback<Outcome, StepError>((resume) => {
    const { host, step, strategies } = straight
    const execution: Execution = { step, strategies, host, history: host.history }
    const ended = begin(execution, step, first, fiber)
    const clock = fiber.getRef(Clock.Clock)
    const answered = (reply: Response): EndedAttempt => {
      const { ending, response } = readPlain(reply, clock.currentTimeMillisUnsafe())
      return ended(ending, response)
    }
    const rest = (result: Effect.Effect<Response, TransportError>) =>
      Telemetry.step(
        step,
        Effect.matchEffect(
          Effect.onInterrupt(result, () => Effect.sync(() => ended({ _tag: "Interrupted" }, undefined))),
          {
            onSuccess: (reply) => goOn(interpret, straight, execution, answered(reply)),
            onFailure: ({ kept, reason }) =>
              goOn(interpret, straight, execution, ended({ _tag: "Failed", failure: reason }, kept))
          }
        )
      )
    let isTold = false
    const stop = beginCall(exchangeOf(straight), fiber, (result, more) => {
      isTold = true
      if (more !== undefined || Exit.isFailure(result) || !isGood(result.value.status))
        return resume(rest(more ?? result))
      const outcome = completed(step, execution, answered(result.value))
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

const exchangeOf = ({ host, step }: StraightRun): Exchange => ({
  request: Keys.requestFor(step, host),
  region: undefined,
  step,
  timeoutMillis: host.attemptTimeout(step),
  attempt: "0.0.0"
})

const goOn = (
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

const readPlain = readResponse(undefined)

/** A step on its straight way. */
export interface StraightRun {
  readonly step: Step
  readonly strategies: Strategies["Service"]
  readonly host: Host
  readonly transport: Exchanging
}

/** What is known of the first attempt of a step that is sent straight. */
export const first: Facts = { path: 0, racer: 0, kind: "start", region: undefined, pause: 0 }
