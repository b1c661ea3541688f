/**
 * What a promise of the facade rejects with.
 *
 * | reason | error |
 * |---|---|
 * | `ServiceRateLimited` | `RateLimitError("Rate limited: ...")` with `retryAt` |
 * | `AwaitTimedOut` | `TimeoutError("Timeout waiting for job ...")` with `jobId` |
 * | `WeakSecret` | `Error` |
 * | `MissingApiKey` | `EZThrottleError("apiKey is required: ...")`; after a call made here, what became of it first |
 * | every other | `EZThrottleError` with the reason's own message |
 *
 * Where there is a job already, `jobId` names it. `cause` is the typed error behind it, with its reason and the history of every attempt.
 *
 * @since 0.1.0
 */
import { InvalidStep } from "../step/InvalidStep.ts"
import { StepError } from "../step/Outcome.ts"
import type { StepReason } from "../step/Outcome.ts"
import { ServiceError } from "../run/Service.ts"

/**
 * What is known beside the message.
 *
 * @category models
 * @since 0.1.0
 */
export interface ErrorDetails extends ErrorOptions {
  /** The job the error is about, where there is one already. */
  readonly jobId?: string | undefined
}

/**
 * A call failed, or was refused before it was made.
 *
 * @category errors
 * @since 0.1.0
 */
export class EZThrottleError extends Error {
  override readonly name: string = "EZThrottleError"
  /** Epoch milliseconds from which a further try makes sense, when the service said so. */
  readonly retryAt: number | null
  /** The job the error is about, where there is one already. */
  declare readonly jobId?: string

  constructor(message: string, retryAt: number | null = null, { jobId, ...options }: ErrorDetails = {}) {
    super(message, options)
    this.retryAt = retryAt
    if (jobId !== undefined) this.jobId = jobId
  }
}

/**
 * EZThrottle is rate limiting the caller; `retryAt` says until when, if it said so.
 *
 * @category errors
 * @since 0.1.0
 */
export class RateLimitError extends EZThrottleError {
  override readonly name = "RateLimitError"
}

/**
 * The result of a job did not come in time. The job goes on.
 *
 * @category errors
 * @since 0.1.0
 */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError"
  /** The job that was waited for. */
  declare readonly jobId?: string

  constructor(message: string, { jobId, ...options }: ErrorDetails = {}) {
    super(message, options)
    if (jobId !== undefined) this.jobId = jobId
  }
}

/**
 * The signature of a webhook proves nothing.
 *
 * @category errors
 * @since 0.1.0
 */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError"
}

/** Says what is wrong in the words of the method that was called. */
export type Explain = (error: InvalidStep) => string

/** What the callers of the facade get for an error of the library; any other value stays as it is. */
export const toError = (error: unknown, jobId?: string, explain: Explain = ({ message }) => message): unknown => {
  if (error instanceof StepError || error instanceof ServiceError) {
    const { reason } = error
    return fromReason(reason, { cause: error, jobId: "jobId" in reason ? reason.jobId : jobId })
  }
  return error instanceof InvalidStep ? new EZThrottleError(explain(error), null, { cause: error }) : error
}

const fromReason = (reason: StepReason | ServiceError["reason"], details: ErrorDetails): Error => {
  const { message } = reason
  switch (reason._tag) {
    case "ServiceRateLimited":
      return new RateLimitError(message, reason.retryAt, details)
    case "AwaitTimedOut":
      return new TimeoutError(message, details)
    case "WeakSecret":
      return new Error(message, { cause: details.cause })
    case "MissingApiKey":
      return new EZThrottleError(
        reason.after === undefined
          ? `apiKey is required: pass it to the client, or set the environment variable ${reason.variable}; a dam on this machine needs none: new EZThrottle({ dam: "http://127.0.0.1:8080" })`
          : message,
        null,
        details
      )
    default:
      return new EZThrottleError(message, null, details)
  }
}
