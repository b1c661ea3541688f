/** Rules between the fields of a step, checked once before anything is sent, so that the order of verbs never matters. */
import * as Duration from "effect/Duration"
import * as Fills from "./Fills.ts"
import { InvalidStep } from "./InvalidStep.ts"
import { header } from "./Request.ts"
import type { Step } from "./StepModel.ts"

/**
 * Finds the first broken rule between fields, at any depth, or answers `undefined`. A dam sends a key with every call that
 * changes something, so it says that keys are sent.
 *
 * @category guards
 * @since 0.1.0
 */
export const check = (self: Step, keysAreSent = false): InvalidStep | undefined =>
  broken(self, "", { isChained: false, keysAreSent })

interface Around {
  readonly isChained: boolean
  readonly keysAreSent: boolean
}

const broken = (self: Step, at: string, around: Around): InvalidStep | undefined => {
  const { isChained } = around
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
  if (self.totalTimeout !== undefined && self.delay !== undefined) {
    if (Duration.isGreaterThanOrEqualTo(self.delay, self.totalTimeout)) {
      return new InvalidStep({
        field: `${at}totalTimeout`,
        problem: "is over before the step may start: it counts the delay too; allow more time or delay it less"
      })
    }
  }
  const unhedged = self.hedge === undefined ? undefined : breachOfHedge(self, around)
  if (unhedged !== undefined) return new InvalidStep({ field: `${at}hedge`, problem: unhedged })
  for (const [index, { step }] of self.fallbacks.entries()) {
    const stands = step.inOrder ? "inOrder" : step.priority && "priority"
    if (stands) {
      const problem = "is left out: a fallback has the turn of its parent"
      return new InvalidStep({ field: `${at}fallbacks[${index}].step.${stands}`, problem })
    }
    const found = broken(step, `${at}fallbacks[${index}].step.`, around)
    if (found !== undefined) return found
  }
  return (
    (self.onSuccess && broken(self.onSuccess, `${at}onSuccess.`, { ...around, isChained: true })) ??
    (self.onFailure && broken(self.onFailure, `${at}onFailure.`, { ...around, isChained: true }))
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

const breachOfHedge = (self: Step, { keysAreSent }: Around): string | undefined => {
  const { idempotency, regions, request, retryUnsafe, sendIdempotencyKey } = self
  if (regions.length > 1) return "makes a call twice that several regions make anyway; leave it out, or name one region"
  if (SAFE.has(request.method)) return undefined
  if (retryUnsafe === false) return "makes a call twice that retryUnsafe forbids to make again; leave one of them out"
  const isKnown =
    keysAreSent || sendIdempotencyKey || idempotency._tag !== "Hash" || header(request, "idempotency-key") !== undefined
  return isKnown
    ? undefined
    : `makes a ${request.method} twice that its target cannot recognise; send a key with it: sendIdempotencyKey or idempotentKey`
}

const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"])

const unchained =
  "take from the answer of a step before this one, and there is none; chain it with onSuccess or onFailure"
