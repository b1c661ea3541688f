import type { Step } from "../step/StepModel.ts"
import { makeStep } from "../step/StepModel.ts"

/**
 * Gives every UNIQUE step of a tree a key, so that sending the tree again carries the same ones.
 *
 * **When to use** — once per execution, before the first attempt or submission.
 * **Details** — the step itself, its fallbacks and its chain, at any depth; each gets a key of its own from `freshKey`.
 * Steps under HASH or with a custom key stay as they are.
 *
 * @category verbs
 * @since 0.1.0
 */
export const settleUnique = (self: Step, freshKey: () => string): Step =>
  hasUnique(self)
    ? makeStep({
        ...self,
        idempotency: self.idempotency._tag === "Unique" ? { _tag: "Custom", key: freshKey() } : self.idempotency,
        fallbacks: self.fallbacks.map(({ step, trigger }) => ({ step: settleUnique(step, freshKey), trigger })),
        onSuccess: self.onSuccess && settleUnique(self.onSuccess, freshKey),
        onFailure: self.onFailure && settleUnique(self.onFailure, freshKey)
      })
    : self

const hasUnique = (self: Step): boolean =>
  self.idempotency._tag === "Unique" ||
  self.fallbacks.some(({ step }) => hasUnique(step)) ||
  (self.onSuccess !== undefined && hasUnique(self.onSuccess)) ||
  (self.onFailure !== undefined && hasUnique(self.onFailure))
