/**
 * What to do after an attempt: all policy of one path in one total function, obeyed by the interpreter here and in the
 * dam, and by the `Schedule` users compose.
 *
 * @since 0.1.0
 */
import type { Failure } from "../step/Failure.ts"
import type { Ending, History } from "../step/History.ts"
import type { ResolvedRetryPolicy } from "../step/RetryPolicy.ts"
import * as Pause from "./Pause.ts"

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
 * **Details** — a status in `rerouteCodes`, or no answer, reroutes while a region is left; a status in `retryCodes`, or
 * no answer with nowhere to go, retries in the same region. A status in both lists reroutes first. Whatever else
 * happened, and a `Retry-After` beyond `patience`, stops.
 *
 * @category decisions
 * @since 0.1.0
 */
export const decide = (
  policy: ResolvedRetryPolicy,
  ended: Ended,
  { patience, regionLeft, spent }: Situation
): Decision => {
  const retryAfter = ended._tag === "Answered" ? ended.retryAfter : undefined
  if (endsPath(policy, ended) || (retryAfter ?? 0) > patience) return stop
  const mayReroute =
    regionLeft && spent.reroutes < policy.maxReroutes && (ended._tag === "Failed" || lists(policy.rerouteCodes, ended))
  if (mayReroute) return { _tag: "Reroute", pause: Pause.beforeReroute(retryAfter) }
  const mayRetry = spent.retries < policy.maxRetries && (ended._tag === "Failed" || lists(policy.retryCodes, ended))
  return mayRetry ? { _tag: "Retry", pause: Pause.beforeRetry(policy, spent.retries, retryAfter) } : stop
}

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
    : isGood(ended.status) ||
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
 * Tells whether a status is a success, 200 to 299. A policy that lists one does not make it a failure.
 *
 * @category decisions
 * @since 0.1.0
 */
export const isGood = (status: number): boolean => status >= 200 && status < 300

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
  (failure._tag === "TlsError" && failure.kind !== "name" && failure.kind !== "issuer")

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
