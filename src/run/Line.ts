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
import type { Step, Trigger } from "../step/StepModel.ts"
import { makeStep } from "../step/StepValue.ts"
import { inherit } from "../step/StepInherit.ts"
import type { Exchanging, Transport } from "../transport/HttpTransport.ts"
import { delegate, mayExist } from "./Delegate.ts"
import type { Execution } from "./Execution.ts"
import * as Keys from "./Keys.ts"
import * as Path from "./Path.ts"
import type { PathEnd } from "./PathEnd.ts"
import { active, endedBy, span } from "./PathEnd.ts"
import * as Stopwatch from "./Stopwatch.ts"
import type { Limits } from "./Turns.ts"

export type LineEnd =
  | (Extract<PathEnd, { readonly _tag: "Good" }> & { readonly path: number; readonly step: Step })
  | Accepted
  | (Extract<PathEnd, { readonly _tag: "Bad" }> & {
      /** How the step itself ended, which decides whether it is forwarded: a fallback never is on its own behalf. */
      readonly primary: StepReason
    })

/** Runs the line; `deadline` is the monotonic millisecond at which all of it has failed. */
export const run = Effect.fnUntraced(function* (
  execution: Execution,
  transport: Exchanging,
  deadline: number
): Effect.fn.Return<LineEnd> {
  const { fallbacks } = execution.step
  // a resumed run goes on with the path it was on
  const first = execution.history.reduce(
    (path, attempt) => (attempt.kind === "forward" ? path : Math.max(path, attempt.path)),
    0
  )
  const resumedAt = execution.history.find((attempt) => attempt.kind !== "forward" && attempt.path === first)?.at
  let primary = first === 0 ? undefined : endedBy(execution.history, 0)
  let before: { readonly reason: StepReason; readonly took: number } | undefined
  for (let index = first; index <= fallbacks.length; index++) {
    const given = fallbacks[index - 1]
    if (before !== undefined && given !== undefined && !triggers(given.trigger, before.reason, before.took)) continue
    // inherited only now: most steps succeed without their fallbacks
    const step = given === undefined ? execution.step : inherit(given.step, execution.step)
    const over = transportOf(execution, transport, step)
    if (over.kind === "delegating") {
      const from = yield* monotonicMillis
      // what follows in the line inherits from this step's parent, not from this step
      const rest = fallbacks.slice(index).map((next) => ({ ...next, step: inherit(next.step, execution.step) }))
      const end = yield* delegate(execution, over, makeStep({ ...step, fallbacks: rest }), {
        path: index,
        key: Keys.keyFor(step, false),
        retryAt: step.retryAt
      })
      if (end._tag === "Accepted") return end
      before = { reason: end, took: (yield* monotonicMillis) - from }
      // the rest of the line is in that job
      if (mayExist(end)) break
      continue
    }
    if (index > 0) yield* waitFor(execution, step, deadline)
    const isResumed = index === first && resumedAt !== undefined
    const age = isResumed ? (yield* Clock.currentTimeMillis) - resumedAt : 0
    const from = (yield* monotonicMillis) - age
    const made = execution.history.length
    const next = fallbacks[index]?.trigger
    const { end, turns } =
      execution.host.paced === undefined
        ? {
            end: yield* limited(
              (limits) => Effect.flatMap(Path.prepare(execution, over, step, index), (path) => path.run(limits)),
              next,
              age,
              deadline - from - age
            ),
            turns: undefined
          }
        : yield* limitedByTurns(
            yield* Path.prepare(execution, over, step, index),
            next,
            active(execution.history, index),
            deadline
          )
    if (end._tag === "Good") return { ...end, path: index, step }
    primary ??= end.reason
    if (end.reason._tag === "DeadlineExceeded") return { ...end, primary }
    const isReplayed = age > 0 && execution.history.length === made
    const took = turns ?? (isReplayed ? span(execution.history, index) : (yield* monotonicMillis) - from)
    // a timer may be a little early
    const atLeast = end.reason._tag === "PathTimedOut" ? end.reason.afterMillis : 0
    before = { reason: end.reason, took: Math.max(took, atLeast) }
  }
  // the first path of the loop always runs, so there is a reason
  const reason = before?.reason ?? new DeadlineExceeded({ afterMillis: 0 })
  return { _tag: "Bad", reason, primary: primary ?? reason }
})

