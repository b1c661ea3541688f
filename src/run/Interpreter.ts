/**
 * Interprets a step over its strategy: the one place that turns the value into calls.
 *
 * It walks the entries of the strategy around the whole step, and knows FRUGAL and PERFORMANCE by nothing else. What to
 * do after each attempt is decided by `engine`; this only obeys, records and chains.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Deadline from "../engine/Deadline.ts"
import { MissingApiKey } from "../step/FailureModel.ts"
import { takes } from "../step/Fills.ts"
import type { History } from "../step/HistoryModel.ts"
import type { Accepted, Chained, Completed, Outcome, StepError, StepReason } from "../step/Outcome.ts"
import { deadlineExceeded, Expired, stepError } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"
import { check } from "../step/StepRules.ts"
import { takenUp } from "../step/TakenUp.ts"
import type { Delegating } from "../transport/HttpTransport.ts"
import type { Strategies } from "../transport/Strategies.ts"
import * as Strategy from "../transport/Strategies.ts"
import { delegate, mayExist } from "./Delegate.ts"
import * as Beginning from "./Beginning.ts"
import type { Execution } from "./Execution.ts"
import type { Host } from "./Host.ts"
import * as Hosts from "./Host.ts"
import * as Keys from "./Keys.ts"
import { filling } from "./LaterFilling.ts"
import * as Line from "./Line.ts"
import { readResponse } from "./Reading.ts"
import type { Rest } from "./Straight.ts"
import * as StraightFiber from "./StraightFiber.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * Runs a step to its end: `Completed` when a target answered 2xx, `Accepted` when a service took it over, else a
 * `StepError`. With a host whose `history` is not empty it goes on from there.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (
  given: Step,
  strategies: Strategies["Service"],
  host: Host = Hosts.client
): Effect.Effect<Outcome, StepError> =>
  host.fill !== undefined && takes(given)
    ? filled(given, strategies, { ...host, fill: undefined }, host.fill)
    : begin(given, strategies, host)

/**
 * Hands a step over to a service, whatever its type.
 *
 * @category running
 * @since 0.1.0
 */
export const submit = (step: Step, service: Delegating): Effect.Effect<Accepted, StepError> =>
  Telemetry.step(
    step,
    Effect.gen(function* () {
      yield* refuseBroken(step)
      const settled = takenUp(yield* Keys.settle(step), yield* Clock.currentTimeMillis)
      const execution: Execution = {
        step: settled,
        strategies: Strategy.only(service),
        host: Hosts.client,
        history: []
      }
      const end = yield* delegate(execution, service, settled, {
        path: 0,
        key: Keys.keyFor(settled, false),
        retryAt: settled.retryAt
      })
      return end._tag === "Accepted" ? end : yield* stepError(step, end, execution.history)
    })
  )

/**
 * What comes after one good call.
 *
 * @internal
 */
export const rest: Rest = {
  interpret: (step, strategies, host) => walk(step, strategies, host),
  read: readResponse(undefined),
  inFiber: (straight) => StraightFiber.run(walk, straight)
}

const begin = Beginning.over(Effect.succeed(rest))

/** A call that cannot be finished has failed before it was made. */
const filled = (step: Step, strategies: Strategies["Service"], host: Host, fill: NonNullable<Host["fill"]>) =>
  Result.match(fill(step), {
    onSuccess: (whole) => run(whole, strategies, host),
    onFailure: (reason) =>
      Telemetry.step(
        step,
        failed({ step, strategies, host, history: noHistory }, step, { given: reason, after: undefined })
      )
  })

const walk = Effect.fnUntraced(function* (
  step: Step,
  strategies: Strategies["Service"],
  host: Host
): Effect.fn.Return<Outcome, StepError> {
  const execution: Execution = { step: yield* Keys.settle(step), strategies, host, history: host.history }
  const strategy = step.type === "FRUGAL" ? strategies.frugal : strategies.performance
  let reason: StepReason | undefined
  let primary: StepReason | undefined
  let after: StepReason | undefined
  let deadline: number | undefined
  for (const entry of strategy) {
    if (reason?._tag === "DeadlineExceeded" || (primary !== undefined && !entry.takesOver(step, primary))) continue
    if (entry.transport.kind === "exchanging") {
      if (deadline === undefined) {
        deadline = yield* start(execution)
        reason = yield* expired(execution)
        if (reason !== undefined) break
      }
      const end = yield* Line.run(execution, entry.transport, deadline)
      if (end._tag === "Accepted") return end
      if (end._tag === "Good") return yield* completed(execution, step, end)
      reason = end.reason
      primary = end.primary
    } else {
      // one failing call becomes at most one job
      if (reason !== undefined && mayExist(reason)) continue
      const end = yield* delegate(execution, entry.transport, execution.step, {
        path: 0,
        key: Keys.keyFor(execution.step, reason !== undefined),
        retryAt: yield* notBefore(execution)
      })
      if (end._tag === "Accepted") return end
      // who has no key asks first why the call failed, then why nobody took it over
      after = reason
      reason =
        end._tag === "MissingApiKey" && reason !== undefined
          ? new MissingApiKey({ variable: end.variable, after: reason.message })
          : end
      primary = reason
    }
  }
  return yield* failed(execution, step, { given: reason, after })
})

