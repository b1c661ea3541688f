/**
 * What the promises of the facade resolve with: the shapes and key names of the official SDK.
 *
 * @since 0.1.0
 */
import * as Base64 from "../step/Base64Text.ts"
import type { Accepted, Outcome } from "../step/Outcome.ts"
import type { Response } from "../step/ReplyModel.ts"
import * as Reply from "../step/ReplyModel.ts"
import type { Batch, Explanation, Failures, Job, JobResult, WebhookSecrets } from "../run/Service.ts"
import type { Json } from "effect/Schema"

/**
 * EZThrottle took a job over: its answer, unchanged.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobAnswer {
  readonly job_id: string
  /** `queued`, `racing`, `duplicate`, or the state of the first job under the same key. */
  readonly status: string
  readonly idempotent_key?: string
  readonly duplicate?: boolean
  // never there; by `undefined` TypeScript would not tell the kinds apart where it is not strict, as in a new Next project
  readonly executed_locally?: false
  readonly [key: string]: unknown
}

/**
 * A job as the service shows it: `status`, `attempts`, `response` and more where it has them.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobView {
  readonly job_id: string
  /** `scheduled`, `queued`, `running`, `parked`, `succeeded`, `failed` or `cancelled`. */
  readonly status: string
  readonly [key: string]: Json
}

/**
 * A batch, as the dam's API spells it.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchView {
  readonly batch_id: string
  /** `open`, `showing`, `running` or `ended`. */
  readonly status: string
  readonly [key: string]: Json
}

/**
 * Why a job waits, as the dam's API spells it.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobExplanation {
  readonly job_id: string
  readonly status: string
  readonly reasons: ReadonlyArray<{
    readonly kind: Explanation["reasons"][number]["kind"]
    /** For people. */
    readonly message: string
    /** Until when it holds, epoch milliseconds. */
    readonly until: number | null
    readonly [detail: string]: Json
  }>
  /** When its next call may begin, epoch milliseconds. */
  readonly estimated_start: number | null
  readonly confidence: Explanation["confidence"]
}

/**
 * Failed jobs by host, status and reason, and how much was looked at to find them.
 *
 * @category models
 * @since 0.1.0
 */
export interface FailureList {
  readonly failures: ReadonlyArray<{
    /** The host that was called, as `host:port`. */
    readonly lane: string
    /** Of the last answer; `null` where there was none. */
    readonly response_status: number | null
    /** The tag of the error, such as `Rejected` or `ConnectionFailed`. */
    readonly error_tag: string | null
    /** What kind of such an error it was, where there are several, such as `refused`. */
    readonly error_kind?: string
    /** The error of the newest of them, in words. */
    readonly error: string | null
    readonly jobs: number
    /** When the first of them failed, epoch milliseconds. */
    readonly first_seen: number
    /** When the last of them failed, epoch milliseconds. */
    readonly last_seen: number
    readonly newest_job_id: string
  }>
  /** How many groups there are, those beyond the limit included. */
  readonly groups: number
  /** How many failed jobs were looked at, whether these are all, and whatever failed after when is among them. */
  readonly seen: { readonly jobs: number; readonly is_exact: boolean; readonly since: number | null }
}

/**
 * The step was executed here and the target answered 2xx.
 *
 * @category models
 * @since 0.1.0
 */
export interface LocalSuccess {
  readonly status: "success"
  readonly executed_locally: true
  readonly status_code: number
  /** The body as text; bytes that are not UTF-8 become U+FFFD. */
  readonly response: string
  /** The body's bytes, only there when they are not UTF-8. */
  readonly body_base64?: string
  readonly error?: undefined
  readonly job_id?: undefined
}

/**
 * The step was executed here, and the target answered with a status that is not forwarded.
 *
 * @category models
 * @since 0.1.0
 */
export interface LocalFailure {
  readonly status: "failed"
  readonly executed_locally: true
  readonly status_code: number
  readonly error: string
  readonly response?: undefined
  readonly body_base64?: undefined
  readonly job_id?: undefined
}

/**
 * How a step ended. `executed_locally` tells the two kinds apart; a job has a `job_id`.
 *
 * @category models
 * @since 0.1.0
 */
export type StepResult = LocalSuccess | LocalFailure | JobAnswer

