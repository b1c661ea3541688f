/**
 * The surroundings of a stored job's run, as the interpreter asks for them: every exchange behind a permit of its host's
 * lane, every attempt stored before the next decision, long pauses left to the store, children as jobs of their own.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isSuccess } from "../../engine/Decide.ts"
import type { Given } from "../../engine/Filling.ts"
import * as Refusal from "../../engine/Refusal.ts"
import type { Host } from "../../run/Host.ts"
import * as Targets from "../../run/Targets.ts"
import * as Hosts from "../../run/Host.ts"
import type { Attempt } from "../../step/History.ts"
import * as Draws from "../../step/Draws.ts"
import type { Request } from "../../step/Request.ts"
import type { Step } from "../../step/StepModel.ts"
import type { StoredJob } from "../job/Job.ts"
import { rulesOf } from "../lane/Dial.ts"
import type { Going, Permit } from "../lane/Permit.ts"
import type { NextCall, Parking } from "../store/JobRecords.ts"
import { untilWritten } from "../store/StoreError.ts"
import { Under } from "./JobTransport.ts"
import { childOf, filling, isHeld, laneFor, letGo, nextIn, type Run, stop } from "./Run.ts"

/** A pause longer than this ends the run; the job is started again when it is over. */
const parkAfter = 1000

/**
 * Makes the host of a run.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (self: Run, given?: Given): Host => {
  const { job, options } = self
  return {
    ...Hosts.client,
    unsetPolicy: options.unsetPolicy,
    attemptTimeout: (step) => attemptMillis(options, step),
    patience: () => Number.POSITIVE_INFINITY,
    hashKey: job.id,
    rules: (request) => refusals(self, request),
    history: job.history,
    rested: restedOf(job),
    acceptedAt: job.createdAt,
    hasBegun: job.epoch > 1,
    hedges: Targets.targetsOf(options.transport),
    record: recording(self),
    pause: pausing(self),
    paced: paced(self),
    repeatsAfter: repeating(self),
    fill: given && filling(options, given),
    startChild: (relation, child, parent) =>
      Effect.gen(function* () {
        const made = yield* childOf(options, job, relation, child, parent)
        self.children.push(made)
        return { _tag: "Started" as const, relation, jobId: made.id }
      })
  }
}

/** What is known of how the target of a request refuses. */
export const refusals = ({ options }: Pick<Run, "options">, request: Request): Refusal.Rules | undefined =>
  options.pacing && rulesOf(options.pacing, options.laneOf(request.url))

/** The limit of one attempt at a step, in milliseconds: its own, or the dam's. */
export const attemptMillis = (
  options: Pick<Run["options"], "attemptTimeout">,
  { attemptTimeout }: Pick<Step, "attemptTimeout">
): number => (attemptTimeout === undefined ? options.attemptTimeout : Duration.toMillis(attemptTimeout))

/** Lets exchanges through as their lanes do. Where nothing runs beside one, the run is ended rather than kept waiting for long. */
const paced =
  (self: Run): NonNullable<Host["paced"]> =>
  ({ request, step }, exchange, alone) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(permitOf(self, nextOf(self, request, step), alone), (permit) => {
        if (permit === undefined) return restore(comeBack(self))
        const { depart, release } = permit
        const sent = Effect.flatMap(depart(alone ? mayLeave : always), (departed) =>
          departed ? exchange : Effect.andThen(release, comeBack(self))
        )
        return Effect.ensuring(Effect.provideService(restore(sent), Under, permit), release)
      })
    )

/** Goes where it may at once, or comes back by the store. */
export const mayLeave: Going = { canLeave: true }
const always: Going = {}

/** Nobody is let through for long: the job is queued again, so that it takes no place from others meanwhile. */
export const comeBack = (self: Run): Effect.Effect<never> =>
  Effect.flatMap(Clock.currentTimeMillis, (dueAt) => {
    const { heldSince, job, last, next } = self
    // a pause that was rested stays rested
    const pausedFor = last === job.history.at(-1) ? job.pausedFor : undefined
    return stop(self, { _tag: "Parked", parking: { dueAt, heldSince, pausedFor, next } })
  })

/** Where a call waits: it may be sent elsewhere than its step says, as one of another region is. */
const nextOf = (self: Run, request: Request, step: Step): NextCall => {
  const { next, options } = self
  const lane = laneFor(self, request)
  return lane === next.lane && Draws.areSame(step.limits, next.draws)
    ? next
    : { ...nextIn(options, self.job, step), lane }
}

