/** Schedules of a dam: as a client defines them, and as they are shown to it. */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MalformedAnswer, type Unsendable } from "../step/Failure.ts"
import type { Step } from "../step/StepModel.ts"
import { makeStep } from "../step/StepValue.ts"
import * as Job from "./Job.ts"
import { kindOf, parse } from "./Proxy.ts"

/**
 * When a schedule fires, how, and what each firing submits.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleOptions {
  /** What each firing submits, under a key of its own. Its delay counts from the firing. */
  readonly step: Step
  /** An expression of five fields, or six with seconds first; one of `cron` and `every` is said. */
  readonly cron?: string | undefined
  /** The IANA zone of `cron`. Defaults to `UTC`. */
  readonly zone?: string | undefined
  /** The time from one firing to the next, a second at least; counted from `start`, or from when it was made. */
  readonly every?: Duration.Input | undefined
  /** The longest that a firing is put off, a day at most; by how much is its own. Defaults to 0. */
  readonly jitter?: Duration.Input | undefined
  /** Before it nothing fires: epoch milliseconds or a `Date`. Defaults to no bound. */
  readonly start?: number | Date | undefined
  /** After it nothing fires: epoch milliseconds or a `Date`. Defaults to no bound. */
  readonly end?: number | Date | undefined
  /** What becomes of a moment while the job before it goes on: it is dropped, waits, or is submitted anyway. Defaults to `skip`. */
  readonly overlap?: "skip" | "queue" | "parallel" | undefined
  /** Which moments are made up that are more than a minute late. Defaults to `last`. */
  readonly catchUp?: "none" | "last" | "all" | undefined
  /** How many are made up where all are, 1000 at most. Defaults to 100. */
  readonly catchUpMost?: number | undefined
}

/**
 * A schedule, and how it stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface Schedule {
  readonly name: string
  /** `over`: no moment is to come. */
  readonly state: string
  /** The next five moments, epoch milliseconds; of one that is paused, those that come if it is resumed. */
  readonly next: ReadonlyArray<number>
  readonly fired: number
  /** Moments that wait for a job before them to end. */
  readonly waiting: number
  /** Moments that passed while the dam was down, and were not made up. */
  readonly missed: number
  /** Moments dropped because a job before them had not ended. */
  readonly skipped: number
  /** The last firing. */
  readonly last: { readonly at: number; readonly jobId: string } | undefined
  /** The service's whole answer, unchanged. */
  readonly answer: { readonly [key: string]: Schema.Json }
}

/**
 * Writes a definition. Fails with `Unsendable` where its step cannot travel.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (options: ScheduleOptions): Result.Result<Schema.JsonObject, Unsendable> => {
  // a firing has a key of its own, which is what UNIQUE asks for
  const isUnique = options.step.idempotency._tag === "Unique"
  const step = isUnique ? makeStep({ ...options.step, idempotency: { _tag: "Hash" } }) : options.step
  const { cron, end, every, jitter, start, zone } = timesOf(options)
  return Result.map(
    Job.encode({ step, key: undefined, retryAt: undefined }, { binary: "base64", extensions: "send" }),
    (job) =>
      said({
        cron,
        zone,
        every_ms: every,
        jitter_ms: jitter,
        start,
        end,
        overlap: options.overlap,
        catch_up: options.catchUp,
        catch_up_most: options.catchUpMost,
        job: said(job)
      })
  )
}

/**
 * Its times in milliseconds.
 *
 * @internal
 */
export const timesOf = ({ cron, end, every, jitter, start, zone }: ScheduleOptions) => ({
  cron,
  zone,
  every: millis(every),
  jitter: millis(jitter),
  start: moment(start),
  end: moment(end)
})

/** What is left out says nothing, and JSON cannot say `undefined`. */
const said = (fields: object): Schema.JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const millis = (time: Duration.Input | undefined): number | undefined =>
  time === undefined ? undefined : Duration.toMillis(Duration.fromInputUnsafe(time))

const moment = (at: number | Date | undefined) => (at instanceof Date ? at.getTime() : at)

/**
 * Reads a schedule.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (body: string): Result.Result<Schedule, MalformedAnswer> => reading(body, shown)

/**
 * Reads all schedules of a caller.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readAll = (body: string): Result.Result<ReadonlyArray<Schedule>, MalformedAnswer> =>
  reading(body, (json) => Result.flatMap(decodeAll(json), ({ schedules }) => Result.all(schedules.map(shown))))

const reading = <A, E>(body: string, read: (json: unknown) => Result.Result<A, E>) => {
  const json = parse(body)
  const malformed = (problem: string) => new MalformedAnswer({ problem, received: excerpt(body) })
  return json === undefined
    ? Result.fail(malformed(`expected schedules as JSON, got ${kindOf(body)}`))
    : Result.mapError(read(json), () => malformed("expected schedules, each with its name and state"))
}

/**
 * Reads a schedule that was parsed.
 *
 * @category decoding
 * @since 0.1.0
 */
export const shown = (json: unknown): Result.Result<Schedule, Schema.SchemaError> =>
  Result.map(Result.all([decodeOne(json), decodeObject(json)]), ([one, answer]) => ({
    ...one,
    last: one.last === null ? undefined : { at: one.last.at, jobId: one.last.job_id },
    answer
  }))

const decodeOne = Schema.decodeUnknownResult(
  Schema.Struct({
    name: Schema.String,
    state: Schema.String,
    next: Schema.Array(Schema.Number),
    fired: Schema.Number,
    waiting: Schema.Number,
    missed: Schema.Number,
    skipped: Schema.Number,
    last: Schema.NullOr(Schema.Struct({ at: Schema.Number, job_id: Schema.String }))
  })
)

const decodeAll = Schema.decodeUnknownResult(Schema.Struct({ schedules: Schema.Array(Schema.Json) }))

const decodeObject = Schema.decodeUnknownResult(Schema.JsonObject)
