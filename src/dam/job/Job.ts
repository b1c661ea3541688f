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
  /** The key it is filed under: as given, or the hash of the call. */
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
  /** Epoch milliseconds since when it, and those that it has replaced, are put off. Defaults to `createdAt`. */
  readonly debouncedSince?: number
  /** What identical calls have in common (`JobKey.coalesceOf`), where headers of the step are sealed by now. */
  readonly sharedBy?: string
  /** W3C trace context of the submission. */
  readonly traceparent: string | undefined
  /** The batch it was handed in with, and which line of it it is; not there for one that came by itself. */
  readonly batch?: BatchPlace | undefined
}

/**
 * A job's place in a batch.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchPlace {
  /** Names the batch among those of all customers. */
  readonly number: number
  /** Names it to its customer. */
  readonly id: string
  /** Counted from 1. */
  readonly line: number
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
  /** Why it failed, in words and as a tag, with the kind where an error has several. */
  readonly error: { readonly tag: string; readonly message: string; readonly kind?: string } | undefined
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
  /**
   * Milliseconds from the end of the last attempt for which the job was parked last, however the clock was set meanwhile;
   * `undefined`: for nothing of its own.
   */
  readonly pausedFor: number | undefined
  /** Epoch milliseconds of its first start. */
  readonly startedAt: number | undefined
  readonly finishedAt: number | undefined
  readonly result: JobResult | undefined
  /** Epoch milliseconds of its own first 429, from which its patience counts. */
  readonly heldSince: number | undefined
  /** How often it was changed while it waited; left out where it never was. */
  readonly revision?: number
  /** Epoch milliseconds when what it has sent and received was erased; not there while it is. */
  readonly erasedAt?: number
  /** Where its row makes no sense; then its step, history and result stand in for what cannot be read. */
  readonly unreadable?: string
}
