/**
 * Reads when something will be possible again, in any of the notations that answers use for it.
 *
 * The same header name carries seconds left at one upstream, a moment at the next, and a length of time at a third. The
 * notation can be told from the value itself, so it is read from there; what could mean two things is not read at all.
 *
 * | looks like | means |
 * | --- | --- |
 * | `30`, `2.5` | seconds from now, below 1,000,000,000 |
 * | `1795781000`, `1795780801.470` | seconds since 1970, below 1,000,000,000,000; above, milliseconds |
 * | `2s`, `120ms`, `1m30s`, `1h2m3s` | a length of time |
 * | `2026-11-27T12:00:17Z` | a moment that names its zone; seconds may be missing |
 * | `Fri, 27 Nov 2026 22:52:00 GMT` | a date of HTTP in any of its three forms, `UTC` for `GMT` as well |
 */
import * as Duration from "effect/Duration"
import * as HttpDate from "./HttpDate.ts"

/**
 * The longest wait that is believed: 24 hours.
 *
 * @category bounds
 * @since 0.1.0
 */
export const cap: Duration.Duration = Duration.hours(24)

/**
 * Reads a value as the time left until then: never negative, at most {@link cap}; `undefined` when it makes no sense.
 *
 * **Details** — a value that was sent several times arrives as `12, 12` and is the one value it is; two different ones
 * make no sense.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (value: string, nowMillis: number): Duration.Duration | undefined =>
  bounded(untilMillis(value, nowMillis))

/**
 * Reads a value of which a number is seconds from now, however many.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readDelay = (value: string, nowMillis: number): Duration.Duration | undefined =>
  bounded(delayMillis(value, nowMillis))

/**
 * Reads a value as milliseconds left, for headers whose name says so.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readMillis = (value: string): Duration.Duration | undefined => bounded(millisIn(value))

/**
 * Reads a value as {@link read} does, as milliseconds, however many they are.
 *
 * @category decoding
 * @since 0.1.0
 */
export const untilMillis = (value: string, nowMillis: number): number | undefined => {
  const text = once(value.trim())
  return whole(fromNumber(text, nowMillis) ?? lengthIn(text) ?? momentIn(text, nowMillis))
}

/**
 * Reads a value as {@link readDelay} does, as milliseconds, however many they are.
 *
 * @category decoding
 * @since 0.1.0
 */
export const delayMillis = (value: string, nowMillis: number): number | undefined => {
  const text = once(value.trim())
  return whole(decimal.test(text) ? Number(text) * 1000 : (lengthIn(text) ?? momentIn(text, nowMillis)))
}

/**
 * Reads a value as {@link readMillis} does, as milliseconds, however many they are.
 *
 * @category decoding
 * @since 0.1.0
 */
export const millisIn = (value: string): number | undefined => {
  const text = once(value.trim())
  return whole(decimal.test(text) ? Number(text) : undefined)
}

/**
 * The moment that a value names, in epoch milliseconds; `undefined` where it is a time left, or makes no sense.
 *
 * @category decoding
 * @since 0.1.0
 */
export const epochIn = (value: string): number | undefined => {
  const text = once(value.trim())
  if (!decimal.test(text)) return momentIn(text, 0)
  const number = Number(text)
  return number < 1e9 ? undefined : fromNumber(text, 0)
}

/**
 * Milliseconds to wait: whole ones, because a fraction is waited for and not cut off, and none for what has passed.
 *
 * @category decoding
 * @since 0.1.0
 */
export const whole = (millis: number | undefined): number | undefined =>
  // a product such as 4.35 * 1000 is off by less than a millionth, which is no fraction
  millis === undefined
    ? undefined
    : Math.min(Math.max(0, Math.ceil(Number(millis.toFixed(6)))), Number.MAX_SAFE_INTEGER)

/**
 * The value of a header that may have been sent several times, when all say the same.
 *
 * @category decoding
 * @since 0.1.0
 */
export const once = (value: string): string => {
  if (!value.includes(",")) return value
  const parts = value.split(",").map((part) => part.trim())
  // the date of HTTP has a comma itself
  const length = parts.length % 2 === 0 && parts[0] !== parts[1] ? 2 : 1
  const isEcho = parts.every((part, at) => part === parts[at % length])
  return isEcho ? parts.slice(0, length).join(", ") : value
}

const bounded = (millis: number | undefined): Duration.Duration | undefined =>
  millis === undefined ? undefined : Duration.min(Duration.millis(millis), cap)

// Patterns rather than `Number`, which also reads "1e9", "0x10" and the empty text.
const decimal = /^\d+(?:\.\d+)?$/

const fromNumber = (text: string, nowMillis: number): number | undefined => {
  if (!decimal.test(text)) return undefined
  const number = Number(text)
  if (number < 1e9) return number * 1000
  return (number < 1e12 ? number * 1000 : number) - nowMillis
}

const lengths = /^(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?$/

/**
 * Reads a length of time such as `1m30s` as milliseconds.
 *
 * @category decoding
 * @since 0.1.0
 */
export const lengthIn = (text: string): number | undefined => {
  const found = text === "" ? null : lengths.exec(text)
  if (found === null) return undefined
  const [, hours = "0", minutes = "0", seconds = "0", millis = "0"] = found
  return Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000 + Number(millis)
}

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/

/**
 * Reads a moment that is written as a date as milliseconds from now, negative in the past.
 *
 * @category decoding
 * @since 0.1.0
 */
export const momentIn = (text: string, nowMillis: number): number | undefined => {
  const at = moment.test(text) ? Date.parse(text) : HttpDate.parse(text.replace(/ (?:UTC|\+0000)$/, " GMT"))
  return at === undefined || Number.isNaN(at) ? undefined : at - nowMillis
}
