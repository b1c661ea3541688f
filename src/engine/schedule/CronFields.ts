/**
 * Reads the fields of a cron expression, each as the numbers that it names.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

/**
 * Why an expression, or another part of a schedule, is refused: the field, what is wrong with it, and what to write instead.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refusal {
  readonly field: string
  readonly reason:
    | "empty list item"
    | "five or six fields"
    | "never fires"
    | "not a number"
    | "range goes backwards"
    | "step out of range"
    | "unknown name"
    | "unknown nickname"
    | "unknown time zone"
    | "value out of range"
  readonly remedy: string
}

/** A field, with the numbers that it may name. */
export interface FieldKind {
  readonly name: string
  readonly least: number
  readonly most: number
  /** Names in their order, the first stands for `least`. */
  readonly names: ReadonlyArray<string>
}

const kind = (name: string, least: number, most: number, names: ReadonlyArray<string> = []): FieldKind => ({
  name,
  least,
  most,
  names
})

/** The fields in their order. Sunday is 0, and 7 where it ends a range. */
export const kinds = {
  second: kind("second", 0, 59),
  minute: kind("minute", 0, 59),
  hour: kind("hour", 0, 23),
  day: kind("day of month", 1, 31),
  month: kind("month", 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec".split(" ")),
  weekday: kind("weekday", 0, 7, "sun mon tue wed thu fri sat".split(" "))
} as const

/** What a field of days names beside plain numbers. */
export interface DayItems {
  readonly numbers: ReadonlySet<number>
  /** The last day of the month. */
  readonly last: boolean
  /** Weekdays of which only the n-th of a month is meant; -1 is the last one. */
  readonly nth: ReadonlyArray<{ readonly weekday: number; readonly n: number }>
}

/** Reads a field as the numbers that it names. */
export const numbersIn = (field: FieldKind, text: string): Result.Result<ReadonlySet<number>, Refusal> =>
  Result.map(Result.all(text.split(",").map((item) => itemIn(field, item))), (lists) => new Set(lists.flat()))

/** Reads a field of days. */
export const daysIn = (field: FieldKind, text: string): Result.Result<DayItems, Refusal> => {
  const nth: Array<DayItems["nth"][number]> = []
  let last = false
  const plain = text.split(",").filter((item) => {
    if (field === kinds.day && /^l$/i.test(item)) {
      last = true
      return false
    }
    const found = field === kinds.weekday ? /^([a-z]{3}|\d)(?:l|#([1-5]))$/i.exec(item) : null
    const weekday = found && numberIn(field, found[1] ?? "")
    if (found === null || weekday === null || Result.isFailure(weekday)) return true
    nth.push({ weekday: weekday.success % 7, n: found[2] === undefined ? -1 : Number(found[2]) })
    return false
  })
  if (plain.length === 0) return Result.succeed({ numbers: new Set(), last, nth })
  return Result.map(numbersIn(field, plain.map((item) => (item === "?" ? "*" : item)).join(",")), (numbers) => ({
    numbers: field === kinds.weekday ? new Set(Array.from(numbers, (number) => number % 7)) : numbers,
    last,
    nth
  }))
}

const itemIn = (field: FieldKind, item: string): Result.Result<ReadonlyArray<number>, Refusal> => {
  if (item === "")
    return refuse(field, "empty list item", "write no spaces in a list, and a value before and after each comma")
  const [range = "", stepText, more] = item.split("/")
  const step = stepText === undefined ? 1 : digits.test(stepText) && more === undefined ? Number(stepText) : 0
  // a step over the 7 that is Sunday once more goes nowhere
  if (step < 1 || step > field.most) return refuse(field, "step out of range", `write a step of 1 to ${field.most}`)
  if (range === "*") return Result.succeed(every(field.least, field === kinds.weekday ? 6 : field.most, step))
  const [fromText = "", toText, third] = range.split("-")
  if (third !== undefined) return refuse(field, "not a number", expected(field))
  return Result.flatMap(numberIn(field, fromText), (from) => {
    if (toText === undefined) return Result.succeed(stepText === undefined ? [from] : every(from, field.most, step))
    return Result.flatMap(numberIn(field, toText), (end) => {
      const to = field === kinds.weekday && end === 0 && from > 0 ? 7 : end
      return to < from
        ? refuse(field, "range goes backwards", `write ${from}-${field.most},${field.least}-${to}`)
        : Result.succeed(every(from, to, step))
    })
  })
}

const numberIn = (field: FieldKind, text: string): Result.Result<number, Refusal> => {
  const named = field.names.indexOf(text.toLowerCase())
  if (named !== -1) return Result.succeed(named + field.least)
  if (/^[a-z]{2,}$/i.test(text) && field.names.length > 0) {
    return refuse(field, "unknown name", `write one of ${field.names.join(", ")}`)
  }
  if (!digits.test(text)) return refuse(field, "not a number", expected(field))
  const number = Number(text)
  return number < field.least || number > field.most
    ? refuse(field, "value out of range", expected(field))
    : Result.succeed(number)
}

const digits = /^\d{1,4}$/

const expected = ({ least, most }: FieldKind) => `write numbers from ${least} to ${most}`

const every = (from: number, to: number, step: number): ReadonlyArray<number> =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step)

const refuse = ({ name }: FieldKind, reason: Refusal["reason"], remedy: string): Result.Result<never, Refusal> =>
  Result.fail({ field: name, reason, remedy })
