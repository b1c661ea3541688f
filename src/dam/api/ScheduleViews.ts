/**
 * Schedules as they are shown; apart from how they are defined, which the page need not know.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { catchUps, overlaps } from "../../engine/schedule/Firing.ts"
import { Request } from "./CallShapes.ts"
import { Count, Moment, word } from "./Parts.ts"

/** A schedule, how it stands, and its next moments. */
export const Schedule = Schema.Struct({
  name: Schema.String,
  cron: Schema.NullOr(Schema.String),
  zone: Schema.NullOr(Schema.String),
  every_ms: Schema.NullOr(Count),
  jitter_ms: Count,
  start: Schema.NullOr(Moment),
  end: Schema.NullOr(Moment),
  overlap: word(overlaps),
  catch_up: word(catchUps),
  catch_up_most: Count,
  /** Over: no moment is to come. */
  state: word(["active", "paused", "over"]),
  /** The next five moments; of one that is paused, those that come if it is resumed. */
  next: Schema.Array(Moment),
  fired: Count,
  /** Moments that wait for a job before them to end. */
  waiting: Count,
  /** Moments that passed while the dam was down, and were not made up. */
  missed: Count,
  /** Moments dropped because a job before them had not ended. */
  skipped: Count,
  last: Schema.NullOr(Schema.Struct({ at: Moment, job_id: Schema.String })),
  request: Request,
  metadata: Schema.JsonObject,
  created_at: Moment,
  changed_at: Moment
}).annotate({ identifier: "Schedule" })

/** All schedules of a customer, by their names. */
export const ScheduleList = Schema.Struct({ schedules: Schema.Array(Schedule) }).annotate({
  identifier: "ScheduleList"
})
