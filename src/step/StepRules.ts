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
  if (misjoined) {
    return new InvalidStep({ field: `${at}${self.coalesce ? "coalesce" : "debounce"}`, problem: misjoined })
  }
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
    const stands = step.inOrder ? "inOrder" : step.priority && "priority"
    if (stands) {
      const problem = "is left out: a fallback has the turn of its parent"
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

/** Says what is wrong with how a step goes together with others, as a rule that it breaks. */
const misjoinedIn = (self: Step, isPart: boolean): string | false | undefined => {
  const { coalesce, debounce, request } = self
  if (!coalesce && !debounce) return undefined
  const isChain = self.onSuccess ?? self.onFailure ?? self.fallbacks[0]
  const isOther = coalesce && (debounce ?? isChain ?? !/^(GET|HEAD)$/.test(request.method))
  return (
    (isPart || self.inOrder || isOther) &&
    `Expected a step that ${coalesce ? sharing : "is handed over by itself, without inOrder"}`
  )
}

const sharing = "is a single GET or HEAD, without inOrder and debounce"

const unchained =
  "take from the answer of a step before this one, and there is none; chain it with onSuccess or onFailure"
