/**
 * Looks on while steps run: what a printed trace, a progress bar or a debugger needs, at no cost where nobody looks.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { Attempt } from "../step/HistoryModel.ts"
import type { Step } from "../step/StepModel.ts"

/**
 * What an observer is told. `Started`: an attempt or a forward is being sent. `Ended`: it ended, interruption included.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | {
      readonly _tag: "Started"
      readonly step: Step
      readonly attempt: Pick<Attempt, "kind" | "path" | "pause" | "racer" | "region">
    }
  | { readonly _tag: "Ended"; readonly step: Step; readonly attempt: Attempt }

/**
 * Called for every attempt of every step below it, synchronously; it must not throw. Nobody by default.
 *
 * @category references
 * @since 0.1.0
 */
export const Observer: Context.Reference<((event: Event) => void) | undefined> = Context.Reference<
  ((event: Event) => void) | undefined
>("ezthrottle-effect/run/Observer", { defaultValue: () => undefined })
