/**
 * Schedules as callers write them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import { EZThrottle } from "../run/ClientService.ts"
import type * as Service from "../run/Service.ts"
import { EZThrottleError, toError } from "./Errors.ts"
import * as Given from "./Given.ts"
import { type JobOptions, toStep } from "./JobOptions.ts"
import { type CallOptions, run, type Runtime } from "./Running.ts"

/**
 * What `putSchedule` takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleOptions {
  /** What each firing submits. Its `delayMs` counts from the firing. */
  readonly job: JobOptions
  /** An expression of five fields, or six with seconds first; one of `cron` and `everyMs` is said. */
  readonly cron?: string | undefined
  /** The IANA zone of `cron`. Defaults to `UTC`. */
  readonly zone?: string | undefined
  /** Milliseconds from one firing to the next, 1000 at least; counted from `start`, or from when it was made. */
  readonly everyMs?: number | undefined
  /** The longest that a firing is put off, in milliseconds, a day at most; by how much is its own. Defaults to 0. */
  readonly jitterMs?: number | undefined
  /** Before it nothing fires: epoch milliseconds, or a `Date`. Defaults to no bound. */
  readonly start?: number | Date | undefined
  /** After it nothing fires: epoch milliseconds, or a `Date`. Defaults to no bound. */
  readonly end?: number | Date | undefined
  /** What becomes of a moment while the job before it goes on: it is dropped, waits, or is submitted anyway. Defaults to `skip`. */
  readonly overlap?: "skip" | "queue" | "parallel" | undefined
  /** Which moments are made up that are more than a minute late. Defaults to `last`. */
  readonly catchUp?: "none" | "last" | "all" | undefined
  /** How many are made up where all are, 1000 at most. Defaults to 100. */
  readonly catchUpMost?: number | undefined
}

/**
 * A schedule as the dam shows it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleView {
  readonly name: string
  /** `active`, `paused`, or `over`: no moment is to come. */
  readonly state: string
  /** The next five moments, epoch milliseconds. */
  readonly next: ReadonlyArray<number>
  readonly fired: number
  readonly waiting: number
  readonly missed: number
  readonly skipped: number
  readonly last: { readonly at: number; readonly job_id: string } | null
  readonly [key: string]: Json
}

/** What the client does with schedules. */
export const make = (runtime: Runtime) => {
  const use = <A>(
    call: (schedules: Service.Schedules) => Effect.Effect<A, Service.ServiceError>,
    options: CallOptions | undefined
  ): Promise<A> =>
    run(
      runtime,
      Effect.mapError(
        Effect.flatMap(EZThrottle, ({ schedules }) => call(schedules)),
        (error) => toError(error)
      ),
      options
    )
  const one = async (
    call: (schedules: Service.Schedules) => Effect.Effect<Service.Schedule, Service.ServiceError>,
    options: CallOptions | undefined
  ) => viewOf(await use(call, options))
  return {
    put: async (name: string, schedule: ScheduleOptions, options?: CallOptions) => {
      const times = timesIn(schedule)
      const step = await toStep(schedule.job)
      return one(({ put }) => put(name, { ...times, step }), options)
    },
    get: (name: string, options?: CallOptions) => one(({ get }) => get(name), options),
    list: async (options?: CallOptions) => (await use(({ list }) => list, options)).map(viewOf),
    delete: (name: string, options?: CallOptions) => use((schedules) => schedules.delete(name), options),
    pause: (name: string, options?: CallOptions) => one(({ pause }) => pause(name), options),
    resume: (name: string, options?: CallOptions) => one(({ resume }) => resume(name), options),
    runNow: (name: string, options?: CallOptions) => one(({ runNow }) => runNow(name), options)
  }
}

/** The times and the rules, every name of them known; what they may be the dam says. */
const timesIn = (given: ScheduleOptions): Omit<Service.ScheduleOptions, "step"> => {
  if (!Given.isObject(given)) throw new EZThrottleError("putSchedule: Expected an object")
  Given.checkNames(given, known, "putSchedule.")
  const { everyMs: every, job: _, jitterMs: jitter, ...schedule } = given
  return { ...schedule, every, jitter }
}

const known = ["cron", "zone", "everyMs", "jitterMs", "start", "end", "overlap", "catchUp", "catchUpMost", "job"]

/** A schedule in the spelling of the API. */
const viewOf = ({
  answer,
  fired,
  last,
  missed,
  name,
  next,
  skipped,
  state,
  waiting
}: Service.Schedule): ScheduleView => ({
  ...answer,
  name,
  state,
  next,
  fired,
  waiting,
  missed,
  skipped,
  last: last === undefined ? null : { at: last.at, job_id: last.jobId }
})
