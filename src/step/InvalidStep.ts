import { TaggedError } from "./TaggedError.ts"

/**
 * Says which field of a step is wrong, what was wrong with it and what to do.
 *
 * **Details** — `field` is the path from the step, for instance `retryPolicy.maxRetries` or `fallbacks[1].step.request.url`.
 * Verbs throw it for their own field; rules across fields are checked once before anything is sent and end the
 * execution with it. The offending value is never part of the message, because it may be a secret.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidStep extends TaggedError("InvalidStep")<{
  readonly field: string
  readonly problem: string
}> {
  override get message() {
    return `${this.field}: ${this.problem}`
  }
}
