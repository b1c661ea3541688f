/**
 * Looks at a call that was filled from an answer as the door looks at one that is handed in.
 *
 * Its scheme, host and port are those of the submission, so where it leads was asked then, and is asked again when it is
 * sent. What an answer can change is how long things are, and which headers there are.
 */
import { makeStep } from "../../step/StepValue.ts"
import type { Step } from "../../step/StepModel.ts"
import type { Limits } from "./Limits.ts"
import { breachOf } from "./Tree.ts"

/** Names what is wrong with a filled call, and never what was filled in. */
export const breachIn =
  (limits: Limits) =>
  (step: Step): string | undefined => {
    for (const one of [step, ...step.fallbacks.map((fallback) => fallback.step)]) {
      const problem = breachOfCall(one, limits)
      if (problem !== undefined) return problem
    }
    return undefined
  }

const breachOfCall = (step: Step, limits: Limits): string | undefined => {
  const { body = "" } = step.request
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.length
  if (bytes > limits.bodyBytes) return `its body is larger than ${limits.bodyBytes} bytes`
  // only what an answer can change: the rest was looked at when the tree came in
  const { metadata, request } = step
  const call = makeStep({ request, metadata })
  return breachOf([{ step: call, at: "" }], { limits, now: 0, bodyBytes: Number.MAX_SAFE_INTEGER })?.problem
}
