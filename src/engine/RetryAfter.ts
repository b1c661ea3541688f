/**
 * Reads how long an answer asks us to stay away.
 *
 * A `Retry-After` is a wish of somebody we do not control, so it is believed only within bounds: never a negative
 * pause, never more than a day, and nothing at all where the value cannot be understood for certain. Guessing would be
 * worse than not knowing, because the caller has a back-off of its own to fall back on.
 */
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import * as Result from "effect/Result"

/**
 * The longest pause a `Retry-After` can ask for: 24 hours.
 *
 * @category bounds
 * @since 0.1.0
 */
export const cap: Duration.Duration = Duration.hours(24)

/**
 * Reads the `Retry-After` of an answer as a pause counted from now, at most {@link cap}.
 *
 * **Details** — whole seconds and the three date forms of HTTP are understood; a date in the past is a pause of zero.
 * **Gotchas** — names are expected in lower case. `undefined` stands both for "no header" and for "a value that cannot
 * be trusted" (`-5`, `1.5`, two different values joined by a comma); whoever counts the latter looks whether
 * `retry-after` is there.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (headers: Readonly<Record<string, string>>, nowMillis: number): Duration.Duration | undefined => {
  const value = headers["retry-after"]
  if (value === undefined) return undefined
  const read = Headers.parseRetryAfter(withoutEcho(value.trim()))
  return Result.isSuccess(read) ? Duration.min(Headers.retryAfterDelay(read.success, nowMillis), cap) : undefined
}

// The same value sent twice arrives joined as "120, 120" and contradicts nothing.
const withoutEcho = (value: string): string => {
  const once = value.slice(0, value.length / 2 - 1)
  return value === `${once}, ${once}` ? once : value
}
