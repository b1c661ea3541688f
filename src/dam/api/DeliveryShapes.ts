/**
 * The routes of results that could not be told, and of the endpoints they could not be told to.
 *
 * @since 0.1.0
 */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"
import { between, errors, optional } from "./Parts.ts"
import { deadReasons } from "../job/Delivery.ts"

/** Attempts to deliver, as a job and a dead letter show them. */
export const deliveryAttempts = Schema.Array(
  Schema.Struct({
    at: Schema.Number,
    latency_ms: Schema.Number,
    status: Schema.NullOr(Schema.Int),
    error: Schema.NullOr(Schema.String),
    excerpt: Schema.NullOr(Schema.String)
  })
)

const DeadLetter = Schema.Struct({
  delivery_id: Schema.String,
  job_id: Schema.String,
  url: Schema.String,
  reason: Schema.Literals(deadReasons),
  dead_at: Schema.Number,
  attempts: deliveryAttempts
}).annotate({ identifier: "DeadLetter" })

const Endpoint = Schema.Struct({
  url: Schema.String,
  status: Schema.Literals(["enabled", "disabled"]),
  reason: Schema.NullOr(Schema.Literals(["gone", "failing"])),
  since: Schema.Number,
  failures: Schema.Int,
  probe_at: Schema.NullOr(Schema.Number)
}).annotate({ identifier: "Endpoint" })

const deadLetterFields = {
  job_id: optional(Schema.NonEmptyString),
  /** A host with its port, or without for all its ports. */
  host: optional(Schema.NonEmptyString),
  /** Given up at this moment or later. */
  since: optional(Fields.EpochMillis),
  /** Given up at this moment or earlier. */
  until: optional(Fields.EpochMillis)
}

/**
 * What a list of dead letters is filtered by.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DeadLetterQuery = {
  ...deadLetterFields,
  cursor: optional(Schema.String.check(Schema.isPattern(/^[0-9A-Za-z_-]{1,64}$/))),
  limit: optional(between(1, 200))
}

/**
 * Which dead letters are deleted; all of the customer's, where nothing is said.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PurgeChoice = Schema.Struct(deadLetterFields)

/**
 * Which dead letters are delivered once more, and how many a second.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ReplayChoice = Schema.Struct({
  ...deadLetterFields,
  rps: optional(
    Schema.Number.check(
      Schema.makeFilter((rps: number) => rps >= 0.001 && rps <= 100_000, { expected: "a number from 0.001 to 100000" })
    )
  )
})

/**
 * The endpoint to enable.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EndpointChoice = Schema.Struct({ url: Schema.NonEmptyString })

const Replayed = Schema.Struct({ replayed: Schema.Int })
const choosing = errors(400, 401, 413, 415, 503)

/** The routes. */
export const deliveries = HttpApiGroup.make("deliveries")
  .add(
    HttpApiEndpoint.get("deadLetters", "/api/v1/dead-letters", {
      query: DeadLetterQuery,
      success: Schema.Struct({
        dead_letters: Schema.Array(DeadLetter),
        next_cursor: Schema.NullOr(Schema.String)
      }),
      error: errors(400, 401, 503)
    }),
    HttpApiEndpoint.post("replay", "/api/v1/dead-letters/replay", {
      payload: ReplayChoice,
      success: Replayed,
      error: choosing
    }),
    HttpApiEndpoint.post("purge", "/api/v1/dead-letters/purge", {
      payload: PurgeChoice,
      success: Schema.Struct({ purged: Schema.Int }),
      error: choosing
    }),
    HttpApiEndpoint.post("replayOne", "/api/v1/dead-letters/:delivery_id/replay", {
      params: { delivery_id: Schema.String },
      success: Replayed,
      error: errors(400, 401, 404, 503)
    }),
    HttpApiEndpoint.get("webhookKey", "/api/v1/webhook-key", {
      success: Schema.Struct({ algorithm: Schema.Literal("ed25519"), public_key: Schema.String }),
      error: errors(401, 404)
    }),
    HttpApiEndpoint.get("endpoints", "/api/v1/endpoints", {
      success: Schema.Struct({ endpoints: Schema.Array(Endpoint) }),
      error: errors(401, 503)
    }),
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
