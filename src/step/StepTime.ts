/** When a step starts: the verbs that count from when it is taken up, or by somebody's calendar. */
import type * as Duration from "effect/Duration"
import { dual } from "effect/Function"
import * as Result from "effect/Result"
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

/**
 * Limits each attempt, here and in a dam. Without it an attempt here has `localTimeout`, and one in a dam the dam's own
 * limit.
 *
 * @category verbs
 * @since 0.1.0
 */
export const attemptTimeout: {
  (limit: Duration.Input): (self: Step) => Step
  (self: Step, limit: Duration.Input): Step
} = dual(2, (self: Step, limit: Duration.Input): Step =>
  changed(self, { attemptTimeout: FieldReader.duration(limit, "attemptTimeout") })
)

/**
 * Lets the step fail as `DeadlineExceeded` unless it has succeeded this long after it was taken up: executed, or accepted
 * by a dam. Attempts, pauses, turns, reroutes and fallbacks count, and so does the wait for the step's own moment.
 *
 * **Details** — `onFailureTimeout` counts from that moment where the step has one; the earlier of the two ends the step,
 * and `onFailure` runs after either. What is chained has a time of its own.
 *
 * @category verbs
 * @since 0.1.0
 */
export const totalTimeout: {
  (limit: Duration.Input): (self: Step) => Step
  (self: Step, limit: Duration.Input): Step
} = dual(2, (self: Step, limit: Duration.Input): Step =>
  changed(self, { totalTimeout: FieldReader.duration(limit, "totalTimeout") })
)

/**
 * Tells the target, in a header of each call, how many milliseconds are left: to the attempt, or to the whole step where
 * that is less. A target that looks can give up what nobody waits for any more.
 *
 * @category verbs
 * @since 0.1.0
 */
export const timeoutHeader: {
  (name: string): (self: Step) => Step
  (self: Step, name: string): Step
} = dual(2, (self: Step, name: string): Step =>
  changed(self, { timeoutHeader: readTimeoutHeader(name, "timeoutHeader") })
)

const readTimeoutHeader = FieldReader.text(Rules.timeoutHeader)

type Moment = number | Date | { readonly epochMilliseconds: number }

const readMoment = FieldReader.number(Rules.epochMillis)

const millisOf = (moment: unknown): unknown => {
  if (moment instanceof Date) return moment.getTime()
  return typeof moment === "object" && moment !== null && "epochMilliseconds" in moment
    ? moment.epochMilliseconds
    : moment
}

const momentOf = (local: string, zone: string): number => {
  const wall = wallIn(zone)
  if (wall === undefined) {
    throw new InvalidStep({ field: "at.zone", problem: "Expected an IANA time zone such as Europe/Berlin" })
  }
  const shown = LOCAL.test(local) ? Date.parse(`${local}Z`) : Number.NaN
  // a 30th of February would be taken for the 2nd of March
  if (Number.isNaN(shown) || dayIn(shown) !== local.slice(8, 10)) {
    const problem = "Expected a local time such as 2027-03-28T02:30, without an offset"
    throw new InvalidStep({ field: "at.local", problem })
  }
  const day = 86_400_000
  // as the clocks went a day before, and as they go a day after
  const [before, after] = [shown - day, shown + day].map((near) => shown - (wall(near) - near))
  const found = [before, after].find((moment) => moment !== undefined && wall(moment) === shown)
  return found ?? before ?? shown
}

/** What the clocks of a zone show at a moment, as if it were UTC; `undefined`: there is no such zone. */
const wallIn = (zone: string): ((moment: number) => number) | undefined => {
  const format = Result.getOrUndefined(Result.try(() => new Intl.DateTimeFormat("en-US", { ...shape, timeZone: zone })))
  if (format === undefined || typeof zone !== "string") return undefined
  return (moment) => {
    const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]))
    const { day = 1, hour = 0, minute = 0, month = 1, second = 0, year = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second) + (moment % 1000)
  }
}

const dayIn = (moment: number): string =>
  new Intl.DateTimeFormat("en-US", { day: "2-digit", timeZone: "UTC" }).format(moment)

const shape = {
  hourCycle: "h23",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric"
} as const

const LOCAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?$/
