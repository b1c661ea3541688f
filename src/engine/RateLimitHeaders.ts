/**
 * Reads what an answer says about the quota left with whoever gave it.
 *
 * There is no one way to say it: the IETF draft changed its syntax twice, and before it everybody invented fields with
 * an `X-`. All of them come down to one value here. A part that cannot be understood is left out, never guessed, and no
 * input makes the reader throw.
 *
 * | source | looks like |
 * | --- | --- |
 * | `ratelimit` | `RateLimit: "default";r=50;t=30` or `RateLimit: limit=100, remaining=50, reset=50` |
 * | `ratelimit-*` | `RateLimit-Limit`, `RateLimit-Remaining`, `RateLimit-Reset` |
 * | `x-ratelimit-*`, `x-rate-limit-*` | the same three with a prefix, the reset in any of five notations |
 * | `ratelimit-policy` | `RateLimit-Policy: "default";q=100;w=60` or `100;w=60`, with nothing beside it |
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import * as Result from "effect/Result"
import * as RetryAfter from "./RetryAfter.ts"

/**
 * The quota an answer reported; each field is there when its part was, and could be read.
 *
 * @category models
 * @since 0.1.0
 */
export interface RateLimit {
  /** Requests allowed per window. */
  readonly limit?: number
  /** Requests still allowed now. */
  readonly remaining?: number
  /** Time until the quota is renewed: never negative, at most 24 hours. */
  readonly resetAfter?: Duration.Duration
  /** Length of a window. */
  readonly window?: Duration.Duration
  /** The family of headers that was believed. */
  readonly source: Source
}

/**
 * A family of rate-limit headers, the most trusted first.
 *
 * @category models
 * @since 0.1.0
 */
export type Source = "ratelimit" | "ratelimit-*" | "x-ratelimit-*" | "x-rate-limit-*" | "ratelimit-policy"

