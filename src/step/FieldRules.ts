/**
 * The rule of each field of a step, stated once: what must hold, and what is expected in words that are read after
 * "Expected". The verbs check their own field with it (`FieldReader`), JSON and the wire decode with it (`Fields`).
 */
import { isSecretName } from "./SecretName.ts"

/** A rule over values of one kind. */
export interface Rule<A> {
  readonly expected: string
  readonly holds: (value: A) => boolean
}

/** What is wrong in a record, and under which of its names. */
export interface Misnamed {
  readonly name: string
  readonly expected: string
}

const httpUrl = (value: string): boolean => {
  if (!URL.canParse(value)) return false
  // what is written so begins with that scheme for every parser, and has a host: no job pays for a second look
  if (HTTP.test(value)) return true
  const { hostname, protocol } = new URL(value)
  return (protocol === "http:" || protocol === "https:") && hostname !== ""
}

const OWN =
  /^(?:host|content-.*|connection|keep-alive|proxy-authorization|te|trailer|transfer-encoding|upgrade|expect|webhook-.*|x-ezthrottle-.*|x-l8-.*|traceparent)$/i
const HTTP = /^https?:/i
const LIMIT_NAME = /^[A-Za-z0-9._-]{1,64}$/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
// what Node's `http` and WebCrypto-era `Headers` both accept: Latin-1 without CR, LF and NUL
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROL = /[\x00-\x1f\x7f]/

export const url: Rule<string> = { expected: "an absolute http:// or https:// URL", holds: httpUrl }

export const method: Rule<string> = {
  expected: "an HTTP method such as GET or POST",
  holds: (value) => TOKEN.test(value)
}

/** What a secret is called. */
export const secretName: Rule<string> = {
  expected: "the name of a secret: 1 to 64 letters, digits, dots, underscores and hyphens",
  holds: (value) => LIMIT_NAME.test(value)
}

/** What stands before a secret in its header. */
export const secretPrefix: Rule<string> = {
  expected: "a prefix of at most 256 characters in Latin-1 without line breaks or NUL",
  holds: (value) => value.length <= 256 && HEADER_VALUE.test(value)
}

/** Text that a header carries. */
export const headerValue: Rule<string> = {
  expected: "a header value in Latin-1 without line breaks or NUL",
  holds: (value) => HEADER_VALUE.test(value)
}

/** What is wrong with the value of a header, which is text or the name of a secret, and where within it. */
export const headerValueProblem = (value: unknown): Misnamed | undefined => {
  if (typeof value === "string") return undefined
  if (typeof value !== "object" || value === null || !("secret" in value)) return { name: "", expected: "string" }
  const strange = Object.keys(value).find((name) => name !== "secret" && name !== "prefix")
  if (strange !== undefined) return { name: strange, expected: "secret and prefix alone" }
  const { secret } = value
  if (typeof secret !== "string" || !secretName.holds(secret)) return { name: "secret", expected: secretName.expected }
  const prefix = "prefix" in value ? value.prefix : ""
  return typeof prefix === "string" && secretPrefix.holds(prefix)
    ? undefined
    : { name: "prefix", expected: secretPrefix.expected }
}

/** Header names and values as given; two names that differ in case only are refused. Names of secrets have their own rule. */
export const headers = (given: { readonly [name: string]: unknown }): Misnamed | undefined => {
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase()
    if (!TOKEN.test(name)) return { name, expected: "a header name without spaces, colons or control characters" }
    if (seen.has(lower)) return { name, expected: "each header once, whatever its case" }
    if (typeof value === "string" && !headerValue.holds(value)) return { name, expected: headerValue.expected }
    seen.add(lower)
  }
  return undefined
}

/** The header that tells a target how long a call may take. Where a call goes and how it is framed are not said by it. */
export const timeoutHeader: Rule<string> = {
  expected: "the name of a header that says neither where a call goes nor how it is framed",
  holds: (value) => value.length <= 256 && TOKEN.test(value) && !FRAMING.test(`/headers/${value}`)
}

export const percentile: Rule<number> = {
  expected: "a percentile from p50 to p99.9",
  holds: (value) => value >= 50 && value <= 99.9
}

