/**
 * Jobs as the dam shows them, in both dialects. Plain JSON; nothing of a request's headers or body is shown.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Schema from "effect/Schema"
import { states, deliveryStates, toFlat } from "../../engine/JobState.ts"
import { excerpt } from "../../step/Failure.ts"
import type * as History from "../../step/History.ts"
import * as Reply from "../../step/Reply.ts"
import type { Request } from "../../step/Request.ts"
import { isSecretName } from "../../step/SecretName.ts"
import { type JobResult, type NewJob, type StoredJob } from "../job/Job.ts"
import {
  type DeliveryAttempt,
  type Endpoint,
  deadReasons,
  type DeadLetter,
  type StoredDelivery
} from "../job/Delivery.ts"
import { between, nullable, optional } from "./Parts.ts"
import { deliveryAttempts } from "./DeliveryShapes.ts"
import * as Fields from "../../step/Fields.ts"

type Json = Readonly<Record<string, Schema.Json>>

/**
 * The answer to a job that was filed.
 *
 * @category encoding
 * @since 0.1.0
 */
export const accepted = (job: NewJob): Json => ({
  job_id: job.id,
  status: job.step.executionMode === "race" && job.step.regions.length > 1 ? "racing" : "queued",
  idempotent_key: job.key,
  queued_at: job.createdAt,
  ...(job.rerunOf === undefined ? {} : { rerun_of: job.rerunOf })
})

/**
 * The answer to a job that was known already: how it stands, and its result when it has one.
 *
 * @category encoding
 * @since 0.1.0
 */
export const duplicate = (job: StoredJob): Json => ({
  job_id: job.id,
  status: job.state,
  idempotent_key: job.key,
  queued_at: job.createdAt,
  duplicate: true,
  ...resultOf(job.result)
})

/**
 * A job in a list.
 *
 * @category encoding
 * @since 0.1.0
 */
export const summary = (job: StoredJob): Json => ({
  job_id: job.id,
  status: job.state,
  delivery_status: job.deliveryState,
  idempotent_key: job.key,
  method: job.step.request.method,
  url: job.step.request.url,
  lane: job.lane,
  created_at: job.createdAt,
  started_at: job.startedAt ?? null,
  finished_at: job.finishedAt ?? null,
  due_at: job.dueAt ?? null,
  attempts_made: job.history.length,
  response_status: job.result?.response?.status ?? null,
  metadata: job.step.metadata,
  parent: job.parent === undefined ? null : { job_id: job.parent.id, relation: RELATIONS[job.parent.relation] },
  rerun_of: job.rerunOf ?? null
})

/**
 * A job with its attempts, its answer and its deliveries.
 *
 * @category encoding
 * @since 0.1.0
 */
export const whole = (job: StoredJob, deliveries: ReadonlyArray<StoredDelivery>): Json => ({
  ...summary(job),
  request: request(job.step.request),
  region: job.result?.region ?? null,
  ...resultOf(job.result),
  attempts: job.history.map(attempt),
  deliveries: deliveries.map(delivery)
})

/**
 * A dead letter with its attempts.
 *
 * @category encoding
 * @since 0.1.0
 */
export const deadLetter = (self: DeadLetter): Json => ({
  delivery_id: self.id,
  job_id: self.jobId,
  url: self.url,
  reason: self.dead?.reason ?? "attempts_exhausted",
  dead_at: self.dead?.at ?? self.dueAt,
  attempts: self.attempts.map(deliveryAttempt)
})

/**
 * An endpoint that fails or is disabled.
 *
 * @category encoding
 * @since 0.1.0
 */
export const endpoint = ({ failures, probeAt, reason, since, status, url }: Endpoint): Json => ({
  url,
  status,
  reason: reason ?? null,
  since,
  failures,
  probe_at: probeAt ?? null
})

/**
 * A job in the flat dialect.
 *
 * @category encoding
 * @since 0.1.0
 */
export const flat = (job: StoredJob): Json => ({
  job_id: job.id,
  status: flatStatus(job),
  url: job.step.request.url,
  method: job.step.request.method,
  created_at: job.createdAt
})

/**
 * The flat dialect's answer to a job that was known already.
 *
 * @category encoding
 * @since 0.1.0
 */
