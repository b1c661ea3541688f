/**
 * Steps that draw on limits, name secrets or stand in an order, and transports that keep none: refused before anything is sent.
 *
 * A call that is made here knows nothing of what other processes draw or have begun, so it can keep neither. Only a dam
 * does, and transports that say so of themselves. Secrets are kept by a dam, and by a client that was given some.
 */
import { InvalidStep } from "../step/InvalidStep.ts"
import { SecretRefused } from "../step/FailureModel.ts"
import { LimitsNotKept } from "../step/Outcome.ts"
import * as SecretHeader from "../step/SecretHeader.ts"
import type { Step } from "../step/StepModel.ts"
import type { Strategies } from "../transport/Strategies.ts"

/** Finds the first call of the tree that would be made here though it asks for what is not kept here. */
export const unkept = (
  step: Step,
  strategies: Strategies["Service"]
): InvalidStep | LimitsNotKept | SecretRefused | undefined => {
  const [{ transport }] = step.type === "FRUGAL" ? strategies.frugal : strategies.performance
  // a service takes the whole tree over
  if (transport.kind === "delegating") return undefined
  const drawn = transport.keepsLimits === true ? undefined : firstOf(step)
  if (drawn !== undefined) return new LimitsNotKept({ limit: drawn })
  const joined = step.inOrder ? "inOrder" : step.debounce ? "debounce" : step.coalesce ? "coalesce" : undefined
  if (joined !== undefined && transport.keepsOrder !== true) {
    return new InvalidStep({ field: joined, problem: "is kept by a dam alone; submit the step to one" })
  }
  const named = transport.keepsSecrets === true ? undefined : secretOf(step)
  if (named !== undefined) return new SecretRefused({ secret: named, kind: "unkept", detail: keepsNone })
  return (
    (step.onSuccess && unkept(step.onSuccess, strategies)) ?? (step.onFailure && unkept(step.onFailure, strategies))
  )
}

const firstOf = ({ fallbacks, limits }: Step): string | undefined =>
  limits[0]?.name ?? (fallbacks.length === 0 ? undefined : fallbacks.flatMap(({ step }) => step.limits)[0]?.name)

const secretOf = ({ fallbacks, request }: Step): string | undefined => {
  const [own] = SecretHeader.names(request.headers) ? SecretHeader.among(request.headers) : []
  if (own !== undefined) return own[1].secret
  for (const { step } of fallbacks) {
    const named = secretOf(step)
    if (named !== undefined) return named
  }
  return undefined
}

const keepsNone =
  "this program keeps no secrets: give the client its `secrets`, or submit the step to a dam that keeps it (a PERFORMANCE step goes there by itself)"
