/**
 * The routes of the whole dam: live, over the last hour, for Prometheus.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { History, HistoryQuery, Stats } from "./OverviewShapes.ts"
import { errors } from "./Statuses.ts"

/** The whole dam: what happens in it, how much, and how fast. */
export const overview = HttpApiGroup.make("overview")
  .add(
    HttpApiEndpoint.get("events", "/api/v1/events", {
      success: HttpApiSchema.StreamSse({ data: Schema.Json }),
      error: errors(400, 401, 429, 503)
    }),
    HttpApiEndpoint.get("stats", "/api/v1/stats", { success: Stats, error: errors(401, 503) }),
    HttpApiEndpoint.get("history", "/api/v1/history", {
      query: HistoryQuery,
      success: History,
      error: errors(400, 401, 503)
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