/**
 * Reads the rate-limit headers of an answer; `undefined` when none says anything understandable.
 *
 * **Details** — the first family that yields something decides, in the order of {@link Source}; a policy adds limit and
 * window to the IETF fields beside it. Where several quotas are reported, the one with the fewest requests left counts,
 * and among equals the one renewed last; where there are only policies, the slowest. A reset is told by its size: below
 * 1,000,000,000 it is seconds from now, below 1,000,000,000,000 seconds since 1970, else milliseconds since 1970; an
 * HTTP date will do too.
 * **Gotchas** — names are expected in lower case. A reset in the past is a `resetAfter` of zero.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (headers: Readonly<Record<string, string>>, nowMillis: number): RateLimit | undefined => {
  if (!names.some((name) => headers[name] !== undefined)) return undefined
  const policies = members(headers["ratelimit-policy"]).map(toPolicy)
  return (
    fromRateLimit(members(headers["ratelimit"]), policies, nowMillis) ??
    fromTriple("ratelimit-*", headers, policies, nowMillis) ??
    fromTriple("x-ratelimit-*", headers, [], nowMillis) ??
    fromTriple("x-rate-limit-*", headers, [], nowMillis) ??
    toRateLimit("ratelimit-policy", tightest(policies) ?? {})
  )
}

// put together once: nearly every answer has none of them
const names = [
  "ratelimit-policy",
  "ratelimit",
  ...["ratelimit-", "x-ratelimit-", "x-rate-limit-"].flatMap((prefix) => [
    `${prefix}limit`,
    `${prefix}remaining`,
    `${prefix}reset`
  ])
]

interface Quota {
  readonly name?: string | undefined
  readonly limit?: number | undefined
  readonly remaining?: number | undefined
  readonly resetAfter?: Duration.Duration | undefined
  readonly window?: Duration.Duration | undefined
}

const fromRateLimit = (
  found: ReadonlyArray<Member>,
  policies: ReadonlyArray<Quota>,
  nowMillis: number
): RateLimit | undefined => {
  const dictionary = new Map(found.flatMap(({ head }) => keyed(head)))
  const quotas = found
    .map(({ head, parameters }): Quota => ({
      name: head,
      remaining: count(parameters.get("r")),
      resetAfter: reset(parameters.get("t"), nowMillis)
    }))
    .filter(({ remaining, resetAfter }) => remaining !== undefined || resetAfter !== undefined)
    .toSorted(scarcestFirst)
  const quota = quotas[0] ?? {
    limit: count(dictionary.get("limit")),
    remaining: count(dictionary.get("remaining")),
    resetAfter: reset(dictionary.get("reset"), nowMillis)
  }
  return toRateLimit("ratelimit", quota, policies)
}

const fromTriple = (
  source: Exclude<Source, "ratelimit" | "ratelimit-policy">,
  headers: Readonly<Record<string, string>>,
  policies: ReadonlyArray<Quota>,
  nowMillis: number
): RateLimit | undefined => {
  const prefix = source.slice(0, -1)
  // early drafts append the policies to the limit: `100, 100;w=60, 5000;w=86400`
  const [limit, ...rest] = split(headers[`${prefix}limit`] ?? "", ",")
  const appended = rest.map((text) => toPolicy(toMember(text)))
  const quota = {
    limit: appended.every(({ window }) => window !== undefined) ? count(limit) : undefined,
    remaining: count(headers[`${prefix}remaining`]),
    resetAfter: reset(headers[`${prefix}reset`], nowMillis)
  }
  return toRateLimit(source, quota, quota.limit === undefined ? policies : [...policies, ...appended])
}

// Adds what the quota's policy knows: found by name or by limit, or the only one where the quota has neither.
const toRateLimit = (source: Source, quota: Quota, policies: ReadonlyArray<Quota> = []): RateLimit | undefined => {
  const { remaining, resetAfter } = quota
  if (quota.limit === undefined && remaining === undefined && resetAfter === undefined) return undefined
  const policy =
    policies.find(({ name, limit }) =>
      quota.name === undefined ? limit !== undefined && limit === quota.limit : name === quota.name
    ) ?? (policies.length === 1 && quota.name === undefined && quota.limit === undefined ? policies[0] : undefined)
  const limit = quota.limit ?? policy?.limit
  const window = quota.window ?? policy?.window
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(resetAfter === undefined ? {} : { resetAfter }),
    ...(window === undefined ? {} : { window }),
    source
  }
}

// An unknown amount is no reason to hurry past a known one, hence `Infinity`; two unknowns give NaN and are equals.
const scarcestFirst = (self: Quota, that: Quota): number =>
  (self.remaining ?? Infinity) - (that.remaining ?? Infinity) ||
  Duration.Order(that.resetAfter ?? Duration.zero, self.resetAfter ?? Duration.zero)

const tightest = (policies: ReadonlyArray<Quota>): Quota | undefined =>
  policies.filter(({ limit }) => limit !== undefined).toSorted((self, that) => rate(self) - rate(that) || 0)[0]

const rate = ({ limit, window }: Quota): number =>
  limit === undefined || window === undefined ? Infinity : limit / Duration.toSeconds(window)

const toPolicy = ({ head, parameters }: Member): Quota => {
  const window = count(parameters.get("w"))
  return {
    name: head,
    limit: count(parameters.get("q") ?? head),
    window: window === undefined || window === 0 ? undefined : Duration.seconds(window)
  }
}

const count = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined

const reset = (text: string | undefined, nowMillis: number): Duration.Duration | undefined => {
  if (text === undefined) return undefined
  const number = count(text)
  const pause = number === undefined ? untilDate(text, nowMillis) : untilNumber(number, nowMillis)
  return pause === undefined ? undefined : Duration.clamp(pause, { minimum: Duration.zero, maximum: RetryAfter.cap })
}

const untilNumber = (number: number, nowMillis: number): Duration.Duration =>
  number < 1e9 ? Duration.seconds(number) : Duration.millis((number < 1e12 ? number * 1000 : number) - nowMillis)

const untilDate = (text: string, nowMillis: number): Duration.Duration | undefined => {
  const date = Headers.parseHttpDate(text)
  return Result.isSuccess(date) ? Duration.millis(DateTime.toEpochMillis(date.success) - nowMillis) : undefined
}

interface Member {
  readonly head: string
  readonly parameters: ReadonlyMap<string, string>
}

// As much of structured fields (RFC 9651) as these headers use: `head;key=value;key=value, head`.
const members = (field: string | undefined): ReadonlyArray<Member> =>
  field === undefined ? [] : split(field, ",").map(toMember)

const toMember = (text: string): Member => {
  const [head = "", ...parameters] = split(text, ";")
  return { head, parameters: new Map(parameters.flatMap(keyed)) }
}

const keyed = (text: string): ReadonlyArray<readonly [string, string]> => {
  const at = text.indexOf("=")
  return at === -1 ? [] : [[text.slice(0, at), text.slice(at + 1)]]
}

// A policy's name is a quoted string that may hold separators. Where a quote stays open, nothing can be told apart.
const split = (text: string, separator: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    if (quoted && text[at] === "\\") at++
    else if (text[at] === '"') quoted = !quoted
    else if (!quoted && text[at] === separator) {
      parts.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  return quoted ? [] : [...parts, text.slice(start).trim()]
}
