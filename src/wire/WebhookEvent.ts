/**
 * What a webhook tells: how a job ended.
 *
 * Two dialects say it. A job that came in through the cloud's API is reported with its answer under `response`; one
 * that came in through the self-hosted API is reported flat. A receiver reads both with one function and gets one
 * event; `dialect` remembers which it was.
 *
 * Reading is forgiving about what is not there yet or no longer: keys it does not know are passed over, and `null`
 * means absent. It is strict about what is there: a value of the wrong type is an error that names the place and never
 * repeats the value. The dialects are told apart by their own keys, so a new key of one does not turn it into the other:
 * `response` is only in the cloud's, else `"status": "completed"`, `response_status` or `reason` make it flat.
 *
 * The flat dialect has no room for key, metadata, headers and regions. It calls every answer below 500 `completed`, so
 * there the status code decides between success and failure.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as JsonText from "../step/JsonText.ts"
import * as Reply from "../step/Reply.ts"
import type { RawBody } from "./SignatureModel.ts"

/**
 * The shapes a webhook body comes in.
 *
 * @category models
 * @since 0.1.0
 */
export type Dialect = "cloud" | "flat"

/**
 * The end of a job, as its webhook reports it.
 *
 * @category models
 * @since 0.1.0
 */
export interface WebhookEvent {
  readonly dialect: Dialect
  /** Deliveries are at-least-once; the same job id means the same event. */
  readonly jobId: string
  readonly idempotentKey: string | undefined
  readonly status: "success" | "failed"
  /** The answer that decided; `undefined` when the target gave none. */
  readonly response: Reply.Response | undefined
  /** Where the body of the answer may be had, for a while, where it was left out. */
  readonly bodyUrl?: string
  /** Why there is no answer, or why the job failed in spite of one. */
  readonly error: string | undefined
  /** What the step carried; empty in the flat dialect. */
  readonly metadata: { readonly [key: string]: Schema.Json }
  /** After a fanout, the answer of each region; a region that got none is there with `undefined`. */
  readonly responses: { readonly [region: string]: Reply.Response | undefined } | undefined
}

/**
 * A body that is no webhook event: where it is wrong and how.
 *
 * **Details** — `path` is the way to the offending value, such as `response.headers.etag`, or `body` for the whole.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidWebhookEvent extends Schema.TaggedError<InvalidWebhookEvent>()("InvalidWebhookEvent", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `The webhook body is not an event of EZThrottle; at ${this.path}: ${this.problem}`
  }
}

/**
 * Reads the body of a delivery in either dialect.
 *
 * **When to use** — after the signature was verified, on the same raw body.
 * **Details** — header names come out in lower case. Bodies are bytes: text as its UTF-8, `body_base64` as it was.
 * Nesting deeper than 64 levels is refused.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (body: RawBody): Result.Result<WebhookEvent, InvalidWebhookEvent> =>
  Result.flatMap(jsonOf(body), (json) => (isFlat(json) ? fromFlat(json) : fromCloud(json)))

/**
 * Writes an event as a webhook body, in its own dialect or the one asked for.
 *
 * **Details** — where a dialect demands a reason and the event has none, a general one is written. What the flat
 * dialect has no room for is left out.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (event: WebhookEvent, dialect: Dialect = event.dialect): string =>
  JSON.stringify(dialect === "flat" ? toFlat(event) : toCloud(event))

const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const StatusCode = Schema.Number.check(
  Schema.makeFilter((code: number) => code === 0 || (Number.isInteger(code) && code >= 100 && code <= 999), {
    expected: "an HTTP status code, or 0 for no answer"
  })
)

const bodyFields = {
  body: optional(Schema.String),
  body_base64: optional(Schema.Uint8ArrayFromBase64),
  /** Where the body may be had that was left out. */
  body_url: optional(Schema.String)
}

const CloudAnswer = Schema.Struct({
  status_code: StatusCode,
  headers: optional(Schema.Record(Schema.String, Schema.String)),
  ...bodyFields
})

const CloudBody = Schema.Struct({
  job_id: Schema.NonEmptyString,
  idempotent_key: optional(Schema.String),
  status: Schema.Literals(["success", "failed"]),
  response: optional(CloudAnswer),
  error: optional(Schema.String),
  responses: optional(Schema.Record(Schema.String, Schema.NullOr(CloudAnswer))),
  metadata: optional(Schema.JsonObject)
})

const FlatBody = Schema.Struct({
  job_id: Schema.NonEmptyString,
  status: Schema.Literals(["completed", "failed"]),
  response_status: optional(StatusCode),
  reason: optional(Schema.String),
  ...bodyFields
})

type CloudAnswer = typeof CloudAnswer.Type

const jsonOf = (body: RawBody): Result.Result<unknown, InvalidWebhookEvent> =>
  Result.gen(function* () {
    const text =
      typeof body === "string"
        ? body
        : yield* Result.try({ try: () => strictUtf8.decode(body), catch: () => invalid("body", "Expected UTF-8 text") })
    if (depthOf(text) > maxDepth) return yield* Result.fail(invalid("body", `Expected at most ${maxDepth} levels`))
    return yield* Result.try({
      try: (): unknown => JsonText.parse(text),
      catch: () => invalid("body", "Expected JSON")
    })
  })

