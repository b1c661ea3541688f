/** The schedules of the fake EZThrottle: nothing fires by itself, a job is submitted when it is run now. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Timing from "../engine/schedule/Timing.ts"
import { faultIn } from "../engine/schedule/TimingFault.ts"
import type { Schedule, ScheduleOptions, Schedules } from "../run/Service.ts"
import { InvalidSchedule, ScheduleNotFound, ServiceError } from "../run/Service.ts"
import type { Step } from "../step/StepModel.ts"
import * as Wire from "../wire/Schedules.ts"

interface Kept {
  readonly options: ScheduleOptions
  readonly timing: Timing.Timing
  readonly paused: boolean
  readonly fired: number
  readonly last: Schedule["last"]
}

/** Makes a store without schedules; `file` files a job of its own and answers its id. */
export const make = (file: (step: Step) => Effect.Effect<string, ServiceError>): Schedules => {
  const kept = new Map<string, Kept>()
  const show = (name: string, { fired, last, paused, timing }: Kept) =>
    Effect.map(Clock.currentTimeMillis, (now): Schedule => {
      const next = Timing.upcoming(timing, now, 5)
      const state = paused ? "paused" : next.length === 0 ? "over" : "active"
      const shown = { name, state, next, fired, waiting: 0, missed: 0, skipped: 0 }
      return {
        ...shown,
        last,
        answer: { ...shown, last: last === undefined ? null : { at: last.at, job_id: last.jobId } }
      }
    })
  const change = (name: string, by: (schedule: Kept) => Kept) =>
    Effect.suspend(() => {
      const schedule = kept.get(name)
      if (schedule === undefined) return unknown(name)
      const changed = by(schedule)
      kept.set(name, changed)
      return show(name, changed)
    })
  return {
    put: Effect.fnUntraced(function* (name, options) {
      const now = yield* Clock.currentTimeMillis
      const timing = yield* Effect.mapError(
        Effect.fromResult(timingOf(options, now)),
        (reason) => new ServiceError({ reason })
      )
      const { fired = 0, last, paused = false } = kept.get(name) ?? {}
      const schedule = { options, timing, paused, fired, last }
      kept.set(name, schedule)
      return yield* show(name, schedule)
    }),
    get: (name) => change(name, (schedule) => schedule),
    list: Effect.suspend(() =>
      Effect.forEach(
        [...kept].toSorted(([one], [other]) => (one < other ? -1 : 1)),
        ([name, schedule]) => show(name, schedule)
      )
    ),
    delete: (name) => Effect.suspend(() => (kept.delete(name) ? Effect.void : unknown(name))),
    pause: (name) => change(name, (schedule) => ({ ...schedule, paused: true })),
    resume: (name) => change(name, (schedule) => ({ ...schedule, paused: false })),
    runNow: Effect.fnUntraced(function* (name) {
      const step = kept.get(name)?.options.step
      if (step === undefined) return yield* unknown(name)
      const last = { at: yield* Clock.currentTimeMillis, jobId: yield* file(step) }
      return yield* change(name, (schedule) => ({ ...schedule, fired: schedule.fired + 1, last }))
    })
  }
}

const unknown = (schedule: string) => Effect.fail(new ServiceError({ reason: new ScheduleNotFound({ schedule }) }))

const timingOf = (options: ScheduleOptions, now: number): Result.Result<Timing.Timing, InvalidSchedule> => {
  const times = Wire.timesOf(options)
  const fault = faultIn(times)
  return fault === undefined
    ? Result.mapError(
        Timing.make("", times, now),
        ({ field, remedy }) => new InvalidSchedule({ field, problem: remedy })
      )
    : Result.fail(new InvalidSchedule({ field: fault.field, problem: fault.problem }))
}
