/** How numbers and times are told to people. */
import { language } from "./Language.ts"

const digits = new Intl.NumberFormat("en", { maximumFractionDigits: 1 })
const fine = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 })

// the other zero has a sign
export const count = (value: number): string => (value > 0 && value < 1 ? fine : digits).format(value || 0)

export const bytes = (value: number): string =>
  value < 1000
    ? `${value} ${value === 1 ? "byte" : "bytes"}`
    : value < 1e6
      ? `${digits.format(value / 1000)} kB`
      : `${digits.format(value / 1e6)} MB`

export const millis = (value: number): string => {
  if (value < 1000) return `${Math.round(value)} ms`
  if (value < 60_000) return `${digits.format(value / 1000)} s`
  if (value < 3_600_000) return `${digits.format(value / 60_000)} min`
  return `${digits.format(value / 3_600_000)} h`
}

const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit" })
const whole = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" })

let ahead = 0

/** Takes over the dam's clock: moments are its own, and this one may be off. */
export const setClock = (now: number): void => {
  ahead = now - Date.now()
}

/** A time of day by the clock of this machine. */
export const clockOf = (at: number): string => clock.format(at)

/** What the dam's clock says. */
export const now = (): number => Date.now() + ahead

const minutes = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" })

/** A time of day to the minute. */
export const shortly = (at: number): string => minutes.format(at)

const days = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric" })

/** A time of day to the minute, and at midnight the day that begins. */
export const shortlyOrDay = (at: number): string => {
  const date = new Date(at)
  return date.getHours() === 0 && date.getMinutes() === 0 ? days.format(at) : shortly(at)
}

/** Today as a time of day, else with its date. */
export const moment = (at: number): string =>
  Math.abs(now() - at) < 12 * 3_600_000 ? clock.format(at) : whole.format(at)

export const exactly = (at: number): string => new Date(at).toISOString()

/** From now, in words. */
export const away = (at: number): string => {
  const left = at - now()
  return left > 0 ? `in ${millis(left)}` : `${millis(-left)} ago`
}

/** The URL without what may be secret in it. */
export const plainUrl = (text: string): string => {
  if (!URL.canParse(text)) return text
  const url = new URL(text)
  url.username = ""
  url.password = ""
  for (const name of new Set(url.searchParams.keys())) url.searchParams.set(name, "…")
  try {
    return decodeURIComponent(url.href)
  } catch {
    return url.href
  }
}

const secret = /auth|cookie|credential|key|password|secret|session|signature|token/i

/** A header as it may be shown; those of a request come without their secrets already, those of an answer do not. */
export const plainHeader = (name: string, value: string): string => (secret.test(name) ? "<redacted>" : value)

/** What an address says in percent signs; as it stands where they say nothing. */
export const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export const jobHref = (id: string): string => `#/jobs/${encodeURIComponent(id)}`

/** Enough of an id to tell it from its neighbours: its beginning is the time. */
export const shortId = (id: string): string => `…${id.slice(-8)}`

export const laneHref = (lane: string): string => `#/lanes/${encodeURIComponent(lane)}`
