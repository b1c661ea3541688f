/**
 * Jobs that stand in an order, as the store knows them, and the port to them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { StoreError } from "./StoreError.ts"

/**
 * The line of one key.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderLine {
  readonly key: string
  /** Unfinished jobs. */
  readonly jobs: number
  /** The job in front, which all others wait for; `undefined` where there is none. */
  readonly first: string | undefined
  /** The job whose failure has stopped it, and when that was in epoch milliseconds; `undefined` while it goes on. */
  readonly stopped: { readonly jobId: string; readonly at: number } | undefined
}

/**
 * The lines that jobs stand in. Of the unfinished jobs of a key only the first is ever queued, due, parked or running; the
 * others are `scheduled` without a moment, and get theirs in the transaction that ends the one before them.
 *
 * @category ports
 * @since 0.1.0
 */
export interface OrderPort {
  /** The line of a key; `undefined` where nobody stands in it and it is not stopped. */
  readonly order: (customer: string, key: string) => Effect.Effect<OrderLine | undefined, StoreError>
  /** Keys that a failure has stopped, in their order. */
  readonly stoppedOrders: (customer: string, limit: number) => Effect.Effect<ReadonlyArray<OrderLine>, StoreError>
  /** How many unfinished jobs of its key stand before a job. */
  readonly beforeInOrder: (jobId: string) => Effect.Effect<number, StoreError>
  /** Lets a key go on that was stopped; its first job is due then. `false` where it was not. */
  readonly resumeOrder: (customer: string, key: string) => Effect.Effect<boolean, StoreError>
}
