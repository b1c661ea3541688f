/**
 * How a step ended well (`Completed`, `Accepted`) or badly (`StepError`).
 *
 * @since 0.1.0
 */
import type { Failure } from "./FailureModel.ts"
import type { History } from "./HistoryModel.ts"
import type { InvalidStep } from "./InvalidStep.ts"
import type { Receipt, Response } from "./ReplyModel.ts"
import { target } from "./Request.ts"
import type { Step } from "./StepModel.ts"
import { TaggedError } from "./TaggedError.ts"

/**
 * The answer of one region of a fanout.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegionResponse {
  readonly region: string | undefined
  readonly response: Response
}

/**
 * What became of a chained step. `Started`: a job of its own runs it.
 *
 * @category models
 * @since 0.1.0
 */
export type Chained =
  | { readonly _tag: "Ended"; readonly relation: "onSuccess" | "onFailure"; readonly outcome: Outcome }
  | { readonly _tag: "Failed"; readonly relation: "onSuccess" | "onFailure"; readonly error: StepError }
  | { readonly _tag: "Started"; readonly relation: "onSuccess" | "onFailure"; readonly jobId: string }

/**
 * The step was executed and a target answered 2xx.
 *
 * @category models
 * @since 0.1.0
 */
export interface Completed {
  readonly _tag: "Completed"
  readonly response: Response
  readonly region: string | undefined
  /** The step that answered: the step itself, or the fallback that saved it. */
  readonly answeredBy: Step
  /** Its place in the line: 0 the step itself, n the n-th fallback. */
  readonly path: number
  /** Every answer of a fanout; empty otherwise. */
  readonly responses: ReadonlyArray<RegionResponse>
  readonly history: History
  readonly chained: Chained | undefined
}

/**
 * A service took the step over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Accepted {
  readonly _tag: "Accepted"
  readonly jobId: string
  readonly status: string
  /** The key the job is filed under, as far as it is known here. */
  readonly key: string | undefined
  readonly duplicate: boolean
  readonly receipt: Receipt
  readonly history: History
}

/**
 * How a step ended well.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = Completed | Accepted

/**
 * Tells whether the step was executed and a target answered.
 *
 * @category guards
 * @since 0.1.0
 */
export const isCompleted = (self: Outcome): self is Completed => self._tag === "Completed"

/**
 * Tells whether a service took the step over.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAccepted = (self: Outcome): self is Accepted => self._tag === "Accepted"

/**
 * The last answer was not a 2xx, and no retry, region, fallback or forward was left for it.
 *
 * @category errors
 * @since 0.1.0
 */
export class Rejected extends TaggedError("Rejected")<{
  readonly status: number
  readonly region: string | undefined
  /** Milliseconds the target asked to wait, if it did. */
  readonly retryAfter: number | undefined
  /** Whether it stands for a 429: a 403 that announces a wait, for instance. */
  readonly tooMany?: boolean
  readonly response: Response
}> {
  override get message() {
    return `answered ${this.status}${this.region === undefined ? "" : ` in ${this.region}`}`
  }
}

/**
 * The target refused because a quota is used up, and says that waiting will not help: a plan, a credit, a day's share.
 *
 * @category errors
 * @since 0.1.0
 */
export class QuotaUsedUp extends TaggedError("QuotaUsedUp")<{
  readonly status: number
  readonly region: string | undefined
  readonly response: Response
}> {
  override get message() {
    return `answered ${this.status}${this.region === undefined ? "" : ` in ${this.region}`}: the quota is used up`
  }
}

/**
 * The next fallback's `onTimeout` passed before this path had an answer.
 *
 * @category errors
 * @since 0.1.0
 */
export class PathTimedOut extends TaggedError("PathTimedOut")<{ readonly afterMillis: number }> {
  override get message() {
    return `no success within the ${this.afterMillis} ms that its fallback allows`
  }
}

/**
 * `onFailureTimeout`, or `totalTimeout` where that came first, passed before anything succeeded.
 *
 * @category errors
 * @since 0.1.0
 */
export class DeadlineExceeded extends TaggedError("DeadlineExceeded")<{
  readonly afterMillis: number
  /** Which of the two it was; left out: `onFailureTimeout`. */
  readonly limit?: "totalTimeout"
}> {
  override get message() {
    return `no success within ${this.limit ?? "onFailureTimeout"} (${this.afterMillis} ms)`
  }
}

/** Says which limit it was that a step has not kept. */
export const deadlineExceeded = (
  passed: { readonly limit: "onFailureTimeout" | "totalTimeout"; readonly afterMillis: number } | undefined
): DeadlineExceeded =>
  new DeadlineExceeded({
    afterMillis: passed?.afterMillis ?? 0,
    ...(passed?.limit === "totalTimeout" ? { limit: passed.limit } : {})
  })

/**
 * A fanout under the strict region policy had a region without success.
 *
 * @category errors
 * @since 0.1.0
 */
