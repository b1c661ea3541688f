/**
 * The routes of results that could not be told, and of the endpoints they could not be told to.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import {
  DeadLetterPage,
  DeadLetterQuery,
  Endpoint,
  EndpointChoice,
  Endpoints,
  Purged,
  PurgeChoice,
  Replayed,
  ReplayChoice,
  WebhookKey
} from "./DeliveryShapes.ts"
import { errors } from "./Statuses.ts"

const choosing = errors(400, 401, 413, 415, 503)

/** The routes. */
export const deliveries = HttpApiGroup.make("deliveries")
  .add(
    HttpApiEndpoint.get("deadLetters", "/api/v1/dead-letters", {
      query: DeadLetterQuery,
      success: DeadLetterPage,
      error: errors(400, 401, 503)
    }),
    HttpApiEndpoint.post("replay", "/api/v1/dead-letters/replay", {
      payload: ReplayChoice,
      success: Replayed,
      error: choosing
    }),
    HttpApiEndpoint.post("purge", "/api/v1/dead-letters/purge", {
      payload: PurgeChoice,
      success: Purged,
      error: choosing
    }),
    HttpApiEndpoint.post("replayOne", "/api/v1/dead-letters/:delivery_id/replay", {
      params: { delivery_id: Schema.String },
      success: Replayed,
      error: errors(400, 401, 404, 503)
    }),
    HttpApiEndpoint.get("webhookKey", "/api/v1/webhook-key", { success: WebhookKey, error: errors(401, 404) }),
    HttpApiEndpoint.get("endpoints", "/api/v1/endpoints", { success: Endpoints, error: errors(401, 503) }),
    HttpApiEndpoint.post("enable", "/api/v1/endpoints/enable", {
      payload: EndpointChoice,
      success: Endpoint,
      error: [...choosing, ...errors(404)]
    })
  )
  .annotateMerge(
    OpenApi.annotations({
      title: "Deliveries",
      description: "Results that could not be told: look at them, deliver them again, and the endpoints that fail"
    })
  )
