/**
 * The dam's HTTP API, said once: routes, parameters, answers and errors, for the server, for typed clients and for
 * `/openapi.json`.
 *
 * Bodies of submissions are read by hand (see `Intake`), because what is wrong with them has to be told exactly; here
 * they are described.
 *
 * @since 0.1.0
 */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"
import { Job } from "../../wire/Job.ts"
import { deliveries } from "./DeliveryShapes.ts"
import { l8 } from "./TrustShapes.ts"
import { Explanation, lanes, overview } from "./LaneShapes.ts"
import { between, errors, nullable, optional } from "./Parts.ts"
import { Accepted, Answer, Duplicate, JobSummary, JobView, ListQuery } from "./JobShapes.ts"

const submission = errors(400, 401, 413, 415, 422, 429, 503)
const ofOneJob = errors(400, 401, 404, 503)

const id = { id: Schema.String }
const Events = HttpApiSchema.StreamSse({ data: Schema.Json })

const jobs = HttpApiGroup.make("jobs")
  .add(
    HttpApiEndpoint.post("submit", "/api/v1/jobs", {
      payload: Job,
      success: [Accepted.pipe(HttpApiSchema.status(201)), Duplicate.pipe(HttpApiSchema.status(200))],
      error: submission
    }),
    HttpApiEndpoint.get("list", "/api/v1/jobs", {
      query: ListQuery,
      success: Schema.Struct({ jobs: Schema.Array(JobSummary), cursor: Schema.NullOr(Schema.String) }),
      error: errors(400, 401, 503)
    }),
    HttpApiEndpoint.get("get", "/api/v1/jobs/:id", { params: id, success: JobView, error: ofOneJob }),
    HttpApiEndpoint.get("wait", "/api/v1/jobs/:id/wait", {
      params: id,
      query: { timeout_ms: optional(between(0, 3_600_000)) },
      success: JobView,
      error: ofOneJob
    }),
    HttpApiEndpoint.get("stream", "/api/v1/jobs/:id/stream", {
      params: id,
      success: Events,
      error: errors(400, 401, 404, 429, 503)
    }),
    HttpApiEndpoint.get("explain", "/api/v1/jobs/:id/explain", {
      params: id,
      success: Explanation,
      error: ofOneJob
    }),
    HttpApiEndpoint.post("cancel", "/api/v1/jobs/:id/cancel", {
      params: id,
      success: JobView,
      error: errors(400, 401, 404, 409, 503)
    }),
    HttpApiEndpoint.post("rerun", "/api/v1/jobs/:id/rerun", {
      params: id,
      success: Accepted.pipe(HttpApiSchema.status(201)),
      error: errors(400, 401, 404, 409, 429, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Jobs",
      description: "Submit jobs, look at them, wait for them, stop and repeat them"
    })
  )

const Done = Schema.Struct({ status: Schema.String, message: Schema.String })

const secrets = HttpApiGroup.make("secrets")
  .add(
    HttpApiEndpoint.post("set", "/api/v1/webhook-secrets", {
      payload: Schema.Struct({
        primary_secret: Schema.String,
        secondary_secret: nullable(Schema.String),
        rotate: optional(Schema.Boolean)
      }),
      success: Done,
      error: errors(400, 401, 409, 413, 415, 503)
    }),
    HttpApiEndpoint.get("get", "/api/v1/webhook-secrets", {
      success: Schema.Struct({
        customer_id: Schema.String,
        primary_secret: Schema.String,
        secondary_secret: Schema.NullOr(Schema.String),
        has_secondary: Schema.Boolean
      }),
      error: errors(401, 404, 503)
    }),
    HttpApiEndpoint.delete("delete", "/api/v1/webhook-secrets", { success: Done, error: errors(401, 404, 503) })
  )
  .annotateMerge(OpenApi.annotations({ title: "Webhook secrets", description: "What webhooks are signed with" }))

/**
 * The envelope of the proxy.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Envelope = Schema.Struct({
  scope: optional(Schema.String),
  metric_name: optional(Schema.String),
  target_url: Schema.String,
  method: Schema.String,
  headers: nullable(Schema.Record(Schema.String, Schema.String)),
  body: nullable(Schema.String)
})

const proxy = HttpApiGroup.make("proxy")
  .add(
    HttpApiEndpoint.post("call", "/api/v1/proxy", {
      payload: Envelope,
      success: Schema.Struct({
        status: Schema.Literals(["allowed", "denied"]),
        error: optional(Schema.String),
        forwarded_response: optional(Answer)
      }),
      error: errors(400, 413, 415, 429)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Proxy",
      description: "The envelope of the official clients, opened here; nothing is called"
    })
  )

const FlatJob = Schema.Struct({
  user_id: Schema.NonEmptyString,
  idempotent_key: Schema.NonEmptyString,
  url: Schema.NonEmptyString,
  method: Schema.NonEmptyString,
  webhook_url: Schema.NonEmptyString,
  headers: optional(Fields.Headers),
  body: optional(Schema.String)
}).annotate({ identifier: "FlatJob" })

const flatReceipt = { job_id: Schema.String, status: Schema.String }

const flat = HttpApiGroup.make("flat")
  .add(
    HttpApiEndpoint.post("submit", "/jobs", {
      payload: FlatJob,
      success: [
        Schema.Struct(flatReceipt).pipe(HttpApiSchema.status(201)),
        Schema.Struct({
          ...flatReceipt,
          duplicate: Schema.Literal(true),
          response_status: optional(Schema.Int),
          body: optional(Schema.String)
        }).pipe(HttpApiSchema.status(200))
      ],
      error: errors(400, 401, 413, 415, 429, 503)
    }),
    HttpApiEndpoint.get("get", "/jobs/:id", {
      params: id,
      success: Schema.Struct({
        ...flatReceipt,
        url: Schema.String,
        method: Schema.String,
        created_at: Schema.Number
      }),
      error: ofOneJob
    }),
    HttpApiEndpoint.get("stream", "/jobs/:id/stream", {
      params: id,
      success: Events,
      error: errors(400, 401, 404, 429, 503)
    })
  )
  .annotateMerge(OpenApi.annotations({ title: "Self-hosted dialect", description: "One call, one webhook, flat JSON" }))

const Health = Schema.StructWithRest(
  Schema.Struct({
    status: Schema.Literal("ok"),
    authentication: Schema.Literals(["none", "keys"]),
    egress: Schema.String,
    /** Jobs by state, what waits and is stored, and the marks beyond which jobs are answered 429. */
    admission: Schema.Record(Schema.String, Schema.Number),
    limits: Schema.Record(Schema.String, Schema.Number)
  }),
  [Schema.JsonObject]
).annotate({ identifier: "Health" })

/** A copy that was made: its name beneath the folder for backups, and the moment that it shows. */
const Backup = Schema.Struct({
  file: Schema.String,
  bytes: Schema.Number,
  copied_at: Schema.Number,
  took_ms: Schema.Number
}).annotate({ identifier: "Backup" })

const system = HttpApiGroup.make("system").add(
  HttpApiEndpoint.get("health", "/health", { success: Health, error: errors(503) }),
  HttpApiEndpoint.post("backup", "/api/v1/backup", {
    success: Backup.pipe(HttpApiSchema.status(201)),
    error: errors(401, 403, 409, 503)
  })
)

/**
 * The whole API.
 *
 * @category api
 * @since 0.1.0
 */
export const Api = HttpApi.make("dam")
  .add(jobs, deliveries, lanes, overview, secrets, proxy, flat, l8, system)
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
  .annotateMerge(
    OpenApi.annotations({
      title: "EZThrottle dam",
      version: "0.1.0",
      description: "Takes HTTP calls, runs each at the pace its upstream can bear, and delivers the results"
    })
  )
