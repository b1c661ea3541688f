/** A job as the service shows it: its state and, at its end, the answer that decided. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MalformedAnswer } from "../step/Failure.ts"
import * as Reply from "../step/Reply.ts"
import { kindOf, parse } from "./Proxy.ts"

/**
 * A job as the service shows it.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobView {
  /** `undefined` when the service did not repeat it. */
  readonly jobId: string | undefined
  /** The state's name, as the service gave it. */
  readonly status: string
  readonly idempotentKey: string | undefined
  /** The answer that decided; `undefined` when there is none, or none yet. */
  readonly response: Reply.Response | undefined
  readonly error: string | undefined
  readonly metadata: { readonly [key: string]: Schema.Json }
  /** The whole answer, unchanged. */
  readonly answer: { readonly [key: string]: Schema.Json }
}

/**
 * Reads a job. Keys it does not know stay in `answer` only.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (body: string): Result.Result<JobView, MalformedAnswer> => {
  const json = parse(body)
  if (json === undefined) return Result.fail(malformed(body, `expected a job as JSON, got ${kindOf(body)}`))
  return Result.mapError(viewOf(json), () => malformed(body, "expected a job with a status"))
}

/**
 * Some jobs, newest first.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page {
  readonly jobs: ReadonlyArray<JobView>
  /** Where the next page begins; `undefined` after the last. */
  readonly cursor: string | undefined
}

/**
 * Reads a page of jobs.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readPage = (body: string): Result.Result<Page, MalformedAnswer> =>
  Result.flatMap(decodePage(parse(body)), ({ cursor, jobs }) =>
    Result.map(Result.all(jobs.map(viewOf)), (views): Page => ({ jobs: views, cursor: cursor ?? undefined }))
  ).pipe(Result.mapError(() => malformed(body, "expected jobs, each with a status")))

const malformed = (body: string, problem: string) => new MalformedAnswer({ problem, received: excerpt(body) })

const viewOf = (json: unknown) =>
  Result.map(Result.all([decodeView(json), decodeObject(json)]), ([wire, answer]): JobView => ({
    jobId: wire.job_id,
    status: wire.status,
    idempotentKey: wire.idempotent_key ?? undefined,
    response: responseOf(wire.response),
    error: wire.error ?? undefined,
    metadata: wire.metadata ?? {},
    answer
  }))

/**
 * Tells how a job ended; `undefined` while it has not.
 *
 * @category accessors
 * @since 0.1.0
 */
export const endOf = ({ status }: Pick<JobView, "status">): "succeeded" | "failed" | "cancelled" | undefined =>
  status === "succeeded" || status === "failed" || status === "cancelled" ? status : undefined

/**
 * Tells whether an event of a job's stream is its last: `completed` or `failed`, or the name of a final state.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isLastEvent = (event: string): boolean => event === "completed" || endOf({ status: event }) !== undefined

const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const Answer = Schema.Struct({
  status_code: Schema.Int,
  headers: optional(Schema.Record(Schema.String, Schema.String)),
  body: optional(Schema.String),
  body_base64: optional(Schema.Uint8ArrayFromBase64)
})

const decodeView = Schema.decodeUnknownResult(
  Schema.Struct({
    job_id: Schema.optionalKey(Schema.String),
    status: Schema.String,
    idempotent_key: optional(Schema.String),
    response: optional(Answer),
    error: optional(Schema.String),
    metadata: optional(Schema.JsonObject)
  })
)

const decodePage = Schema.decodeUnknownResult(
  Schema.Struct({ jobs: Schema.Array(Schema.Json), cursor: optional(Schema.String) })
)

const decodeObject = Schema.decodeUnknownResult(Schema.JsonObject)

const responseOf = (wire: typeof Answer.Type | null | undefined): Reply.Response | undefined =>
  wire === null || wire === undefined || wire.status_code === 0
    ? undefined
    : Reply.response(
        wire.status_code,
        Object.fromEntries(Object.entries(wire.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
        wire.body_base64 ?? wire.body ?? ""
      )