/** Headers of a webhook. They stand in the outbox as they are, so what is secret is named. */
export const webhookHeaders = (given: { readonly [name: string]: unknown }): Misnamed | undefined => {
  for (const [name, value] of Object.entries(given)) {
    if (OWN.test(name)) return { name, expected: "a header that a delivery does not have anyway" }
    if (typeof value === "string" && isSecretName(name))
      return { name, expected: 'the name of a secret: {"secret": "NAME"}' }
  }
  return headers(given)
}

export const region: Rule<string> = {
  expected: "a region name",
  holds: (value) => value.trim() !== "" && !CONTROL.test(value)
}

/** What a limit is called. */
export const limitName: Rule<string> = {
  expected: "the name of a limit: 1 to 64 letters, digits, dots, underscores and hyphens",
  holds: (value) => LIMIT_NAME.test(value)
}

export const limitKey: Rule<string> = {
  expected: "a key of a limit: at most 256 characters, none of them a control character",
  holds: (value) => value.length <= 256 && !CONTROL.test(value)
}

/** What a line of jobs is called. */
export const orderKey: Rule<string> = {
  expected: "the key of an order: 1 to 128 characters, none of them a control character",
  holds: (value) => value !== "" && value.length <= 128 && !CONTROL.test(value)
}

export const limitCost: Rule<number> = {
  expected: "a finite number above 0",
  holds: (value) => Number.isFinite(value) && value > 0
}

/** A place in a chained call that is filled from the answer before it. */
export const fillInto: Rule<string> = {
  expected: "/path/NAME, /query/NAME, /headers/NAME, /body or a JSON Pointer below /body",
  holds: (value) => value.length <= 512 && !CONTROL.test(value) && INTO.test(value) && !FRAMING.test(value)
}

/** A place in an answer that a chained call takes from. */
export const fillFrom: Rule<string> = {
  expected:
    "/response/status, /response/headers/NAME, /response/body or a JSON Pointer below it, or one below /metadata",
  holds: (value) => value.length <= 512 && !CONTROL.test(value) && FROM.test(value)
}

const INTO =
  /^(?:\/path\/[A-Za-z0-9_-]{1,64}|\/query\/(?:[^/~]|~[01])+|\/headers\/(?:[!#$%&'*+\-.^_`|0-9A-Za-z]|~0)+|\/body(?:\/(?:[^/~]|~[01])*)*)$/
const FROM =
  /^(?:\/response\/status|\/response\/headers\/(?:[!#$%&'*+\-.^_`|0-9A-Za-z]|~0)+|\/response\/body(?:\/(?:[^/~]|~[01])*)*|\/metadata(?:\/(?:[^/~]|~[01])*)+)$/
// where a call goes and how it is framed is no answer's to say
const FRAMING =
  /^\/headers\/(?:host|content-length|connection|keep-alive|proxy-authorization|te|trailer|transfer-encoding|upgrade|expect)$/i

/** A rule of whole numbers; its bounds are known to whoever describes it. */
export interface Whole extends Rule<number> {
  readonly minimum: number
  readonly maximum: number
}

const whole = (minimum: number, maximum: number, expected: string): Whole => ({
  minimum,
  maximum,
  expected,
  holds: (value) => Number.isSafeInteger(value) && value >= minimum && value <= maximum
})

export const code: Whole = whole(100, 599, "an HTTP status code between 100 and 599")

const count = (least: number): Whole => whole(least, Number.MAX_SAFE_INTEGER, `a whole number of at least ${least}`)

export const retries: Whole = count(0)

/** Further calls of one that is slow. */
export const hedges: Whole = whole(1, 3, "1, 2 or 3")

export const quorum: Whole = count(1)

export const epochMillis: Whole = whole(0, Number.MAX_SAFE_INTEGER, "a moment as whole epoch milliseconds")

export const millis: Whole = whole(1, Number.MAX_SAFE_INTEGER, "a positive whole number of milliseconds")

export const idempotentKey: Rule<string> = {
  expected: "an idempotency key of 1 to 255 bytes without control characters",
  holds: (value) => value !== "" && !CONTROL.test(value) && encoder.encode(value).length <= 255
}

const encoder = new TextEncoder()
