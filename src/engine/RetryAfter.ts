/**
 * Reads how long an answer asks us to stay away.
 *
 * A `Retry-After` is a wish of somebody we do not control, so it is believed only within bounds: never a negative
 * pause, never more than a day, and nothing at all where the value cannot be understood for certain. Guessing would be
 * worse than not knowing, because the caller has a back-off of its own to fall back on.
 *
 * Whether it counts is another question, which `Refusal` answers: some send it with every success.
 */
import * as Duration from "effect/Duration"
import * as Moment from "./Moment.ts"

/**
 * The longest pause a `Retry-After` can ask for: 24 hours.
 *
 * @category bounds
 * @since 0.1.0
 */
export const cap: Duration.Duration = Moment.cap

/**
 * Reads the wait that an answer asks for as a pause counted from now, at most {@link cap}.
 *
 * **Details** — in this order `retry-after-ms` and `x-ms-retry-after-ms` (milliseconds), `retry-after`,
 * `x-rate-limit-retry-after-seconds`, `x-ratelimit-after`, and `retry-after` with the name of a limit behind it, of
 * which the longest counts. The first that can be read decides. A number is seconds, with or without a
 * fraction; a length of time and a moment may be written as `Moment` says. A moment in the
 * past is a pause of zero.
 * **Gotchas** — names are expected in lower case. `undefined` stands both for "no header" and for "a value that cannot
 * be trusted" (`-5`, `soon`, two different values joined by a comma); {@link isUnclear} tells them apart.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (headers: Readonly<Record<string, string>>, nowMillis: number): Duration.Duration | undefined => {
  const millis = told(headers, nowMillis)
  return millis === undefined ? undefined : Duration.min(Duration.millis(millis), cap)
}

/**
 * Reads the same wait as milliseconds, however many they are.
 *
 * @category decoding
 * @since 0.1.0
 */
export const told = (headers: Readonly<Record<string, string>>, nowMillis: number): number | undefined => {
  for (const name of inMillis) {
    const value = headers[name]
    const pause = value === undefined ? undefined : Moment.millisIn(value)
    if (pause !== undefined) return pause
  }
  for (const name of plain) {
    const value = headers[name]
    const pause = value === undefined ? undefined : Moment.delayMillis(value, nowMillis)
    if (pause !== undefined) return pause
  }
  let longest: number | undefined
  for (const name in headers) {
    const value = name.startsWith(named) && !inMillis.includes(name) ? headers[name] : undefined
    const pause = value === undefined ? undefined : Moment.delayMillis(value, nowMillis)
    if (pause !== undefined && (longest === undefined || pause > longest)) longest = pause
  }
  return longest
}

/**
 * Tells whether an answer asks for a wait that nobody can understand.
 *
 * @category decoding
 * @since 0.1.0
 */
export const isUnclear = (headers: Readonly<Record<string, string>>, nowMillis: number): boolean => {
  for (const name in headers) {
    if (name.startsWith("retry-after") || inMillis.includes(name) || plain.includes(name)) {
      return parse(headers, nowMillis) === undefined
    }
  }
  return false
}

const inMillis: ReadonlyArray<string> = ["retry-after-ms", "x-ms-retry-after-ms"]
const plain: ReadonlyArray<string> = ["retry-after", "x-rate-limit-retry-after-seconds", "x-ratelimit-after"]
const named = "retry-after-"
