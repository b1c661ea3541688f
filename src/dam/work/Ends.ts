/** How jobs end, and what follows: the end is written with its children and webhooks, then everybody concerned hears of it. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Deadline from "../../engine/Deadline.ts"
import { type DeadlineExceeded, deadlineExceeded, Expired, stepError } from "../../step/Outcome.ts"
import type { Attempt } from "../../step/HistoryModel.ts"
import type { NewDelivery } from "../job/Delivery.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import { queueOf } from "../job/LaneName.ts"
import type { LaneRouter } from "../lane/LaneRouter.ts"
import type { Permit } from "../lane/Permit.ts"
import type { JoinPort } from "../store/JoinRecords.ts"
import type { Finish, JobPort } from "../store/JobRecords.ts"
import { type StaleEpoch, type StoreError, untilWritten } from "../store/StoreError.ts"
import * as Joining from "./Joining.ts"
import * as Results from "./Results.ts"
import type { RunEnd, RunnerOptions } from "./Run.ts"
import { childOf } from "./Run.ts"
import * as Runner from "./Runner.ts"
import type { Told } from "./Telling.ts"

/** What ending jobs needs. */
export interface Ends {
  readonly store: JoinPort &
    Pick<JobPort, "change" | "finish" | "finishIdle" | "get" | "hasten" | "lift" | "park" | "record">
  readonly lanes: Pick<LaneRouter, "reread" | "steering" | "wake">
  readonly runner: RunnerOptions
  readonly told: Told
  /** Says that a delivery may be due in these lanes. */
  readonly deliver: (lanes: Iterable<string>) => void
  /** Attempts at jobs that were called off while nothing could be written. */
  readonly unwritten: Map<string, Attempt>
  /** Hands over deliveries that were stored at a moment, and may be made at once. */
  readonly hand: (deliveries: ReadonlyArray<NewDelivery>, at: number) => void
  /** Says that a job was scheduled or parked, or has a moment to be ended at. */
  readonly lookAround: () => void
  /** Takes in how the clock was set since it was looked at last, before a pause is written by it. */
  readonly noticeClock: Effect.Effect<void>
  /** Hears that a job of a batch has ended. */
  readonly batchEnded: () => void
}

/** Runs a job and writes what came of it. */
export const execute = Effect.fnUntraced(function* (self: Ends, job: StoredJob, permit: Permit) {
  const { unreadable } = job
  if (unreadable !== undefined) return yield* Effect.andThen(permit.release, endUnreadable(self, job, unreadable))
  const run = yield* Runner.run(self.runner, job, permit)
  switch (run._tag) {
    case "Stale":
      return
    case "Parked":
      return yield* parked(self, job, run)
    case "Ended":
    case "Broken": {
      const finish = finishOf(self, job, run, yield* Clock.currentTimeMillis)
      if (run._tag === "Broken") yield* Effect.logError(`job ${job.id} is given up: ${run.problem}`)
      return yield* Effect.onInterrupt(
        writeEnd(self, job, finish),
        // called off while the end could not be written: that there was a call is not forgotten
        () => (finish.attempt ? keep(self, job, finish.attempt) : Effect.void)
      )
    }
  }
})

/** Writes an attempt down, or remembers it for whoever takes the job up again. */
const keep = ({ store, unwritten }: Ends, { epoch, id }: StoredJob, attempt: Attempt) =>
  store.record(id, epoch, attempt).pipe(
    Effect.catchTag("StaleEpoch", () => Effect.void),
    Effect.catch(() => Effect.sync(() => void unwritten.set(id, attempt)))
  )

/** The last attempt at a job, where it could not be written before. */
export const unrecorded = ({ unwritten }: Ends, { history, id }: StoredJob): Attempt | undefined => {
  const attempt = unwritten.get(id)
  // it may have been written after all, when nobody could know
  return attempt?.at === history.at(-1)?.at ? undefined : attempt
}

/** A job whose row makes no sense cannot be run, ever. */
const endUnreadable = Effect.fnUntraced(function* (self: Ends, job: StoredJob, problem: string) {
  const at = yield* Clock.currentTimeMillis
  const finish = Results.finish(job, "failed", { at, result: Results.unreadable(problem) }, self.runner.laneOf)
  yield* Effect.logError(`job ${job.id} is given up: ${problem}`)
  yield* writeEnd(self, job, finish)
})

