/** Whose turn it is: the verbs that say where a job stands among others in a dam. */
import { dual } from "effect/Function"
import * as FieldReader from "./FieldReader.ts"
import * as Rules from "./FieldRules.ts"
import { InvalidStep } from "./InvalidStep.ts"
import type { Order, Priority, Step } from "./StepModel.ts"
import { isStep } from "./StepModel.ts"
import { changed } from "./StepValue.ts"

/**
 * Says how soon a job has its turn among those of its account in a lane: `high`, `normal` (the default) or `low`.
 *
 * **Details** — jobs that wait grow older, so no class starves another: a job is never overtaken by one that was taken in
 * more than the lead of its class later, a minute for each class.
 * **Gotchas** — only a dam has a line to stand in: EZThrottle refuses the step.
 *
 * @category verbs
 * @since 0.1.0
 */
export const priority: {
  (priority: Priority): (self: Step) => Step
  (self: Step, priority: Priority): Step
} = dual(2, (self: Step, priority: Priority): Step => changed(self, { priority: readPriority(priority, "priority") }))

/**
 * What `inOrder` takes beside the key.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderOptions {
  /**
   * What a job that has failed for good does: `continue` lets the next one go, `stop` has all others of the key wait until
   * somebody lets them go on. Defaults to `continue`.
   */
  readonly onFailure?: Order["onFailure"] | undefined
}

/**
 * Has a dam run the jobs of a key one at a time, first in, first out: over retries, waits and restarts, whatever hosts they
 * call. Jobs of other keys go their own ways.
 *
 * **Details** — the order is that in which the dam took them in. A job that is run again goes to the end.
 * **Gotchas** — only a dam keeps an order: EZThrottle and calls that are made here refuse the step.
 *
 * @category verbs
 * @since 0.1.0
 */
export const inOrder: {
  (key: string, options?: OrderOptions): (self: Step) => Step
  (self: Step, key: string, options?: OrderOptions): Step
} = dual(
  (args) => isStep(args[0]),
  (self: Step, key: string, options: OrderOptions = {}): Step => {
    const { onFailure = "continue", ...unknown } = options
    const [other] = Object.keys(unknown)
    if (other !== undefined) {
      throw new InvalidStep({ field: `inOrder.${other}`, problem: "is not known here; expected onFailure" })
    }
    return changed(self, {
      inOrder: { key: readKey(key, "inOrder.key"), onFailure: readEnd(onFailure, "inOrder.onFailure") }
    })
  }
)

const readPriority = FieldReader.oneOf("high", "normal", "low")
const readKey = FieldReader.text(Rules.orderKey)
const readEnd = FieldReader.oneOf("continue", "stop")
