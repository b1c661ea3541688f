/** A step at the moment when it is taken up. */
import * as Duration from "effect/Duration"
import type { Step } from "./StepModel.ts"
import { changed, makeStep } from "./StepValue.ts"

/** The step with its delay, and those of its fallbacks, counted from a moment. One without any is returned as it is. */
export const takenUp = (self: Step, now: number): Step => {
  if (self.delay === undefined && self.fallbacks.every(({ step }) => step.delay === undefined)) return self
  const fallbacks = self.fallbacks.map((fallback) => ({ ...fallback, step: counted(fallback.step, now) }))
  return makeStep({ ...counted(self, now), fallbacks })
}

const counted = (self: Step, now: number): Step =>
  self.delay === undefined
    ? self
    : changed(self, {
        delay: undefined,
        retryAt: Math.max(self.retryAt ?? 0, Math.ceil(now) + Duration.toMillis(self.delay))
      })
