/** When a step starts: the verbs that count from when it is taken up, or by somebody's calendar. */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as FieldReader from "./FieldReader.ts"
import * as Rules from "./FieldRules.ts"
import { InvalidStep } from "./InvalidStep.ts"
import type { Step } from "./StepModel.ts"
import { changed } from "./StepValue.ts"

/**
 * Delays the first attempt by a time, counted from when the step is taken up: executed, accepted by a dam, or started by
 * the step it is chained to.
 *
 * @category verbs
 * @since 0.1.0
 */
export const delay: {
  (time: Duration.Input): (self: Step) => Step
  (self: Step, time: Duration.Input): Step
} = dual(2, (self: Step, time: Duration.Input): Step => changed(self, { delay: FieldReader.duration(time, "delay") }))

/**
 * Delays the first attempt until a time of day somewhere: `Step.at(step, "2027-03-28T02:30", "Europe/Berlin")`.
 *
 * **Details** — sets what `retryAt` sets. A time that the clocks there skip is moved on by as much as they skip; of one that
 * they show twice the first counts.
 *
 * @category verbs
 * @since 0.1.0
 */
export const at: {
  (local: string, zone: string): (self: Step) => Step
  (self: Step, local: string, zone: string): Step
} = dual(3, (self: Step, local: string, zone: string): Step => changed(self, { retryAt: momentOf(local, zone) }))

/**
 * Lets the step fail as `Expired` unless it has started before a moment: epoch milliseconds, a `Date` or a `DateTime`.
 *
 * @category verbs
 * @since 0.1.0
 */
export const startBefore: {
  (moment: Moment): (self: Step) => Step
  (self: Step, moment: Moment): Step
} = dual(2, (self: Step, moment: Moment): Step =>
  changed(self, { startBefore: readMoment(millisOf(moment), "startBefore") })
)

type Moment = number | Date | { readonly epochMilliseconds: number }

const readMoment = FieldReader.number(Rules.epochMillis)

const millisOf = (moment: unknown): unknown => {
  if (moment instanceof Date) return moment.getTime()
  return typeof moment === "object" && moment !== null && "epochMilliseconds" in moment
    ? moment.epochMilliseconds
    : moment
}

const momentOf = (local: string, zone: string): number => {
  const known = typeof zone === "string" ? Option.getOrUndefined(DateTime.zoneMakeNamed(zone)) : undefined
  if (known === undefined) {
    throw new InvalidStep({ field: "at.zone", problem: "Expected an IANA time zone such as Europe/Berlin" })
  }
  // a 30th of February would be taken for the 2nd of March
  const isDay =
    LOCAL.test(local) && Option.exists(DateTime.make(`${local}Z`), (day) => DateTime.formatIso(day).startsWith(local))
  const found = isDay
    ? DateTime.makeZoned(`${local}Z`, { timeZone: known, adjustForTimeZone: true, disambiguation: "compatible" })
    : Option.none()
  if (Option.isSome(found)) return DateTime.toEpochMillis(found.value)
  throw new InvalidStep({
    field: "at.local",
    problem: "Expected a local time such as 2027-03-28T02:30, without an offset"
  })
}

const LOCAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?$/
