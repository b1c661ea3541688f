/**
 * Orders, as they are shown: lines of jobs of which one runs at a time.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"
import type { OrderLine } from "../store/OrderRecords.ts"
import { Count, Moment } from "./Parts.ts"

/** The key of an order in a path. */
export const key = { key: Fields.OrderKey }

/** The line of a key. */
export const Order = Schema.Struct({
  key: Schema.String,
  /** Unfinished jobs. */
  jobs: Count,
  /** The job in front, which all others wait for. */
  first: Schema.NullOr(Schema.String),
  /** The job whose failure has stopped it. */
  stopped_by: Schema.NullOr(Schema.String),
  stopped_at: Schema.NullOr(Moment)
}).annotate({ identifier: "Order" })

/** Those that a failure has stopped. */
export const OrderList = Schema.Struct({ orders: Schema.Array(Order) }).annotate({ identifier: "OrderList" })

/** Shows a line. */
export const view = ({ first, jobs, key: name, stopped }: OrderLine): typeof Order.Encoded => ({
  key: name,
  jobs,
  first: first ?? null,
  stopped_by: stopped?.jobId ?? null,
  stopped_at: stopped?.at ?? null
})
