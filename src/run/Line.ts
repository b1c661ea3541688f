/**
 * The line of a step over one entry of its strategy: the step itself, then its fallbacks in order, each judged against
 * the last path that ran.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { triggers } from "../engine/Trigger.ts"
import type { Accepted, StepReason } from "../step/Outcome.ts"
import { DeadlineExceeded, PathTimedOut } from "../step/Outcome.ts"
import type { Fallback, Step, Trigger } from "../step/StepModel.ts"
import { makeStep } from "../step/StepModel.ts"
import { inherit } from "../step/StepInherit.ts"
import type { Exchanging, Transport } from "../transport/HttpTransport.ts"
import { delegate } from "./Delegate.ts"
import type { Execution } from "./Execution.ts"
import * as Keys from "./Keys.ts"
import * as Path from "./Path.ts"

export type LineEnd =
  | (Extract<Path.PathEnd, { readonly _tag: "Good" }> & { readonly path: number; readonly step: Step })
  | Accepted
  | Extract<Path.PathEnd, { readonly _tag: "Bad" }>

/** Runs the line; `deadline` is the monotonic millisecond at which all of it has failed. */
export const run = Effect.fnUntraced(function* (
  execution: Execution,
  transport: Exchanging,
  deadline: number
): Effect.fn.Return<LineEnd> {
  const line = lineOf(execution.step)
  // a resumed run goes on with the path it was on
  const first = execution.history.reduce(
    (path, attempt) => (attempt.kind === "forward" ? path : Math.max(path, attempt.path)),
    0
  )
  let before: { readonly reason: StepReason; readonly took: number } | undefined
  for (let index = first; index < line.length; index++) {
    const entry = line[index]
    if (entry === undefined || (before !== undefined && !triggers(entry.trigger, before.reason, before.took))) continue
    const { step } = entry
    const over = transportOf(execution, transport, step)
    const from = yield* monotonicMillis
    if (over.kind === "delegating") {
      const rest = execution.step.fallbacks.slice(index)
      const end = yield* delegate(execution, over, makeStep({ ...step, fallbacks: rest }), {
        path: index,
        key: Keys.keyFor(step, false),
        retryAt: step.retryAt
      })
      if (end._tag === "Accepted") return end
      before = { reason: end, took: (yield* monotonicMillis) - from }
      continue
    }
    const end = yield* limited(Path.run(execution, over, step, index), line[index + 1]?.trigger, deadline - from)
    if (end._tag === "Good") return { ...end, path: index, step }
    if (end.reason._tag === "DeadlineExceeded") return end
    before = { reason: end.reason, took: (yield* monotonicMillis) - from }
  }
  // the first path of the loop always runs, so there is a reason
  return { _tag: "Bad", reason: before?.reason ?? new DeadlineExceeded({ afterMillis: 0 }) }
})

/** The step and its fallbacks with what they inherit. */
export const lineOf = (step: Step): ReadonlyArray<Fallback> => [
  { step, trigger: always },
  ...step.fallbacks.map((fallback) => ({ step: inherit(fallback.step, step), trigger: fallback.trigger }))
]

const transportOf = ({ step: primary, strategies }: Execution, current: Transport, step: Step): Transport => {
  if (step === primary || (step.type ?? "PERFORMANCE") === (primary.type ?? "PERFORMANCE")) return current
  return (step.type === "FRUGAL" ? strategies.frugal : strategies.performance)[0].transport
}

/** The earlier of two limits: the next fallback's `onTimeout`, and the deadline of the whole step. */
const limited = (
  path: Effect.Effect<Path.PathEnd>,
  next: Trigger | undefined,
  remaining: number
): Effect.Effect<Path.PathEnd> => {
  const patience = next?._tag === "OnTimeout" ? Duration.toMillis(next.after) : Number.POSITIVE_INFINITY
  const limit = Math.min(patience, remaining)
  if (limit === Number.POSITIVE_INFINITY) return path
  return Effect.timeoutOrElse(path, {
    duration: Math.max(0, limit),
    orElse: () =>
      Effect.succeed<Path.PathEnd>({
        _tag: "Bad",
        reason:
          remaining <= patience ? new DeadlineExceeded({ afterMillis: 0 }) : new PathTimedOut({ afterMillis: patience })
      })
  })
}

export const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

const always: Trigger = { _tag: "Any" }
