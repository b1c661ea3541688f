/**
 * What the dam keeps: jobs, their results, and the deliveries that tell them.
 *
 * @since 0.1.0
 */
import type { DeliveryState, JobState } from "../../engine/JobState.ts"
import type { History } from "../../step/History.ts"
import type { Response } from "../../step/Reply.ts"
import type { Step } from "../../step/StepModel.ts"

/**
 * How a job came in, which decides the body of its webhooks.
 *
 * @category models
 * @since 0.1.0
 */
export type Dialect = "cloud" | "flat"

/**
 * A job to be stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface NewJob {
  readonly id: string
  readonly customer: string
  readonly dialect: Dialect
  /** What the key is unique within: the customer, or customer and `user_id` in the flat dialect. */
  readonly keyScope: string
  /** The key it is filed under: as given, or the hash of method, URL and body. */
  readonly key: string
  /** Whether the key was given; a HASH job tells its target the job id instead. */
  readonly keyGiven: boolean
  /** Hash of method, URL and body: the same given key with another payload is a conflict in the cloud dialect. */
  readonly payload: string
  readonly step: Step
  /** Canonical host and port of the step: the lane that starts it. */
  readonly lane: string
  /** Hash of the account whose turn it takes inside the lane. */
  readonly account: string
  /** Whether the submission asked for a queue of its own (`Account-Queue: enabled`). */
  readonly isolated: boolean
  /** Epoch milliseconds of acceptance. */
  readonly createdAt: number
  /** Epoch milliseconds before which it does not start. */
  readonly notBefore: number | undefined
  /** The job that started this one, and how. */
  readonly parent: { readonly id: string; readonly relation: "onSuccess" | "onFailure" } | undefined
  /** The finished job this one runs again. Such a job stands outside the key index. */
  readonly rerunOf: string | undefined
  /** W3C trace context of the submission. */
  readonly traceparent: string | undefined
}

/**
 * The end of a job.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobResult {
  readonly response: Response | undefined
  /** Answers by region of a fanout. */
  readonly responses: ReadonlyArray<{ readonly region: string | undefined; readonly response: Response }>
  readonly region: string | undefined
  /** Place in the line of the step that answered. */
  readonly path: number
  /** Why it failed, in words and as a tag. */
  readonly error: { readonly tag: string; readonly message: string } | undefined
}

/**
 * A job as stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredJob extends NewJob {
  readonly state: JobState
  readonly deliveryState: DeliveryState
  /** Raised every time the job is started; what an older epoch writes is refused. */
  readonly epoch: number
  readonly history: History
  /** Epoch milliseconds when a parked or scheduled job is due. */
  readonly dueAt: number | undefined
  /** Epoch milliseconds up to which it was parked last, once that is over. */
  readonly pausedUntil: number | undefined
  /** Epoch milliseconds of its first start. */
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  readonly result: JobResult | undefined
  /** Epoch milliseconds of its own first 429, from which its patience counts. */
  readonly heldSince: number | undefined
}

/**
 * One result to be told to one webhook.
 *
 * @category models
 * @since 0.1.0
 */
export interface NewDelivery {
  readonly id: string
  readonly jobId: string
  readonly customer: string
  /** Place among the job's webhooks. */
  readonly index: number
  readonly url: string
  readonly regions: ReadonlyArray<string>
  readonly hasQuorumVote: boolean
  readonly lane: string
  /** The exact body; every repetition and replay sends these bytes. */
  readonly body: Uint8Array
}

/**
 * Where a delivery is.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredDelivery extends NewDelivery {
  readonly state: "pending" | "delivered" | "dead"
  readonly attempts: ReadonlyArray<DeliveryAttempt>
  /** Epoch milliseconds of the next attempt. */
  readonly dueAt: number
  /** Epoch milliseconds from which its schedule counts: the job's end, or its last replay. */
  readonly begunAt: number
  /** How many of the attempts do not count for its schedule: those before its last replay, and probes that failed. */
  readonly spent: number
  /** Why it was given up, and when. */
  readonly dead: { readonly reason: DeadReason; readonly at: number } | undefined
}

/**
 * A dead letter as it is listed: a delivery that was given up, without its body.
 *
 * @category models
 * @since 0.1.0
 */
export type DeadLetter = Omit<StoredDelivery, "body">

/**
 * Why a delivery was given up. `attempts_exhausted`: its schedule ended. `receiver_gone`: the receiver answered 410.
 * `endpoint_disabled`: it waited for an endpoint that had failed for long, until its schedule would have ended.
 *
 * @category models
 * @since 0.1.0
 */
export type DeadReason = (typeof deadReasons)[number]

/**
 * Every {@link DeadReason}.
 *
 * @category constants
 * @since 0.1.0
 */
export const deadReasons = ["attempts_exhausted", "receiver_gone", "endpoint_disabled"] as const

/**
 * A webhook URL of a customer that has failed since it last took a delivery. Others have no record.
 *
 * @category models
 * @since 0.1.0
 */
export interface Endpoint {
  readonly customer: string
  readonly url: string
  readonly lane: string
  readonly status: "enabled" | "disabled"
  /** Why it is disabled: it answered 410 (`gone`), or failed too long (`failing`). */
  readonly reason: "gone" | "failing" | undefined
  /** Epoch milliseconds since when it has this status: of the first failure, or of its disabling. */
  readonly since: number
  /** Failed attempts in a row, over all its deliveries. */
  readonly failures: number
  /** Epoch milliseconds of the next probe while it is disabled for failing. */
  readonly probeAt: number | undefined
}

/**
 * One attempt to deliver.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeliveryAttempt {
  readonly at: number
  readonly latency: number
  readonly status: number | undefined
  readonly error: string | undefined
  readonly excerpt: string | undefined
}
