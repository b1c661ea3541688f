/** Failed jobs by what they have in common, as a service tells it. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MalformedAnswer } from "../step/Failure.ts"
import { kindOf, parse } from "./Proxy.ts"

/**
 * Which failed jobs are grouped, and which groups come first.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailureFilter {
  /** Those that failed from then on, epoch milliseconds. */
  readonly from?: number | undefined
  /** Those that failed until then, epoch milliseconds. */
  readonly to?: number | undefined
  /** A host with its port, or without for all its ports. */
  readonly host?: string | undefined
  /** `newest`: what failed last comes first. `largest`: what failed most often. Defaults to `newest`. */
  readonly sort?: "newest" | "largest" | undefined
  /** How many groups, 1 to 200. Defaults to 50. */
  readonly limit?: number | undefined
}

/**
 * Failed jobs of one host that ended with the same status for the same reason.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailureGroup {
  /** The host that was called, as `host:port`. */
  readonly lane: string
  /** Of the last answer; `undefined` where there was none. */
  readonly responseStatus: number | undefined
  /** The tag of the error, such as `Rejected` or `ConnectionFailed`. */
  readonly errorTag: string | undefined
  /** What kind of such an error it was, where there are several, such as `refused`. */
  readonly errorKind: string | undefined
  /** The error of the newest of them, in words. */
  readonly error: string | undefined
  readonly jobs: number
  /** When the first of them failed, epoch milliseconds. */
  readonly firstSeen: number
  /** When the last of them failed, epoch milliseconds. */
  readonly lastSeen: number
  readonly newestJobId: string
}

/**
 * The groups that come first, and how much was looked at to find them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failures {
  readonly failures: ReadonlyArray<FailureGroup>
  /** How many groups there are, those beyond the limit included. */
  readonly groups: number
  readonly seen: {
    /** How many failed jobs were looked at. */
    readonly jobs: number
    /** Whether these are all; otherwise they are the newest, and whatever failed after `since` is among them. */
    readonly isExact: boolean
    /** When the first of them failed, epoch milliseconds; `undefined` where none has. */
    readonly since: number | undefined
  }
}

/**
 * Reads failures.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (body: string): Result.Result<Failures, MalformedAnswer> => {
  const json = parse(body)
  const malformed = (problem: string) => new MalformedAnswer({ problem, received: excerpt(body) })
  if (json === undefined) return Result.fail(malformed(`expected failures as JSON, got ${kindOf(body)}`))
  return Result.mapBoth(decode(json), {
    onFailure: () => malformed("expected failures, each with its jobs"),
    onSuccess: ({ failures, groups, seen }) => ({
      failures: failures.map((group) => ({
        lane: group.lane,
        responseStatus: group.response_status ?? undefined,
        errorTag: group.error_tag ?? undefined,
        errorKind: group.error_kind,
        error: group.error ?? undefined,
        jobs: group.jobs,
        firstSeen: group.first_seen,
        lastSeen: group.last_seen,
        newestJobId: group.newest_job_id
      })),
      groups,
      seen: { jobs: seen.jobs, isExact: seen.is_exact, since: seen.since ?? undefined }
    })
  })
}

const decode = Schema.decodeUnknownResult(
  Schema.Struct({
    failures: Schema.Array(
      Schema.Struct({
        lane: Schema.String,
        response_status: Schema.NullOr(Schema.Number),
        error_tag: Schema.NullOr(Schema.String),
        error_kind: Schema.optionalKey(Schema.String),
        error: Schema.NullOr(Schema.String),
        jobs: Schema.Number,
        first_seen: Schema.Number,
        last_seen: Schema.Number,
        newest_job_id: Schema.String
      })
    ),
    groups: Schema.Number,
    seen: Schema.Struct({ jobs: Schema.Number, is_exact: Schema.Boolean, since: Schema.NullOr(Schema.Number) })
  })
)
