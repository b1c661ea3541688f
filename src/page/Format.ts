/** How numbers and times are told to people. */

const digits = new Intl.NumberFormat("en", { maximumFractionDigits: 1 })

export const count = (value: number): string => digits.format(value)

export const millis = (value: number): string => {
  if (value < 1000) return `${Math.round(value)} ms`
  if (value < 60_000) return `${digits.format(value / 1000)} s`
  if (value < 3_600_000) return `${digits.format(value / 60_000)} min`
  return `${digits.format(value / 3_600_000)} h`
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" })
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" })

/** Today as a time of day, else with its date. */
export const moment = (at: number): string =>
  Math.abs(Date.now() - at) < 12 * 3_600_000 ? clock.format(at) : whole.format(at)

export const exactly = (at: number): string => new Date(at).toISOString()

/** From now, in words. */
export const away = (at: number): string => {
  const left = at - Date.now()
  return left > 0 ? `in ${millis(left)}` : `${millis(-left)} ago`
}

/** The URL without what may be secret in it. */
export const plainUrl = (text: string): string => {
  if (!URL.canParse(text)) return text
  const url = new URL(text)
  url.username = ""
  url.password = ""
  for (const name of new Set(url.searchParams.keys())) url.searchParams.set(name, "…")
  return decodeURIComponent(url.href)
}
