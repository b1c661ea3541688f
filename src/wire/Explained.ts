/** Why a job waits, as a service tells it. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MalformedAnswer } from "../step/Failure.ts"
import { kindOf, parse } from "./Proxy.ts"

/**
 * What can stand between a job and its next call.
 *
 * @category models
 * @since 0.1.0
 */
export const reasonKinds = [
  "position",
  "token",
  "concurrency",
  "hold",
  "paused",
  "account_turn",
  "limit",
  "order",
  "coalesced",
  "secret",
  "schedule",
  "hedge",
  "scheduled",
  "retry_pause",
  "running",
  "finished",
  "delivery",
  "lane"
] as const

/**
 * How sure an estimate is.
 *
 * @category models
 * @since 0.1.0
 */
export const confidences = ["exact", "likely", "rough", "unknown"] as const

/**
 * One reason why a job waits.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reason {
  readonly kind: (typeof reasonKinds)[number]
  /** For people. */
  readonly message: string
  /** Until when it holds, epoch milliseconds; `undefined` when nobody can tell. */
  readonly until: number | undefined
  /** What the kind has to say besides, in the spelling of the API. */
  readonly details: { readonly [name: string]: Schema.Json }
}

/**
 * Why a job waits, and until when.
 *
 * @category models
 * @since 0.1.0
 */
export interface Explanation {
  readonly jobId: string
  /** The state's name. */
  readonly status: string
  /** What stands between the job and its next call, as it stands now. */
  readonly reasons: ReadonlyArray<Reason>
  /** When its next call may begin, epoch milliseconds; `undefined` when nobody can tell, or when nothing is to come. */
  readonly estimatedStart: number | undefined
  /**
   * `exact`: it is next, at a moment that is known. `likely`: others come first, at a rate that is known. `rough`: it
   * depends on how long calls take. `unknown`: nobody can tell.
   */
  readonly confidence: (typeof confidences)[number]
}

/**
 * Reads an explanation.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (body: string): Result.Result<Explanation, MalformedAnswer> => {
  const json = parse(body)
  const malformed = (problem: string) => new MalformedAnswer({ problem, received: excerpt(body) })
  if (json === undefined) return Result.fail(malformed(`expected an explanation as JSON, got ${kindOf(body)}`))
  return Result.mapBoth(decode(json), {
    onFailure: () => malformed("expected an explanation with reasons"),
    onSuccess: ({ confidence, estimated_start, job_id, reasons, status }) => ({
      jobId: job_id,
      status,
      // a kind that is not known here comes from a newer service
      reasons: reasons.flatMap(({ kind: name, message, until, ...details }) => {
        const kind = reasonKinds.find((known) => known === name)
        return kind === undefined ? [] : [{ kind, message, until: until ?? undefined, details }]
      }),
      estimatedStart: estimated_start ?? undefined,
      confidence
    })
  })
}

const decode = Schema.decodeUnknownResult(
  Schema.Struct({
    job_id: Schema.String,
    status: Schema.String,
    reasons: Schema.Array(
      Schema.StructWithRest(
        Schema.Struct({ kind: Schema.String, message: Schema.String, until: Schema.NullOr(Schema.Number) }),
        [Schema.Record(Schema.String, Schema.Json)]
      )
    ),
    estimated_start: Schema.NullOr(Schema.Number),
    confidence: Schema.Literals(confidences)
  })
)
