/** Who may keep the calls of a program from being made, where somebody asked for that. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { TransportError } from "../step/FailureModel.ts"
import type { EndedAttempt, History } from "../step/HistoryModel.ts"
import type { Request } from "../step/Request.ts"
import type { Step } from "../step/StepModel.ts"
import type { Facts } from "./Execution.ts"

/** A call that is about to be made. */
export interface Guarded {
  readonly step: Step
  readonly request: Request
  readonly facts: Facts
  readonly history: History
}

/** Makes a call, or one that ends with why it is withheld; or answers never, where another one is waited for. */
export type Guard = (
  call: Guarded,
  make: (withheld?: TransportError) => Effect.Effect<EndedAttempt>
) => Effect.Effect<EndedAttempt>

/** Asked for each exchange of a program; where one is in place, no step takes the straight way. */
export const Guard = Context.Reference<Guard | undefined>("ezthrottle-effect/run/Guard", {
  defaultValue: () => undefined
})