export const flatDuplicate = (job: StoredJob): Json => ({
  job_id: job.id,
  status: flatStatus(job),
  queued_at: job.createdAt,
  duplicate: true,
  ...flatAnswer(job.result)
})

/**
 * How a job ended, as the flat dialect's last event tells it.
 *
 * @category encoding
 * @since 0.1.0
 */
export const flatEnd = (job: StoredJob): { readonly event: "completed" | "failed"; readonly data: Json } =>
  flatStatus(job) === "completed"
    ? { event: "completed", data: { job_id: job.id, ...flatAnswer(job.result) } }
    : { event: "failed", data: { job_id: job.id, reason: reasonOf(job), ...flatAnswer(job.result) } }

/**
 * The state's name in the flat dialect.
 *
 * @category accessors
 * @since 0.1.0
 */
export const flatStatus = ({ result, state }: StoredJob) => toFlat(state, finalStatus(result))

/** The status of the answer that decided. An answer cut short, or one that was waited on, decides nothing. */
const finalStatus = (result: JobResult | undefined): number | undefined =>
  result?.error === undefined || result.error.tag === "Rejected" ? result?.response?.status : undefined

const reasonOf = ({ result, state }: StoredJob): string =>
  state === "cancelled" ? "cancelled" : (result?.error?.message ?? "no answer from the target")

const flatAnswer = (result: JobResult | undefined): Json =>
  result?.response === undefined ? {} : { response_status: result.response.status, ...bodyOf(result.response) }

/** What is called, without its secrets; a long body is cut. */
const request = ({ body, headers, method, url }: Request): Json => {
  const shown = {
    method,
    url,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, isSecretName(name) ? "<redacted>" : value])
    )
  }
  if (body === undefined) return shown
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body
  return { ...shown, body: new TextDecoder().decode(bytes.subarray(0, bodyShown)), body_bytes: bytes.length }
}

/** How much of a request's body is shown, in bytes. */
const bodyShown = 16_384

const resultOf = (result: JobResult | undefined): Json => {
  if (result === undefined) return {}
  const { error, response, responses } = result
  return {
    response: response === undefined ? null : answer(response),
    ...(responses.length === 0
      ? {}
      : { responses: responses.map((of) => ({ region: of.region ?? null, ...answer(of.response) })) }),
    error: error?.message ?? null,
    ...(error === undefined ? {} : { error_tag: error.tag })
  }
}

const answer = (response: Reply.Response): Json => ({
  status_code: response.status,
  headers: response.headers,
  ...bodyOf(response)
})

const bodyOf = (response: Reply.Response): Json =>
  Reply.isText(response) ? { body: Reply.text(response) } : { body: "", body_base64: Base64.encode(response.body) }

const attempt = ({ at, ending, kind, latency, path, pause, racer, region }: History.Attempt): Json => ({
  path,
  racer,
  kind,
  region: region ?? null,
  at,
  pause_ms: pause,
  latency_ms: latency,
  ending: ENDINGS[ending._tag],
  status: ending._tag === "Answered" ? ending.status : null,
  ...(ending._tag === "Failed" ? { error: excerpt(ending.failure.message), error_tag: ending.failure._tag } : {})
})

const delivery = (self: StoredDelivery): Json => ({
  delivery_id: self.id,
  url: self.url,
  status: self.state,
  due_at: self.state === "pending" ? self.dueAt : null,
  has_quorum_vote: self.hasQuorumVote,
  reason: self.dead?.reason ?? null,
  attempts: self.attempts.map(deliveryAttempt)
})

const deliveryAttempt = ({ at, error, excerpt: said, latency, status }: DeliveryAttempt): Json => ({
  at,
  latency_ms: latency,
  status: status ?? null,
  error: error ?? null,
  excerpt: said ?? null
})

