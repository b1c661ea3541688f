/**
 * Failed jobs by what they have in common, as they are shown.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"
import type { FailureGroup as Stored, Failures as Found } from "../store/FailureRecords.ts"
import { between, Count, Moment, optional, Status } from "./Parts.ts"

/**
 * Failed jobs of one host that ended with the same status for the same reason.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailureGroup = Schema.Struct({
  lane: Schema.String,
  response_status: Schema.NullOr(Status).annotate({ description: "Of the last answer; null where there was none" }),
  error_tag: Schema.NullOr(Schema.String),
  error_kind: optional(Schema.String.annotate({ description: "Of an error that has kinds, such as refused" })),
  error: Schema.NullOr(Schema.String).annotate({ description: "The error of the newest of them, in words" }),
  jobs: Count,
  first_seen: Moment,
  last_seen: Moment,
  newest_job_id: Schema.String,
  customer: Schema.String.annotate({ description: "Whose the newest of them is: that job is shown to no one else" })
}).annotate({ identifier: "FailureGroup" })

/**
 * The groups that come first, and how much was looked at to find them.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Failures = Schema.Struct({
  failures: Schema.Array(FailureGroup),
  groups: Count.annotate({ description: "How many groups there are, those beyond the limit included" }),
  seen: Schema.Struct({
    jobs: Count,
    is_exact: Schema.Boolean.annotate({
      description: "false where more jobs have failed than one answer looks at: then all counts are of the newest"
    }),
    since: Schema.NullOr(Moment).annotate({ description: "Whatever failed after this moment was looked at" })
  })
}).annotate({ identifier: "Failures" })

/**
 * What failures are asked for by.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailureQuery = {
  from: optional(Fields.EpochMillis),
  to: optional(Fields.EpochMillis),
  /** A host with its port, or without for all its ports. */
  host: optional(Schema.NonEmptyString),
  sort: optional(Schema.Literals(["newest", "largest"])),
  limit: optional(between(1, 200))
}

/**
 * Shows failures.
 *
 * @category encoding
 * @since 0.1.0
 */
export const failures = ({ groupCount, groups, isExact, lookedAt, since }: Found): typeof Failures.Encoded => ({
  failures: groups.map(group),
  groups: groupCount,
  seen: { jobs: lookedAt, is_exact: isExact, since: since ?? null }
})

const group = ({ kind, newest, status, tag, ...self }: Stored): typeof FailureGroup.Encoded => ({
  lane: self.lane,
  response_status: status ?? null,
  error_tag: tag ?? null,
  ...(kind === undefined ? {} : { error_kind: kind }),
  error: newest.message ?? null,
  jobs: self.jobs,
  first_seen: self.firstAt,
  last_seen: self.lastAt,
  newest_job_id: newest.id,
  customer: newest.customer
})
