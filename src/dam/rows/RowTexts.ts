/**
 * What rows keep as JSON: the schemas it is read through, and the encoders that write it.
 *
 * A file outlives the version that wrote it, so it is read through schemas. What is written comes from this very program,
 * several times for each job, so it is written by hand: word for word as the schemas would have it.
 */
import * as Schema from "effect/Schema"
import { FailureFromJson } from "../../step/FailureJson.ts"
import { Attempt, type Ending } from "../../step/History.ts"
import * as Fields from "../../step/Fields.ts"
import { kept, told } from "../../step/SecretHeader.ts"
import type { DeliveryAttempt as AttemptToDeliver, DeliveryTerms as Terms } from "../job/Delivery.ts"
import type { JobResult } from "../job/Job.ts"

const { response: _, ...bareFields } = Attempt.fields

/** An attempt without its answer. */
export const StoredAttempt = Schema.fromJsonString(Schema.toCodecJson(Schema.Struct(bareFields)))

/** An answer without its body. */
export const Head = Schema.Struct({
  status: Schema.Number,
  headers: Schema.Record(Schema.String, Schema.String)
})

/** An answer without its body, which stands among others in a blob. */
export const SizedHead = Schema.Struct({ ...Head.fields, size: Schema.Number })

/** A result without its bodies. */
export const StoredResult = Schema.fromJsonString(
  Schema.toCodecJson(
    Schema.Struct({
      response: Schema.UndefinedOr(SizedHead),
      responses: Schema.Array(Schema.Struct({ region: Schema.UndefinedOr(Schema.String), response: SizedHead })),
      region: Schema.UndefinedOr(Schema.String),
      path: Schema.Number,
      error: Schema.UndefinedOr(
        Schema.Struct({ tag: Schema.String, message: Schema.String, kind: Schema.optionalKey(Schema.String) })
      )
    })
  )
)

/** An attempt to deliver. */
export const DeliveryAttempt = Schema.Struct({
  at: Schema.Number,
  latency: Schema.Number,
  status: Schema.UndefinedOr(Schema.Number),
  error: Schema.UndefinedOr(Schema.String),
  excerpt: Schema.UndefinedOr(Schema.String),
  unsigned: Schema.optional(Schema.String)
})

/** Writes an attempt without its answer, as {@link StoredAttempt} does. */
export const encodeAttempt = (attempt: typeof StoredAttempt.Type): string =>
  JSON.stringify({
    path: number(attempt.path),
    racer: number(attempt.racer),
    kind: attempt.kind,
    region: attempt.region ?? null,
    at: number(attempt.at),
    pause: number(attempt.pause),
    latency: number(attempt.latency),
    ending: endingOf(attempt.ending)
  })

const endingOf = (ending: Ending): Schema.Json => {
  switch (ending._tag) {
    case "Answered": {
      const { _tag, retryAfter, says, status } = ending
      const answered = {
        _tag,
        status: number(status),
        retryAfter: retryAfter === undefined ? null : number(retryAfter)
      }
      return says === undefined ? answered : { ...answered, says }
    }
    case "Failed":
      return { _tag: ending._tag, failure: encodeFailure(ending.failure) }
    case "Interrupted":
      return { _tag: ending._tag }
  }
}

// reasons are of many forms and rare
const encodeFailure = Schema.encodeSync(Schema.toCodecJson(FailureFromJson))

/** Writes a result without its bodies, as {@link StoredResult} does. */
export const encodeResult = ({ error, path, region, response, responses }: typeof StoredResult.Type): string =>
  JSON.stringify({
    response: response === undefined ? null : headOf(response),
    responses: responses.map((one) => ({ region: one.region ?? null, response: headOf(one.response) })),
    region: region ?? null,
    path: number(path),
    error: error === undefined ? null : errorOf(error)
  })

const headOf = ({ headers, size, status }: typeof SizedHead.Type) => ({
  status: number(status),
  headers,
  size: number(size)
})

const errorOf = ({ kind, message, tag }: NonNullable<JobResult["error"]>) =>
  kind === undefined ? { tag, message } : { tag, message, kind }

/** Writes an attempt to deliver, as {@link DeliveryAttempt} does. */
export const encodeDeliveryAttempt = (attempt: AttemptToDeliver): string => {
  const { at, error = null, excerpt = null, latency, status, unsigned } = attempt
  const known = {
    at: number(at),
    latency: number(latency),
    status: status === undefined ? null : number(status),
    error,
    excerpt
  }
  return JSON.stringify("unsigned" in attempt ? { ...known, unsigned: unsigned ?? null } : known)
}

/** What a webhook says of its deliveries. */
export const DeliveryTerms = Schema.Struct({
  headers: Schema.optionalKey(Fields.WebhookHeaders),
  secret: Schema.optionalKey(Schema.String),
  body: Schema.optionalKey(Schema.Literal("link"))
})

/** What was read of it. */
export const termsOf = ({ headers, ...terms }: typeof DeliveryTerms.Type): Terms => ({
  ...(headers === undefined ? {} : { headers: kept(headers) }),
  ...terms
})

/** Writes what a webhook says of its deliveries, as {@link DeliveryTerms} does. */
export const encodeTerms = (terms: Terms | undefined): string | null =>
  terms === undefined ? null : JSON.stringify({ ...terms, headers: terms.headers && told(terms.headers) })

/** JSON has no word for these. */
const number = (value: number): number | string => (Number.isFinite(value) ? value : String(value))