export class FanoutIncomplete extends TaggedError("FanoutIncomplete")<{
  readonly failed: ReadonlyArray<string | undefined>
  readonly responses: ReadonlyArray<RegionResponse>
}> {
  override get message() {
    return `no success in ${this.failed.map((region) => region ?? "the default region").join(", ")}, and strict asks for all regions`
  }
}

/**
 * The step draws on a limit, and would be called from here, where nobody keeps it; nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class LimitsNotKept extends TaggedError("LimitsNotKept")<{ readonly limit: string }> {
  override get message() {
    return `it draws on the limit ${this.limit}, and calls that are made here keep no limits: submit it to a dam (a PERFORMANCE step goes there by itself), or use a transport that keeps them`
  }
}

/**
 * The step did not start before its `startBefore`; nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class Expired extends TaggedError("Expired")<{
  /** Epoch milliseconds. */
  readonly startBefore: number
}> {
  override get message() {
    return "expired: its time was up before it could start"
  }
}

/**
 * A chained step takes something from the answer before it that is not there, or cannot stand where it is wanted; nothing
 * was sent. What was found is not told: it may be secret.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotTaken extends TaggedError("NotTaken")<{
  /** The place in the answer. */
  readonly from: string
  /** The place in the call. */
  readonly into: string
  /** Why it cannot be taken. `refused`: the finished call breaks a rule of the service that was to make it. */
  readonly kind:
    "missing" | "wrong_kind" | "empty" | "dot_segment" | "line_break" | "not_latin1" | "not_exact" | "refused"
  /** The rule, where it was refused. */
  readonly problem?: string
}> {
  override get message() {
    return `it takes ${this.from} into ${this.into}, and ${this.problem ?? untaken[this.kind]}`
  }
}

const untaken: { readonly [kind in NotTaken["kind"]]: string } = {
  missing: "the answer before it has nothing there",
  wrong_kind:
    "what the answer before it has there is of another kind: text, a number, true or false fit everywhere, JSON into a body",
  empty: "what is there is empty, so the path would be that of something else",
  dot_segment: "what is there would lead to another path",
  line_break: "what is there has a line break",
  not_latin1: "what is there has characters that no header carries",
  not_exact: "the number there is too large to be taken exactly; let the service send it as text",
  refused: "the finished call is refused"
}

/**
 * Every reason for which a step can end badly.
 *
 * @category errors
 * @since 0.1.0
 */
export type StepReason =
  | InvalidStep
  | LimitsNotKept
  | NotTaken
  | Expired
  | Rejected
  | QuotaUsedUp
  | PathTimedOut
  | DeadlineExceeded
  | FanoutIncomplete
  | Failure

/**
 * A step ended badly. `reason` says why and carries what a caller needs; `history` has every attempt.
 *
 * @category errors
 * @since 0.1.0
 */
export class StepError extends TaggedError("StepError")<{
  /** Method and target of the step, without query. */
  readonly target: string
  readonly reason: StepReason
  readonly history: History
  /** What became of `onFailure`, when the step has one and it ran. */
  readonly chained: Chained | undefined
  /** Why the call that was made here failed, when `reason` is why nobody took it over then. */
  readonly after?: StepReason
}> {
  override get message() {
    const count = this.history.length
    return `${this.target} failed: ${this.reason.message}${count > 1 ? ` (after ${count} attempts)` : ""}`
  }

  // loggers print errors as JSON: no header, no body, no whole step, here or in what it chains
  override toJSON() {
    const { after, chained, history, message, reason, target } = this
    return {
      _tag: this._tag,
      target,
      message,
      reason: withoutResponses(reason),
      ...(after && { after: withoutResponses(after) }),
      history: history.map(({ response, ...attempt }) => ({
        ...attempt,
        ...(response && { response: sizeOf(response) })
      })),
      chained: chained && summary(chained)
    }
  }
}

const withoutResponses = (reason: StepReason) => {
  switch (reason._tag) {
    case "Rejected":
      return { _tag: reason._tag, status: reason.status, region: reason.region, retryAfter: reason.retryAfter }
    case "QuotaUsedUp":
      return { _tag: reason._tag, status: reason.status, region: reason.region }
    case "FanoutIncomplete":
      return { _tag: reason._tag, failed: reason.failed }
    default:
      return reason
  }
}

const sizeOf = ({ body, status }: Response) => ({ status, bytes: body.length })

const summary = (chained: Chained) =>
  chained._tag === "Ended" ? { ...chained, outcome: { _tag: chained.outcome._tag } } : chained

/**
 * Ends a step badly.
 *
 * @internal
 */
export const stepError = (
  step: Step,
  reason: StepReason,
  history: History,
  { after, chained }: { readonly after?: StepReason | undefined; readonly chained?: Chained } = {}
): StepError => new StepError({ target: target(step.request), reason, history, chained, ...(after && { after }) })
