/**
 * When a step has failed, whatever it is doing then: the earlier of its two limits over everything.
 *
 * `totalTimeout` counts from when the step was taken up, `onFailureTimeout` from its own moment where it has one that is
 * later.
 */
import * as Duration from "effect/Duration"
import type { Step } from "../step/StepModel.ts"

/** A deadline, and the limit that it comes from. */
export interface Deadline {
  /** Epoch milliseconds. */
  readonly at: number
  readonly limit: "onFailureTimeout" | "totalTimeout"
  /** The length of that limit. */
  readonly afterMillis: number
}

/** From when the limits of a step count, in epoch milliseconds. */
export interface From {
  readonly acceptedAt: number
  /** The moment before which it does not start. */
  readonly notBefore: number | undefined
}

/** Whether a step has one. */
export const has = ({ onFailureTimeout, totalTimeout }: Limits): boolean =>
  onFailureTimeout !== undefined || totalTimeout !== undefined

type Limits = Pick<Step, "onFailureTimeout" | "totalTimeout">

/** The deadline of a step; `undefined`: it has none. */
export const of = (
  { onFailureTimeout, totalTimeout }: Limits,
  { acceptedAt, notBefore = acceptedAt }: From
): Deadline | undefined => {
  if (onFailureTimeout === undefined && totalTimeout === undefined) return undefined
  const failure = counted("onFailureTimeout", onFailureTimeout, Math.max(acceptedAt, notBefore))
  const total = counted("totalTimeout", totalTimeout, acceptedAt)
  return total.at < failure.at ? total : failure
}

/** When the limit that counts from the beginning passes, in epoch milliseconds. */
export const totalOf = ({ totalTimeout }: Pick<Step, "totalTimeout">, acceptedAt: number): number =>
  counted("totalTimeout", totalTimeout, acceptedAt).at

const counted = (limit: Deadline["limit"], length: Duration.Duration | undefined, from: number): Deadline => {
  const afterMillis = length === undefined ? Number.POSITIVE_INFINITY : Duration.toMillis(length)
  return { at: from + afterMillis, limit, afterMillis }
}
