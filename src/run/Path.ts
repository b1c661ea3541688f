/**
 * One path of a step over an exchanging transport: the step itself or one fallback, with its retries, reroutes, race or
 * fanout. The budget of retries and reroutes belongs to the path and is shared by its regions.
 */
import * as Effect from "effect/Effect"
import type { Spent } from "../engine/Decide.ts"
import { endsPath, isFinal, policyOf, spentBy } from "../engine/Decide.ts"
import * as Regions from "../engine/Regions.ts"
import { InvalidResponse } from "../step/FailureModel.ts"
import type { EndedAttempt } from "../step/HistoryModel.ts"
import { FanoutIncomplete } from "../step/Outcome.ts"
import type { ResolvedRetryPolicy } from "../step/RetryPolicy.ts"
import type { Step } from "../step/StepModel.ts"
import type { Exchanging } from "../transport/HttpTransport.ts"
import type { Execution } from "./Execution.ts"
import { isGoodAttempt } from "./GoodAttempt.ts"
import { Guard } from "./Guard.ts"
import * as Judge from "./Judge.ts"
import * as Keys from "./Keys.ts"
import type { PathEnd } from "./PathEnd.ts"
import { bad, good, isOf, single } from "./PathEnd.ts"
import type { Path } from "./PathUnderWay.ts"
import * as Racer from "./Racer.ts"
import type { Limits } from "./Turns.ts"

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
  const before = history.filter((attempt) => isOf(attempt, index))
  const { spare, starts } = resume(
    Regions.plan(step, yield* transport.regions, transport.egress, transport.home),
    before
  )
  const policy = policyOf(step, host.unsetPolicy)
  const patience = host.patience(step)
  const request = Keys.requestFor(step, host)
  const spent = before.length === 0 ? unspent : spentBy(history, index)
  const alone = starts.length === 1
  // a host that lets calls through one by one has its own
  const guard = host.paced === undefined ? yield* Guard : undefined
  const won = alone || step.executionMode === "fanout" ? undefined : before.find((it) => isDecisive(policy, it))
  const mayRest = host.rested !== undefined && won === undefined && history.at(-1)?.path === index
  const goesOn =
    mayRest &&
    (yield* goesOnFrom({ step, request, policy, patience, budget: { spent, spare: spare.slice() } }, starts, before))
  return {
    rested: goesOn ? (host.rested ?? 0) : 0,
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
          guard,
          step,
          index,
          request,
          policy,
          timeoutMillis: host.attemptTimeout(step),
          patience,
          alone,
          budget: { spent, spare: spare.slice() },
          lost: []
        }
        const racers = starts.map((region, racer) => Racer.run(path, racer, region, behind(before, racer)))
        const [first] = racers
        if (racers.length === 1 && first !== undefined) return Effect.map(first, single)
        if (step.executionMode === "fanout") return fanout(path, racers)
        return won === undefined ? race(path, racers) : Effect.succeed(single(won))
      })
  }
})

/** Tells whether any racer has something left to try. Asked of a budget that is a copy, so that nothing is claimed. */
const goesOnFrom = Effect.fnUntraced(function* (
  policy: Judge.Policy,
  starts: Regions.RegionPlan["starts"],
  before: ReadonlyArray<EndedAttempt>
) {
  for (const [racer, region] of starts.entries()) {
    const own = behind(before, racer)
    const last = own.at(-1)
    if (last === undefined) return true
    if (isFinal(policy.policy, last.ending, policy.patience)) continue
    const judge = yield* Judge.make(policy, region, own)
    if ((yield* judge(last)) !== undefined) return true
  }
  return false
})

const behind = (before: ReadonlyArray<EndedAttempt>, racer: number): ReadonlyArray<EndedAttempt> =>
  before.length === 0 ? before : before.filter((attempt) => attempt.racer === racer)

/** Racers go on where they were, though other regions may be healthy now. */
const resume = (plan: Regions.RegionPlan, before: ReadonlyArray<EndedAttempt>): Regions.RegionPlan => {
  if (before.length === 0) return plan
  const isUntried = (region: string | undefined) => !before.some((attempt) => attempt.region === region)
  const fresh = plan.starts.filter(isUntried)
  const [first, ...rest] = plan.starts.map(
    (region, racer) => behind(before, racer).at(-1)?.region ?? fresh.shift() ?? region
  )
  const left = fresh.filter((region) => region !== undefined)
  return { starts: [first, ...rest], spare: [...left, ...plan.spare.filter(isUntried)] }
}

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

/** The status that arrived last decides; only among racers without an answer the last failure. */
const decidedBy = ({ execution, lost }: Path): PathEnd => {
  const endings = execution.history.filter((attempt): attempt is EndedAttempt => lost.includes(attempt))
  const last = endings.findLast(({ ending }) => ending._tag === "Answered") ?? endings.at(-1)
  // every racer leaves its ending before it loses, so there is one
  return last === undefined ? { _tag: "Bad", reason: new InvalidResponse({ received: "nothing" }) } : bad(last)
}

const isDecisive = (policy: ResolvedRetryPolicy, { ending }: EndedAttempt): boolean =>
  ending._tag === "Answered" && endsPath(policy, ending)

const lost = Effect.fail("lost" as const)

const unspent: Spent = { retries: 0, reroutes: 0 }