/** Waits for `retryAt` and answers the monotonic millisecond at which the step has failed. */
const start = Effect.fnUntraced(function* (execution: Execution) {
  const { host, step } = execution
  const now = yield* Clock.currentTimeMillis
  const { acceptedAt = now } = host
  const wait = Math.min(step.retryAt ?? now, Deadline.totalOf(step, Math.min(acceptedAt, now))) - now
  if (wait > 0) yield* host.pause(wait, true)
  const begun = yield* Clock.currentTimeMillis
  // a clock that was set back makes what was accepted lie ahead
  const from = Math.min(acceptedAt, begun)
  const deadline = Deadline.of(step, { acceptedAt: from, notBefore: step.retryAt && Math.min(step.retryAt, begun) })
  if (deadline === undefined) return Number.POSITIVE_INFINITY
  const monotonic = yield* Line.monotonicMillis
  execution.deadline = deadline
  execution.totalUntil = monotonic + Deadline.totalOf(step, from) - begun
  return (execution.until = monotonic + deadline.at - begun)
})

/** Whether it starts too late. What has begun already is not asked again. */
const expired = Effect.fnUntraced(function* ({ history, host, step: { startBefore } }: Execution) {
  if (startBefore === undefined || host.hasBegun === true || history.length > 0) return undefined
  return (yield* Clock.currentTimeMillis) < startBefore ? undefined : new Expired({ startBefore })
})

/** A `Retry-After` that still holds travels with the job, so that the service keeps it too. */
const notBefore = Effect.fnUntraced(function* ({ history, step }: Execution) {
  const now = yield* Clock.currentTimeMillis
  const asked = history.reduce(
    (latest, { at, ending, latency, path }) =>
      path === 0 && ending._tag === "Answered" && ending.retryAfter !== undefined
        ? Math.max(latest, Math.ceil(at + latency + ending.retryAfter))
        : latest,
    step.retryAt ?? 0
  )
  return asked > now ? asked : step.retryAt
})

const completed = Effect.fnUntraced(function* (
  execution: Execution,
  original: Step,
  { path, region, response, responses, step }: Extract<Line.LineEnd, { readonly _tag: "Good" }>
): Effect.fn.Return<Completed> {
  const outcome: Completed = {
    _tag: "Completed",
    response,
    region,
    // as it was given, not with the key that was drawn for it
    answeredBy: original.fallbacks[path - 1]?.step ?? original,
    path,
    responses,
    history: execution.history,
    chained: undefined
  }
  return step.onSuccess === undefined
    ? outcome
    : { ...outcome, chained: yield* chain(execution, "onSuccess", step.onSuccess, outcome) }
})

const failed = Effect.fnUntraced(function* (
  execution: Execution,
  original: Step,
  { after, given }: { readonly given: StepReason | undefined; readonly after: StepReason | undefined }
): Effect.fn.Return<never, StepError> {
  const { step } = execution
  const reason = given === undefined || given._tag === "DeadlineExceeded" ? deadlineExceeded(execution.deadline) : given
  const error = stepError(original, reason, execution.history, { after })
  // a job that may exist runs its own chain; running it here as well would run it twice
  if (step.onFailure === undefined || mayExist(reason)) return yield* error
  const chained = yield* chain(execution, "onFailure", step.onFailure, error)
  return yield* stepError(original, reason, execution.history, { after, chained })
})

const chain = (
  { host, step: { metadata }, strategies }: Execution,
  relation: "onSuccess" | "onFailure",
  child: Step,
  parent: Outcome | StepError
): Effect.Effect<Chained> =>
  host.startChild !== undefined
    ? host.startChild(relation, child, parent)
    : Effect.match(
        takes(child)
          ? Effect.flatMap(filling(parent, metadata), (fill) => run(child, strategies, { ...host, ...ofItsOwn, fill }))
          : run(child, strategies, { ...host, ...ofItsOwn }),
        {
          onSuccess: (outcome): Chained => ({ _tag: "Ended", relation, outcome }),
          onFailure: (error): Chained => ({ _tag: "Failed", relation, error })
        }
      )

const refuseBroken = (step: Step): Effect.Effect<void, StepError> => {
  const broken = check(step)
  return broken === undefined ? Effect.void : Effect.fail(stepError(step, broken, noHistory))
}

const noHistory: History = []

// a child that runs inline shares none of these with its parent: another call, another key, another history
const ofItsOwn = {
  hashKey: undefined,
  history: noHistory,
  goesOn: false,
  rested: undefined,
  acceptedAt: undefined,
  hasBegun: undefined,
  record: undefined,
  fill: undefined
}