/** A job whose fiber is gone, though the store could not be told why, is queued again. */
export const requeue = Effect.fnUntraced(function* (self: Ends, jobId: string) {
  const job = yield* untilWritten(jobId, self.store.get(jobId))
  const attempt = job && unrecorded(self, job)
  self.unwritten.delete(jobId)
  if (job?.state !== "running") return
  if (attempt !== undefined) {
    yield* Effect.ignore(untilWritten(jobId, self.store.record(jobId, job.epoch, attempt)))
  }
  const now = yield* Clock.currentTimeMillis
  yield* written(self, job, {
    write: self.store.park(jobId, job.epoch, { dueAt: now }),
    follow: () => Effect.sync(self.lookAround),
    isThere: isParked
  })
})

/** Ends a job that does not run and is past its deadline, or past the moment before which it had to start. */
export const expire = Effect.fnUntraced(function* (self: Ends, jobId: string) {
  const { laneOf } = self.runner
  const job = yield* self.store.get(jobId)
  if (job === undefined) return
  const at = yield* Clock.currentTimeMillis
  const reason = reasonToEnd(job, at)
  if (reason === undefined) return
  const error = stepError(job.step, reason, job.history)
  const { onFailure } = job.step
  const children = onFailure === undefined ? [] : [yield* childOf(self.runner, job, "onFailure", onFailure, error)]
  const finish = Results.finish(job, "failed", { at, result: Results.failed(error), children }, laneOf)
  yield* Effect.uninterruptible(
    self.store.finishIdle(jobId, finish).pipe(
      Effect.catchTag("OutcomeUnknown", orFound(self, jobId, finish)),
      Effect.flatMap((ended) => (ended ? finished(self, job, finish) : Effect.void))
    )
  )
})

/** What it is too late for; `undefined`: it has begun meanwhile, which is all that was asked of it. */
const reasonToEnd = (
  { createdAt, epoch, notBefore, step }: StoredJob,
  at: number
): Expired | DeadlineExceeded | undefined => {
  const { startBefore } = step
  if (startBefore !== undefined && startBefore <= at && epoch === 0) return new Expired({ startBefore })
  const deadline = Deadline.of(step, { acceptedAt: createdAt, notBefore })
  return deadline !== undefined && deadline.at <= at ? deadlineExceeded(deadline) : undefined
}

/**
 * Says what follows from an end that was written: its webhooks, its children, its last state. `areOpen`: its webhooks may
 * be told at once, without a look at what is known of them.
 */
export const finished = Effect.fnUntraced(function* (self: Ends, job: StoredJob, finish: Finish, areOpen = false) {
  yield* self.told(job, finish.state)
  if (job.batch !== undefined) self.batchEnded()
  if (areOpen) self.hand(finish.deliveries, finish.at)
  else if (finish.deliveries.length > 0) self.deliver(new Set(finish.deliveries.map(({ lane }) => lane)))
  for (const child of finish.children) {
    if (!(yield* isStored(self, child))) continue
    yield* self.told(child, yield* beginningOf(self, child), true)
    yield* self.lanes.wake(child.lane, queueOf(child, child.step.limits, child.step.priority))
  }
  // who was never called has no answer
  if (job.step.coalesce && finish.state !== "cancelled" && job.epoch > 0) {
    yield* Joining.shared(joiningOf(self), job, finish).pipe(
      Effect.catch(({ message }) =>
        Effect.logWarning(`who shares the answer of job ${job.id} calls by itself in a minute: ${message}`)
      )
    )
  }
  // the next of its order has its moment now
  if (finish.children.length > 0 || job.step.inOrder !== undefined || job.step.coalesce) self.lookAround()
})

const parked = (self: Ends, job: StoredJob, { parking }: Extract<RunEnd, { readonly _tag: "Parked" }>) =>
  Effect.andThen(
    self.noticeClock,
    written(self, job, {
      write: self.store.park(job.id, job.epoch, parking),
      follow: () =>
        Effect.andThen(
          self.told({ ...job, lane: parking.next?.lane ?? job.lane }, "parked"),
          Effect.sync(self.lookAround)
        ),
      isThere: isParked
    })
  )

