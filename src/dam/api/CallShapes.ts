/**
 * What a job sends, what it is answered, and how each of its attempts went.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Schema from "effect/Schema"
import type * as History from "../../step/History.ts"
import * as Reply from "../../step/Reply.ts"
import type { Request as Sent } from "../../step/Request.ts"
import { secretIn } from "../../step/SecretHeader.ts"
import { isSecretName } from "../../step/SecretName.ts"
import * as ToldFailure from "../../wire/ToldFailure.ts"
import { Amount, Count, Moment, optional, Status, word } from "./Parts.ts"

const headers = Schema.Record(Schema.String, Schema.String)

/** What is called, without its secrets; a long body is cut, and `body_bytes` is its whole length. */
export const Request = Schema.Struct({
  method: Schema.String,
  url: Schema.String,
  headers,
  body: optional(Schema.String),
  body_bytes: optional(Count)
})

/** Shows what is called. */
export const request = ({ body, headers, method, url }: Sent): typeof Request.Encoded => {
  const shown = {
    method,
    url,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, shownIn(name, value)]))
  }
  if (body === undefined) return shown
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
  return { ...shown, body: new TextDecoder().decode(bytes.subarray(0, bodyShown)), body_bytes: bytes.length }
}

const shownIn = (name: string, value: string): string => {
  const named = secretIn(value)
  if (named !== undefined) return `<secret ${named.secret}>`
  return isSecretName(name) ? "<redacted>" : value
}

/** How much of a request's body is shown, in bytes. */
const bodyShown = 16_384

/** An answer of a target. */
export const Answer = Schema.Struct({
  status_code: Status,
  headers,
  body: Schema.String,
  body_base64: optional(Schema.String)
}).annotate({ identifier: "Answer" })

/** Shows an answer. */
export const answer = (response: Reply.Response): typeof Answer.Encoded => ({
  status_code: response.status,
  headers: response.headers,
  ...bodyOf(response)
})

/** The body of an answer; bytes that are no text stand in base64. */
export const bodyOf = (response: Reply.Response): Pick<typeof Answer.Encoded, "body" | "body_base64"> =>
  Reply.isText(response) ? { body: Reply.text(response) } : { body: "", body_base64: Base64.encode(response.body) }

/** One attempt of a job. */
export const Attempt = Schema.Struct({
  path: Count,
  racer: Count,
  kind: word(["start", "retry", "reroute", "forward", "repeat", "hedge"]),
  region: Schema.NullOr(Schema.String),
  at: Moment,
  pause_ms: Amount,
  latency_ms: Amount,
  ending: word(["answered", "failed", "interrupted"]),
  status: Schema.NullOr(Status),
  ...ToldFailure.schema.fields
}).annotate({ identifier: "Attempt" })

/** Shows an attempt. */
export const attempt = ({
  at,
  ending,
  kind,
  latency,
  path,
  pause,
  racer,
  region
}: History.Attempt): typeof Attempt.Encoded => ({
  path,
  racer,
  kind,
  region: region ?? null,
  at: Math.round(at),
  pause_ms: pause,
  latency_ms: latency,
  ending: ENDINGS[ending._tag],
  status: ending._tag === "Answered" ? ending.status : null,
  ...(ending._tag === "Failed" ? ToldFailure.tell(ending.failure) : {})
})

const ENDINGS = { Answered: "answered", Failed: "failed", Interrupted: "interrupted" } as const
