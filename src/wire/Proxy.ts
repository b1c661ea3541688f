/**
 * The proxy in front of EZThrottle: every call travels in an envelope, every answer comes back in one.
 *
 * Nothing here can throw: whatever a peer answers is a value, and what cannot be read is named by its beginning.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  excerpt,
  type Failure,
  JobRefused,
  MalformedAnswer,
  ServiceDenied,
  ServiceFailed,
  ServiceRateLimited
} from "../step/Failure.ts"
import * as JsonText from "../step/JsonText.ts"
import type { Receipt } from "../step/Reply.ts"

/**
 * A call to the service behind the proxy.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly targetUrl: string
  /** What the service is told besides. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly method: "GET" | "PATCH" | "POST" | "PUT" | "DELETE"
  /** JSON text. Left out it travels as empty text, because the proxy wants the key. */
  readonly body?: string | undefined
}

/**
 * What the proxy answered, over HTTP.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer {
  readonly status: number
  readonly body: string
  /** When the answer's `Retry-After` has passed, epoch milliseconds; `undefined` without one. */
  readonly retryAt: number | undefined
}

/**
 * What the service behind the proxy answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Forwarded {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/**
 * Puts a call into the envelope of the proxy.
 *
 * @category encoding
 * @since 0.1.0
 */
export const envelope = ({ body = "", headers, method, targetUrl }: Call): string =>
  JSON.stringify({
    scope: "customer",
    metric_name: "",
    target_url: targetUrl,
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body
  })

/**
 * Reads an answer of the proxy: what the service behind it answered, or why it did not.
 *
 * **Details** — `ServiceDenied` when the plan refuses, `ServiceRateLimited` on 429 (`retry_at` before `Retry-After`),
 * `ServiceFailed` on any other status than 200, `MalformedAnswer` when a 200 does not follow the protocol.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readAnswer = (answer: Answer): Result.Result<Forwarded, Failure> => {
  if (answer.status === 429) return Result.fail(rateLimited(answer))
  if (answer.status !== 200) {
    return Result.fail(new ServiceFailed({ status: answer.status, received: excerpt(answer.body) }))
  }
  const malformed = (problem: string) => Result.fail(new MalformedAnswer({ problem, received: excerpt(answer.body) }))
  const json = parse(answer.body)
  if (json === undefined) return malformed(`expected JSON, got ${kindOf(answer.body)}`)
  const verdict = readVerdict(json)
  if (Result.isFailure(verdict)) return malformed("expected an object with a status")
  if (verdict.success.status !== "allowed") {
    return Result.fail(new ServiceDenied({ detail: excerpt(errorOf(json) ?? verdict.success.status) }))
  }
  if (verdict.success.forwarded_response === undefined) return malformed("forwarded_response is missing")
  const forwarded = readForwarded(verdict.success.forwarded_response)
  if (Result.isFailure(forwarded)) return malformed("forwarded_response has no status_code or a body that is not text")
  const { body = "", status_code } = forwarded.success
  return Result.succeed({
    status: status_code,
    headers: headersOf(forwarded.success.headers),
    body: typeof body === "string" ? body : JSON.stringify(body)
  })
}

/**
 * Reads the answer to a submitted job.
 *
 * **Details** — `JobRefused` when the service did not answer 2xx, `MalformedAnswer` when there is no `job_id` to read;
 * the job may exist then.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readReceipt = (forwarded: Forwarded): Result.Result<Receipt, Failure> => {
  if (forwarded.status < 200 || forwarded.status > 299) {
    return Result.fail(new JobRefused({ status: forwarded.status, received: excerpt(forwarded.body) }))
  }
  const malformed = (problem: string) =>
    Result.fail(new MalformedAnswer({ problem, received: excerpt(forwarded.body) }))
  const json = parse(forwarded.body)
  if (json === undefined) return malformed(`expected a receipt as JSON, got ${kindOf(forwarded.body)}`)
  const read = readAccepted(json)
  if (Result.isFailure(read)) return malformed("expected a receipt with a job_id")
  const { answer, job } = read.success
  const status = job.status ?? "queued"
  return Result.succeed({
    _tag: "Receipt",
    jobId: job.job_id,
    status,
    idempotentKey: job.idempotent_key ?? undefined,
    duplicate: job.duplicate === true || status === "duplicate",
    answer
  })
}

/**
 * The message in an error body of the service, `{"error": "..."}`, or `undefined`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const errorIn = (body: string): Readonly<Record<"error" | "code" | "field", string | undefined>> => {
  const json = parse(body)
  return { error: errorOf(json), code: textOf(json, "code"), field: textOf(json, "field") }
}

/** Says what a text that is no JSON looks like. */
export const kindOf = (body: string): string => {
  if (body.trim() === "") return "an empty body"
  return /^\s*<(!doctype|html|head|body|\?xml)/i.test(body) ? "an HTML page" : "other text"
}

/** Parses JSON; `undefined`, which JSON cannot say, when it is none. */
export const parse = (body: string): unknown => Result.getOrUndefined(Result.try((): unknown => JsonText.parse(body)))

const rateLimited = ({ body, retryAt }: Answer): ServiceRateLimited => {
  const json = parse(body)
  const at = typeof json === "object" && json !== null && "retry_at" in json ? json.retry_at : undefined
  return new ServiceRateLimited({
    detail: excerpt(errorOf(json) ?? (body.trim() === "" ? "no reason given" : body)),
    retryAt: typeof at === "number" && Number.isFinite(at) && at > 0 ? Math.ceil(at) : retryAt
  })
}

const errorOf = (json: unknown): string | undefined => textOf(json, "error")

const textOf = (json: unknown, key: string): string | undefined => {
  if (typeof json !== "object" || json === null) return undefined
  const value: unknown = Object.getOwnPropertyDescriptor(json, key)?.value
  return typeof value === "string" && value !== "" ? value : undefined
}

const headersOf = (headers: { readonly [name: string]: Schema.Json } = {}): Forwarded["headers"] =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === "string" ? value : JSON.stringify(value)
    ])
  )

const readVerdict = Schema.decodeUnknownResult(
  Schema.Struct({ status: Schema.String, forwarded_response: Schema.optionalKey(Schema.Json) })
)

const readForwarded = Schema.decodeUnknownResult(
  Schema.Struct({
    status_code: Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 999 })),
    headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
    body: Schema.optionalKey(Schema.Union([Schema.String, Schema.JsonObject]))
  })
)

const Accepted = Schema.Struct({
  job_id: Schema.NonEmptyString,
  status: Schema.optionalKey(Schema.String),
  idempotent_key: Schema.optionalKey(Schema.NullOr(Schema.String)),
  duplicate: Schema.optionalKey(Schema.Boolean)
})

const readAccepted = (json: unknown) =>
  Result.map(Result.all([decodeAccepted(json), decodeObject(json)]), ([job, answer]) => ({ job, answer }))

const decodeAccepted = Schema.decodeUnknownResult(Accepted)
const decodeObject = Schema.decodeUnknownResult(Schema.JsonObject)
