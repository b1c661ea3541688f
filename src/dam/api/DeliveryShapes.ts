/**
 * Results on their way: deliveries of a job, those that were given up, and the endpoints that fail.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"
import {
  type DeadLetter as GivenUp,
  deadReasons,
  type DeliveryAttempt as Told,
  type Endpoint as Known,
  type StoredDelivery
} from "../job/Delivery.ts"
import { Amount, between, Count, Moment, optional, Status, word } from "./Parts.ts"

/** One attempt to deliver. */
export const DeliveryAttempt = Schema.Struct({
  at: Moment,
  latency_ms: Amount,
  status: Schema.NullOr(Status),
  error: Schema.NullOr(Schema.String),
  excerpt: Schema.NullOr(Schema.String)
}).annotate({ identifier: "DeliveryAttempt" })

const attempt = ({ at, error, excerpt, latency, status }: Told): typeof DeliveryAttempt.Encoded => ({
  at: Math.round(at),
  latency_ms: latency,
  status: status ?? null,
  error: error ?? null,
  excerpt: excerpt ?? null
})

/** A delivery of a job. */
export const Delivery = Schema.Struct({
  delivery_id: Schema.String,
  url: Schema.String,
  status: word(["pending", "delivered", "dead"]),
  due_at: Schema.NullOr(Moment),
  has_quorum_vote: Schema.Boolean,
  reason: Schema.NullOr(word(deadReasons)),
  attempts: Schema.Array(DeliveryAttempt)
}).annotate({ identifier: "Delivery" })

/** Shows a delivery of a job. */
export const delivery = (self: StoredDelivery): typeof Delivery.Encoded => ({
  delivery_id: self.id,
  url: self.url,
  status: self.state,
  due_at: self.state === "pending" ? self.dueAt : null,
  has_quorum_vote: self.hasQuorumVote,
  reason: self.dead?.reason ?? null,
  attempts: self.attempts.map(attempt)
})

/** A delivery that was given up, with its attempts. */
export const DeadLetter = Schema.Struct({
  delivery_id: Schema.String,
  job_id: Schema.String,
  url: Schema.String,
  reason: word(deadReasons),
  dead_at: Moment,
  attempts: Schema.Array(DeliveryAttempt)
}).annotate({ identifier: "DeadLetter" })

const deadLetter = (self: GivenUp): typeof DeadLetter.Encoded => ({
  delivery_id: self.id,
  job_id: self.jobId,
  url: self.url,
  reason: self.dead?.reason ?? "attempts_exhausted",
  dead_at: self.dead?.at ?? self.dueAt,
  attempts: self.attempts.map(attempt)
})

/** A page of dead letters. */
export const DeadLetterPage = Schema.Struct({
  dead_letters: Schema.Array(DeadLetter),
  next_cursor: Schema.NullOr(Schema.String)
}).annotate({ identifier: "DeadLetterPage" })

/** Shows a page of dead letters. */
export const deadLetterPage = ({
  cursor,
  deadLetters
}: {
  readonly deadLetters: ReadonlyArray<GivenUp>
  readonly cursor: string | undefined
}): typeof DeadLetterPage.Encoded => ({ dead_letters: deadLetters.map(deadLetter), next_cursor: cursor ?? null })

/** An endpoint that fails or is disabled. */
export const Endpoint = Schema.Struct({
  url: Schema.String,
  status: word(["enabled", "disabled"]),
  reason: Schema.NullOr(word(["gone", "failing"])),
  since: Moment,
  failures: Count,
  probe_at: Schema.NullOr(Moment)
}).annotate({ identifier: "Endpoint" })

const endpoint = ({ failures, probeAt, reason, since, status, url }: Known): typeof Endpoint.Encoded => ({
  url,
  status,
  reason: reason ?? null,
  since,
  failures,
  probe_at: probeAt ?? null
})

/** Shows an endpoint that was enabled just now: nothing is held against it any more. */
export const enabled = (known: Known): typeof Endpoint.Encoded => ({
  ...endpoint(known),
  status: "enabled",
  reason: null,
  failures: 0
})

/** Endpoints that fail or are disabled. */
export const Endpoints = Schema.Struct({ endpoints: Schema.Array(Endpoint) }).annotate({ identifier: "Endpoints" })

/** Shows endpoints. */
export const endpoints = (all: ReadonlyArray<Known>): typeof Endpoints.Encoded => ({ endpoints: all.map(endpoint) })

/** How many dead letters are delivered once more. */
export const Replayed = Schema.Struct({ replayed: Count }).annotate({ identifier: "Replayed" })

/** Says how many are delivered once more. */
export const replayed = (count: number): typeof Replayed.Encoded => ({ replayed: count })

/** How many dead letters were deleted. */
export const Purged = Schema.Struct({ purged: Count }).annotate({ identifier: "Purged" })

/** Says how many were deleted. */
export const purged = (count: number): typeof Purged.Encoded => ({ purged: count })

/** What receivers check `v1a` signatures with. */
export const WebhookKey = Schema.Struct({ algorithm: word(["ed25519"]), public_key: Schema.String }).annotate({
  identifier: "WebhookKey"
})

/** Shows the key. */
export const key = (publicKey: string): typeof WebhookKey.Encoded => ({ algorithm: "ed25519", public_key: publicKey })

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
  cursor: optional(Schema.String.check(Schema.isPattern(/^[0-9A-Za-z_-]{1,64}$/u))),
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
    Schema.Finite.check(
      Schema.isBetween({ minimum: 0.001, maximum: 100_000 }, { expected: "a number from 0.001 to 100000" })
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
