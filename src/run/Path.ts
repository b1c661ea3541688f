/**
 * One path of a step over an exchanging transport: the step itself or one fallback, with its retries, reroutes, race or
 * fanout. The budget of retries and reroutes belongs to the path and is shared by its regions.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Spent } from "../engine/Decide.ts"
import { decide, endsPath, isGood, spentBy } from "../engine/Decide.ts"
import * as Pause from "../engine/Pause.ts"
import * as Regions from "../engine/Regions.ts"
import type { Attempt, EndedAttempt, History } from "../step/History.ts"
import type { RegionResponse, StepReason } from "../step/Outcome.ts"
import { FanoutIncomplete, PathTimedOut, Rejected } from "../step/Outcome.ts"
import { InvalidResponse } from "../step/Failure.ts"
import type { Response } from "../step/Reply.ts"
import * as Reply from "../step/Reply.ts"
import type { Request } from "../step/Request.ts"
import type { ResolvedRetryPolicy } from "../step/RetryPolicy.ts"
import * as RetryPolicy from "../step/RetryPolicy.ts"
import type { Step } from "../step/StepModel.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import * as TimeLimit from "../transport/TimeLimit.ts"
import type { Execution, Facts } from "./Execution.ts"
import { perform, readResponse, within } from "./Execution.ts"
import type { Host } from "./Host.ts"
import * as Keys from "./Keys.ts"
import * as Stopwatch from "./Stopwatch.ts"
import * as Telemetry from "./Telemetry.ts"

export type PathEnd =
  | {
      readonly _tag: "Good"
      readonly response: Response
      readonly region: string | undefined
      readonly responses: ReadonlyArray<RegionResponse>
    }
  | { readonly _tag: "Bad"; readonly reason: StepReason }

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

interface Path extends Limits {
  readonly execution: Execution
  readonly transport: Exchanging
  readonly step: Step
  readonly index: number
  readonly request: Request
  readonly policy: ResolvedRetryPolicy
  readonly timeoutMillis: number
  readonly patience: number
  readonly alone: boolean
  readonly spare: Array<string>
  spent: Spent
  /** How each racer that has given up ended. */
  readonly lost: Array<Attempt>
}

export const run = (
  execution: Execution,
  transport: Exchanging,
  step: Step,
  index: number,
  limits: Limits
): Effect.Effect<PathEnd> => Effect.flatMap(prepare(execution, transport, step, index), (path) => path.run(limits))

/**
 * A path before it runs. Where it would go on, the pause for which the run before this one was ended is its own, or came
 * after its time was up; where it has ended by itself, the pause was another's.
 */
export const prepare = Effect.fnUntraced(function* (
  execution: Execution,
  transport: Exchanging,
  step: Step,
  index: number
) {
  const { history, host } = execution
  const before = history.filter((attempt): attempt is EndedAttempt => isOf(attempt, index))
  const { spare, starts } = resume(
    Regions.plan(step, yield* transport.regions, transport.egress, transport.home),
    before
  )
  const policy = RetryPolicy.resolve(step.retryPolicy, host.unsetPolicy)
  const patience = host.patience(step)
  const spent = before.length === 0 ? unspent : spentBy(history, index)
  const alone = starts.length === 1
  const situation = { spent, regionLeft: spare.length > 0, patience }
  const won = alone || step.executionMode === "fanout" ? undefined : before.find((it) => isDecisive(policy, it))
  const goesOn =
    won === undefined &&
    starts.some((_, racer) => {
      const last = lastOf(before, racer)
      return last === undefined || decide(policy, last.ending, situation)._tag !== "Stop"
    })
  return {
    rested: goesOn && history.at(-1)?.path === index ? (host.rested ?? 0) : 0,
    run: (limits: Limits): Effect.Effect<PathEnd> =>
      Effect.suspend(() => {
        // field by field: a spread in the midst of a literal is slow, and this is on the way of every call
        const path: Path = {
          execution,
          expired: limits.expired,
          deadline: limits.deadline,
          left: limits.left,
          stopwatch: limits.stopwatch,
          transport,
          step,
          index,
          request: Keys.requestFor(step, host),
          policy,
          timeoutMillis: host.attemptTimeout(step),
          patience,
          alone,
          spare: spare.slice(),
          spent,
          lost: []
        }
        const racers = starts.map((region, racer) => runRacer(path, racer, region, lastOf(before, racer)))
        const [first] = racers
        if (racers.length === 1 && first !== undefined) return Effect.map(first, single)
        if (step.executionMode === "fanout") return fanout(path, racers)
        return won === undefined ? race(path, racers) : Effect.succeed(single(won))
      })
  }
})

const isOf = (attempt: Attempt, path: number): boolean =>
  attempt.path === path && attempt.kind !== "forward" && attempt.ending._tag !== "Interrupted"

