/** Lines of jobs that stand in an order: what stands in them, and letting one go on that a failure has stopped. */
import * as Effect from "effect/Effect"
import type { OrderLine, OrderPort } from "../store/OrderRecords.ts"
import type { StoreError } from "../store/StoreError.ts"

/** What may be done with orders. */
export interface Orders {
  /** The line of a key; `undefined` where nobody stands in it and it is not stopped. */
  readonly get: (customer: string, key: string) => Effect.Effect<OrderLine | undefined, StoreError>
  /** Keys that a failure has stopped, in their order. */
  readonly stopped: (customer: string, limit: number) => Effect.Effect<ReadonlyArray<OrderLine>, StoreError>
  /** Lets a key go on; `false` where it was not stopped. */
  readonly resume: (customer: string, key: string) => Effect.Effect<boolean, StoreError>
}

/** Makes them; `lookAround` says that a job may be due. */
export const make = (store: OrderPort, lookAround: () => void): Orders => ({
  get: store.order,
  stopped: store.stoppedOrders,
  resume: (customer, key) =>
    Effect.uninterruptible(Effect.tap(store.resumeOrder(customer, key), () => Effect.sync(lookAround)))
})
