/**
 * Schedules at work: each firing is a job under a key of a space that nobody else can name, made of the schedule, its
 * generation and the moment. A firing is submitted first and noted down then; whatever happens in between, the key lets
 * it be the same job when it is submitted again.
 *
 * Moments that were stored are reckoned anew at every start, because what is known of time zones changes.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Metric from "effect/Metric"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { isTerminal } from "../../engine/JobState.ts"
import * as Firing from "../../engine/schedule/Firing.ts"
import * as Timing from "../../engine/schedule/Timing.ts"
import { makeStep } from "../../step/StepValue.ts"
import type { NewJob, StoredJob } from "../job/Job.ts"
import { accountOf } from "../job/LaneName.ts"
import { newJob } from "../job/NewJob.ts"
import * as ClockWatch from "../observe/ClockWatch.ts"
import { metrics } from "../observe/Metrics.ts"
import type { Enqueued, JobPort } from "../store/JobRecords.ts"
import type { ScheduleDefinition, SchedulePort, StoredSchedule } from "../store/ScheduleRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import * as Comparing from "./ScheduleComparing.ts"
import type { Admission, Overloaded } from "./Admission.ts"

/**
 * What customers do with their schedules; `undefined` where there is none of that name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Schedules {
  readonly list: (customer: string) => Effect.Effect<ReadonlyArray<StoredSchedule>, StoreError>
  readonly get: (customer: string, name: string) => Effect.Effect<StoredSchedule | undefined, StoreError>
  /** Makes a schedule, or defines it anew: it goes on from now, paused if it was. */
  readonly set: (
    customer: string,
    name: string,
    definition: ScheduleDefinition
  ) => Effect.Effect<StoredSchedule, StoreError | Overloaded | TooManySchedules>
  /** Makes all of these or none: what is as it was stays untouched. */
  readonly apply: (
    customer: string,
    wanted: ReadonlyMap<string, ScheduleDefinition>,
    how: Comparing.ApplyOptions
  ) => Effect.Effect<Comparing.Applied, StoreError | Overloaded | TooManySchedules>
  /** Ends it; jobs that it has submitted go on. `false`: there was none. */
  readonly remove: (customer: string, name: string) => Effect.Effect<boolean, StoreError>
  readonly pause: (customer: string, name: string) => Effect.Effect<StoredSchedule | undefined, StoreError>
  readonly resume: (customer: string, name: string) => Effect.Effect<StoredSchedule | undefined, StoreError>
  /** Submits its job once, whatever its times, its pause and its last job say. */
  readonly runNow: (
    customer: string,
    name: string
  ) => Effect.Effect<StoredSchedule | undefined, StoreError | Overloaded>
}

/**
 * What schedules work with.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleParts {
  readonly store: SchedulePort & Pick<JobPort, "get">
  readonly submit: (job: NewJob) => Effect.Effect<Enqueued, StoreError | Overloaded>
  /** Stores a definition if there is room for it. */
  readonly admit: Admission["through"]
  /** How many one customer may have. */
  readonly maxSchedules: number
  readonly newId: Effect.Effect<string>
  /** How often the clock is looked at, in milliseconds. */
  readonly clockEvery: number
  readonly noticeClock: Effect.Effect<void>
  /** Whether nothing is begun any more. */
  readonly leaving: () => boolean
  /** Headers that are credentials beside those that always are. */
  readonly credentials: ReadonlyArray<string> | undefined
}

/** How many are dealt with before it is looked again. */
const lookSize = 100

/** When one that could not be fired is tried again, in milliseconds. */
const againAfter = 1000

/**
 * Makes the schedules; they fire in the scope until it closes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  parts: ScheduleParts
): Effect.fn.Return<Schedules, StoreError, Scope.Scope> {
  const { store } = parts
  const signal = Latch.makeUnsafe(true)
  // what is read of a schedule holds until what follows from it is written
  const alone = (yield* Semaphore.make(1)).withPermits(1)
  const save = (schedule: StoredSchedule) =>
    Effect.as(
      Effect.ensuring(
        store.saveSchedule(schedule),
        Effect.sync(() => signal.openUnsafe())
      ),
      schedule
    )
  const change = <E>(
    customer: string,
    name: string,
    by: (schedule: StoredSchedule, now: number) => Effect.Effect<StoredSchedule, E>
  ) =>
    alone(
      Effect.gen(function* () {
        const schedule = yield* store.schedule(customer, name)
        if (schedule === undefined) return undefined
        return yield* save(yield* by(schedule, yield* Clock.currentTimeMillis))
      })
    )

  if (!parts.leaving()) yield* alone(reckonAnew(store))
  yield* Effect.forkScoped(working(parts, signal, alone))

  return {
    list: store.schedules,
    get: store.schedule,
    set: (customer, name, definition) =>
      alone(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const known = yield* store.schedule(customer, name)
          if (known === undefined) yield* roomFor(parts, customer)
          const generation = known?.generation ?? (yield* parts.newId)
          return yield* parts.admit(save(defined({ ...definition, customer, name, generation }, known, now)))
        })
      ),
    apply: (customer, wanted, how) => alone(applying(parts, signal, { customer, wanted, ...how })),
    remove: (customer, name) => alone(store.removeSchedule(customer, name)),
    pause: (customer, name) =>
      change(customer, name, (schedule, now) =>
        Effect.succeed(looked({ ...schedule, progress: Firing.pause(schedule.progress) }, now))
      ),
    resume: (customer, name) =>
      change(customer, name, (schedule, now) =>
        Effect.succeed(looked({ ...schedule, progress: Firing.resume(schedule.progress, now) }, now))
      ),
    runNow: (customer, name) =>
      change(customer, name, (schedule, now) =>
        Effect.gen(function* () {
          // what overlap looks at is the job that goes on
          const goesOnFrom = (yield* goesOn(store, schedule)) ? schedule.progress.last : undefined
          const last = yield* fire(parts, schedule, now, "now")
          const progress = { ...schedule.progress, fired: schedule.progress.fired + 1, last: goesOnFrom ?? last }
          yield* counted(schedule.progress, progress)
          return { ...schedule, progress }
        })
      )
  }
})

/**
 * The moments of a schedule; `undefined` where they make no sense any more, which a change of the zones may do.
 *
 * @category accessors
 * @since 0.1.0
 */
