/**
 * A run of one stored job: what it works with, what it knows on its way, and how it may leave the job.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { isTooMany, lists } from "../../engine/Decide.ts"
import { answerOf, fill, type Given } from "../../engine/Filling.ts"
import * as Deadline from "../../engine/Deadline.ts"
import type { Host } from "../../run/Host.ts"
import type { Attempt } from "../../step/History.ts"
import type { Request } from "../../step/Request.ts"
import type { Completed, Outcome, StepError } from "../../step/Outcome.ts"
import { NotTaken } from "../../step/Outcome.ts"
import type { ResolvedRetryPolicy } from "../../step/RetryPolicy.ts"
import type { Step } from "../../step/StepModel.ts"
import { makeStep } from "../../step/StepValue.ts"
import type { Exchanging } from "../../transport/HttpTransport.ts"
import type { EgressPolicy } from "../egress/EgressPolicy.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import { isShortage, type Shortages } from "../lane/Shortages.ts"
import { queueOf } from "../job/LaneName.ts"
import { childJob } from "../job/NewJob.ts"
import type { PacingOptions } from "../lane/Dial.ts"
import type { LaneCall, LaneNames } from "../lane/LaneNames.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import type { Permit } from "../lane/Permit.ts"
import type { NamedSecrets } from "../secrets/NamedSecrets.ts"
import type { JobPort, NextCall, Parking } from "../store/JobRecords.ts"

/**
 * What running jobs needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunnerOptions {
  readonly store: Pick<JobPort, "get" | "record">
  readonly lanes: LaneRouter
  readonly transport: Exchanging
  /** Where redirects may lead. */
  readonly egress: EgressPolicy
  /** Names of headers that are credentials beside those that are known. Defaults to none. */
  readonly credentials?: ReadonlyArray<string> | undefined
  /** What headers of calls may name. Defaults to nothing. */
  readonly secrets?: Pick<NamedSecrets, "call"> | undefined
  /** What this machine has lacked lately. */
  readonly shortages: Shortages
  /** What a step without a retry policy gets; a policy that leaves its lists out takes these. */
  readonly unsetPolicy: ResolvedRetryPolicy
  /** Whether calls that change something are made again where a step does not say so. */
  readonly retryUnsafe: boolean
  /** Limit of one attempt in milliseconds. */
  readonly attemptTimeout: number
  /** How long a job waits for a host that answers 429, or cannot be called, in milliseconds after its own first time. */
  readonly patience429: number
  /** What the door has against a call that was filled from an answer. Defaults to nothing. */
  readonly breach?: ((step: Step) => string | undefined) | undefined
  readonly newId: Effect.Effect<string>
  /** The lane of a host, as receivers of results have it. */
  readonly laneOf: (url: string) => string
  /** How calls find their lanes. */
  readonly names: LaneNames
  /** What is known of how upstreams refuse, by lane. Defaults to nothing. */
  readonly pacing?: Pick<PacingOptions, "hosts" | "rules"> | undefined
}

/**
 * How a run left its job. `Stale`: another start of the job has taken over, or the job was ended from outside.
 *
 * @category models
 * @since 0.1.0
 */
export type RunEnd =
  | {
      readonly _tag: "Ended"
      readonly end: Completed | StepError
      readonly children: ReadonlyArray<NewJob>
      /** The attempt that ended it, to be stored together with the end. */
      readonly attempt: Attempt | undefined
    }
  | { readonly _tag: "Broken"; readonly problem: string }
  | { readonly _tag: "Parked"; readonly parking: Parking }
  | { readonly _tag: "Stale" }

/**
 * A run under way.
 *
 * @category models
 * @since 0.1.0
 */
