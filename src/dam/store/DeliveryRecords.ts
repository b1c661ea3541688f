import type { DeliveryState } from "../../engine/JobState.ts"
import type { StoredDelivery } from "../job/Delivery.ts"

/**
 * What dead letters are selected by; what is left out does not restrict.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeadLetterFilter {
  readonly customer: string
  readonly deliveryId?: string | undefined
  readonly jobId?: string | undefined
  /** A host with its port, or without for all its ports. */
  readonly host?: string | undefined
  /** Given up at this moment or later, in epoch milliseconds. */
  readonly since?: number | undefined
  /** Given up at this moment or earlier. */
  readonly until?: number | undefined
}

/**
 * When an endpoint is disabled, and how often it is probed then.
 *
 * @category models
 * @since 0.1.0
 */
export interface EndpointRule {
  /** Failed attempts in a row, at least. */
  readonly failures: number
  /** Milliseconds since the first of them, at least. */
  readonly failingMillis: number
  /** Milliseconds between two probes of a disabled endpoint. */
  readonly probeMillis: number
}

/**
 * What an attempt to deliver changed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settlement {
  /** The job's delivery state now. */
  readonly deliveryState: DeliveryState
  /** What became of the endpoint, where that changed. */
  readonly endpoint: "enabled" | "disabled" | undefined
}

/**
 * A delivery that is due, and what is known of where it goes.
 *
 * @category models
 * @since 0.1.0
 */
export interface DueDelivery extends StoredDelivery {
  /** There where the endpoint is disabled. */
  readonly disabled: { readonly reason: "gone" | "failing"; readonly probeAt: number } | undefined
}