const isFlat = (json: unknown): boolean => {
  if (typeof json !== "object" || json === null || Object.hasOwn(json, "response")) return false
  return (
    Object.hasOwn(json, "response_status") ||
    Object.hasOwn(json, "reason") ||
    ("status" in json && json.status === "completed")
  )
}

const fromCloud = (json: unknown): Result.Result<WebhookEvent, InvalidWebhookEvent> =>
  Result.map(readCloud(json), (wire) => ({
    dialect: "cloud",
    jobId: wire.job_id,
    idempotentKey: wire.idempotent_key ?? undefined,
    status: wire.status,
    response: answerOf(wire.response),
    error: wire.error ?? undefined,
    metadata: wire.metadata ?? {},
    responses: wire.responses ? mapValues(wire.responses, answerOf) : undefined,
    ...linkOf(wire.response)
  }))

const fromFlat = (json: unknown): Result.Result<WebhookEvent, InvalidWebhookEvent> =>
  Result.flatMap(readFlat(json), (wire) => {
    const response = answerOf({ ...wire, status_code: wire.response_status ?? 0 })
    if (wire.status === "completed" && response === undefined) {
      return Result.fail(invalid("response_status", "Expected the HTTP status code of a completed job"))
    }
    return Result.succeed<WebhookEvent>({
      dialect: "flat",
      jobId: wire.job_id,
      idempotentKey: undefined,
      status: wire.status === "completed" && response && Reply.isSuccess(response) ? "success" : "failed",
      response,
      error: wire.reason ?? undefined,
      metadata: {},
      responses: undefined,
      ...linkOf(wire)
    })
  })

const linkOf = (wire: { readonly body_url?: string | null | undefined } | null | undefined) =>
  typeof wire?.body_url === "string" ? { bodyUrl: wire.body_url } : {}

const answerOf = (wire: CloudAnswer | null | undefined): Reply.Response | undefined =>
  wire === null || wire === undefined || wire.status_code === 0
    ? undefined
    : Reply.response(wire.status_code, lowerCase(wire.headers ?? {}), wire.body_base64 ?? wire.body ?? "")

const lowerCase = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const joined = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    const before = joined.get(lower)
    joined.set(lower, before === undefined ? value : `${before}, ${value}`)
  }
  return Object.fromEntries(joined)
}

const toCloud = (event: WebhookEvent) => ({
  job_id: event.jobId,
  idempotent_key: event.idempotentKey,
  status: event.status,
  response: toAnswer(event.response),
  error: event.error ?? (event.response === undefined ? noAnswer : undefined),
  responses: event.responses && mapValues(event.responses, toAnswer),
  metadata: event.metadata
})

const toFlat = (event: WebhookEvent) => {
  const { response } = event
  const answer = response && { response_status: response.status, ...toBody(response) }
  return isCompleted(event)
    ? { job_id: event.jobId, status: "completed", ...answer }
    : { job_id: event.jobId, status: "failed", reason: reasonOf(event), ...answer }
}

// "completed" must read back as the status it was written from
const isCompleted = ({ error, response, status }: WebhookEvent): boolean => {
  if (response === undefined || response.status >= 500) return false
  return status === "success" ? Reply.isSuccess(response) : error === undefined && !Reply.isSuccess(response)
}

const reasonOf = ({ error, response }: WebhookEvent): string =>
  error ?? (response === undefined ? noAnswer : `the target answered ${response.status}`)

const toAnswer = (response: Reply.Response | undefined) =>
  response === undefined
    ? { status_code: 0, headers: {}, body: "" }
    : { status_code: response.status, headers: response.headers, ...toBody(response) }

const toBody = (response: Reply.Response) =>
  Reply.isText(response) ? { body: Reply.text(response) } : { body: "", body_base64: Base64.encode(response.body) }

const mapValues = <A, B>(record: Readonly<Record<string, A>>, f: (value: A) => B): Readonly<Record<string, B>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, f(value)]))

const reader = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => {
  const read = Schema.decodeUnknownResult(schema)
  return (json: unknown): Result.Result<S["Type"], InvalidWebhookEvent> =>
    Result.mapError(read(json), (failure) => {
      const first = issuesOf(failure.issue).issues[0]
      const path = (first?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part))
      return invalid(path.length === 0 ? "body" : path.join("."), first?.message ?? "Expected something else")
    })
}

const invalid = (path: string, problem: string) => new InvalidWebhookEvent({ path, problem })

// what is nested deeper than this cannot be printed again safely
const depthOf = (text: string): number => {
  let depth = 0
  let deepest = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === "\\") at++
    else if (character === '"') quoted = !quoted
    else if (!quoted && (character === "{" || character === "[")) deepest = Math.max(deepest, ++depth)
    else if (!quoted && (character === "}" || character === "]")) depth--
  }
  return deepest
}

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()
const readCloud = reader(CloudBody)
const readFlat = reader(FlatBody)
const strictUtf8 = new TextDecoder("utf-8", { fatal: true })
const maxDepth = 64
const noAnswer = "no answer from the target"
