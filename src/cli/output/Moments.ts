/** Moments as people write them: an age (`90s`, `2h`, `7d`) or a date and time. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A length of time in milliseconds; a bare number counts seconds. */
const parseSpan = (text: string): number | undefined => {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim()) ?? []
  return digits === undefined ? undefined : Math.round(Number(digits) * units[unit as keyof typeof units])
}

/** Epoch milliseconds of a moment, for whoever says when now is. */
export type When = (now: number) => number

const parseWhen = (text: string): When | undefined => {
  const span = /[a-z]$/.test(text) ? parseSpan(text) : undefined
  if (span !== undefined) return (now) => now - span
  const date = Option.getOrUndefined(DateTime.make(text))
  return date === undefined ? undefined : () => DateTime.toEpochMillis(date)
}

/** A flag that says since or until when. */
export const flag = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.filterMap(
      (text): Option.Option<When> => Option.fromUndefinedOr(parseWhen(text)),
      (text) => `"${text}" is no age such as 90s, 2h or 7d, and no date such as 2026-01-31T12:00:00Z`
    ),
    Flag.withMetavar("WHEN"),
    Flag.withDescription(description),
    Flag.optional
  )

/** A flag that says how long. */
export const span = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.filterMap(
      (text) => Option.fromUndefinedOr(parseSpan(text)),
      (text) => `"${text}" is no length of time such as 500ms, 90s or 5m`
    ),
    Flag.withMetavar("TIME"),
    Flag.withDescription(description)
  )

/** Epoch milliseconds of what was given. */
export const resolve = (when: Option.Option<When>): Effect.Effect<number | undefined> =>
  Effect.map(Clock.currentTimeMillis, (now) => Option.getOrUndefined(Option.map(when, (at) => at(now))))
