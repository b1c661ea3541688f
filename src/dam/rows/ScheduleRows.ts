/** Schedules as rows, and back. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { catchUps, overlaps } from "../../engine/schedule/Firing.ts"
import * as JsonTextSchema from "../../step/JsonTextSchema.ts"
import { StepFromJson } from "../../step/StepJson.ts"
import { readable } from "../store/Readable.ts"
import type { SchedulePort, StoredSchedule } from "../store/ScheduleRecords.ts"
import type { Executor } from "./Running.ts"
import { Moment } from "./JobRows.ts"
import { reader } from "./Reader.ts"
import type { ScheduleRow } from "./ScheduleCommands.ts"

const optionalNumber = Schema.optionalKey(Schema.Number)

const Definition = Schema.fromJsonString(
  Schema.Struct({
    timing: Schema.Struct({
      cron: Schema.optionalKey(Schema.String),
      zone: Schema.optionalKey(Schema.String),
      every: optionalNumber,
      start: optionalNumber,
      end: optionalNumber,
      jitter: optionalNumber
    }),
    rules: Schema.Struct({
      overlap: Schema.Literals(overlaps),
      catchUp: Schema.Literals(catchUps),
      catchUpMost: Schema.Number
    })
  })
)

const ProgressText = Schema.fromJsonString(
  Schema.Struct({
    paused: Schema.Boolean,
    after: Schema.Number,
    waiting: Schema.Array(Schema.Number),
    fired: Schema.Number,
    missed: Schema.Number,
    skipped: Schema.Number,
    last: Schema.optionalKey(Schema.Struct({ at: Schema.Number, jobId: Schema.String }))
  })
)

const LoadedSchedule = Schema.Struct({
  customer: Schema.String,
  name: Schema.String,
  generation: Schema.String,
  definition: Definition,
  step: JsonTextSchema.schema(StepFromJson),
  progress: ProgressText,
  look_at: Moment,
  created_at: Schema.Number,
  changed_at: Schema.Number
})

const toSchedule = (row: typeof LoadedSchedule.Type): StoredSchedule => ({
  ...row.definition,
  customer: row.customer,
  name: row.name,
  generation: row.generation,
  step: row.step,
  progress: { ...row.progress, last: row.progress.last },
  lookAt: row.look_at ?? undefined,
  createdAt: row.created_at,
  changedAt: row.changed_at
})

const rowOf = ({
  changedAt,
  createdAt,
  customer,
  generation,
  lookAt,
  name,
  progress,
  rules,
  step,
  timing
}: StoredSchedule): ScheduleRow => [
  customer,
  name,
  generation,
  JSON.stringify({ timing, rules }),
  JSON.stringify(step),
  JSON.stringify(progress),
  lookAt ?? null,
  createdAt,
  changedAt
]

/** What schedules need of the store, over any database. */
export const schedulePort = (run: Executor): SchedulePort => ({
  schedules: (customer) => Effect.flatMap(run("schedules", customer ?? null), (rows) => readable(rows, readOne)),
  schedule: (customer, name) => Effect.flatMap(run("schedule", customer, name), readSchedule),
  saveSchedule: (schedule) => Effect.suspend(() => run("saveSchedule", ...rowOf(schedule))),
  applySchedules: (customer, saved, removed) =>
    Effect.suspend(() => run("applySchedules", customer, saved.map(rowOf), removed)),
  putOffSchedule: (customer, name, lookAt) => run("putOffSchedule", customer, name, lookAt),
  removeSchedule: (customer, name) => run("removeSchedule", customer, name),
  countSchedules: (customer) => run("countSchedules", customer),
  dueSchedules: (now, limit) =>
    Effect.flatMap(run("dueSchedules", now, limit), ({ due, nextAt }) =>
      Effect.map(readNames(due), (names) => ({ due: names, nextAt }))
    )
})

const readOne = reader(LoadedSchedule, toSchedule)

const readSchedule = reader(Schema.UndefinedOr(LoadedSchedule), (row) => row && toSchedule(row))

const readNames = reader(Schema.Array(Schema.Struct({ customer: Schema.String, name: Schema.String })), (rows) => rows)
