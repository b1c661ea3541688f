/**
 * The routes of batches: jobs by the thousand, handed in and looked after as one.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { Batch, BatchChoice, BatchLines, BatchPage, BatchQuery } from "./BatchShapes.ts"
import { between, optional } from "./Parts.ts"
import { errors } from "./Statuses.ts"

const id = { id: Schema.String }
const ofOne = errors(400, 401, 404, 503)

/** Batches: hand them in, look at them, wait for them, stop them, run again what failed. */
export const batches = HttpApiGroup.make("batches")
  .add(
    HttpApiEndpoint.post("submit", "/api/v1/batches", {
      query: BatchQuery,
      payload: [BatchChoice, Schema.String.pipe(HttpApiSchema.asText({ contentType: "application/x-ndjson" }))],
      success: [Batch.pipe(HttpApiSchema.status(201)), Batch.pipe(HttpApiSchema.status(200))],
      error: errors(400, 401, 408, 409, 413, 415, 422, 429, 503)
    }),
    HttpApiEndpoint.get("list", "/api/v1/batches", {
      query: { cursor: optional(Schema.String), limit: optional(between(1, 200)) },
      success: BatchPage,
      error: errors(400, 401, 503)
    }),
    HttpApiEndpoint.get("get", "/api/v1/batches/:id", { params: id, success: Batch, error: ofOne }),
    HttpApiEndpoint.get("wait", "/api/v1/batches/:id/wait", {
      params: id,
      query: { timeout_ms: optional(between(0, 3_600_000)) },
      success: Batch,
      error: ofOne
    }),
    HttpApiEndpoint.get("lines", "/api/v1/batches/:id/lines", {
      params: id,
      query: {
        kind: Schema.Literals(["refused", "duplicate"]),
        behind: optional(between(0, Number.MAX_SAFE_INTEGER)),
        limit: optional(between(1, 1000))
      },
      success: BatchLines,
      error: ofOne
    }),
    HttpApiEndpoint.post("cancel", "/api/v1/batches/:id/cancel", {
      params: id,
      success: Batch,
      error: errors(400, 401, 404, 409, 503)
    }),
    HttpApiEndpoint.post("rerun", "/api/v1/batches/:id/rerun", {
      params: id,
      success: Batch.pipe(HttpApiSchema.status(201)),
      error: errors(400, 401, 404, 409, 429, 503)
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Batches",
      description: "Submit jobs by the thousand, and look after them as one"
    })
  )
