/**
 * The dam's HTTP API, said once: routes, parameters, answers and errors, for the server, for typed clients and for
 * `/openapi.json`. What each body looks like and how it is made stands in the shapes, one file for each noun.
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
import { Job } from "../../wire/Job.ts"
import { IfMatch, JobChange } from "./ChangeShapes.ts"
import { batches } from "./BatchApi.ts"
import { BulkChoice, BulkDone } from "./BulkShapes.ts"
import { credentials } from "./CredentialApi.ts"
import { deliveries } from "./DeliveryApi.ts"
import { described } from "./Described.ts"
import { failures } from "./FailureApi.ts"
import { FlatJob, FlatReceipt, FlatView } from "./FlatShapes.ts"
import { Explanation, JobPage, JobView, ListQuery, Receipt } from "./JobShapes.ts"
import { lanes } from "./LaneApi.ts"
import { limits } from "./LimitApi.ts"
import { notices } from "./NoticeApi.ts"
import { orders } from "./OrderApi.ts"
import { overview } from "./OverviewApi.ts"
import { between, optional } from "./Parts.ts"
import { permits } from "./PermitApi.ts"
import { Envelope, Proxied } from "./ProxyShapes.ts"
import { results } from "./ResultApi.ts"
import { schedules } from "./ScheduleApi.ts"
import { errors } from "./Statuses.ts"
import { Done, MaskedSecrets, SecretChoice } from "./SecretShapes.ts"
import { Backup, Health } from "./SystemShapes.ts"
import { l8 } from "./TrustApi.ts"

const submission = errors(400, 401, 413, 415, 422, 429, 503)
const ofOneJob = errors(400, 401, 404, 503)

const id = { id: Schema.String }
const Events = HttpApiSchema.StreamSse({ data: Schema.Json })

const jobs = HttpApiGroup.make("jobs")
  .add(
    HttpApiEndpoint.post("submit", "/api/v1/jobs", {
      payload: Job,
      success: [Receipt.pipe(HttpApiSchema.status(201)), Receipt.pipe(HttpApiSchema.status(200))],
      error: submission
    }),
    HttpApiEndpoint.get("list", "/api/v1/jobs", {
      query: ListQuery,
      success: JobPage,
      error: errors(400, 401, 503)
    }),
    HttpApiEndpoint.post("bulk", "/api/v1/jobs/bulk", {
      payload: BulkChoice,
      success: BulkDone,
      error: errors(400, 401, 413, 415, 429, 503)
    }),
    HttpApiEndpoint.get("get", "/api/v1/jobs/:id", { params: id, success: JobView, error: ofOneJob }),
    HttpApiEndpoint.delete("erase", "/api/v1/jobs/:id", {
      params: id,
      success: JobView,
      error: errors(400, 401, 404, 409, 503)
    }),
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
    HttpApiEndpoint.patch("change", "/api/v1/jobs/:id", {
      params: id,
      headers: IfMatch,
      payload: JobChange,
      success: JobView,
      error: errors(400, 401, 404, 409, 412, 413, 415, 422, 428, 503)
    }),
    HttpApiEndpoint.post("runNow", "/api/v1/jobs/:id/run-now", {
      params: id,
      success: JobView,
      error: errors(400, 401, 404, 409, 503)
    }),
    HttpApiEndpoint.post("rerun", "/api/v1/jobs/:id/rerun", {
      params: id,
      success: Receipt.pipe(HttpApiSchema.status(201)),
      error: errors(400, 401, 404, 409, 429, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Jobs",
      description: "Submit jobs, look at them, wait for them, stop and repeat them"
    })
  )

const secrets = HttpApiGroup.make("secrets")
  .add(
    HttpApiEndpoint.post("set", "/api/v1/webhook-secrets", {
      payload: SecretChoice,
      success: Done,
      error: errors(400, 401, 409, 413, 415, 503)
    }),
    HttpApiEndpoint.get("get", "/api/v1/webhook-secrets", {
      success: MaskedSecrets,
      error: errors(401, 404, 503)
    }),
    HttpApiEndpoint.delete("delete", "/api/v1/webhook-secrets", { success: Done, error: errors(401, 404, 503) })
  )
  .annotateMerge(OpenApi.annotations({ title: "Webhook secrets", description: "What webhooks are signed with" }))

const proxy = HttpApiGroup.make("proxy")
  .add(
    HttpApiEndpoint.post("call", "/api/v1/proxy", {
      payload: Envelope,
      success: Proxied,
      error: errors(400, 413, 415, 429)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Proxy",
      description: "The envelope of the official clients, opened here; nothing is called"
    })
  )

const flat = HttpApiGroup.make("flat")
  .add(
    HttpApiEndpoint.post("submit", "/jobs", {
      payload: FlatJob,
      success: [FlatReceipt.pipe(HttpApiSchema.status(201)), FlatReceipt.pipe(HttpApiSchema.status(200))],
      error: errors(400, 401, 413, 415, 429, 503)
    }),
    HttpApiEndpoint.get("get", "/jobs/:id", {
      params: id,
      success: FlatView,
      error: ofOneJob
    }),
    HttpApiEndpoint.get("stream", "/jobs/:id/stream", {
      params: id,
      success: Events,
      error: errors(400, 401, 404, 429, 503)
    })
  )
  .annotateMerge(OpenApi.annotations({ title: "Self-hosted dialect", description: "One call, one webhook, flat JSON" }))

const system = HttpApiGroup.make("system").add(
  HttpApiEndpoint.get("health", "/health", { success: Health, error: errors(503) }),
  HttpApiEndpoint.post("backup", "/api/v1/backup", {
    success: Backup.pipe(HttpApiSchema.status(201)),
    error: errors(401, 403, 409, 503)
  })
)

const routes = HttpApi.make("dam")
  .add(
    jobs,
    batches,
    failures,
    deliveries,
    lanes,
    limits,
    schedules,
    orders,
    permits,
    overview,
    secrets,
    credentials,
    results,
    notices,
    proxy,
    flat,
    l8,
    system
  )
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })

/**
 * The whole API.
 *
 * @category api
 * @since 0.1.0
 */
export const Api = routes.annotateMerge(
  OpenApi.annotations({
    title: "EZThrottle dam",
    version: "0.1.0",
    description: "Takes HTTP calls, runs each at the pace its upstream can bear, and delivers the results",
    transform: described(routes)
  })
)