const lastOf = (before: ReadonlyArray<EndedAttempt>, racer: number): EndedAttempt | undefined =>
  before.findLast((attempt) => attempt.racer === racer)

/** Racers go on where they were, though other regions may be healthy now. */
const resume = (plan: Regions.RegionPlan, before: ReadonlyArray<EndedAttempt>): Regions.RegionPlan => {
  if (before.length === 0) return plan
  const isUntried = (region: string | undefined) => !before.some((attempt) => attempt.region === region)
  const fresh = plan.starts.filter(isUntried)
  const [first, ...rest] = plan.starts.map((region, racer) => lastOf(before, racer)?.region ?? fresh.shift() ?? region)
  const left = fresh.filter((region) => region !== undefined)
  return { starts: [first, ...rest], spare: [...left, ...plan.spare.filter(isUntried)] }
}

const single = (attempt: EndedAttempt): PathEnd => (isGoodAttempt(attempt) ? good(attempt, []) : bad(attempt))

/** The first 2xx, or the first answer in neither list, ends a race; any other ending ends only its own racer. */
const race = (path: Path, racers: ReadonlyArray<Effect.Effect<EndedAttempt>>): Effect.Effect<PathEnd> =>
  Effect.matchEffect(
    Effect.raceAll(
      racers.map((racer) =>
        Effect.flatMap(racer, (attempt) => (isDecisive(path.policy, attempt) ? Effect.succeed(attempt) : lost))
      )
    ),
    {
      onSuccess: (attempt) => Effect.succeed(single(attempt)),
      onFailure: () => Effect.sync(() => decidedBy(path))
    }
  )

const fanout = (path: Path, racers: ReadonlyArray<Effect.Effect<EndedAttempt>>): Effect.Effect<PathEnd> =>
  Effect.map(Effect.all(racers, { concurrency: "unbounded" }), (attempts): PathEnd => {
    const responses = attempts.flatMap(({ ending, region, response }) =>
      // what was kept of a failed one is no answer
      response === undefined || ending._tag === "Failed" ? [] : [{ region, response }]
    )
    const best = attempts.find(isGoodAttempt)
    const failed = attempts.filter((attempt) => !isGoodAttempt(attempt)).map(({ region }) => region)
    if (best === undefined) return decidedBy(path)
    if (failed.length === 0 || path.step.regionPolicy === "fallback") return good(best, responses)
    return { _tag: "Bad", reason: new FanoutIncomplete({ failed, responses }) }
  })

const runRacer = Effect.fnUntraced(function* (
  path: Path,
  racer: number,
  start: string | undefined,
  resumed: EndedAttempt | undefined
): Effect.fn.Return<EndedAttempt> {
  let facts: Facts = { path: path.index, racer, kind: "start", region: resumed?.region ?? start, pause: 0 }
  let attempt = resumed ?? (yield* exchange(path, facts))
  const { host } = path.execution
  // what a resumed run has waited already, and whether that was all of it
  let waited = resumed === undefined ? 0 : (yield* Clock.currentTimeMillis) - (resumed.at + resumed.latency)
  let rested = resumed === undefined ? undefined : host.rested
  while (true) {
    const again =
      host.repeatsAfter === undefined ? undefined : yield* host.repeatsAfter(path.step, path.request, attempt)
    if (again !== undefined) {
      if (again > 0) yield* repose(path, again)
      facts = { ...facts, kind: "repeat", region: attempt.region, pause: waited + again }
      waited = 0
      rested = undefined
      attempt = yield* exchange(path, facts)
      continue
    }
    const decision = decide(path.policy, attempt.ending, {
      spent: path.spent,
      regionLeft: path.spare.length > 0,
      patience: path.patience
    })
    if (decision._tag === "Stop") {
      if (!isGoodAttempt(attempt)) path.lost.push(attempt)
      return attempt
    }
    // claimed before anything is awaited, so that racers cannot spend the same retry or region twice
    let region = attempt.region
    if (decision._tag === "Reroute") {
      region = path.spare.shift()
      path.spent = { ...path.spent, reroutes: path.spent.reroutes + 1 }
    } else {
      path.spent = { ...path.spent, retries: path.spent.retries + 1 }
    }
    const pause = rested ?? Math.max(Pause.draw(decision.pause, yield* Random.next), waited)
    if (rested === undefined && pause > waited) yield* pauseFor(path, pause - waited)
    facts = { ...facts, kind: decision._tag === "Retry" ? "retry" : "reroute", region, pause }
    waited = 0
    rested = undefined
    attempt = yield* exchange(path, facts)
  }
})

