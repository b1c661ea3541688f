/**
 * What happened so far: every attempt of one execution, in the order they ended.
 *
 * The interpreter decides from it and can start from it, so a host that stores each attempt before the next decision
 * can go on after a crash.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { FailureFromJson } from "./FailureJson.ts"
import type * as Model from "./HistoryModel.ts"
import { ResponseJson } from "./Reply.ts"

export { format } from "./HistoryModel.ts"
export type { EndedAttempt } from "./HistoryModel.ts"

/**
 * How an attempt ended: `Answered`, `Failed` (no answer), or `Interrupted` (it lost a race or ran into a deadline).
 *
 * @category models
 * @since 0.1.0
 */
export const Ending = Schema.Union([
  Schema.TaggedStruct("Answered", {
    status: Schema.Number,
    /** How long the answer asks to wait, in milliseconds after it arrived. */
    retryAfter: Schema.UndefinedOr(Schema.Number),
    /** What the answer says where its status does not: that there were too many calls, or that a quota is used up. */
    says: Schema.optionalKey(Schema.Literals(["too_many", "used_up"]))
  }),
  Schema.TaggedStruct("Failed", { failure: FailureFromJson }),
  Schema.TaggedStruct("Interrupted", {})
])

/**
 * How an attempt ended.
 *
 * @category models
 * @since 0.1.0
 */
export type Ending = Model.Ending

/**
 * One attempt.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Attempt = Schema.Struct({
  /** 0 is the step itself, n the n-th fallback of its line. */
  path: Schema.Number,
  /** Which of the path's starts it belongs to; 0 unless regions are raced or fanned out. */
  racer: Schema.Number,
  /**
   * Why it was made: first of its racer, again in the same region, in another one, handed to a service, or again without
   * spending a retry because the host asked everybody to wait.
   */
  kind: Schema.Literals(["start", "retry", "reroute", "forward", "repeat", "hedge"]),
  region: Schema.UndefinedOr(Schema.String),
  /** Epoch milliseconds when it was sent. */
  at: Schema.Number,
  /** Milliseconds waited before it. */
  pause: Schema.Number,
  /** Milliseconds from sending to its end. */
  latency: Schema.Number,
  ending: Ending,
  /** The answer itself; kept for the last attempt of each racer only. */
  response: Schema.UndefinedOr(ResponseJson)
})

/**
 * One attempt.
 *
 * @category models
 * @since 0.1.0
 */
export type Attempt = Model.Attempt

/**
 * The attempts of one execution, oldest ending first.
 *
 * @category schemas
 * @since 0.1.0
 */
export const History = Schema.Array(Attempt)

/**
 * The attempts of one execution, oldest ending first.
 *
 * @category models
 * @since 0.1.0
 */
export type History = Model.History
