/** What an agent can do with the schedules of a dam. */
import * as Tool from "effect/ai/Tool"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { catchUps, overlaps } from "../../engine/schedule/Firing.ts"
import * as Fields from "../../step/Fields.ts"
import { type Call, CallFailed } from "./Call.ts"
import { described, given, jobFields, jobOf, optional, reading, tool } from "./Define.ts"

const name = { name: described(Schema.NonEmptyString, "Name of the schedule") }

const ListSchedules = Tool.make("list_schedules", {
  description: "Lists the schedules: when each fires next, how often it has fired, and its last job.",
  success: Schema.JsonObject,
  failure: CallFailed
})
  .annotate(Tool.Readonly, true)
  .annotate(Tool.Destructive, false)

const GetSchedule = reading("get_schedule", "Shows a schedule with its next five moments.", name)

const PutSchedule = tool(
  "put_schedule",
  "Defines a schedule, or all of it anew: the dam submits its job at each moment of a cron expression, or every so long. " +
    "Answers its next five moments: compare them with what was meant.",
  {
    ...name,
    cron: optional(
      Schema.NonEmptyString,
      "Five fields (minute, hour, day of month, month, weekday), or six with seconds first; one of cron and every_ms is said"
    ),
    zone: optional(Schema.NonEmptyString, "IANA time zone of cron, as Europe/Berlin; UTC when left out"),
    every_ms: optional(Schema.Int, "Milliseconds from one moment to the next, 1000 at least"),
    jitter_ms: optional(Schema.Int, "The longest that a firing is put off; 0 when left out"),
    start: optional(Fields.EpochMillis, "Nothing fires before this moment, in milliseconds since 1970"),
    end: optional(Fields.EpochMillis, "Nothing fires after this moment, in milliseconds since 1970"),
    overlap: optional(
      Schema.Literals(overlaps),
      "What becomes of a moment while the job before it goes on: it is skipped, queued, or submitted anyway; skip when left out"
    ),
    catch_up: optional(
      Schema.Literals(catchUps),
      "Which moments are made up that passed while the dam was down; last when left out"
    ),
    job: described(Schema.Struct(jobFields), "The call that each firing makes")
  }
).annotate(Tool.Destructive, false)

const PauseSchedule = tool(
  "pause_schedule",
  "Fires nothing until the schedule is resumed; what waits is dropped.",
  name
).annotate(Tool.Destructive, false)

const ResumeSchedule = tool(
  "resume_schedule",
  "Lets a schedule go on from now; what came in its pause is not made up.",
  name
).annotate(Tool.Destructive, false)

const RunSchedule = tool(
  "run_schedule",
  "Submits the job of a schedule once, now, whatever its times and its pause say.",
  name
).annotate(Tool.Destructive, false)

const DeleteSchedule = tool(
  "delete_schedule",
  "Ends a schedule for good; jobs that it has submitted go on. pause_schedule stops it for a time.",
  name
).annotate(Tool.Destructive, true)

/** The tools. */
export const all = [
  ListSchedules,
  GetSchedule,
  PutSchedule,
  PauseSchedule,
  ResumeSchedule,
  RunSchedule,
  DeleteSchedule
] as const

interface Named {
  readonly name: string
}

/** What each does. */
export const handlers = (asked: (...asking: Parameters<Call>) => Effect.Effect<Schema.JsonObject, CallFailed>) => {
  const pathOf = ({ name }: Named, below = "") => `/api/v1/schedules/${encodeURIComponent(name)}${below}`
  return {
    list_schedules: () => asked("GET", "/api/v1/schedules"),
    get_schedule: (of: Named) => asked("GET", pathOf(of)),
    put_schedule: ({ job, name, ...times }: Tool.Parameters<typeof PutSchedule>) =>
      asked("PUT", pathOf({ name }), { ...given(times), job: jobOf(job) }),
    pause_schedule: (of: Named) => asked("POST", pathOf(of, "/pause")),
    resume_schedule: (of: Named) => asked("POST", pathOf(of, "/resume")),
    run_schedule: (of: Named) => asked("POST", pathOf(of, "/run")),
    delete_schedule: (of: Named) => asked("DELETE", pathOf(of))
  }
}