const transportOf = ({ step: primary, strategies }: Execution, current: Transport, step: Step): Transport => {
  if (step === primary || (step.type ?? "PERFORMANCE") === (primary.type ?? "PERFORMANCE")) return current
  return (step.type === "FRUGAL" ? strategies.frugal : strategies.performance)[0].transport
}

/** A fallback waits for its `retryAt` too; the time does not count as its own. */
const waitFor = Effect.fnUntraced(function* ({ host }: Execution, { retryAt = 0 }: Step, deadline: number) {
  const wait = Math.min(retryAt - (yield* Clock.currentTimeMillis), deadline - (yield* monotonicMillis))
  if (wait > 0) yield* host.pause(wait, true)
})

/** The earlier of two limits: the next fallback's `onTimeout`, and the deadline of the whole step. */
const limited = (
  path: (limits: Limits) => Effect.Effect<PathEnd>,
  next: Trigger | undefined,
  age: number,
  remaining: number
): Effect.Effect<PathEnd> => {
  const patience = patienceOf(next)
  const limit = Math.min(patience - age, remaining)
  if (limit === Number.POSITIVE_INFINITY) return path(noLimits)
  return Effect.timeoutOrElse(path({ ...noLimits, expired: limit <= 0 }), {
    duration: Math.max(0, limit),
    orElse: () =>
      Effect.succeed<PathEnd>({
        _tag: "Bad",
        reason:
          remaining <= patience - age
            ? new DeadlineExceeded({ afterMillis: 0 })
            : new PathTimedOut({ afterMillis: patience })
      })
  })
}

/**
 * The same for a host that makes exchanges wait for their turn: the deadline goes on while they wait, the next
 * fallback's `onTimeout` does not. Answers how long the path took without its waits.
 */
const limitedByTurns = Effect.fnUntraced(function* (
  path: { readonly rested: number; readonly run: (limits: Limits) => Effect.Effect<PathEnd> },
  next: Trigger | undefined,
  attempts: number,
  deadline: number
): Effect.fn.Return<{ readonly end: PathEnd; readonly turns: number }> {
  const stopwatch = Stopwatch.make()
  const from = yield* monotonicMillis
  const patience = patienceOf(next)
  const spent = attempts + path.rested
  const activeAt = (now: number) => spent + now - from - Stopwatch.waited(stopwatch, now)
  const left = (now: number) => patience - activeAt(now)
  const run = path.run({ stopwatch, deadline, left, expired: deadline <= from || left(from) <= 0 })
  const tooLate = Effect.gen(function* () {
    while (true) {
      const now = yield* monotonicMillis
      if (now >= deadline) return new DeadlineExceeded({ afterMillis: 0 })
      if (left(now) <= 0) return new PathTimedOut({ afterMillis: patience })
      yield* Effect.sleep(Math.min(left(now), deadline - now))
    }
  })
  const end =
    Math.min(deadline, patience) === Number.POSITIVE_INFINITY
      ? yield* run
      : yield* Effect.raceFirst(
          run,
          Effect.map(tooLate, (reason): PathEnd => ({ _tag: "Bad", reason }))
        )
  return { end, turns: activeAt(yield* monotonicMillis) }
})

const patienceOf = (next: Trigger | undefined): number =>
  next?._tag === "OnTimeout" ? Duration.toMillis(next.after) : Number.POSITIVE_INFINITY

const noLimits: Limits = {
  expired: false,
  deadline: Number.POSITIVE_INFINITY,
  left: () => Number.POSITIVE_INFINITY,
  stopwatch: Stopwatch.make()
}

export const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
