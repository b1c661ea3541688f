/** Waiting on a path: for its pauses, and for turns with its stopwatch standing still; never past its end. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { EndedAttempt } from "../step/HistoryModel.ts"
import type { Exchanging, PacedCall } from "../transport/HttpTransport.ts"
import type { Execution } from "./Execution.ts"
import type { Host } from "./Host.ts"
import * as Stopwatch from "./Stopwatch.ts"

/** What a path must keep to. */
export interface Limits {
  /** Nothing is sent any more; only what the history has decided already still counts. */
  readonly expired: boolean
  /** Monotonic millisecond at which the whole step has failed. */
  readonly deadline: number
  /** Milliseconds the path may still take at a monotonic millisecond, waits for turns left out. */
  readonly left: (now: number) => number
  readonly stopwatch: Stopwatch.Stopwatch
}

/** What waiting depends on. */
export interface Waiting extends Limits, PacedCall {
  readonly execution: Execution
  /** Nothing else of the step runs beside it. */
  readonly alone: boolean
}

/** Who lets exchanges through: the host, else the transport they go over. */
export const pacing = (host: Host, transport: Exchanging): Host["paced"] => host.paced ?? transport.inTurn

/** Waits for the host's permit with the path's stopwatch standing still. */
export const inTurn = (
  { alone, request, step, stopwatch }: Waiting,
  paced: NonNullable<Host["paced"]>,
  sent: Effect.Effect<EndedAttempt>
): Effect.Effect<EndedAttempt> =>
  Effect.suspend(() => {
    let began = false
    const change = (waiting: number, sending: number) => turned(stopwatch, { waiting, sending })
    const send = Effect.suspend(() => {
      began = true
      return Effect.andThen(change(-1, 1), sent)
    })
    return Effect.andThen(
      change(1, 0),
      Effect.ensuring(
        paced({ request, step }, send, alone),
        Effect.suspend(() => (began ? change(0, -1) : change(-1, 0)))
      )
    )
  })

const turned = (stopwatch: Stopwatch.Stopwatch, change: { readonly waiting: number; readonly sending: number }) =>
  Effect.map(Clock.monotonicTimeNanos, (nanos) => Stopwatch.turn(stopwatch, Number(nanos) / 1e6, change))

/** Pauses, but not past the path's own end: what would come after it does not come. */
export const pauseFor = (path: Waiting, millis: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.monotonicTimeNanos, (nanos) => {
    const now = Number(nanos) / 1e6
    return pauseUpTo(path, millis, Math.min(path.left(now), path.deadline - now))
  })

/** Waits as long as the host asks, with the path's stopwatch standing still. */
export const repose = (path: Waiting, millis: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.monotonicTimeNanos, (nanos) =>
    Effect.andThen(
      turned(path.stopwatch, { waiting: 1, sending: 0 }),
      Effect.ensuring(
        pauseUpTo(path, millis, path.deadline - Number(nanos) / 1e6),
        turned(path.stopwatch, { waiting: -1, sending: 0 })
      )
    )
  )

// a host may end the run for the time of a pause, so it is told no more than there is
const pauseUpTo = ({ alone, execution: { host } }: Waiting, millis: number, left: number): Effect.Effect<void> =>
  millis < left ? host.pause(millis, alone) : Effect.andThen(host.pause(Math.max(0, left), alone), Effect.never)