/**
 * The final result of a job, in the shape of its webhook. A failed job is a result too.
 *
 * @category models
 * @since 0.1.0
 */
export interface QueueResult {
  readonly job_id: string
  readonly idempotent_key: string | undefined
  readonly status: "success" | "failed"
  /** `status_code` 0 when the target never answered; then `error` says why, if the service does. */
  readonly response: {
    readonly status_code: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    /** The body's bytes, only there when they are not UTF-8; `body` is empty then. */
    readonly body_base64?: string
  }
  readonly metadata: { readonly [key: string]: Json }
  readonly error?: string
}

/**
 * The answer to setting, rotating or deleting webhook secrets.
 *
 * @category models
 * @since 0.1.0
 */
export interface SecretAnswer {
  readonly status: string
  readonly message: string
}

/**
 * The webhook secrets in place, masked.
 *
 * @category models
 * @since 0.1.0
 */
export interface SecretsView {
  readonly customer_id: string
  readonly primary_secret: string
  readonly secondary_secret: string | null
  readonly has_secondary: boolean
}

export const stepResult = (outcome: Outcome): StepResult =>
  outcome._tag === "Accepted" ? jobAnswer(outcome) : localSuccess(outcome.response)

export const localFailure = (status: number): LocalFailure => ({
  status: "failed",
  executed_locally: true,
  status_code: status,
  error: `Request failed: ${status}`
})

// the first two are in the answer already; naming them types it
export const jobAnswer = ({ jobId, receipt, status }: Accepted): JobAnswer => ({
  job_id: jobId,
  status,
  ...receipt.answer
})

export const jobView = ({ answer, jobId, status }: Job): JobView => ({ ...answer, job_id: jobId, status })

export const batchView = ({ answer, batchId, status }: Batch): BatchView => ({ ...answer, batch_id: batchId, status })

export const queueResult = (
  { error, idempotentKey, jobId, metadata, response, status }: JobResult,
  key: string | undefined
): QueueResult => ({
  job_id: jobId,
  idempotent_key: idempotentKey ?? key,
  status,
  response:
    response === undefined
      ? { status_code: 0, headers: {}, body: "" }
      : { status_code: response.status, headers: response.headers, ...body(response) },
  metadata,
  ...(error === undefined ? {} : { error })
})

export const secretsView = (secrets: WebhookSecrets): SecretsView => ({
  customer_id: secrets.customerId,
  primary_secret: secrets.primarySecret,
  secondary_secret: secrets.secondarySecret ?? null,
  has_secondary: secrets.hasSecondary
})

const localSuccess = (response: Response): LocalSuccess => {
  const text = Reply.text(response)
  return {
    status: "success",
    executed_locally: true,
    status_code: response.status,
    response: text,
    ...(isWhole(text, response) ? {} : { body_base64: Base64.encode(response.body) })
  }
}

const body = (response: Response) => {
  const text = Reply.text(response)
  return isWhole(text, response) ? { body: text } : { body: "", body_base64: Base64.encode(response.body) }
}

// without a replacement character nothing was replaced, and the bytes need not be compared
const isWhole = (text: string, response: Response): boolean => !text.includes("\ufffd") || Reply.isText(response)

/**
 * Gives an explanation its shape.
 *
 * @internal
 */
export const jobExplanation = (self: Explanation): JobExplanation => ({
  job_id: self.jobId,
  status: self.status,
  reasons: self.reasons.map(({ details, kind, message, until }) => ({
    ...details,
    kind,
    message,
    until: until ?? null
  })),
  estimated_start: self.estimatedStart ?? null,
  confidence: self.confidence
})

/**
 * Gives failures their shape.
 *
 * @internal
 */
export const failureList = ({ failures, groups, seen }: Failures): FailureList => ({
  failures: failures.map((group) => ({
    lane: group.lane,
    response_status: group.responseStatus ?? null,
    error_tag: group.errorTag ?? null,
    ...(group.errorKind === undefined ? {} : { error_kind: group.errorKind }),
    error: group.error ?? null,
    jobs: group.jobs,
    first_seen: group.firstSeen,
    last_seen: group.lastSeen,
    newest_job_id: group.newestJobId
  })),
  groups,
  seen: { jobs: seen.jobs, is_exact: seen.isExact, since: seen.since ?? null }
})
