/**
 * What happened so far: every attempt of one execution, in the order they ended.
 */
import type { Failure } from "./FailureModel.ts"
import type { Response } from "./ReplyModel.ts"

/**
 * How an attempt ended: `Answered`, `Failed` (no answer), or `Interrupted` (it lost a race or ran into a deadline).
 *
 * @category models
 * @since 0.1.0
 */
export type Ending =
  | {
      readonly _tag: "Answered"
      readonly status: number
      /** How long the answer asks to wait, in milliseconds after it arrived. */
      readonly retryAfter: number | undefined
      /** What the answer says where its status does not: that there were too many calls, or that a quota is used up. */
      readonly says?: "too_many" | "used_up"
    }
  | { readonly _tag: "Failed"; readonly failure: Failure }
  | { readonly _tag: "Interrupted" }

/**
 * One attempt.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attempt {
  /** 0 is the step itself, n the n-th fallback of its line. */
  readonly path: number
  /** Which of the path's starts it belongs to; 0 unless regions are raced or fanned out, or it is a hedge. */
  readonly racer: number
  /**
   * Why it was made: first of its racer, again in the same region, in another one, handed to a service, again without
   * spending a retry because the host asked everybody to wait, or beside one that is slow.
   */
  readonly kind: "start" | "retry" | "reroute" | "forward" | "repeat" | "hedge"
  readonly region: string | undefined
  /** Epoch milliseconds when it was sent. */
  readonly at: number
  /** Milliseconds waited before it. */
  readonly pause: number
  /** Milliseconds from sending to its end. */
  readonly latency: number
  readonly ending: Ending
  /** The answer itself; kept for the last attempt of each racer only. */
  readonly response: Response | undefined
}

/**
 * An attempt that ran to its end.
 *
 * @category models
 * @since 0.1.0
 */
export type EndedAttempt = Attempt & { readonly ending: Exclude<Ending, { readonly _tag: "Interrupted" }> }

/**
 * The attempts of one execution, oldest ending first.
 *
 * @category models
 * @since 0.1.0
 */
export type History = ReadonlyArray<Attempt>

/**
 * Adds an attempt; the response of an earlier one of the same racer is let go.
 *
 * @internal
 */
export const append = (self: History, attempt: Attempt): History =>
  self.length === 0
    ? [attempt]
    : [
        ...self.map((earlier) =>
          earlier.response !== undefined && earlier.path === attempt.path && earlier.racer === attempt.racer
            ? { ...earlier, response: undefined }
            : earlier
        ),
        attempt
      ]

/**
 * Prints one attempt in a line, for traces and error messages.
 *
 * @category accessors
 * @since 0.1.0
 */
export const format = (self: Attempt): string => {
  const place = self.region === undefined ? "" : ` in ${self.region}`
  const waited = self.pause > 0 ? ` after a pause of ${Math.round(self.pause)} ms` : ""
  const took = `${Math.round(self.latency)} ms`
  switch (self.ending._tag) {
    case "Answered":
      return `${self.kind}${place}${waited}: ${self.ending.status} in ${took}`
    case "Failed":
      return `${self.kind}${place}${waited}: ${self.ending.failure.message}`
    case "Interrupted":
      return `${self.kind}${place}${waited}: interrupted after ${took}`
  }
}