const RELATIONS = { onSuccess: "on_success", onFailure: "on_failure" } as const
const ENDINGS = { Answered: "answered", Failed: "failed", Interrupted: "interrupted" } as const
export const Answer = Schema.Struct({
  status_code: Schema.Int,
  headers: Schema.Record(Schema.String, Schema.String),
  body: Schema.String,
  body_base64: optional(Schema.String)
}).annotate({ identifier: "Answer" })
const resultFields = {
  response: nullable(Answer),
  responses: optional(Schema.Array(Schema.Struct({ region: Schema.NullOr(Schema.String), ...Answer.fields }))),
  error: nullable(Schema.String),
  error_tag: optional(Schema.String)
}
const receiptFields = {
  job_id: Schema.String,
  status: Schema.String,
  idempotent_key: Schema.String,
  /** When it was taken, as epoch milliseconds; of a duplicate, when the first one was. */
  queued_at: Schema.Number
}
export const Accepted = Schema.Struct({ ...receiptFields, rerun_of: optional(Schema.String) }).annotate({
  identifier: "Accepted"
})
export const Duplicate = Schema.Struct({ ...receiptFields, duplicate: Schema.Literal(true), ...resultFields }).annotate(
  {
    identifier: "Duplicate"
  }
)
const summaryFields = {
  job_id: Schema.String,
  status: Schema.Literals(states),
  delivery_status: Schema.Literals(deliveryStates),
  idempotent_key: Schema.String,
  method: Schema.String,
  url: Schema.String,
  lane: Schema.String,
  created_at: Schema.Number,
  started_at: Schema.NullOr(Schema.Number),
  finished_at: Schema.NullOr(Schema.Number),
  due_at: Schema.NullOr(Schema.Number),
  attempts_made: Schema.Int,
  response_status: Schema.NullOr(Schema.Int),
  metadata: Schema.JsonObject,
  parent: Schema.NullOr(Schema.Struct({ job_id: Schema.String, relation: Schema.String })),
  rerun_of: Schema.NullOr(Schema.String)
}
export const Attempt = Schema.Struct({
  path: Schema.Int,
  racer: Schema.Int,
  kind: Schema.String,
  region: Schema.NullOr(Schema.String),
  at: Schema.Number,
  pause_ms: Schema.Number,
  latency_ms: Schema.Number,
  ending: Schema.Literals(["answered", "failed", "interrupted"]),
  status: Schema.NullOr(Schema.Int),
  error: optional(Schema.String),
  error_tag: optional(Schema.String)
}).annotate({ identifier: "Attempt" })
const Delivery = Schema.Struct({
  delivery_id: Schema.String,
  url: Schema.String,
  status: Schema.Literals(["pending", "delivered", "dead"]),
  due_at: Schema.NullOr(Schema.Number),
  has_quorum_vote: Schema.Boolean,
  reason: Schema.NullOr(Schema.Literals(deadReasons)),
  attempts: deliveryAttempts
}).annotate({ identifier: "Delivery" })
export const JobSummary = Schema.Struct(summaryFields).annotate({ identifier: "JobSummary" })
export const JobView = Schema.Struct({
  ...summaryFields,
  /** Secrets are replaced, and a body is cut at 16 KiB; `body_bytes` is its whole length. */
  request: Schema.Struct({
    method: Schema.String,
    url: Schema.String,
    headers: Schema.Record(Schema.String, Schema.String),
    body: optional(Schema.String),
    body_bytes: optional(Schema.Int)
  }),
  region: Schema.NullOr(Schema.String),
  ...resultFields,
  attempts: Schema.Array(Attempt),
  deliveries: Schema.Array(Delivery)
}).annotate({ identifier: "JobView" })

/**
 * What a list of jobs is filtered by; what repeats is any of.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ListQuery = {
  status: optional(Schema.Array(Schema.Literals(states))),
  delivery_status: optional(Schema.Array(Schema.Literals(deliveryStates))),
  /** Canonical `host:port`. */
  lane: optional(Schema.String),
  account: optional(Schema.String),
  created_from: optional(Fields.EpochMillis),
  created_to: optional(Fields.EpochMillis),
  /** `name:value` of a top-level field of the metadata; all given ones must match. */
  metadata: optional(Schema.Array(Schema.String.check(Schema.isPattern(/^[^:]+:/)))),
  cursor: optional(Schema.String.check(Schema.isPattern(/^[0-9A-Za-z_-]{1,64}$/))),
  limit: optional(between(1, 200))
}