const isParked = ({ state }: StoredJob): boolean => state === "parked"

/** Writes an end, and says what follows from it. */
const writeEnd = (self: Ends, job: StoredJob, finish: Finish): Effect.Effect<void> =>
  written(self, job, {
    write: self.store.finish(job.id, job.epoch, finish),
    follow: (areOpen) => finished(self, job, finish, areOpen),
    isThere: (found) => isEnd(found, finish)
  })

/** An end of which nobody knows whether it was written is looked for. */
export const orFound =
  ({ store }: { readonly store: Pick<JobPort, "get"> }, jobId: string, finish: Finish) =>
  <E>(error: E): Effect.Effect<true, E | StoreError> =>
    Effect.flatMap(store.get(jobId), (found) =>
      found !== undefined && isEnd(found, finish) ? Effect.succeed(true as const) : Effect.fail(error)
    )

const isEnd = ({ finishedAt, state }: StoredJob, finish: Finish): boolean =>
  state === finish.state && finishedAt === finish.at

interface Write<A> {
  readonly write: Effect.Effect<A, StoreError | StaleEpoch>
  /** What follows; nothing is known of what it would have answered where it was found there. */
  readonly follow: (written: A | undefined) => Effect.Effect<void>
  readonly isThere: (found: StoredJob) => boolean
}

/**
 * What follows from a write is never left out: nothing comes between the two. One that may have been written, for all that
 * the disk has said, is looked for where it cannot be repeated.
 */
const written = <A>({ store }: Ends, job: StoredJob, { follow, isThere, write }: Write<A>): Effect.Effect<void> =>
  Effect.suspend(() => {
    let isUnknown = false
    const noted = Effect.tapErrorTag(write, "OutcomeUnknown", () => Effect.sync(() => void (isUnknown = true)))
    return untilWritten(job.id, Effect.uninterruptible(Effect.flatMap(noted, follow))).pipe(
      Effect.catch(() =>
        isUnknown
          ? Effect.flatMap(untilWritten(job.id, store.get(job.id)), (found) =>
              found !== undefined && isThere(found) ? Effect.uninterruptible(follow(undefined)) : Effect.void
            )
          : Effect.void
      )
    )
  })

const finishOf = (
  { runner: { laneOf } }: Ends,
  job: StoredJob,
  run: Extract<RunEnd, { readonly _tag: "Ended" | "Broken" }>,
  at: number
): Finish => {
  if (run._tag === "Broken") return Results.finish(job, "failed", { at, result: Results.broken() }, laneOf)
  const { attempt, children, end } = run
  return end._tag === "StepError"
    ? Results.finish(job, "failed", { at, attempt, result: Results.failed(end), children }, laneOf)
    : Results.finish(
        job,
        "succeeded",
        { at, attempt, result: Results.succeeded(end), children, answeredBy: end.answeredBy },
        laneOf
      )
}

/** How jobs that have to do with each other end. */
export const joiningOf = (self: Ends): Joining.Joining => ({
  store: self.store,
  laneOf: self.runner.laneOf,
  finished: (job, finish) => finished(self, job, finish)
})

/** Where a job begins: behind others of its order, beside one whose answer it shares, or where its time says. */
export const beginningOf = ({ store }: Ends, { createdAt, id, notBefore, step }: NewJob) => {
  const isLater = notBefore !== undefined && notBefore > createdAt
  const told = isLater ? ("scheduled" as const) : ("queued" as const)
  return step.inOrder === undefined && !step.coalesce
    ? Effect.succeed(told)
    : Effect.match(store.get(id), { onFailure: () => told, onSuccess: (found) => found?.state ?? told })
}

/** A child is not, where the key it was given names an earlier job; other keys are made for it. */
const isStored = ({ store }: Ends, { id, keyGiven }: NewJob): Effect.Effect<boolean> =>
  keyGiven
    ? Effect.match(store.get(id), { onFailure: () => true, onSuccess: (found) => found !== undefined })
    : Effect.succeed(true)
