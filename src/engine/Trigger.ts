/**
 * Whether a fallback runs after the path before it.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { StepReason } from "../step/Outcome.ts"
import type { Trigger } from "../step/StepModel.ts"
import { hadNoAnswer, names } from "./Forward.ts"

/**
 * Judges a trigger against how the path before ended and how many milliseconds it took.
 *
 * **Details** — `OnError` runs on one of its codes or when there was no answer; `OnTimeout` only when that path took
 * longer, whatever its error; `Any` on every failure.
 *
 * @category decisions
 * @since 0.1.0
 */
export const triggers = (trigger: Trigger, reason: StepReason, tookMillis: number): boolean => {
  switch (trigger._tag) {
    case "Any":
      return true
    case "OnError":
      if (reason._tag === "QuotaUsedUp") return trigger.codes.includes(reason.status)
      return reason._tag === "Rejected" ? names(trigger.codes, reason) : hadNoAnswer(reason)
    case "OnTimeout":
      return tookMillis >= Duration.toMillis(trigger.after)
  }
}
