/** Why a call was not made although it might have been: what is known of its target speaks against it. */
import { TaggedError } from "./TaggedError.ts"

/**
 * The budget for what is sent to the target on top of its calls is empty: no retry, no reroute was made. What the target
 * answered stands in the history.
 *
 * @category errors
 * @since 0.1.0
 */
export class BudgetExhausted extends TaggedError("BudgetExhausted")<{
  /** Scheme, host and port. */
  readonly target: string
  /** What the target answered last; `undefined`: it gave no answer. */
  readonly status: number | undefined
  /** Milliseconds after which there is room again though nobody calls; `undefined`: never. */
  readonly afterMillis: number | undefined
}> {
  override get message() {
    return `not tried again: the retry budget of ${this.target} is empty`
  }
}

/**
 * The breaker of the target is open: no call was made.
 *
 * @category errors
 * @since 0.1.0
 */
export class BreakerOpen extends TaggedError("BreakerOpen")<{
  /** Scheme, host and port. */
  readonly target: string
  /** Why it opened. */
  readonly why: string
  /** Milliseconds after which another call may go; `undefined`: when somebody closes it. */
  readonly afterMillis: number | undefined
}> {
  override get message() {
    return `not called: the breaker of ${this.target} is open (${this.why})`
  }
}
