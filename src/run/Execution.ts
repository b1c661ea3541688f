/** The state of one run: what it is doing, over what, and what happened so far. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type { Deadline } from "../engine/Deadline.ts"
import type { Ended } from "../engine/Decide.ts"
import type { TransportError } from "../step/FailureModel.ts"
import type { Attempt, EndedAttempt, Ending } from "../step/HistoryModel.ts"
import * as History from "../step/HistoryModel.ts"
import type { Response } from "../step/ReplyModel.ts"
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
  /** What it must have succeeded by, once that is known. */
  deadline?: Deadline
  /** The monotonic millisecond of that. */
  until?: number
  /** Monotonic millisecond at which its `totalTimeout` passes, which goes on where it is forwarded. */
  totalUntil?: number
}

export type Facts = Pick<Attempt, "kind" | "path" | "pause" | "racer" | "region">

/** One attempt: what is sent, and how its reply is read. */
export interface Exchanged<A> {
  readonly step: Step
  readonly facts: Facts
  readonly send: (fiber: Fiber.Fiber<unknown, unknown>) => Effect.Effect<A, TransportError>
  readonly read: (reply: A, nowMillis: number) => { readonly ending: Ended; readonly response: Response | undefined }
}

/** Performs one attempt and records how it ended, interruption included. */
export const perform = <A>(
  execution: Execution,
  { facts, read, send, step }: Exchanged<A>
): Effect.Effect<EndedAttempt> =>
  Telemetry.attempt(step, facts, (fiber) =>
    recorded({ ended: begin(execution, step, facts, fiber), read, record: execution.host.record, fiber }, send(fiber))
  )

/** An attempt that has begun. */
export interface Begun<A> extends Pick<Exchanged<A>, "read">, Pick<Host, "record"> {
  readonly ended: ReturnType<typeof begin>
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

/** Records how an attempt ends that has begun, interruption included. */
export const recorded = <A>(
  { ended, fiber, read, record }: Begun<A>,
  sent: Effect.Effect<A, TransportError>
): Effect.Effect<EndedAttempt> => {
  const end = <E extends Ending>(ending: E, response: Response | undefined) => {
    const attempt = ended(ending, response)
    return record === undefined ? Effect.succeed(attempt) : Effect.as(record(attempt), attempt)
  }
  return Effect.matchEffect(
    Effect.onInterrupt(sent, () => end({ _tag: "Interrupted" }, undefined)),
    {
      onSuccess: (reply) => {
        const { ending, response } = read(reply, fiber.getRef(Clock.Clock).currentTimeMillisUnsafe())
        return end(ending, response)
      },
      onFailure: ({ kept, reason }) => end<Ended>({ _tag: "Failed", failure: reason }, kept)
    }
  )
}

/** Begins an attempt; who tells what it returns how it ended gets it for the history, where it stands already. */
export const begin = (
  execution: Pick<Execution, "history">,
  step: Step,
  facts: Facts,
  fiber: Fiber.Fiber<unknown, unknown>
) => {
  const clock = fiber.getRef(Clock.Clock)
  const at = clock.currentTimeMillisUnsafe()
  const from = clock.monotonicTimeNanosUnsafe()
  const observer = fiber.getRef(Observer)
  observer?.({ _tag: "Started", step, attempt: facts })
  return <E extends Ending>(ending: E, response: Response | undefined) => {
    const latency = Number(clock.monotonicTimeNanosUnsafe() - from) / 1e6
    const { kind, pause, path, racer, region } = facts
    const attempt = { path, racer, kind, region, pause, at, latency, ending, response }
    execution.history = History.append(execution.history, attempt)
    Telemetry.countAttempt(attempt, fiber.context)
    observer?.({ _tag: "Ended", step, attempt })
    return attempt
  }
}
