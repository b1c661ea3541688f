/** Whose turn it is: the verbs that say where a job stands among others in a dam. */
import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as FieldReader from "./FieldReader.ts"
import * as Rules from "./FieldRules.ts"
import { optionsOf } from "./GivenOptions.ts"
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
    const { onFailure = "continue" } = optionsOf("inOrder", options, ["onFailure"])
    return changed(self, {
      inOrder: { key: readKey(key, "inOrder.key"), onFailure: readEnd(onFailure, "inOrder.onFailure") }
    })
  }
)

/**
 * What `debounce` takes beside the key.
 *
 * @category models
 * @since 0.1.0
 */
export interface DebounceOptions {
  /** How long after it was taken a job runs, unless another one of its key comes. */
  readonly wait: Duration.Input
  /** How long the first may be put off by others that come. Defaults to as long as they come. */
  readonly atMost?: Duration.Input | undefined
}

/**
 * Lets only the newest of the jobs of a key run that come soon after each other: each waits, and one that comes meanwhile takes
 * its place.
 *
 * **Details** — a job that was replaced ends `cancelled` and names the one that replaced it; its webhooks tell. Jobs without
 * a key of their own are never taken for the same one.
 * **Gotchas** — only a dam does it: EZThrottle and calls that are made here refuse the step.
 *
 * @category verbs
 * @since 0.1.0
 */
export const debounce: {
  (key: string, options: DebounceOptions): (self: Step) => Step
  (self: Step, key: string, options: DebounceOptions): Step
} = dual(3, (self: Step, key: string, options: DebounceOptions): Step => {
  const { atMost, wait } = optionsOf("debounce", options, ["wait", "atMost"])
  return changed(self, {
    debounce: {
      key: readKey(key, "debounce.key"),
      wait: FieldReader.duration(wait, "debounce.wait"),
      atMost: atMost === undefined ? undefined : FieldReader.duration(atMost, "debounce.atMost")
    }
  })
})

/**
 * Lets identical calls share one answer: a GET or HEAD of the same URL, headers and body that comes while another one waits or
 * runs ends with its answer, under its own id and with its own webhooks.
 *
 * **Gotchas** — only a dam does it: EZThrottle and calls that are made here refuse the step.
 *
 * @category verbs
 * @since 0.1.0
 */
export const coalesce = (self: Step): Step => changed(self, { coalesce: true })

const readPriority = FieldReader.oneOf("high", "normal", "low")
const readKey = FieldReader.text(Rules.orderKey)
const readEnd = FieldReader.oneOf("continue", "stop")
