import type { Webhook } from "../../step/StepModel.ts"

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
  /** The exact body; every repetition and replay sends these bytes, or what `terms` make of them. */
  readonly body: Uint8Array
  /** What its webhook says of it beside the usual; left out: nothing. */
  readonly terms?: DeliveryTerms | undefined
}

/**
 * What a webhook says of its deliveries beside the usual.
 *
 * @category models
 * @since 0.1.0
 */
export type DeliveryTerms = Pick<Webhook, "body" | "headers" | "secret">

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
 * `too_large`: the receiver answered 413 twice; the same bytes would be refused again.
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
export const deadReasons = ["attempts_exhausted", "receiver_gone", "endpoint_disabled", "too_large"] as const

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
  /** Why it went without the signature of L8 that is preferred; not there where none was wanted or it had one. */
  readonly unsigned?: string | undefined
}
