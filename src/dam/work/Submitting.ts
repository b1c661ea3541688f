/**
 * How jobs come in: past admission control, into the store, and then their lanes hear of them. Whoever submitted may lose
 * patience, but a job that is stored is looked after.
 *
 * Where the store files without a fiber (`Filing`), so does this: admission is asked at once, and jobs that a commit has
 * stored together are told together. Whatever is not simply stored goes on in a fiber, by the same rules.
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Deadline from "../../engine/Deadline.ts"
import * as Result from "effect/Result"
import type { Step } from "../../step/StepModel.ts"
import type { NewJob } from "../job/Job.ts"
import { queueOf } from "../job/LaneName.ts"
import type { LaneNames } from "../lane/LaneNames.ts"
import * as Filing from "../store/Filing.ts"
import type { Crowded, Enqueued, JobPort } from "../store/JobRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import { type Admission, crowded, type Overloaded } from "./Admission.ts"
import type { Ends } from "./Ends.ts"
import type { Engine } from "./Engine.ts"
import * as Joining from "./Joining.ts"
import { laned } from "./Run.ts"

/** What submitting needs. */
export interface SubmittingParts {
  readonly store: Pick<JobPort, "enqueue" | "enqueueBelow">
  /** What becomes one with jobs that came before. */
  readonly joining: Joining.Joining
  readonly admission: Pick<Admission, "enter" | "left" | "through">
  readonly names: LaneNames
  readonly ends: Pick<Ends, "lookAround" | "told"> & { readonly lanes: Pick<Ends["lanes"], "wake"> }
  /** Unfinished jobs of one customer. Defaults to no mark of its own. */
  readonly maxCustomerJobs?: number | undefined
  /** Of the dam: nothing of whoever happens to submit goes along. */
  readonly context: Context.Context<never>
}

/** Makes the verb, which says of itself how it is begun where it can be. */
export const make = (parts: SubmittingParts): Engine["Service"]["submit"] => {
  const { admission, context, ends, names } = parts
  const { begin, enqueue } = filingOf(parts)
  const submit: Engine["Service"]["submit"] = (job) =>
    admission.through(filed(ends, enqueue, laned(names, job)), 1, job.step.priority)
  const clock = Context.get(context, Clock.Clock)
  const told = together(Effect.runForkWith(context), ({ done, filed, job }: Told) =>
    Effect.catchCause(
      Effect.map(noticed(ends, job, filed), () => done(filed)),
      (cause) => Effect.sync(() => done(Effect.failCause(cause)))
    )
  )
  return Filing.begunBy(
    submit,
    begin &&
      ((done, given) => {
        if (!isUsual(given.step) || !admission.enter(clock)) return done(submit(given))
        const begun = Result.try(() => {
          const job = laned(names, given)
          begin((filed) => {
            admission.left()
            if (Effect.isEffect(filed)) done(Effect.tap(filed, (enqueued) => noticed(ends, job, enqueued)))
            else told({ job, filed, done })
          }, job)
        })
        if (Result.isSuccess(begun)) return
        admission.left()
        done(Effect.die(begun.failure))
      })
  )
}

type Failure = StoreError | Overloaded

interface Told {
  readonly job: NewJob
  readonly filed: Filing.Stored
  readonly done: Filing.Done<Enqueued, Failure>
}

/** Whether it is refused no earlier than others, and takes the place of none. */
const isUsual = ({ debounce, priority }: Step): boolean => debounce === undefined && priority !== "low"

/** How a job is filed: in the place of another one, whatever its customer has already, or below the mark. */
const filingOf = ({ joining, maxCustomerJobs: most, store }: SubmittingParts) => {
  const judged = (filed: Effect.Effect<Crowded | Enqueued, StoreError>): Effect.Effect<Enqueued, Failure> =>
    Effect.flatMap(filed, (enqueued) =>
      enqueued._tag === "Crowded" ? Effect.fail(crowded(most ?? 0, enqueued.jobs)) : Effect.succeed(enqueued)
    )
  const enqueue = (job: NewJob): Effect.Effect<Enqueued, Failure> => {
    const { debounce } = job.step
    if (debounce !== undefined) return judged(Joining.debounced(joining, job, debounce, most))
    return most === undefined ? store.enqueue(job) : judged(store.enqueueBelow(job, most))
  }
  if (most === undefined) return { enqueue, begin: Filing.of(store.enqueue) }
  const begin = Filing.of(store.enqueueBelow)
  const begun: Filing.Begin<[], Enqueued, Failure> | undefined =
    begin && ((done, job) => begin((filed) => done(Effect.isEffect(filed) ? judged(filed) : filed), job, most))
  return { enqueue, begin: begun }
}

const filed = (
  ends: SubmittingParts["ends"],
  enqueue: (job: NewJob) => Effect.Effect<Enqueued, Failure>,
  job: NewJob
): Effect.Effect<Enqueued, Failure> =>
  Effect.uninterruptible(Effect.tap(enqueue(job), (enqueued) => noticed(ends, job, enqueued)))

/** Says that a job is stored: to whoever follows it, and to its lane. */
const noticed = (
  { lanes, lookAround, told }: SubmittingParts["ends"],
  job: NewJob,
  enqueued: Enqueued
): Effect.Effect<void> => {
  if (enqueued._tag !== "Stored") return Effect.void
  const { state } = enqueued
  return Effect.flatMap(told(job, state, true), () => {
    if (state === "scheduled" || job.step.startBefore !== undefined || Deadline.has(job.step)) lookAround()
    return state === "queued" ? lanes.wake(job.lane, queueOf(job, job.step.limits, job.step.priority)) : Effect.void
  })
}

/** Takes together whatever comes in one turn of the event loop: the jobs of a commit are told in one fiber. */
const together = <A>(run: (all: Effect.Effect<void>) => unknown, each: (one: A) => Effect.Effect<void>) => {
  let waiting: Array<A> = []
  return (one: A): void => {
    if (waiting.push(one) > 1) return
    queueMicrotask(() => {
      const all = waiting
      waiting = []
      run(Effect.forEach(all, (one) => Effect.catchCause(each(one), untold), { discard: true }))
    })
  }
}

/** Others are told all the same. */
const untold = (cause: Cause.Cause<never>): Effect.Effect<void> =>
  Effect.logError("whoever submitted a job could not be told what became of it", cause)
