/** The verb that lets a slow call be made once more beside itself. */
import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as FieldReader from "./FieldReader.ts"
import * as Rules from "./FieldRules.ts"
import { InvalidStep } from "./InvalidStep.ts"
import type { Step } from "./StepModel.ts"
import { isStep } from "./StepModel.ts"
import { changed } from "./StepValue.ts"

/**
 * How a slow call is hedged.
 *
 * @category models
 * @since 0.1.0
 */
export interface HedgeOptions {
  /**
   * When a call is slow: after a time, or `p95`: later than 95 of a hundred calls to that target have ended, from `p50` to
   * `p99.9`. Defaults to `p95`, which is a second while fewer than 20 calls were seen.
   */
  readonly after?: `p${number}` | Duration.Input | undefined
  /** Further calls, one each time that the same time has passed again: 1 to 3. Defaults to 1. */
  readonly max?: number | undefined
  /** Where from: the same region, or the next one that there is. Defaults to `same`. */
  readonly to?: "same" | "region" | undefined
}

/**
 * Makes a further call when the first is slow; the first acceptable answer wins, and what is still under way is
 * interrupted.
 *
 * **When to use** — a target is slow now and then, and the call may be made twice: GET and the like, or with a key that is
 * sent. Anything else is refused before anything is sent.
 * **Details** — hedges stay below a twentieth of a target's calls. None is made while the target refuses or says to wait.
 *
 * @category verbs
 * @since 0.1.0
 */
export const hedge: {
  (options?: HedgeOptions): (self: Step) => Step
  (self: Step, options?: HedgeOptions): Step
} = dual(
  (args) => isStep(args[0]),
  (self: Step, options: HedgeOptions = {}): Step => {
    for (const key of Object.keys(options)) {
      if (!known.includes(key)) {
        throw new InvalidStep({
          field: `hedge.${key}`,
          problem: `Expected ${known.join(", ")}, which are all that a hedge has`
        })
      }
    }
    const { after = "p95", max = 1, to = "same" } = options
    return changed(self, {
      hedge: {
        ...(isPercentile(after)
          ? { percentile: readPercentile(Number(after.slice(1)), "hedge.after"), after: undefined }
          : { percentile: undefined, after: FieldReader.duration(after, "hedge.after") }),
        max: readMax(max, "hedge.max"),
        to: readTo(to, "hedge.to")
      }
    })
  }
)

const isPercentile = (after: unknown): after is `p${number}` => typeof after === "string" && after.startsWith("p")

const known = ["after", "max", "to"]
const readPercentile = FieldReader.number(Rules.percentile)
const readMax = FieldReader.number(Rules.hedges)
const readTo = FieldReader.oneOf("same", "region")
