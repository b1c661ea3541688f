/**
 * The rule of each field of a step, stated once: the verbs check their own field with it, the JSON codec and the wire
 * codec decode with it. Expectations are written to be read after "Expected".
 */
import * as Schema from "effect/Schema"

/** `shown` is what of the rule JSON Schema can say. */
const text = (
  expected: string,
  holds: (value: string) => boolean,
  shown: { readonly minLength?: number; readonly maxLength?: number } = { minLength: 1 }
) => Schema.String.check(Schema.makeFilter(holds, { expected, toJsonSchema: () => [{ ...shown }, true] }))

const httpUrl = (value: string): boolean => {
  if (!URL.canParse(value)) return false
  const { hostname, protocol } = new URL(value)
  return (protocol === "http:" || protocol === "https:") && hostname !== ""
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// what Node's `http` and WebCrypto-era `Headers` both accept: Latin-1 without CR, LF and NUL
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\x00-\x1f\x7f]/

/** An absolute `http:` or `https:` URL, kept as it was written. */
export const Url = text("an absolute http:// or https:// URL", httpUrl)

/** An upper-case HTTP method. */
export const Method = text("an HTTP method such as GET or POST", (value) => TOKEN.test(value))

/** Header names and values as given; two names that differ in case only are refused. */
export const Headers = Schema.Record(Schema.String, Schema.String).check(
  Schema.makeFilter((headers: { readonly [name: string]: string }) => {
    const seen = new Set<string>()
    for (const [name, value] of Object.entries(headers)) {
      const issue = (expected: string) => ({ path: [name], issue: `Expected ${expected}` })
      if (!TOKEN.test(name)) return issue("a header name without spaces, colons or control characters")
      if (seen.has(name.toLowerCase())) return issue("each header once, whatever its case")
      if (!HEADER_VALUE.test(value)) return issue("a header value in Latin-1 without line breaks or NUL")
      seen.add(name.toLowerCase())
    }
    return undefined
  })
)

/** Region names such as `iad`. */
export const Regions = Schema.Array(text("a region name", (value) => value.trim() !== "" && !CONTROL.test(value)))

/** A whole number within bounds; what needs more than 32 bits says so to whoever generates a client. */
const whole = (minimum: number, maximum: number, expected: string) =>
  Schema.Number.check(
    Schema.isInt({ expected }),
    Schema.makeFilter((value: number) => value >= minimum && value <= maximum, {
      expected,
      toJsonSchema: () => ({ minimum, maximum, ...(maximum > 0x7fff_ffff ? { format: "int64" } : {}) })
    })
  )

/** HTTP status codes, 100 to 599. */
export const Codes = Schema.Array(whole(100, 599, "an HTTP status code between 100 and 599"))

const count = (least: number) => whole(least, Number.MAX_SAFE_INTEGER, `a whole number of at least ${least}`)

/** How many retries or reroutes: a whole number, `0` for none. */
export const Count = count(0)

/** How many voting webhooks must answer 2xx: a whole number from 1. */
export const Quorum = count(1)

/** A moment as epoch milliseconds. */
export const EpochMillis = whole(0, Number.MAX_SAFE_INTEGER, "a moment as whole epoch milliseconds")

/** A key of 1 to 255 bytes without control characters. */
export const IdempotentKey = text(
  "an idempotency key of 1 to 255 bytes without control characters",
  (value) => value !== "" && !CONTROL.test(value) && byteLength(value) <= 255,
  { minLength: 1, maxLength: 255 }
)

/** Free data of the caller that comes back with the result. */
export const Metadata = Schema.Record(Schema.String, Schema.Json)

/** A length of time in whole, positive milliseconds. */
export const Millis = whole(1, Number.MAX_SAFE_INTEGER, "a positive whole number of milliseconds")

const encoder = new TextEncoder()
const byteLength = (value: string): number => encoder.encode(value).length
