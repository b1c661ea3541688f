/**
 * Schedules, as they are defined and shown.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { catchUps, overlaps } from "../../engine/schedule/Firing.ts"
import { type Timing, upcoming } from "../../engine/schedule/Timing.ts"
import type { ScheduleDefinition, StoredSchedule } from "../store/ScheduleRecords.ts"
import { Job } from "../../wire/Job.ts"
import { request } from "./CallShapes.ts"
import { between, length, Moment, nullable } from "./Parts.ts"
import type { Schedule } from "./ScheduleViews.ts"

const day = 86_400_000

const terms = {
  /** One of `cron` and `every_ms`. */
  cron: nullable(length(1, 500)),
  /** An IANA zone for `cron`; left out it is UTC. */
  zone: nullable(length(1, 100)),
  every_ms: nullable(between(1000, 3660 * day)),
  jitter_ms: nullable(between(0, day)),
  start: nullable(Moment),
  end: nullable(Moment),
  overlap: nullable(Schema.Literals(overlaps)),
  catch_up: nullable(Schema.Literals(catchUps)),
  /** How many moments are made up where all are. */
  catch_up_most: nullable(between(1, 1000))
}

/** A whole definition: what is left out or null has its default. */
export const ScheduleChoice = Schema.Struct({ ...terms, job: Job }).annotate({ identifier: "ScheduleChoice" })

/** The same as it is read: the job is for the way in, which tells what is wrong with it. */
export const ReadSchedule = Schema.Struct({ ...terms, job: Schema.Json })

/** Whether a schedule may be called so. */
export const isName = (name: string): boolean => /^[^:\p{Cc}]{1,128}$/u.test(name)

/** The name of a schedule in a path. */
export const name = {
  name: Schema.String.check(
    // generators of clients do not all read classes of Unicode
    Schema.makeFilter(isName, {
      message: "Expected 1 to 128 characters without `:`",
      toJsonSchema: () => ({ minLength: 1, maxLength: 128, pattern: "^[^:]+$" })
    })
  )
}

/** Schedules by their names, to be applied as a whole; what `delete` says of those that are not named is no by default. */
export const ScheduleSet = Schema.Struct({
  schedules: Schema.Record(Schema.String, ScheduleChoice),
  delete: nullable(Schema.Boolean),
  dry_run: nullable(Schema.Boolean)
}).annotate({ identifier: "ScheduleSet" })

/** The same as it is read, each definition for itself. */
export const ReadScheduleSet = Schema.Struct({
  ...ScheduleSet.fields,
  schedules: Schema.Record(Schema.String, Schema.JsonObject)
})

/** What has become of schedules, or would: by their names. */
export const SchedulesApplied = Schema.Struct({
  added: Schema.Array(Schema.String),
  /** With the fields that differ. */
  changed: Schema.Array(Schema.Struct({ name: Schema.String, fields: Schema.Array(Schema.String) })),
  unchanged: Schema.Array(Schema.String),
  deleted: Schema.Array(Schema.String),
  /** Not named and not deleted. */
  kept: Schema.Array(Schema.String),
  /** Whether nothing was done. */
  dry_run: Schema.Boolean
}).annotate({ identifier: "SchedulesApplied" })

/** What is left of a schedule: its name. Jobs that it has submitted go on. */
export const ScheduleGone = Schema.Struct({ deleted: Schema.String }).annotate({ identifier: "ScheduleGone" })

/** The definition as the dam takes it, but for its step; whether its moments can be is not looked at here. */
export const definitionOf = (choice: typeof ReadSchedule.Type): Omit<ScheduleDefinition, "step"> => ({
  timing: {
    cron: choice.cron ?? undefined,
    zone: choice.zone ?? undefined,
    every: choice.every_ms ?? undefined,
    jitter: choice.jitter_ms ?? undefined,
    start: choice.start ?? undefined,
    end: choice.end ?? undefined
  },
  rules: {
    overlap: choice.overlap ?? "skip",
    catchUp: choice.catch_up ?? "last",
    catchUpMost: choice.catch_up_most ?? 100
  }
})

/** Shows a schedule with its next moments. */
const view = (
  { changedAt, createdAt, name, progress, rules, step, timing }: StoredSchedule,
  next: ReadonlyArray<number>
): typeof Schedule.Encoded => ({
  name,
  cron: timing.cron ?? null,
  zone: timing.cron === undefined ? null : (timing.zone ?? "UTC"),
  every_ms: timing.every ?? null,
  jitter_ms: timing.jitter ?? 0,
  start: timing.start ?? null,
  end: timing.end ?? null,
  overlap: rules.overlap,
  catch_up: rules.catchUp,
  catch_up_most: rules.catchUpMost,
  state: progress.paused ? "paused" : next.length + progress.waiting.length === 0 ? "over" : "active",
  next,
  fired: progress.fired,
  waiting: progress.waiting.length,
  missed: progress.missed,
  skipped: progress.skipped,
  last: progress.last === undefined ? null : { at: progress.last.at, job_id: progress.last.jobId },
  request: request(step.request),
  metadata: step.metadata,
  created_at: createdAt,
  changed_at: changedAt
})

/** Shows a schedule as it stands now; without its times it has no next moments. */
export const viewed = (schedule: StoredSchedule, timing: Timing | undefined, now: number): typeof Schedule.Encoded =>
  view(schedule, timing === undefined ? [] : upcoming(timing, Math.max(schedule.progress.after, now), 5))
