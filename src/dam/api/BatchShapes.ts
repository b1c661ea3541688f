/**
 * Batches, as they are handed in and shown.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Job } from "../../wire/Job.ts"
import { type BatchCounts, batchStates, type LineNote, type StoredBatch } from "../store/BatchRecords.ts"
import { between, Count, length, Moment, nullable, optional, word } from "./Parts.ts"

const terms = {
  /** Names the batch: sent again under its name, it takes the missing lines only. */
  batch_id: nullable(length(1, 100)),
  /** All of its jobs, or none. */
  together: nullable(Schema.Boolean),
  /** Told once all have ended, with a summary. */
  webhook_url: nullable(length(1, 8192)),
  metadata: nullable(Schema.JsonObject)
}

/** Jobs with what is said of all of them, as one document. */
export const BatchChoice = Schema.Struct({
  ...terms,
  on_complete: nullable(Job),
  on_any_failure: nullable(Job),
  jobs: Schema.Array(Job)
}).annotate({ identifier: "BatchChoice" })

/** What is said of all, as it is read: the jobs are for the way in, which tells what is wrong with them. */
export const ReadBatch = Schema.Struct({
  ...terms,
  on_complete: nullable(Schema.Json),
  on_any_failure: nullable(Schema.Json)
})

/** What may be said beside the lines. */
export const BatchQuery = {
  batch_id: optional(length(1, 100)),
  together: optional(Schema.Literals(["true", "false"])),
  /** More lines are to come: the batch stays open. */
  open: optional(Schema.Literals(["true", "false"])),
  /** The number of the first line. */
  first: optional(between(1, Number.MAX_SAFE_INTEGER))
}

/** A line that became no job. */
export const BatchLine = Schema.Struct({
  line: Count,
  code: Schema.String,
  field: optional(Schema.String),
  error: optional(Schema.String),
  job_id: optional(Schema.String)
}).annotate({ identifier: "BatchLine" })

const shown = {
  batch_id: Schema.String,
  status: word(batchStates),
  cancelled: Schema.Boolean,
  together: Schema.Boolean,
  /** Every line up to here was taken or refused. */
  lines: Count,
  accepted: Count,
  duplicates: Count,
  refused: Count,
  metadata: Schema.JsonObject,
  rerun_of: Schema.NullOr(Schema.String),
  on_complete_job: Schema.NullOr(Schema.String),
  on_any_failure_job: Schema.NullOr(Schema.String),
  created_at: Moment,
  closed_at: Schema.NullOr(Moment),
  ended_at: Schema.NullOr(Moment)
}

/** A batch among others. */
export const BatchSummary = Schema.Struct(shown).annotate({ identifier: "BatchSummary" })

/** A batch, and where its jobs are. */
export const Batch = Schema.Struct({
  ...shown,
  /** By their states; what is no longer kept is counted among what it ended as. */
  jobs: Schema.Record(Schema.String, Count),
  /** The first hundred of each. */
  refused_lines: Schema.Array(BatchLine),
  duplicate_lines: Schema.Array(BatchLine)
}).annotate({ identifier: "Batch" })

/** Some batches of a customer, the newest first. */
export const BatchPage = Schema.Struct({
  batches: Schema.Array(BatchSummary),
  cursor: Schema.NullOr(Schema.String)
}).annotate({ identifier: "BatchPage" })

/** Lines that became no job, in their order. */
export const BatchLines = Schema.Struct({
  lines: Schema.Array(BatchLine),
  /** Behind which the next ones are; `null` after the last. */
  behind: Schema.NullOr(Count)
}).annotate({ identifier: "BatchLines" })

/** Shows a batch among others. */
export const summary = (batch: StoredBatch): typeof BatchSummary.Encoded => ({
  batch_id: batch.id,
  status: batch.state,
  cancelled: batch.cancelledAt !== undefined,
  together: batch.together,
  // what runs jobs again goes by their places, and has no lines of its own
  lines: batch.rerunOf === undefined ? batch.through : batch.accepted,
  accepted: batch.accepted,
  duplicates: batch.duplicates,
  refused: batch.refused,
  metadata: batch.metadata,
  rerun_of: batch.rerunOf ?? null,
  on_complete_job: batch.completeJob ?? null,
  on_any_failure_job: batch.failureJob ?? null,
  created_at: batch.createdAt,
  closed_at: batch.closedAt ?? null,
  ended_at: batch.endedAt ?? null
})

/** What is known of a batch beside itself. */
export interface Known {
  readonly counts: BatchCounts
  readonly refused: ReadonlyArray<LineNote>
  readonly duplicates: ReadonlyArray<LineNote>
}

/** Shows a batch whole. */
export const view = (batch: StoredBatch, { counts, duplicates, refused }: Known): typeof Batch.Encoded => ({
  ...summary(batch),
  jobs: { ...counts },
  refused_lines: refused.map(line),
  duplicate_lines: duplicates.map(line)
})

/** Shows a line. */
export const line = (note: LineNote): typeof BatchLine.Encoded =>
  note._tag === "Duplicate"
    ? { line: note.line, code: "duplicate", job_id: note.jobId }
    : {
        line: note.line,
        code: note.code,
        ...(note.field === undefined ? {} : { field: note.field }),
        error: note.problem
      }