export interface Run {
  readonly options: RunnerOptions
  readonly job: StoredJob
  /** The job's step as it is run. */
  readonly step: Step
  /** Whether nothing runs beside it: no race, no fallback, no deadline. */
  readonly isLone: boolean
  /** How it was stopped by what runs beside it. */
  readonly stopped: Deferred.Deferred<RunEnd>
  readonly children: Array<NewJob>
  /** How it has stopped itself. */
  stoppedWith: RunEnd | undefined
  /** The attempt that will be written together with the end. */
  unwritten: Attempt | undefined
  /** The attempt that was recorded last. */
  last: Attempt | undefined
  /** Epoch milliseconds of the job's own first 429. */
  heldSince: number | undefined
  /** Refusals in a row so far, which its next wait goes by. */
  refusals: number
  /** The lane of the call that was made last. */
  lane: string
  /** Where the call that comes next waits, as far as is known: one of the path that the last attempt was one of. */
  next: NextCall
  /** A permit that has not been used yet. */
  unused: Permit | undefined
  /** Grows with every call, over crashes too: what was in flight at one has left nothing in the history. */
  calls: number
}

/**
 * Makes the run of a job that has got its first permit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: RunnerOptions, job: StoredJob, permit: Permit): Run => {
  const step = asRun(options, job)
  const first = job.history.length === 0 ? nextOf(job, job.lane, step) : nextIn(options, job, stepOf(step, job.history))
  return {
    options,
    job,
    step,
    isLone: step.regions.length < 2 && step.hedge === undefined && step.fallbacks.length === 0 && !Deadline.has(step),
    stopped: Deferred.makeUnsafe(),
    children: [],
    stoppedWith: undefined,
    unwritten: undefined,
    last: job.history.at(-1),
    heldSince: job.heldSince ?? job.history.find((attempt) => isHeld(job.step, attempt))?.at,
    refusals: refusalsBefore(job),
    lane: job.lane,
    next: first,
    unused: permit,
    calls: job.history.length + (job.epoch - 1) * atOnceOf(step)
  }
}

/** The lane of a call of this run. */
export const laneFor = ({ job, options }: Pick<Run, "job" | "options">, request: Request): string =>
  options.names.laneOf(callIn(job, request))

/** A call of a job, as far as its lane depends on it. */
export const callIn = ({ step }: Pick<StoredJob, "step">, request: Request): LaneCall => ({
  ...request,
  metadata: step.metadata
})

/** Where a call of a job, for its step or a fallback, waits for its turn. */
export const nextIn = (options: RunnerOptions, job: StoredJob, step: Step): NextCall =>
  nextOf(job, laneFor({ job, options }, step.request), step)

const nextOf = (job: StoredJob, lane: string, { limits }: Step): NextCall => ({
  lane,
  queue: queueOf(job, limits, job.step.priority),
  draws: limits
})

/** Ends a run from within. Where nothing runs beside it, whoever stops it is the run itself, and nobody need wait. */
export const stop = (self: Run, end: RunEnd): Effect.Effect<never> =>
  self.isLone
    ? Effect.suspend(() => {
        self.stoppedWith = end
        return Effect.interrupt
      })
    : Effect.andThen(Deferred.succeed(self.stopped, end), Effect.never)

/** Gives a permit back that has not been used. */
export const letGo = (self: Run): Effect.Effect<void> =>
  Effect.suspend(() => {
    const permit = self.unused
    self.unused = undefined
    return permit?.release ?? Effect.void
  })

/** Makes the job of a chained step. */
export const childOf = Effect.fnUntraced(function* (
  { breach, names, newId }: Pick<RunnerOptions, "breach" | "names" | "newId">,
  parent: StoredJob,
  relation: "onSuccess" | "onFailure",
  child: Step,
  end: Outcome | StepError
) {
  const given = { response: answerOf(end), metadata: parent.step.metadata }
  // one that cannot be filled is a job too, which fails when it is run
  const whole = Result.getOrElse(filling({ breach }, given)(child), () => child)
  return laned(names, childJob(parent, relation, whole, { id: yield* newId, at: yield* Clock.currentTimeMillis }))
})

/** Fills a chained step, and looks at the finished call as the door does at one that is handed in. */
export const filling =
  ({ breach }: Pick<RunnerOptions, "breach">, given: Given): NonNullable<Host["fill"]> =>
  (child) =>
    Result.flatMap(fill(child, given), (whole) => {
      const problem = whole === child ? undefined : breach?.(whole)
      const [first] = [child, ...child.fallbacks.map(({ step }) => step)].flatMap(({ fills }) => fills)
      return problem === undefined || first === undefined
        ? Result.succeed(whole)
        : Result.fail(new NotTaken({ ...first, kind: "refused", problem: `the finished call is refused: ${problem}` }))
    })

