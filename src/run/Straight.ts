/**
 * The straight way: the first attempt of a plain step, made without what only a second one would need.
 *
 * Nothing is decided here. A 2xx ends the step; after anything else what happened so far is a history, and the interpreter
 * goes on from it as it does after a crash. So there is one policy, and most calls never meet it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { Outcome, StepError } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import type { Strategies } from "../transport/Strategies.ts"
import type { Execution, Facts } from "./Execution.ts"
import { perform, readResponse } from "./Execution.ts"
import type { Host } from "./Host.ts"
import * as Keys from "./Keys.ts"
import { isGoodAttempt, responseOf } from "./PathEnd.ts"
import { sending } from "./Racer.ts"
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
 * The transport of a step that can be sent at once: here first, once at a time, now, with a key that stands, and with
 * nothing that might end it early or follow on its success. The rules between its fields have been checked.
 */
export const over = (step: Step, strategies: Strategies["Service"], host: Host): Exchanging | undefined => {
  const isPlain =
    step.regions.length === 0 &&
    step.retryAt === undefined &&
    step.startBefore === undefined &&
    step.onFailureTimeout === undefined &&
    step.onSuccess === undefined &&
    step.fallbacks[0]?.trigger._tag !== "OnTimeout" &&
    !Keys.hasUnique(step) &&
    host.history.length === 0
  if (!isPlain) return undefined
  const [{ transport }] = step.type === "FRUGAL" ? strategies.frugal : strategies.performance
  return transport.kind === "exchanging" ? transport : undefined
}

/** Runs a step over a transport that {@link over} has named; `interpret` does the rest where there is one. */
export const run = (
  interpret: Interpret,
  { host, step, strategies, transport }: StraightRun
): Effect.Effect<Outcome, StepError> =>
  Effect.flatMap(transport.regions, (regions) => {
    // where there are places to leave from, one is chosen
    if (regions.length > 0) return interpret(step, strategies, host)
    const execution: Execution = { step, strategies, host, history: host.history }
    const request = Keys.requestFor(step, host)
    const timeoutMillis = host.attemptTimeout(step)
    const exchanged = {
      step,
      facts: first,
      send: sending(transport, { request, region: undefined, step, timeoutMillis, attempt: "0.0.0" }),
      read: readResponse((host.rules ?? transport.rules)?.(request))
    }
    const sent = perform(execution, exchanged)
    const paced = pacing(host, transport)
    return Effect.flatMap(paced === undefined ? sent : paced({ request, step }, sent, true), (attempt) =>
      isGoodAttempt(attempt)
        ? Effect.succeed({
            _tag: "Completed",
            response: responseOf(attempt),
            region: undefined,
            answeredBy: step,
            path: 0,
            responses: [],
            history: execution.history,
            chained: undefined
          })
        : interpret(step, strategies, { ...host, history: execution.history, goesOn: true })
    )
  })

/** A step on its straight way. */
export interface StraightRun {
  readonly step: Step
  readonly strategies: Strategies["Service"]
  readonly host: Host
  readonly transport: Exchanging
}

const first: Facts = { path: 0, racer: 0, kind: "start", region: undefined, pause: 0 }
