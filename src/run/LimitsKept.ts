/**
 * Steps that draw on limits or stand in an order, and transports that keep none: refused before anything is sent.
 *
 * A call that is made here knows nothing of what other processes draw or have begun, so it can keep neither. Only a dam
 * does, and transports that say so of themselves.
 */
import { InvalidStep } from "../step/InvalidStep.ts"
import { LimitsNotKept } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"
import type { Strategies } from "../transport/Strategies.ts"

/** Finds the first call of the tree that would be made here though it asks for what is not kept here. */
export const unkept = (step: Step, strategies: Strategies["Service"]): InvalidStep | LimitsNotKept | undefined => {
  const [{ transport }] = step.type === "FRUGAL" ? strategies.frugal : strategies.performance
  // a service takes the whole tree over
  if (transport.kind === "delegating") return undefined
  const drawn = transport.keepsLimits === true ? undefined : firstOf(step)
  if (drawn !== undefined) return new LimitsNotKept({ limit: drawn })
  const joined = step.inOrder ? "inOrder" : step.debounce ? "debounce" : step.coalesce ? "coalesce" : undefined
  if (joined !== undefined && transport.keepsOrder !== true) {
    return new InvalidStep({ field: joined, problem: "is kept by a dam alone; submit the step to one" })
  }
  return (
    (step.onSuccess && unkept(step.onSuccess, strategies)) ?? (step.onFailure && unkept(step.onFailure, strategies))
  )
}

const firstOf = ({ fallbacks, limits }: Step): string | undefined =>
  limits[0]?.name ?? (fallbacks.length === 0 ? undefined : fallbacks.flatMap(({ step }) => step.limits)[0]?.name)