/** A job in the lane of its call. */
export const laned = (names: LaneNames, job: NewJob): NewJob => {
  const lane = names.laneOf(callIn(job, job.step.request))
  return lane === job.lane ? job : { ...job, lane }
}

/** How many refusals stand in a row before the last attempt, which is judged when the run goes on from it. */
const refusalsBefore = ({ history, step }: StoredJob): number => {
  const row = history.length - 1 - history.findLastIndex((attempt) => !isHeld(step, attempt))
  return Math.max(0, row - 1)
}

/**
 * Whether an attempt's ending is no ending of the job's. "Too many" counts only where the step itself speaks of it: in the
 * path's policy, or in a later fallback's trigger. That this machine lacked something says nothing of the job, and neither
 * does it that there is no token for it yet.
 */
export const isHeld = (root: Step, { ending, path }: Attempt): boolean => {
  if (ending._tag === "Failed") return isShortage(ending.failure) || ending.failure._tag === "TokenUnavailable"
  if (ending._tag !== "Answered" || !isTooMany(ending)) return false
  const { rerouteCodes = [], retryCodes = [] } = (root.fallbacks[path - 1]?.step ?? root).retryPolicy ?? {}
  const isListed = lists(retryCodes, ending) || lists(rerouteCodes, ending)
  const later = root.fallbacks.slice(path)
  return !isListed && !later.some(({ trigger }) => trigger._tag === "OnError" && lists(trigger.codes, ending))
}

/**
 * The step as it is run: a key that was given goes to the target, whichever way it came in, and a job that was wanted
 * before its time does not wait for it again.
 */
const asRun = (options: RunnerOptions, { key, keyGiven, notBefore, step }: StoredJob): Step => {
  const isHastened = step.retryAt !== undefined && step.retryAt !== notBefore
  const isComplete =
    !keyGiven && !isHastened && [step, ...step.fallbacks.map((fallback) => fallback.step)].every(isWhole(options))
  return isComplete
    ? step
    : makeStep({
        ...whole(options, step),
        ...(isHastened ? { retryAt: notBefore } : {}),
        ...(keyGiven ? { idempotency: { _tag: "Custom", key } } : {}),
        fallbacks: step.fallbacks.map((fallback) => ({ ...fallback, step: whole(options, fallback.step) }))
      })
}

const isWhole =
  (options: RunnerOptions) =>
  ({ retryPolicy, retryUnsafe }: Step): boolean =>
    (retryPolicy === undefined || (retryPolicy.retryCodes !== undefined && retryPolicy.rerouteCodes !== undefined)) &&
    (retryUnsafe !== undefined || options.retryUnsafe)

/** What a step leaves open is the dam's to say: the lists of its policy, and whether unsafe calls are made again. */
const whole = ({ retryUnsafe, unsetPolicy }: RunnerOptions, step: Step): Step =>
  makeStep({
    ...step,
    retryUnsafe: step.retryUnsafe ?? retryUnsafe,
    retryPolicy: step.retryPolicy && {
      ...step.retryPolicy,
      retryCodes: step.retryPolicy.retryCodes ?? unsetPolicy.retryCodes,
      rerouteCodes: step.retryPolicy.rerouteCodes ?? unsetPolicy.rerouteCodes
    }
  })

/** The step of the path that the last attempt was one of. */
const stepOf = (root: Step, history: StoredJob["history"]): Step =>
  root.fallbacks[(history.at(-1)?.path ?? 0) - 1]?.step ?? root

/** How many calls of a step may be in flight at once: raced or fanned-out regions, hedges. */
const atOnceOf = (root: Step): number =>
  Math.max(
    ...[root, ...root.fallbacks.map(({ step }) => step)].map(({ hedge, regions }) =>
      Math.max(1, regions.length, 1 + (hedge?.max ?? 0))
    )
  )
