/** What an agent can do with many jobs at once. */
import * as Tool from "effect/ai/Tool"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { states } from "../../engine/JobState.ts"
import type { Call, CallFailed } from "./Call.ts"
import { described, given, jobFields, jobOf, optional, reading, tool } from "./Define.ts"

const batchFields = {
  ...jobFields,
  idempotent_key: optional(Schema.NonEmptyString, "Two jobs with the same key are one job")
}

export const EnqueueBatch = tool(
  "enqueue_batch",
  "Hands several HTTP calls over as one batch, which is looked at and waited for as a whole. A call that is refused is told " +
    "by its line, counted from 1, and spoils no other. Sent again under its batch_id, it takes the missing calls only.",
  {
    batch_id: optional(Schema.NonEmptyString, "Names the batch: letters, digits, dots, hyphens and underscores"),
    together: optional(Schema.Boolean, "All of the calls, or none"),
    jobs: described(
      Schema.Array(Schema.Struct(batchFields)).check(Schema.isMinLength(1), Schema.isMaxLength(500)),
      "The calls"
    )
  }
).annotate(Tool.Destructive, false)

export const GetBatch = reading("get_batch", "Shows a batch: where its jobs are, and which lines were refused.", {
  batch_id: described(Schema.NonEmptyString, "Id of a batch, as enqueue_batch answered it")
})

export const BulkJobs = tool(
  "bulk_jobs",
  "Cancels, runs again or deletes all jobs that a filter finds. Call it with dry_run first: it says how many there are, and " +
    "shows a few. Go on with the cursor that it answers, if it does.",
  {
    action: described(
      Schema.Literals(["cancel", "rerun", "delete"]),
      "What is done; only ended jobs are run again or deleted"
    ),
    dry_run: described(Schema.Boolean, "true: only says how many there are"),
    q: optional(
      Schema.String,
      "The beginning of an id, a host with or without a path, name=value of metadata, or text"
    ),
    status: optional(Schema.Array(Schema.Literals(states)), "Only jobs in one of these states"),
    lane: optional(Schema.NonEmptyString, "Only jobs of this host, written host:port"),
    batch: optional(Schema.NonEmptyString, "Only jobs of this batch"),
    cursor: optional(Schema.NonEmptyString, "Where to go on, as the answer before said")
  }
)

/** What the tools do, over calls to one dam. */
export const handlers = (asked: (...asking: Parameters<Call>) => Effect.Effect<Schema.JsonObject, CallFailed>) => ({
  enqueue_batch: ({ jobs, ...batch }: Tool.Parameters<typeof EnqueueBatch>) =>
    asked("POST", "/api/v1/batches", given({ ...batch, jobs: jobs.map(jobOf) })),
  get_batch: ({ batch_id: id }: Tool.Parameters<typeof GetBatch>) =>
    asked("GET", `/api/v1/batches/${encodeURIComponent(id)}`),
  bulk_jobs: ({ action, cursor = null, dry_run: dryRun, ...filter }: Tool.Parameters<typeof BulkJobs>) =>
    asked("POST", "/api/v1/jobs/bulk", { action, dry_run: dryRun, cursor, filter: given(filter) })
})
