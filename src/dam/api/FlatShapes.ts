/**
 * Jobs in the self-hosted dialect: one call, one webhook, flat JSON.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { type FlatStatus, toFlat } from "../../engine/JobState.ts"
import * as Fields from "../../step/Fields.ts"
import type { JobResult, NewJob, StoredJob } from "../job/Job.ts"
import { bodyOf } from "./CallShapes.ts"
import { length, Moment, optional, Status, word } from "./Parts.ts"

/**
 * A job as it is handed in.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FlatJob = Schema.Struct({
  user_id: length(1, 255),
  idempotent_key: Fields.IdempotentKey,
  url: Schema.NonEmptyString,
  method: Schema.NonEmptyString,
  webhook_url: Schema.NonEmptyString,
  headers: optional(Fields.Headers),
  body: optional(Schema.String),
  limits: optional(Fields.Limits)
}).annotate({ identifier: "FlatJob" })

const FLAT_STATES: ReadonlyArray<FlatStatus> = ["queued", "in_flight", "completed", "failed"]

const answerFields = {
  response_status: optional(Status),
  body: optional(Schema.String),
  body_base64: optional(Schema.String)
}

const receiptFields = { job_id: Schema.String, status: word(FLAT_STATES) }

/**
 * The answer to a submission: 201 to a job that was filed, 200 to one that was known already.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FlatReceipt = Schema.Struct({
  ...receiptFields,
  queued_at: Moment,
  duplicate: optional(Schema.Boolean),
  ...answerFields
}).annotate({ identifier: "FlatReceipt" })

/**
 * The answer to a job that was filed.
 *
 * @category encoding
 * @since 0.1.0
 */
export const flatAccepted = (job: NewJob): typeof FlatReceipt.Encoded => ({
  job_id: job.id,
  status: "queued",
  queued_at: job.createdAt
})

/**
 * The answer to a job that was known already.
 *
 * @category encoding
 * @since 0.1.0
 */
export const flatDuplicate = (job: StoredJob): typeof FlatReceipt.Encoded => ({
  job_id: job.id,
  status: flatStatus(job),
  queued_at: job.createdAt,
  duplicate: true,
  ...flatAnswer(job.result)
})

/**
 * A job in this dialect.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FlatView = Schema.Struct({
  ...receiptFields,
  url: Schema.String,
  method: Schema.String,
  created_at: Moment
}).annotate({ identifier: "FlatView" })

/**
 * Shows a job in this dialect.
 *
 * @category encoding
 * @since 0.1.0
 */
export const flat = (job: StoredJob): typeof FlatView.Encoded => ({
  job_id: job.id,
  status: flatStatus(job),
  url: job.step.request.url,
  method: job.step.request.method,
  created_at: job.createdAt
})

const EndOfStream = Schema.Struct({ job_id: Schema.String, reason: optional(Schema.String), ...answerFields })

/**
 * How a job ended, as the last event of its stream tells it.
 *
 * @category encoding
 * @since 0.1.0
 */
export const flatEnd = (
  job: StoredJob
): { readonly event: "completed" | "failed"; readonly data: typeof EndOfStream.Encoded } =>
  flatStatus(job) === "completed"
    ? { event: "completed", data: { job_id: job.id, ...flatAnswer(job.result) } }
    : { event: "failed", data: { job_id: job.id, reason: reasonOf(job), ...flatAnswer(job.result) } }

/** The state's name in this dialect. */
const flatStatus = ({ result, state }: StoredJob): FlatStatus => toFlat(state, finalStatus(result))

/** The status of the answer that decided. An answer cut short, or one that was waited on, decides nothing. */
const finalStatus = (result: JobResult | undefined): number | undefined =>
  result?.error === undefined || result.error.tag === "Rejected" ? result?.response?.status : undefined

const reasonOf = ({ result, state }: StoredJob): string => {
  if (state === "cancelled") return "cancelled"
  // one word, as webhooks tell it
  return result?.error?.tag === "Expired" ? "expired" : (result?.error?.message ?? "no answer from the target")
}

const flatAnswer = (result: JobResult | undefined): Schema.Struct<typeof answerFields>["Encoded"] =>
  result?.response === undefined ? {} : { response_status: result.response.status, ...bodyOf(result.response) }
