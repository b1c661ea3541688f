/**
 * Jobs as the dam shows them, in both dialects. Plain JSON; nothing of a request's headers or body is shown.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import type * as Schema from "effect/Schema"
import { toFlat } from "../../engine/JobState.ts"
import { excerpt } from "../../step/Failure.ts"
import type { Attempt } from "../../step/History.ts"
import * as Reply from "../../step/Reply.ts"
import type { Request } from "../../step/Request.ts"
import { isSecretName } from "../../step/SecretName.ts"
import type { DeadLetter, DeliveryAttempt, Endpoint, JobResult, NewJob, StoredDelivery, StoredJob } from "../job/Job.ts"

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

const attempt = ({ at, ending, kind, latency, path, pause, racer, region }: Attempt): Json => ({
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
