/**
 * Orders: lines of jobs of which one runs at a time, and what is done with one that a failure has stopped.
 *
 * @since 0.1.0
 */
import { TaggedError } from "../step/TaggedError.ts"

/**
 * The line of a key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Order {
  readonly key: string
  /** Unfinished jobs. */
  readonly jobs: number
  /** The job in front, which all others wait for; `undefined` where there is none. */
  readonly first: string | undefined
  /** The job whose failure has stopped it, and when that was in epoch milliseconds; `undefined` while it goes on. */
  readonly stopped: { readonly jobId: string; readonly at: number } | undefined
}

/**
 * No unfinished job stands in this order.
 *
 * @category errors
 * @since 0.1.0
 */
export class OrderNotFound extends TaggedError("OrderNotFound")<{ readonly order: string }> {
  override get message() {
    return `no unfinished job stands in the order ${JSON.stringify(this.order)}`
  }
}

/**
 * The order goes on already.
 *
 * @category errors
 * @since 0.1.0
 */
export class OrderNotStopped extends TaggedError("OrderNotStopped")<{ readonly order: string }> {
  override get message() {
    return `the order ${JSON.stringify(this.order)} is not stopped`
  }
}
