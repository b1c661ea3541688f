/** The state of one run: what it is doing, over what, and what happened so far. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RetryAfter from "../engine/RetryAfter.ts"
import type { Ended } from "../engine/Decide.ts"
import { isGood } from "../engine/Decide.ts"
import { AttemptTimedOut, TransportError } from "../step/Failure.ts"
import type { Attempt, EndedAttempt, Ending } from "../step/History.ts"
import * as History from "../step/History.ts"
import type { Response } from "../step/Reply.ts"
import type { Step } from "../step/StepModel.ts"
import type { Strategies } from "../transport/Strategies.ts"
import type { Host } from "./Host.ts"
import { Observer } from "./Observer.ts"
import * as Telemetry from "./Telemetry.ts"

export interface Execution {
  /** The step with every UNIQUE key settled. */
  readonly step: Step
  readonly strategies: Strategies["Service"]
  readonly host: Host
  /** Grows as attempts end. */
  history: History.History
}

export type Facts = Pick<Attempt, "kind" | "path" | "pause" | "racer" | "region">

/** Performs one attempt and records how it ended, interruption included. */
export const perform = <A>(
  execution: Execution,
  step: Step,
  facts: Facts,
  send: Effect.Effect<A, TransportError>,
  read: (reply: A, nowMillis: number) => { readonly ending: Ended; readonly response: Response | undefined }
): Effect.Effect<EndedAttempt> =>
  Telemetry.attempt(
    step,
    facts,
    Effect.withFiber((fiber) => {
      const clock = fiber.getRef(Clock.Clock)
      const at = clock.currentTimeMillisUnsafe()
      const from = clock.monotonicTimeNanosUnsafe()
      const observer = fiber.getRef(Observer)
      observer?.({ _tag: "Started", step, attempt: facts })
      const end = <E extends Ending>(ending: E, response: Response | undefined) => {
        const latency = Number(clock.monotonicTimeNanosUnsafe() - from) / 1e6
        const attempt = { ...facts, at, latency, ending, response }
        execution.history = History.append(execution.history, attempt)
        Telemetry.countAttempt(attempt, fiber.context)
        observer?.({ _tag: "Ended", step, attempt })
        const { record } = execution.host
        return record === undefined ? Effect.succeed(attempt) : Effect.as(record(attempt), attempt)
      }
      return Effect.matchEffect(
        Effect.onInterrupt(send, () => end({ _tag: "Interrupted" }, undefined)),
        {
          onSuccess: (reply) => {
            const { ending, response } = read(reply, clock.currentTimeMillisUnsafe())
            return end(ending, response)
          },
          onFailure: ({ kept, reason }) => end<Ended>({ _tag: "Failed", failure: reason }, kept)
        }
      )
    })
  )

/** Reads what a target's answer means for the history. */
export const readResponse = (response: Response, nowMillis: number) => {
  const retryAfter = isGood(response.status) ? undefined : RetryAfter.parse(response.headers, nowMillis)
  const ending: Ended = {
    _tag: "Answered",
    status: response.status,
    retryAfter: retryAfter === undefined ? undefined : Duration.toMillis(retryAfter)
  }
  return { ending, response }
}

/** Ends a send that takes longer than its limit. */
export const within = <A>(send: Effect.Effect<A, TransportError>, millis: number): Effect.Effect<A, TransportError> =>
  Effect.timeoutOrElse(send, {
    duration: millis,
    orElse: () => Effect.fail(new TransportError({ reason: new AttemptTimedOut({ afterMillis: millis }) }))
  })