/** The run's own first permit, where it is still unused and was given for this; else another, unless there is none for long. */
const permitOf = (self: Run, next: NextCall, alone: boolean): Effect.Effect<Permit | undefined> =>
  Effect.suspend(() => {
    const { job, options, unused } = self
    const { draws, lane } = next
    self.next = next
    if (unused === undefined || lane !== job.lane || !Draws.areSame(draws, unused.draws)) {
      const { lanes } = options
      return Effect.andThen(
        letGo(self),
        alone
          ? lanes.seek(lane, job.account, { jobId: job.id, draws })
          : lanes.acquire(lane, job.account, { jobId: job.id, isBeside: true, draws })
      )
    }
    self.unused = undefined
    return Effect.succeed(unused)
  })

const recording = (self: Run): NonNullable<Host["record"]> => {
  const { job } = self
  const isLast = lastIn(self.step)
  return (attempt) => {
    if (attempt.ending._tag !== "Interrupted") self.last = attempt
    if (isLast(attempt)) {
      self.unwritten = attempt
      return Effect.void
    }
    const write = recordedOnce(self, attempt)
    return attempt.ending._tag === "Interrupted"
      ? // for the record only: the run is over, and nobody waits for a store that fails
        Effect.ignore(write)
      : untilWritten(job.id, write).pipe(Effect.catch(() => stop(self, { _tag: "Stale" })))
  }
}

/** An attempt that may have been written is looked for, and not written again where it is there. */
const recordedOnce = ({ job, options: { store } }: Run, attempt: Attempt) =>
  store
    .record(job.id, job.epoch, attempt)
    .pipe(
      Effect.catchTag("OutcomeUnknown", (error) =>
        Effect.flatMap(untilWritten(job.id, store.get(job.id)), (found) =>
          found?.history.some(
            ({ at, path, racer }) => at === attempt.at && path === attempt.path && racer === attempt.racer
          )
            ? Effect.void
            : Effect.fail(error)
        )
      )
    )

const pausing =
  (self: Run): Host["pause"] =>
  (millis, alone) =>
    Effect.andThen(
      letGo(self),
      millis <= parkAfter || !alone
        ? Effect.sleep(millis)
        : Effect.flatMap(parkingOf(self, millis), (parking) => stop(self, { _tag: "Parked", parking }))
    )

/**
 * A 429 that is held, and a call that could not be made for want of something here, is no ending: the call is made again
 * once the lane lets it, for as long as the patience lasts.
 */
const repeating =
  (self: Run): NonNullable<Host["repeatsAfter"]> =>
  (_, request, attempt) =>
    Effect.gen(function* () {
      const { job, options } = self
      if (!isHeld(job.step, attempt)) return undefined
      self.heldSince ??= attempt.at
      const now = yield* Clock.currentTimeMillis
      if (now - self.heldSince >= options.patience429) return undefined
      // where a redirect led, it is that host that asked for the wait
      const lanes = new Set([laneFor(self, request), self.lane])
      const holds = yield* Effect.forEach(lanes, (lane) => options.lanes.heldFor(lane, job.account))
      // others may be let through meanwhile, which ends the lane's row of refusals, but not this job's; what was parked
      // has sat it out, whatever the clock says by now
      const isResumed = attempt === job.history.at(-1)
      const own = isResumed ? 0 : Refusal.backOff(self.refusals) - (now - (attempt.at + attempt.latency))
      self.refusals++
      return Math.max(...holds, own)
    })

/**
 * Tells the attempt that ends a run, so that it is stored with the end and not before it: a 2xx, where no other region
 * may still be under way. Nothing is decided after it that a crash could forget: the job would only be run again.
 */
const lastIn = (root: Step): ((attempt: Attempt) => boolean) => {
  const isAlone = [root, ...root.fallbacks.map(({ step }) => step)].every(
    ({ hedge, regions }) => regions.length < 2 && hedge === undefined
  )
  return ({ ending }) => isAlone && ending._tag === "Answered" && isSuccess(ending)
}

const parkingOf = Effect.fnUntraced(function* (
  { heldSince, job, lane, last, next, options }: Run,
  millis: number
): Effect.fn.Return<Parking> {
  const dueAt = Math.ceil((yield* Clock.currentTimeMillis) + millis)
  // a pause that ends with the hold is there because of it
  const isHeldUp = last !== undefined && (yield* options.lanes.heldFor(lane, job.account)) > millis - parkAfter
  return {
    dueAt,
    heldSince,
    heldBy: isHeldUp ? lane : undefined,
    next,
    // a hold is no pause of the job's own
    pausedFor: last === undefined || isHeld(job.step, last) ? undefined : dueAt - (last.at + last.latency)
  }
})

/** What has been rested of a pause that ended the run before. */
const restedOf = ({ pausedFor }: StoredJob): number | undefined =>
  pausedFor === undefined || pausedFor < 0 ? undefined : pausedFor
