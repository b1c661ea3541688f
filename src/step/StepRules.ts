/** Rules between the fields of a step, checked once before anything is sent, so that the order of verbs never matters. */
import * as Fills from "./Fills.ts"
import { InvalidStep } from "./InvalidStep.ts"
import type { Step } from "./StepModel.ts"

/**
 * Finds the first broken rule between fields, at any depth, or answers `undefined`.
 *
 * @category guards
 * @since 0.1.0
 */
export const check = (self: Step): InvalidStep | undefined => broken(self, "", false)

const broken = (self: Step, at: string, isChained: boolean): InvalidStep | undefined => {
  const misjoined = misjoinedIn(self, at !== "")
  if (misjoined !== undefined) return new InvalidStep({ field: `${at}${misjoined.field}`, problem: misjoined.problem })
  if (self.fills.length > 0) {
    const problem = isChained ? Fills.misplaced(self.request, self.fills) : unchained
    if (problem !== undefined) return new InvalidStep({ field: `${at}fills`, problem })
  }
  if (self.webhooks.length > 0) {
    const votes = self.webhooks.filter(({ hasQuorumVote }) => hasQuorumVote).length
    if (self.webhookQuorum > votes) {
      return new InvalidStep({
        field: `${at}webhookQuorum`,
        problem:
          votes === 0
            ? "Expected a webhook with a vote: without one no delivery can ever count, whatever the quorum; leave hasQuorumVote out of one of them"
            : `Expected at most ${votes}, the number of webhooks with a vote, got ${self.webhookQuorum}; add voting webhooks or lower the quorum`
      })
    }
  }
  if (self.regionPolicy === "strict" && self.regions.length === 0) {
    return new InvalidStep({
      field: `${at}regionPolicy`,
      problem: "strict keeps to the step's own regions, and it names none; add regions or use the policy fallback"
    })
  }
  for (const [index, { step }] of self.fallbacks.entries()) {
    const stands = step.inOrder === undefined ? step.priority && "priority" : "inOrder"
    if (stands !== undefined) {
      const problem = "is left out: a fallback runs in the turn of the step that it stands in for"
      return new InvalidStep({ field: `${at}fallbacks[${index}].step.${stands}`, problem })
    }
    const found = broken(step, `${at}fallbacks[${index}].step.`, isChained)
    if (found !== undefined) return found
  }
  return (
    (self.onSuccess && broken(self.onSuccess, `${at}onSuccess.`, true)) ??
    (self.onFailure && broken(self.onFailure, `${at}onFailure.`, true))
  )
}

/** What is said of how a job goes together with others, and cannot be. */
const misjoinedIn = (self: Step, isPart: boolean): { readonly field: string; readonly problem: string } | undefined => {
  if (!self.coalesce && self.debounce === undefined) return undefined
  const field = self.coalesce ? "coalesce" : "debounce"
  if (isPart) return { field, problem: "is said by the step that is handed over, and by none of its parts" }
  if (self.inOrder !== undefined)
    return { field, problem: "is left out where there is an inOrder, which leaves no job out" }
  if (!self.coalesce) return undefined
  if (self.debounce !== undefined) return { field, problem: "is left out where there is a debounce" }
  if (self.request.method !== "GET" && self.request.method !== "HEAD") {
    return { field, problem: "Expected GET or HEAD: other calls are not safe to leave out" }
  }
  return self.onSuccess === undefined && self.onFailure === undefined && self.fallbacks.length === 0
    ? undefined
    : { field, problem: "is left out where there are fallbacks or chained steps" }
}

const unchained =
  "take from the answer of a step before this one, and there is none; chain it with onSuccess or onFailure"
