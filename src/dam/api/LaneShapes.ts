/**
 * The part of the API that operators use: lanes.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { states } from "../../engine/JobState.ts"
import { confidences, reasonKinds } from "../../wire/Explained.ts"
import { between, errors, nullable, optional } from "./Parts.ts"
import type { LaneStatus } from "../lane/Steering.ts"

/** Why a job waits. */
export const Explanation = Schema.Struct({
  job_id: Schema.String,
  status: Schema.Literals(states),
  reasons: Schema.Array(
    Schema.StructWithRest(
      Schema.Struct({
        kind: Schema.Literals(reasonKinds),
        message: Schema.String,
        until: Schema.NullOr(Schema.Number)
      }),
      [Schema.Record(Schema.String, Schema.Json)]
    )
  ),
  estimated_start: Schema.NullOr(Schema.Number),
  confidence: Schema.Literals(confidences)
}).annotate({ identifier: "Explanation" })

const Percentiles = Schema.Struct({
  count: Schema.Int,
  p50: Schema.NullOr(Schema.Number),
  p95: Schema.NullOr(Schema.Number),
  p99: Schema.NullOr(Schema.Number)
}).annotate({ identifier: "Percentiles" })

/** The whole dam: what happens in it, how much, and how fast. */
export const overview = HttpApiGroup.make("overview")
  .add(
    HttpApiEndpoint.get("events", "/api/v1/events", {
      success: HttpApiSchema.StreamSse({ data: Schema.Json }),
      error: errors(400, 401, 429, 503)
    }),
    HttpApiEndpoint.get("stats", "/api/v1/stats", {
      success: Schema.Struct({
        span_ms: Schema.Int,
        spans: Schema.Array(
          Schema.Struct({
            at: Schema.Number,
            accepted: Schema.Int,
            succeeded: Schema.Int,
            failed: Schema.Int,
            cancelled: Schema.Int,
            wait: Percentiles,
            total: Percentiles
          })
        )
      }),
      error: errors(401, 503)
    }),
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4" })),
      error: errors(401, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Overview",
      description: "Everything at once: live, over the last hour, for Prometheus"
    })
  )

const Lane = Schema.Struct({
  lane: Schema.String,
  scheduled: Schema.Int,
  queued: Schema.Int,
  parked: Schema.Int,
  running: Schema.Int,
  rps: Schema.Number,
  max_concurrent: Schema.Int,
  source: Schema.Literals(["default", "configured", "learnt", "operator"]),
  holds: Schema.Array(
    Schema.Struct({
      until: Schema.Number,
      reason: Schema.Literals(["retry_after", "rate_limit", "refused"]),
      status: Schema.NullOr(Schema.Int),
      job_id: Schema.NullOr(Schema.String),
      account: optional(Schema.String)
    })
  ),
  paused: Schema.NullOr(Schema.Struct({ by: Schema.String, at: Schema.Number, note: Schema.NullOr(Schema.String) })),
  next_at: Schema.NullOr(Schema.Number),
  accounts: Schema.Int,
  waiting: Schema.Int,
  calls: Schema.Int
}).annotate({ identifier: "Lane" })

const lane = { lane: Schema.String }
const steering = errors(400, 401, 413, 415, 503)

/** Lanes: look at them, stop them, change their pace. */
export const lanes = HttpApiGroup.make("lanes")
  .add(
    HttpApiEndpoint.get("list", "/api/v1/lanes", {
      query: {
        limit: optional(between(1, 1000)),
        /** `next_cursor` of the page before. */
        cursor: optional(Schema.String),
        prefix: optional(Schema.String)
      },
      success: Schema.Struct({ lanes: Schema.Array(Lane), next_cursor: Schema.NullOr(Schema.String) }),
      error: errors(400, 401, 503)
    }),
    HttpApiEndpoint.get("get", "/api/v1/lanes/:lane", { params: lane, success: Lane, error: errors(400, 401, 503) }),
    HttpApiEndpoint.post("pause", "/api/v1/lanes/:lane/pause", {
      params: lane,
      payload: Schema.Struct({ note: nullable(Schema.String) }),
      success: Lane,
      error: steering
    }),
    HttpApiEndpoint.post("resume", "/api/v1/lanes/:lane/resume", { params: lane, success: Lane, error: steering }),
    HttpApiEndpoint.post("pace", "/api/v1/lanes/:lane/pace", {
      params: lane,
      payload: Schema.Struct({ rps: nullable(Schema.Number), max_concurrent: nullable(Schema.Int) }),
      success: Lane,
      error: steering
    }),
    HttpApiEndpoint.post("reset", "/api/v1/lanes/:lane/reset", { params: lane, success: Lane, error: steering }),
    HttpApiEndpoint.get("log", "/api/v1/lanes/:lane/log", {
      params: lane,
      success: Schema.Struct({
        entries: Schema.Array(
          Schema.Struct({
            at: Schema.Number,
            by: Schema.String,
            action: Schema.Literals(["pause", "resume", "pace", "reset"]),
            detail: Schema.String
          })
        )
      }),
      error: errors(400, 401, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Lanes", description: "The pace of each host: look at it, stop it, change it" })
  )

/** A lane as the API shows it. */
export const view = (self: LaneStatus): Readonly<Record<string, Schema.Json>> => ({
  lane: self.lane,
  scheduled: self.scheduled,
  queued: self.queued,
  parked: self.parked,
  running: self.running,
  rps: self.rps,
  max_concurrent: self.maxConcurrent,
  source: self.source,
  holds: self.holds.map(({ account, jobId, reason, status, until }) => ({
    until,
    reason,
    status: status ?? null,
    job_id: jobId ?? null,
    ...(account === undefined ? {} : { account })
  })),
  paused: self.paused === undefined ? null : { ...self.paused, note: self.paused.note ?? null },
  next_at: self.nextAt ?? null,
  accounts: self.accounts,
  waiting: self.waiting,
  calls: self.calls
})