export const timingOf = ({
  createdAt,
  generation,
  timing
}: Pick<StoredSchedule, "createdAt" | "generation" | "timing">): Timing.Timing | undefined =>
  Result.getOrUndefined(Timing.make(generation, timing, createdAt))

/** A schedule from now on, with what is known of it from before. */
const defined = (
  said: ScheduleDefinition & Pick<StoredSchedule, "customer" | "generation" | "name">,
  known: StoredSchedule | undefined,
  now: number
): StoredSchedule => {
  const before = known?.progress ?? Firing.begin(now)
  const progress = { ...before, after: Math.max(before.after, now) }
  return looked({ ...said, progress, lookAt: undefined, createdAt: known?.createdAt ?? now, changedAt: now }, now)
}

interface Applying extends Comparing.ApplyOptions {
  readonly customer: string
  readonly wanted: ReadonlyMap<string, ScheduleDefinition>
}

const applying = Effect.fnUntraced(function* (
  parts: ScheduleParts,
  signal: Latch.Latch,
  { customer, deletes, dryRun, wanted }: Applying
) {
  const { admit, maxSchedules, store } = parts
  const now = yield* Clock.currentTimeMillis
  const stored = yield* store.schedules(customer)
  const applied = Comparing.compare(stored, wanted, deletes)
  const current = yield* store.countSchedules(customer)
  const more = applied.added.length - applied.deleted.length
  if (more > 0 && current + more > maxSchedules) return yield* new TooManySchedules({ limit: maxSchedules, current })
  const names = [...applied.added, ...applied.changed.map(({ name }) => name)]
  if (dryRun || names.length + applied.deleted.length === 0) return applied
  const known = new Map(stored.map((one) => [one.name, one]))
  const saved: Array<StoredSchedule> = []
  for (const name of names) {
    const definition = wanted.get(name)
    if (definition === undefined) continue
    const generation = known.get(name)?.generation ?? (yield* parts.newId)
    saved.push(defined({ ...definition, customer, name, generation }, known.get(name), now))
  }
  yield* admit(store.applySchedules(customer, saved, applied.deleted))
  signal.openUnsafe()
  return applied
})

const looked = (schedule: StoredSchedule, now: number): StoredSchedule => {
  const timing = timingOf(schedule)
  return { ...schedule, lookAt: timing && Firing.lookAt(timing, schedule.progress, now) }
}

const reckonAnew = Effect.fnUntraced(
  function* (store: SchedulePort) {
    const now = yield* Clock.currentTimeMillis
    for (const schedule of yield* store.schedules()) {
      const anew = looked(schedule, now)
      if (anew.lookAt !== schedule.lookAt) yield* store.saveSchedule(anew)
    }
    // a dam starts for its jobs too
  },
  Effect.catch((error) => Effect.logWarning(`schedules: ${error.message}`))
)

/** Lets a schedule that could not be fired wait by itself, so that it holds up no other. */
const putOff = ({ store }: ScheduleParts, customer: string, name: string) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => store.putOffSchedule(customer, name, now + againAfter))

const roomFor = Effect.fnUntraced(function* ({ maxSchedules, store }: ScheduleParts, customer: string) {
  const current = yield* store.countSchedules(customer)
  if (current >= maxSchedules) return yield* new TooManySchedules({ limit: maxSchedules, current })
})

