/**
 * Steps that draw on limits, and transports that keep none: refused before anything is sent.
 *
 * A call that is made here knows nothing of what other processes draw, so it can keep no limit. Only a dam does, and
 * transports that say so of themselves.
 */
import { LimitsNotKept } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"
import type { Strategies } from "../transport/Strategies.ts"

/** Finds the first call of the tree that would be made here though it draws on a limit that is not kept here. */
export const unkept = (step: Step, strategies: Strategies["Service"]): LimitsNotKept | undefined => {
  const [{ transport }] = step.type === "FRUGAL" ? strategies.frugal : strategies.performance
  // a service takes the whole tree over
  if (transport.kind === "delegating") return undefined
  const drawn = transport.keepsLimits === true ? undefined : firstOf(step)
  if (drawn !== undefined) return new LimitsNotKept({ limit: drawn })
  return (
    (step.onSuccess && unkept(step.onSuccess, strategies)) ?? (step.onFailure && unkept(step.onFailure, strategies))
  )
}

const firstOf = ({ fallbacks, limits }: Step): string | undefined =>
  limits[0]?.name ?? (fallbacks.length === 0 ? undefined : fallbacks.flatMap(({ step }) => step.limits)[0]?.name)
