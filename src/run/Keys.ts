/** Settles the keys of a step: once per execution, the same for every attempt, forward and resubmission. */
import * as Effect from "effect/Effect"
import * as Idempotency from "../engine/Idempotency.ts"
import type { Request } from "../step/Request.ts"
import { header } from "../step/Request.ts"
import type { Step } from "../step/StepModel.ts"
import { makeStep } from "../step/StepValue.ts"
import type { Host } from "./Host.ts"

/** Gives every UNIQUE step of the tree its key. A tree without one is returned as it is. */
export const settle = (step: Step): Effect.Effect<Step> => (hasUnique(step) ? draw(step) : Effect.succeed(step))

/** Whether a key is still to be drawn, for the step or for one that belongs to it. */
export const hasUnique = (step: Step): boolean =>
  step.idempotency._tag === "Unique" ||
  step.fallbacks.some((fallback) => hasUnique(fallback.step)) ||
  (step.onSuccess !== undefined && hasUnique(step.onSuccess)) ||
  (step.onFailure !== undefined && hasUnique(step.onFailure))

const draw: (step: Step) => Effect.Effect<Step> = Effect.fnUntraced(function* (step) {
  const key = step.idempotency._tag === "Unique" ? yield* Idempotency.freshKey : undefined
  return makeStep({
    ...step,
    idempotency: key === undefined ? step.idempotency : { _tag: "Custom", key },
    fallbacks: yield* Effect.forEach(step.fallbacks, (fallback) =>
      Effect.map(draw(fallback.step), (settled) => ({ ...fallback, step: settled }))
    ),
    onSuccess: step.onSuccess && (yield* draw(step.onSuccess)),
    onFailure: step.onFailure && (yield* draw(step.onFailure))
  })
})

/** The request as the target gets it: with `Idempotency-Key` on unsafe methods, unless the step sets one itself. */
export const requestFor = (step: Step, host: Pick<Host, "hashKey">): Request => {
  const { request } = step
  if (!Idempotency.isUnsafe(request.method)) return request
  const key =
    step.idempotency._tag === "Custom"
      ? step.idempotency.key
      : (host.hashKey ?? (step.sendIdempotencyKey ? Idempotency.hash(request) : undefined))
  return key === undefined || header(request, "idempotency-key") !== undefined
    ? request
    : { ...request, headers: { ...request.headers, "Idempotency-Key": inHeader(key) } }
}

/** A key that a header could not carry as it is travels percent-encoded, so that the target still sees one stable key. */
const inHeader = (key: string): string => (HEADER_SAFE.test(key) ? key : encodeURIComponent(key))

const HEADER_SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** The key a service is told: none for a HASH step handed over directly, since the service computes it. */
export const keyFor = (step: Step, tried: boolean): string | undefined =>
  step.idempotency._tag === "Custom" ? step.idempotency.key : tried ? Idempotency.hash(step.request) : undefined
