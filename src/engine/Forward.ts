/**
 * Which failures of a step another transport may take over.
 *
 * @since 0.1.0
 */
import type { Rejected, StepReason } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"

/**
 * Statuses on which a FRUGAL step is forwarded by default (wire protocol, "Retry defaults").
 *
 * @category constants
 * @since 0.1.0
 */
export const forwardCodes: ReadonlyArray<number> = [429, 500, 502, 503, 504]

/**
 * Tells whether a path ended without an answer, so that trying elsewhere is right.
 *
 * @category decisions
 * @since 0.1.0
 */
export const hadNoAnswer = (reason: StepReason): boolean =>
  reason._tag === "ConnectionFailed" ||
  reason._tag === "TlsError" ||
  reason._tag === "AttemptTimedOut" ||
  reason._tag === "InvalidResponse" ||
  reason._tag === "InvalidEncoding" ||
  reason._tag === "TooManyInterim" ||
  reason._tag === "PathTimedOut" ||
  reason._tag === "ServiceUnreachable" ||
  reason._tag === "BudgetExhausted" ||
  reason._tag === "BreakerOpen"

/**
 * Tells whether a FRUGAL step is forwarded: its answer is in `fallbackOnError`, or there was none. A fanout that
 * succeeded in some regions is not: forwarding would repeat it there. Nor is one whose quota is used up: the service
 * would be refused as well.
 *
 * @category decisions
 * @since 0.1.0
 */
export const forwards = (step: Step, reason: StepReason): boolean => {
  const codes = step.fallbackOnError ?? forwardCodes
  if (reason._tag === "Rejected") return names(codes, reason)
  // what was not tried again ended as it was answered before
  if (reason._tag === "BudgetExhausted" && reason.status !== undefined) return codes.includes(reason.status)
  return hadNoAnswer(reason)
}

/**
 * Tells whether a list of statuses names how a path ended: by its status, or by 429 where it stands for one.
 *
 * @category decisions
 * @since 0.1.0
 */
export const names = (codes: ReadonlyArray<number>, { status, tooMany }: Rejected): boolean =>
  codes.includes(status) || (tooMany === true && codes.includes(429))
