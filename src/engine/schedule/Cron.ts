/**
 * Cron expressions in a time zone, and the moments at which they fire.
 *
 * Times that are fixed (neither minute nor hour begins with `*`) run once on each of their days: at the end of the gap
 * where clocks skip them, the first time where they come twice. All others follow the clock: whenever it shows a time that
 * matches, in both passes of a repeated hour, and never for a gap.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { type Day, dayMillis, dayOf, daysIn as lengthOf } from "./Calendar.ts"
import { type DayItems, daysIn, kinds, numbersIn, type Refusal } from "./CronFields.ts"
import { changeIn, firstMoment, type Zone, zone as zoneOf } from "./Zone.ts"

/**
 * An expression that was read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cron {
  readonly zone: Zone
  readonly hours: ReadonlyArray<number>
  readonly minutes: ReadonlyArray<number>
  readonly seconds: ReadonlyArray<number>
  readonly months: ReadonlySet<number>
  readonly days: DayItems
  readonly weekdays: DayItems
  /** Whether a day of the month or a weekday is enough; else both are needed. */
  readonly either: boolean
  /** Whether its times are fixed, and do not follow the clock. */
  readonly fixed: boolean
}

/**
 * Reads an expression of five fields, or of six with seconds first, or a nickname.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (expression: string, zoneName: string): Result.Result<Cron, Refusal> => {
  const zone = zoneOf(zoneName)
  if (zone === undefined) {
    return Result.fail({
      field: "zone",
      reason: "unknown time zone",
      remedy: "write a name of the IANA database, such as Europe/Berlin or UTC"
    })
  }
  const text = expression.trim()
  const named = text.startsWith("@") ? nicknames.get(text.toLowerCase()) : text
  if (named === undefined) {
    return Result.fail({
      field: "expression",
      reason: "unknown nickname",
      remedy: `write one of ${Array.from(nicknames.keys()).join(", ")}, or five fields`
    })
  }
  const fields = named.split(/\s+/)
  const [second = "", minute = "", hour = "", day = "", month = "", weekday = ""] =
    fields.length === 5 ? ["0", ...fields] : fields
  if ((fields.length !== 5 && fields.length !== 6) || text === "") {
    return Result.fail({
      field: "expression",
      reason: "five or six fields",
      remedy: "write minute, hour, day of month, month and weekday, with seconds before them where you need them"
    })
  }
  return Result.flatMap(
    Result.all({
      seconds: numbersIn(kinds.second, second),
      minutes: numbersIn(kinds.minute, minute),
      hours: numbersIn(kinds.hour, hour),
      days: daysIn(kinds.day, day),
      months: numbersIn(kinds.month, month),
      weekdays: daysIn(kinds.weekday, weekday)
    }),
    ({ days, hours, minutes, months, seconds, weekdays }) => {
      const cron: Cron = {
        zone,
        hours: inOrder(hours),
        minutes: inOrder(minutes),
        seconds: inOrder(seconds),
        months,
        days,
        weekdays,
        either: !/^[*?]/.test(day) && !/^[*?]/.test(weekday),
        fixed: !minute.startsWith("*") && !hour.startsWith("*")
      }
      return nextWall(cron, 0) === undefined
        ? Result.fail({ field: "day of month", reason: "never fires", remedy: "write a day that its months have" })
        : Result.succeed(cron)
    }
  )
}

const nicknames: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"]
])

/**
 * The first moment after `from` at which it fires, both in epoch milliseconds; `undefined`: none that can be reckoned.
 *
 * @category reckoning
 * @since 0.1.0
 */
export const next = (self: Cron, from: number): number | undefined =>
  self.fixed ? nextFixed(self, from) : nextByClock(self, from)

const nextFixed = (self: Cron, from: number): number | undefined => {
  let wall = nextWall(self, from + self.zone.offset(from))
  while (wall !== undefined) {
    const at = firstMoment(self.zone, wall)
    if (at !== undefined && at > from) return at
    wall = nextWall(self, wall)
  }
  return undefined
}

const nextByClock = (self: Cron, from: number): number | undefined => {
  const { zone } = self
  // clocks are not set twice within two days, so that between two moments of the same offset nothing has happened
  const sight = 2 * dayMillis
  let at = from
  let offset = zone.offset(at)
  while (true) {
    const wall = nextWall(self, at + offset)
    if (wall === undefined) return undefined
    const moment = wall - offset
    const end = Math.min(moment, at + sight)
    if (zone.offset(end) !== offset) {
      const change = changeIn(zone, offset, at, end)
      offset = zone.offset(change)
      at = change - 1
    } else if (moment === end) return moment
    else {
      // what the clocks show before that day does not match, whatever they are set to by then
      at = Math.max(end, moment - dayMillis)
      offset = zone.offset(at)
    }
  }
}

/** In how many days the calendar has been through all it can come to: leap days on a weekday, over a year without one. */
const horizonDays = 41 * 366

/** The first wall time after this one that matches. */
const nextWall = (self: Cron, after: number): number | undefined => {
  const second = Math.floor(after / 1000) + 1
  const today = Math.floor(second / 86_400)
  const later = timeFrom(self, second - today * 86_400)
  if (later !== undefined && matches(self, dayOf(today))) return (today * 86_400 + later) * 1000
  let days = today + 1
  while (days < today + horizonDays) {
    const day = dayOf(days)
    if (!self.months.has(day.month)) days += lengthOf(day.year, day.month) - day.day + 1
    else if (matches(self, day)) return (days * 86_400 + (timeFrom(self, 0) ?? 0)) * 1000
    else days++
  }
  return undefined
}

const matches = ({ days, either, months, weekdays }: Cron, { day, month, weekday, year }: Day): boolean => {
  if (!months.has(month)) return false
  const length = lengthOf(year, month)
  const ofMonth = days.numbers.has(day) || (days.last && day === length)
  const ofWeek =
    weekdays.numbers.has(weekday) ||
    weekdays.nth.some((nth) => nth.weekday === weekday && (nth.n < 0 ? day > length - 7 : Math.ceil(day / 7) === nth.n))
  return either ? ofMonth || ofWeek : ofMonth && ofWeek
}

/** The first time of a day at or after this one, in seconds of the day. */
const timeFrom = ({ hours, minutes, seconds }: Cron, least: number): number | undefined => {
  for (const hour of hours) {
    if (hour * 3600 + 3599 < least) continue
    for (const minute of minutes) {
      const start = hour * 3600 + minute * 60
      const second = start + 59 < least ? undefined : seconds.find((value) => start + value >= least)
      if (second !== undefined) return start + second
    }
  }
  return undefined
}

const inOrder = (numbers: ReadonlySet<number>) => Array.from(numbers).sort((one, other) => one - other)
