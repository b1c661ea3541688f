/**
 * What to do after an attempt: all policy of one path in one total function, wrapped in the `Schedule` that the interpreter
 * steps here and in the dam, and that users compose.
 *
 * @since 0.1.0
 */
import type { Failure } from "../step/FailureModel.ts"
import type { Ending, History } from "../step/HistoryModel.ts"
import type { ResolvedRetryPolicy } from "../step/RetryPolicy.ts"
import * as RetryPolicies from "../step/RetryPolicy.ts"
import type { Step } from "../step/StepModel.ts"
import { isUnsafe } from "./Idempotency.ts"
import { isSuccess } from "./Good.ts"
import * as Pause from "./Pause.ts"

export { isGood, isSuccess } from "./Good.ts"

/**
 * What a path has spent so far. Raced and fanned-out regions of one path share it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spent {
  readonly retries: number
  readonly reroutes: number
}

/**
 * How an attempt that was not interrupted ended.
 *
 * @category models
 * @since 0.1.0
 */
export type Ended = Exclude<Ending, { readonly _tag: "Interrupted" }>

/**
 * What to do next on a path.
 *
 * @category models
 * @since 0.1.0
 */
export type Decision =
  | { readonly _tag: "Retry"; readonly pause: Pause.Pause }
  | { readonly _tag: "Reroute"; readonly pause: Pause.Pause }
  | { readonly _tag: "Stop" }

/**
 * What the decision depends on beside the policy and the ending.
 *
 * @category models
 * @since 0.1.0
 */
export interface Situation {
  readonly spent: Spent
  /** Whether another region is left to go to. */
  readonly regionLeft: boolean
  /** The longest `Retry-After` worth sleeping through, in milliseconds. */
  readonly patience: number
}

/**
 * Decides after one attempt.
 *
 * **Details** — a status in `rerouteCodes`, or no answer, reroutes while a region is left; with nowhere to go, and on a
 * status in `retryCodes`, it retries in the same region. A status in both lists reroutes first. Whatever else happened,
 * and a `Retry-After` beyond `patience`, stops. So does an ending behind which a call may have been carried out that must
 * not be made twice.
 *
 * @category decisions
 * @since 0.1.0
 */
export const decide = (
  policy: ResolvedRetryPolicy,
  ended: Ended,
  { patience, regionLeft, spent }: Situation
): Decision => {
  if (isFinal(policy, ended, patience)) return stop
  const retryAfter = ended._tag === "Answered" ? ended.retryAfter : undefined
  const mayReroute =
    regionLeft && spent.reroutes < policy.maxReroutes && (ended._tag === "Failed" || lists(policy.rerouteCodes, ended))
  if (mayReroute) return { _tag: "Reroute", pause: Pause.beforeReroute(retryAfter) }
  return spent.retries < policy.maxRetries
    ? { _tag: "Retry", pause: Pause.beforeRetry(policy, spent.retries, retryAfter) }
    : stop
}

/**
 * Tells whether nothing comes after an ending, whatever is left to spend and whatever a schedule says.
 *
 * @category decisions
 * @since 0.1.0
 */
export const isFinal = (policy: ResolvedRetryPolicy, ended: Ended, patience: number): boolean =>
  endsPath(policy, ended) ||
  (ended._tag === "Answered" && (ended.retryAfter ?? 0) > patience) ||
  (policy.isCareful === true && mayBeDone(ended))

/**
 * Tells whether an ending is final wherever else it might be tried: a 2xx, a status in neither list, a quota that is
 * used up, or a failure that trying again cannot mend. The first such answer ends a race.
 *
 * @category decisions
 * @since 0.1.0
 */
export const endsPath = (policy: ResolvedRetryPolicy, ended: Ended): boolean =>
  ended._tag === "Failed"
    ? !isRepeatable(ended.failure)
    : isSuccess(ended) ||
      ended.says === "used_up" ||
      !(lists(policy.retryCodes, ended) || lists(policy.rerouteCodes, ended))

/**
 * Tells whether a list of statuses speaks of an answer: of its status, or of 429 where it stands for one.
 *
 * @category decisions
 * @since 0.1.0
 */
export const lists = (codes: ReadonlyArray<number>, { says, status }: Answered): boolean =>
  codes.includes(status) || (says === "too_many" && codes.includes(429))

/**
 * Tells whether an answer refuses the call because there were too many, so that the same call may succeed later.
 *
 * @category decisions
 * @since 0.1.0
 */
export const isTooMany = ({ says, status }: Answered): boolean =>
  says === "too_many" || (status === 429 && says !== "used_up")

type Answered = Extract<Ending, { readonly _tag: "Answered" }>

/**
 * Tells whether the same call may succeed when made again. A certificate that is wrong now is wrong in a second, too.
 *
 * @category decisions
 * @since 0.1.0
 */
export const isRepeatable = (failure: Failure): boolean =>
  failure._tag === "AttemptTimedOut" ||
  failure._tag === "ConnectionFailed" ||
  failure._tag === "InvalidResponse" ||
  failure._tag === "InvalidEncoding" ||
  failure._tag === "TooManyInterim" ||
  failure._tag === "TokenUnavailable" ||
  (failure._tag === "TlsError" && failure.kind !== "name" && failure.kind !== "issuer")

/**
 * Tells whether a call that ended like this may have been carried out all the same. A target that refuses has not begun,
 * and without a connection nothing has arrived.
 *
 * @category decisions
 * @since 0.1.0
 */
export const mayBeDone = (ended: Ended): boolean => {
  if (ended._tag === "Answered") return !isTooMany(ended) && ended.status !== 429 && ended.status !== 503
  const { failure } = ended
  switch (failure._tag) {
    case "ConnectionFailed":
      return failure.kind === "reset" || failure.kind === "other"
    case "TlsError":
    case "SecretRefused":
    case "TokenUnavailable":
    case "BudgetExhausted":
    case "BreakerOpen":
      return false
    default:
      return true
  }
}

/**
 * The policy of a call, careful where it must not be carried out twice: it changes something, and is not allowed to be
 * made again.
 *
 * @category decisions
 * @since 0.1.0
 */
export const policyOf = (
  { request, retryPolicy, retryUnsafe }: Step,
  unset: ResolvedRetryPolicy
): ResolvedRetryPolicy => {
  const policy = RetryPolicies.resolve(retryPolicy, unset)
  return retryUnsafe === false && isUnsafe(request.method) ? { ...policy, isCareful: true } : policy
}

/**
 * Reads from a history what one path has spent. An interrupted attempt spends nothing: whoever resumes makes it again.
 *
 * @category decisions
 * @since 0.1.0
 */
export const spentBy = (history: History, path: number): Spent => {
  const count = (kind: string) =>
    history.filter((attempt) => attempt.path === path && attempt.kind === kind && attempt.ending._tag !== "Interrupted")
      .length
  return { retries: count("retry"), reroutes: count("reroute") }
}

const stop: Decision = { _tag: "Stop" }
