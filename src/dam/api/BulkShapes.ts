/**
 * Something done to all jobs that a filter finds.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { jobFilter, JobSummary } from "./JobShapes.ts"
import { Count, nullable, optional, word } from "./Parts.ts"

/** What can be done. */
export const actions = ["cancel", "rerun", "delete"] as const

/** Which jobs: all of what is given must hold, as in the list of jobs. */
export const BulkFilter = Schema.Struct({
  q: optional(Schema.String.check(Schema.isMaxLength(500))),
  ...jobFilter,
  /** Top-level fields of the metadata by their names. */
  metadata: optional(Schema.Record(Schema.String, Schema.String))
}).annotate({ identifier: "BulkFilter" })

/** What is done, to which jobs. */
export const BulkChoice = Schema.Struct({
  action: Schema.Literals(actions),
  filter: BulkFilter,
  /** Only says how many there are, and shows some. */
  dry_run: nullable(Schema.Boolean),
  /** Where to go on, as the answer before said. */
  cursor: nullable(Schema.String.check(Schema.isPattern(/^[0-9A-Za-z_-]{1,64}$/u)))
}).annotate({ identifier: "BulkChoice" })

/** The same as it is read: which jobs is read for itself, so that no misspelt name means more of them. */
export const ReadBulk = Schema.Struct({ ...BulkChoice.fields, filter: Schema.Json })

/** What was done. */
export const BulkDone = Schema.Struct({
  action: word(actions),
  dry_run: Schema.Boolean,
  /** To how many jobs it was done; of a dry run, to how many it would be. */
  jobs: Count,
  /** `false` where there are at least so many. */
  is_exact: Schema.Boolean,
  /** To how many it could not be done: they were in another state by then. */
  skipped: Count,
  /** A few of them. */
  examples: Schema.Array(JobSummary),
  /** Where to go on: time was up. */
  cursor: Schema.NullOr(Schema.String)
}).annotate({ identifier: "BulkDone" })
