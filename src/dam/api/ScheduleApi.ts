/**
 * The routes of schedules, which submit a job at each of their moments.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { name, ScheduleChoice, ScheduleGone, SchedulesApplied, ScheduleSet } from "./ScheduleShapes.ts"
import { Schedule, ScheduleList } from "./ScheduleViews.ts"
import { errors } from "./Statuses.ts"

const ofOne = errors(400, 401, 404, 503)

/** Schedules: look at them, define them, stop them, fire them now. Each customer has its own. */
export const schedules = HttpApiGroup.make("schedules")
  .add(
    HttpApiEndpoint.get("list", "/api/v1/schedules", { success: ScheduleList, error: errors(401, 503) }),
    HttpApiEndpoint.put("apply", "/api/v1/schedules", {
      payload: ScheduleSet,
      success: SchedulesApplied,
      error: errors(400, 401, 413, 415, 422, 429, 503)
    }),
    HttpApiEndpoint.get("get", "/api/v1/schedules/:name", { params: name, success: Schedule, error: ofOne }),
    HttpApiEndpoint.put("set", "/api/v1/schedules/:name", {
      params: name,
      payload: ScheduleChoice,
      success: Schedule,
      error: errors(400, 401, 413, 415, 422, 429, 503)
    }),
    HttpApiEndpoint.delete("delete", "/api/v1/schedules/:name", { params: name, success: ScheduleGone, error: ofOne }),
    HttpApiEndpoint.post("pause", "/api/v1/schedules/:name/pause", { params: name, success: Schedule, error: ofOne }),
    HttpApiEndpoint.post("resume", "/api/v1/schedules/:name/resume", { params: name, success: Schedule, error: ofOne }),
    HttpApiEndpoint.post("run", "/api/v1/schedules/:name/run", {
      params: name,
      success: Schedule,
      error: errors(400, 401, 404, 429, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Schedules", description: "Submit a job by a cron expression, or every so long" })
  )