const exchange = (path: Path, facts: Facts): Effect.Effect<EndedAttempt> => {
  if (path.expired) return Effect.never
  const { execution, request, step, timeoutMillis, transport } = path
  const { region } = facts
  const attempt = attemptOf(path, facts.racer)
  const send = Telemetry.propagated(request, (traced) =>
    transport.send({ request: traced, region, step, timeoutMillis, attempt })
  )
  const sent = perform(
    execution,
    step,
    facts,
    TimeLimit.isKeptBy(transport) ? send : within(send, timeoutMillis),
    readResponse
  )
  return execution.host.paced === undefined ? sent : inTurn(path, execution.host.paced, sent)
}

/** Path, racer and how many attempts of theirs have ended. An interrupted one is made again as the same. */
const attemptOf = ({ execution: { history }, index }: Path, racer: number): string => {
  let ended = 0
  for (const attempt of history) if (attempt.racer === racer && isOf(attempt, index)) ended++
  return `${index}.${racer}.${ended}`
}

/** Waits for the host's permit with the path's stopwatch standing still. */
const inTurn = (
  { alone, stopwatch, request }: Path,
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
        paced(request, send, alone),
        Effect.suspend(() => (began ? change(0, -1) : change(-1, 0)))
      )
    )
  })

const turned = (stopwatch: Stopwatch.Stopwatch, change: { readonly waiting: number; readonly sending: number }) =>
  Effect.map(Clock.monotonicTimeNanos, (nanos) => Stopwatch.turn(stopwatch, Number(nanos) / 1e6, change))

/** Pauses, but not past the path's own end: what would come after it does not come. */
const pauseFor = (path: Path, millis: number): Effect.Effect<void> =>
  Effect.flatMap(Clock.monotonicTimeNanos, (nanos) => {
    const now = Number(nanos) / 1e6
    return pauseUpTo(path, millis, Math.min(path.left(now), path.deadline - now))
  })

/** Waits as long as the host asks, with the path's stopwatch standing still. */
const repose = (path: Path, millis: number): Effect.Effect<void> =>
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
const pauseUpTo = ({ alone, execution: { host } }: Path, millis: number, left: number): Effect.Effect<void> =>
  millis < left ? host.pause(millis, alone) : Effect.andThen(host.pause(Math.max(0, left), alone), Effect.never)

/** The status that arrived last decides; only among racers without an answer the last failure. */
const decidedBy = ({ execution, lost }: Path): PathEnd => {
  const endings = execution.history.filter((attempt): attempt is EndedAttempt => lost.includes(attempt))
  const last = endings.findLast(({ ending }) => ending._tag === "Answered") ?? endings.at(-1)
  // every racer leaves its ending before it loses, so there is one
  return last === undefined ? { _tag: "Bad", reason: new InvalidResponse({ received: "nothing" }) } : bad(last)
}

const isGoodAttempt = ({ ending }: EndedAttempt): boolean => ending._tag === "Answered" && isGood(ending.status)

const isDecisive = (policy: ResolvedRetryPolicy, { ending }: EndedAttempt): boolean =>
  ending._tag === "Answered" && endsPath(policy, ending)

const good = (attempt: EndedAttempt, responses: ReadonlyArray<RegionResponse>): PathEnd => ({
  _tag: "Good",
  response: responseOf(attempt),
  region: attempt.region,
  responses
})

const bad = (attempt: EndedAttempt): PathEnd => ({ _tag: "Bad", reason: reasonOf(attempt) })

const reasonOf = (attempt: EndedAttempt): StepReason => {
  const { ending, region } = attempt
  return ending._tag === "Failed"
    ? ending.failure
    : new Rejected({ status: ending.status, region, retryAfter: ending.retryAfter, response: responseOf(attempt) })
}

/** Milliseconds from the first sending of a path to its last ending. */
export const span = (history: History, index: number): number => {
  const attempts = history.filter((attempt) => attempt.path === index && attempt.kind !== "forward")
  return Math.max(...attempts.map(({ at, latency }) => at + latency)) - Math.min(...attempts.map(({ at }) => at))
}

/** Milliseconds a path has spent on attempts and pauses, its slowest racer's; waits for turns are left out. */
export const active = (history: History, index: number): number => {
  const racers = new Map<number, number>()
  for (const { kind, latency, path, pause, racer } of history) {
    if (path !== index || kind === "forward") continue
    racers.set(racer, (racers.get(racer) ?? 0) + latency + (kind === "repeat" ? 0 : pause))
  }
  return Math.max(0, ...racers.values())
}

/** Why a path of a resumed run ended, as far as its history tells. */
export const endedBy = (history: History, index: number): StepReason => {
  const last = history.findLast((attempt): attempt is EndedAttempt => isOf(attempt, index))
  return last === undefined ? new PathTimedOut({ afterMillis: 0 }) : reasonOf(last)
}

// a host that stores no bodies resumes with the status alone
const responseOf = ({ ending, response }: EndedAttempt): Response =>
  response ?? Reply.response(ending._tag === "Answered" ? ending.status : 0)

const lost = Effect.fail("lost" as const)

const unspent: Spent = { retries: 0, reroutes: 0 }
