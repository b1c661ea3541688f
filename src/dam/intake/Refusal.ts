/**
 * What a caller is told when something is not done.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A request that is refused, as HTTP says it: `{"error","code","field"?, ...}`.
 *
 * **Details** — `field` is the path of what is wrong in the body, in the protocol's spelling. No value of the request is
 * repeated.
 *
 * @category errors
 * @since 0.1.0
 */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  status: Schema.Number,
  code: Schema.String,
  field: Schema.UndefinedOr(Schema.String),
  problem: Schema.String,
  headers: Schema.Record(Schema.String, Schema.String),
  /** What else stands in the body. */
  extra: Schema.Record(Schema.String, Schema.Json)
}) {
  override get message() {
    return this.problem
  }
}

/** What may be left out of a refusal. */
interface More {
  readonly field?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly extra?: Readonly<Record<string, Schema.Json>> | undefined
}

/**
 * Makes a refusal.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refused = (status: number, code: string, problem: string, more: More = {}): Refused =>
  new Refused({ status, code, problem, field: more.field, headers: more.headers ?? {}, extra: more.extra ?? {} })

/**
 * Makes the refusal of a field: 400, `invalid_field` unless another code is given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const badField = (field: string, problem: string, code = "invalid_field"): Refused =>
  refused(400, code, `${field}: ${problem}`, { field })

/**
 * Makes a refusal that passes: come back after so many seconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const later = (
  status: 429 | 503,
  code: string,
  problem: string,
  seconds: number,
  extra: Readonly<Record<string, Schema.Json>> = {}
): Refused => refused(status, code, problem, { headers: { "retry-after": String(Math.ceil(seconds)) }, extra })

/**
 * The body of a refusal.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toJson = ({ code, extra, field, problem }: Refused): Readonly<Record<string, Schema.Json>> => ({
  error: problem,
  code,
  ...(field === undefined ? {} : { field }),
  ...extra
})

/**
 * Says what to do about a call that was submitted before with other credentials.
 *
 * @category messages
 * @since 0.1.0
 */
export const credentialsDiffer = (jobId: string): string =>
  `the same call was submitted with other credentials as job ${jobId}; nothing was run: give each its idempotency key, or use UNIQUE`
