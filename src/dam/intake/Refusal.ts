/**
 * What a caller is told when something is not done.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { states } from "../../engine/JobState.ts"
import { batchStates } from "../store/BatchRecords.ts"

/**
 * What a refusal may say beside its sentence, its code and its field, in the spelling of the API.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Extra = Schema.Struct({
  position: Schema.optionalKey(Schema.Number),
  nearest: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String),
  state: Schema.optionalKey(Schema.Literals([...states, ...batchStates, "unknown"])),
  line: Schema.optionalKey(Schema.Number),
  job_id: Schema.optionalKey(Schema.String),
  limit_reason: Schema.optionalKey(Schema.String),
  limit: Schema.optionalKey(Schema.Number),
  current: Schema.optionalKey(Schema.Number),
  copied_at: Schema.optionalKey(Schema.Number),
  retry_after_ms: Schema.optionalKey(Schema.Number)
})

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
  extra: Extra
}) {
  override get message() {
    return this.problem
  }
}

/** What may be left out of a refusal. */
interface More {
  readonly field?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly extra?: typeof Extra.Type | undefined
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
 * Says what to do about a call that was submitted before with other credentials.
 *
 * @category messages
 * @since 0.1.0
 */
export const credentialsDiffer = (jobId: string): string =>
  `the same call was submitted with other credentials as job ${jobId}; nothing was run: give each its idempotency key, or use UNIQUE`

/** What passes, and when it is worth asking again. */
interface Passing {
  readonly status: 429 | 503
  readonly code: string
  readonly problem: string
  /** Seconds; told as a whole number, rounded up. */
  readonly after: number
  readonly extra?: typeof Extra.Type | undefined
}

/**
 * Makes a refusal that passes: come back after so many seconds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const later = ({ after, code, extra, problem, status }: Passing): Refused =>
  refused(status, code, problem, { headers: { "retry-after": String(Math.ceil(after)) }, extra })
