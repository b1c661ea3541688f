/** Filling a chained step by the answer before it, loaded when the first one takes something. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { NotTaken, type Outcome, type StepError } from "../step/Outcome.ts"
import type { Step } from "../step/StepModel.ts"
import type { Host } from "./Host.ts"

/** What fills a child of a step that has ended. */
export const filling = (
  parent: Outcome | StepError,
  metadata: Step["metadata"]
): Effect.Effect<NonNullable<Host["fill"]>> =>
  Effect.match(
    Effect.tryPromise(() => import("../engine/Filling.ts")),
    {
      onSuccess: (Filling) => (step: Step) => Filling.fill(step, { response: Filling.answerOf(parent), metadata }),
      onFailure: () => unloaded
    }
  )

const unloaded: NonNullable<Host["fill"]> = ({ fallbacks, fills }) => {
  const [{ from, into } = nothing] = [fills, ...fallbacks.map(({ step }) => step.fills)].flat()
  return Result.fail(new NotTaken({ from, into, kind: "refused", problem: "what fills it could not be loaded" }))
}

const nothing = { from: "", into: "" }