const working = (
  parts: ScheduleParts,
  signal: Latch.Latch,
  alone: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.Effect<never> =>
  Effect.gen(function* () {
    const { clockEvery, leaving, noticeClock, store } = parts
    while (true) {
      signal.closeUnsafe()
      const now = yield* Clock.currentTimeMillis
      // over a copy, and in a dam that is about to stop, nothing is fired
      const next = leaving()
        ? undefined
        : yield* Effect.gen(function* () {
            const { due, nextAt } = yield* store.dueSchedules(now, lookSize)
            let failed = false
            for (const { customer, name } of due) {
              const done = yield* Effect.result(alone(one(parts, customer, name)))
              if (Result.isSuccess(done)) continue
              yield* Effect.logWarning(`schedule ${name}: ${done.failure.message}`)
              failed ||= Result.isFailure(yield* Effect.result(alone(putOff(parts, customer, name))))
            }
            if (failed) return now + againAfter
            // what was dealt with has a next moment of its own
            return due.length > 0 ? now : nextAt
          }).pipe(
            Effect.catch((error) => Effect.as(Effect.logWarning(`schedules: ${error.message}`), now + againAfter))
          )
      yield* next === undefined ? signal.await : ClockWatch.until({ at: next, signal, clockEvery, noticeClock })
    }
  })

/** Fires what is due of a schedule. What was submitted and not noted down is known by its key when it is fired again. */
const one = Effect.fnUntraced(function* (parts: ScheduleParts, customer: string, name: string) {
  const { store } = parts
  const schedule = yield* store.schedule(customer, name)
  if (schedule === undefined) return
  const now = yield* Clock.currentTimeMillis
  const timing = timingOf(schedule)
  if (timing === undefined) {
    yield* Effect.logWarning(`schedule ${name}: its times make no sense any more; define it anew`)
    return yield* store.saveSchedule({ ...schedule, lookAt: undefined })
  }
  const isRunning = schedule.rules.overlap !== "parallel" && (yield* goesOn(store, schedule))
  const {
    fire: moments,
    lookAt,
    progress
  } = Firing.decide(timing, schedule.rules, schedule.progress, {
    now,
    isRunning
  })
  let { fired, last } = progress
  for (const moment of moments) {
    last = yield* fire(parts, schedule, moment)
    fired++
  }
  yield* store.saveSchedule({ ...schedule, progress: { ...progress, fired, last }, lookAt })
  yield* counted(schedule.progress, { ...progress, fired })
})

/** Counts what is noted down, so that nothing is counted twice. */
const counted = Effect.fnUntraced(function* (before: Firing.Progress, after: Firing.Progress) {
  for (const what of ["fired", "missed", "skipped"] as const) {
    if (after[what] > before[what]) yield* Metric.update(metrics[what], after[what] - before[what])
  }
})

const goesOn = (store: Pick<JobPort, "get">, { progress }: StoredSchedule): Effect.Effect<boolean, StoreError> =>
  progress.last === undefined
    ? Effect.succeed(false)
    : Effect.map(store.get(progress.last.jobId), (job) => job !== undefined && !isTerminal(job.state))

const fire = Effect.fnUntraced(function* (
  { credentials, newId, submit }: ScheduleParts,
  { customer, generation, name, step }: StoredSchedule,
  moment: number,
  how: "now" | undefined = undefined
) {
  const at = yield* Clock.currentTimeMillis
  const id = yield* newId
  const scheduledFor = DateTime.formatIso(DateTime.makeUnsafe(moment))
  const job = newJob({
    id,
    at,
    customer,
    dialect: "cloud",
    keyScope: scopeOf(customer),
    // a name may be too long for a key, and a generation belongs to one schedule
    key: how === undefined ? `schedule:${generation}:${moment}` : `schedule:${generation}:${how}:${id}`,
    step: makeStep({ ...step, metadata: { schedule: name, scheduled_for: scheduledFor, ...step.metadata } }),
    credentials,
    isolated: false,
    traceparent: undefined
  })
  // it takes its turn with what else its customer submits
  const enqueued = yield* submit({ ...job, account: accountOf(customer, step.request.headers) })
  switch (enqueued._tag) {
    case "Stored":
      return { at: moment, jobId: id }
    case "Duplicate":
      return { at: moment, jobId: enqueued.job.id }
    default:
      return { at: moment, jobId: enqueued.jobId }
  }
})

// no user has a line break in its name
const scopeOf = (customer: string): string => `${customer}\n\nschedules`

/** Which schedule has submitted a job, and for which moment, unless somebody ran it now; `undefined`: none has. */
export const firingOf = ({
  customer,
  key,
  keyScope
}: Pick<StoredJob, "customer" | "key" | "keyScope">):
  { readonly generation: string; readonly moment: number | undefined } | undefined => {
  const [kind, generation = "", moment = ""] = key.split(":")
  // what it has started has keys of its own
  if (keyScope !== scopeOf(customer) || kind !== "schedule") return undefined
  return { generation, moment: moment === "now" ? undefined : Number(moment) }
}

/**
 * A customer has as many schedules as one may have.
 *
 * @category errors
 * @since 0.1.0
 */
export class TooManySchedules extends Schema.TaggedError<TooManySchedules>()("TooManySchedules", {
  limit: Schema.Number,
  current: Schema.Number
}) {
  override get message() {
    return `there are ${this.current} schedules of ${this.limit}; delete one before another is made`
  }
}
