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
 * | `x-ratelimit-*`, `x-rate-limit-*` | the same three with a prefix |
 * | `*-ratelimit-*` | the same three with a prefix of its upstream, such as `Anthropic-RateLimit-Requests-Remaining` |
 * | `ratelimit-policy` | `RateLimit-Policy: "default";q=100;w=60` or `100;w=60`, with nothing beside it |
 *
 * Each of the three may name its limit, in front (`X-RateLimit-Requests-Remaining`) or behind
 * (`X-RateLimit-Remaining-Short`), and `-Reset-After` says in any case how long it is until the reset.
 */
import * as Duration from "effect/Duration"
import { keyed, type Member, members, split, toMember, unquoted } from "./Members.ts"
import * as Moment from "./Moment.ts"

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
 * A family of rate-limit headers, the most trusted first; `preset` is whatever a preset of the host names.
 *
 * @category models
 * @since 0.1.0
 */
export type Source =
  "ratelimit" | "ratelimit-*" | "x-ratelimit-*" | "x-rate-limit-*" | "*-ratelimit-*" | "ratelimit-policy" | "preset"

/**
 * Reads the rate-limit headers of an answer; `undefined` when none says anything understandable.
 *
 * **Details** — the first family that yields something decides, in the order of {@link Source}; a policy adds limit and
 * window to the IETF fields beside it. Where several quotas are reported, the one with the fewest requests left counts,
 * and among equals the one renewed last; where there are only policies, the slowest. A reset is read as `Moment` says.
 * A remaining amount below zero is zero, unless the limit is below zero too, and a fraction of a request is none.
 * **Gotchas** — names are expected in lower case. A reset in the past is a `resetAfter` of zero.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (headers: Readonly<Record<string, string>>, nowMillis: number): RateLimit | undefined => {
  const family = familyIn(headers, nowMillis)
  const scarcest = family?.quotas.toSorted(scarcestFirst)[0]
  return family && scarcest && toRateLimit(family.source, scarcest)
}

/**
 * One quota of several that an answer reported.
 *
 * @category models
 * @since 0.1.0
 */
export interface Quota {
  /** How its headers name it; `undefined` where they do not. */
  readonly name?: string | undefined
  readonly limit?: number | undefined
  readonly remaining?: number | undefined
  /** Milliseconds until it is renewed, however many. */
  readonly resetMillis?: number | undefined
  /** How that was written. */
  readonly resetText?: string | undefined
  readonly window?: Duration.Duration | undefined
}

/**
 * Every quota that the family of {@link parse} reports, as they were sent; of policies alone the slowest comes first.
 *
 * @category decoding
 * @since 0.1.0
 */
export const quotas = (headers: Readonly<Record<string, string>>, nowMillis: number): ReadonlyArray<Quota> =>
  familyIn(headers, nowMillis)?.quotas ?? []

interface Family {
  readonly source: Source
  readonly quotas: ReadonlyArray<Quota>
}

/** The first family that says something. */
const familyIn = (headers: Readonly<Record<string, string>>, nowMillis: number): Family | undefined => {
  const triples = triplesIn(headers)
  if (triples.length === 0 && headers["ratelimit"] === undefined && headers["ratelimit-policy"] === undefined) {
    return undefined
  }
  const policies = members(headers["ratelimit-policy"]).map(toPolicy)
  return (
    familyOf("ratelimit", fromRateLimit(members(headers["ratelimit"]), policies, nowMillis)) ??
    familyOf("ratelimit-*", fromTriples("ratelimit-*", triples, policies, nowMillis)) ??
    familyOf("x-ratelimit-*", fromTriples("x-ratelimit-*", triples, [], nowMillis)) ??
    familyOf("x-rate-limit-*", fromTriples("x-rate-limit-*", triples, [], nowMillis)) ??
    familyOf("*-ratelimit-*", fromTriples("*-ratelimit-*", triples, [], nowMillis)) ??
    familyOf("ratelimit-policy", policies.toSorted(slowestFirst))
  )
}

const familyOf = (source: Source, quotas: ReadonlyArray<Quota>): Family | undefined => {
  const telling = quotas.filter(saysSomething)
  return telling.length === 0 ? undefined : { source, quotas: telling }
}

/** Three headers that belong together, as they were sent. */
interface Triple {
  readonly source: Source
  /** What it limits; empty where its headers do not say. */
  readonly name: string
  readonly texts: { [Kind in (typeof kinds)[number]]?: string }
}

const kinds = ["limit", "remaining", "reset", "reset-after"] as const

const triplesIn = (headers: Readonly<Record<string, string>>): ReadonlyArray<Triple> => {
  let found: Map<string, Triple> | undefined
  for (const name in headers) {
    // nearly every answer has none of them
    const parts = name.includes("limit-") ? NAME.exec(name) : null
    if (parts === null) continue
    const [, prefix = "", behind, after = "", before = "", inFront] = parts
    const kind = kinds.find((one) => one === (behind ?? inFront))
    const text = headers[name]
    if (kind === undefined || text === undefined) continue
    const key = `${prefix} ${after}${before}`
    found ??= new Map()
    const triple = found.get(key) ?? { source: sourceOf(prefix), name: after + before, texts: {} }
    triple.texts[kind] = text
    found.set(key, triple)
  }
  return found === undefined ? [] : Array.from(found.values())
}

const NAME =
  /^((?:[a-z0-9-]+-)?rate-?limit-)(?:(limit|remaining|reset-after|reset)(?:-(.+))?|(.+?)-(limit|remaining|reset-after|reset))$/

const sourceOf = (prefix: string): Source => {
  if (prefix === "ratelimit-") return "ratelimit-*"
  if (prefix === "x-ratelimit-") return "x-ratelimit-*"
  return prefix === "x-rate-limit-" ? "x-rate-limit-*" : "*-ratelimit-*"
}

const fromRateLimit = (
  found: ReadonlyArray<Member>,
  policies: ReadonlyArray<Quota>,
  nowMillis: number
): ReadonlyArray<Quota> => {
  const quotas = found
    .map(({ head, parameters }): Quota => ({
      name: unquoted(head),
      remaining: left(parameters.get("r")),
      resetMillis: reset(parameters.get("t"), nowMillis),
      resetText: parameters.get("t")
    }))
    .filter(saysSomething)
  if (quotas.length > 0) return quotas.map((quota) => withPolicy(quota, policies))
  const dictionary = new Map(found.flatMap(({ head }) => keyed(head)))
  const only: Quota = {
    limit: count(dictionary.get("limit")),
    remaining: left(dictionary.get("remaining")),
    resetMillis: reset(dictionary.get("reset"), nowMillis),
    resetText: dictionary.get("reset")
  }
  return saysSomething(only) ? [withPolicy(only, policies)] : []
}

const fromTriples = (
  source: Source,
  triples: ReadonlyArray<Triple>,
  policies: ReadonlyArray<Quota>,
  nowMillis: number
): ReadonlyArray<Quota> =>
  triples.flatMap((triple) => (triple.source === source ? [quotaOf(triple, policies, nowMillis)] : []))

const quotaOf = ({ name, texts }: Triple, policies: ReadonlyArray<Quota>, nowMillis: number): Quota => {
  // early drafts append the policies to the limit: `100, 100;w=60, 5000;w=86400`
  const [head = "", ...rest] = split(Moment.once(texts.limit ?? ""), ",")
  const appended = rest.map((text) => toPolicy(toMember(text)))
  const after = texts["reset-after"]
  const remaining = windowless(Moment.once(texts.remaining ?? ""))
  const quota: Quota = {
    limit: appended.every(({ window }) => window !== undefined) ? count(windowless(head)) : undefined,
    // there is no limit below zero: beside one, an amount below zero is nothing that was counted
    remaining: head.startsWith("-") && remaining.startsWith("-") ? undefined : left(remaining),
    resetMillis: (after === undefined ? undefined : reset(after, nowMillis)) ?? reset(texts.reset, nowMillis),
    resetText: after ?? texts.reset,
    window: windowOf(head)
  }
  // a name in front or behind is not that of a policy
  const told = saysSomething(quota)
    ? withPolicy(quota, quota.limit === undefined ? policies : [...policies, ...appended])
    : quota
  return name === "" ? told : { ...told, name }
}

/** Without the window that some append to an amount: `20;w=21600`. */
const windowless = (text: string): string => text.replace(/;\s*w=\d+$/, "")

const windowOf = (text: string): Duration.Duration | undefined => {
  const seconds = count(toMember(text).parameters.get("w"))
  return seconds === undefined || seconds === 0 ? undefined : Duration.seconds(seconds)
}

const saysSomething = ({ limit, remaining, resetMillis }: Quota): boolean =>
  limit !== undefined || remaining !== undefined || resetMillis !== undefined

// Adds what the quota's policy knows: found by name or by limit, or the only one where the quota has neither.
const withPolicy = (quota: Quota, policies: ReadonlyArray<Quota>): Quota => {
  const policy =
    policies.find(({ name, limit }) =>
      quota.name === undefined ? limit !== undefined && limit === quota.limit : name === quota.name
    ) ?? (policies.length === 1 && quota.name === undefined && quota.limit === undefined ? policies[0] : undefined)
  return { ...quota, limit: quota.limit ?? policy?.limit, window: quota.window ?? policy?.window }
}

const toRateLimit = (source: Source, { limit, remaining, resetMillis, window }: Quota): RateLimit => ({
  ...(limit === undefined ? {} : { limit }),
  ...(remaining === undefined ? {} : { remaining }),
  ...(resetMillis === undefined ? {} : { resetAfter: Duration.min(Duration.millis(resetMillis), Moment.cap) }),
  ...(window === undefined ? {} : { window }),
  source
})

// An unknown amount is no reason to hurry past a known one, hence `Infinity`; two unknowns give NaN and are equals.
const scarcestFirst = (self: Quota, that: Quota): number =>
  (self.remaining ?? Infinity) - (that.remaining ?? Infinity) || (that.resetMillis ?? 0) - (self.resetMillis ?? 0)

const slowestFirst = (self: Quota, that: Quota): number => rate(self) - rate(that) || 0

const rate = ({ limit, window }: Quota): number =>
  limit === undefined || window === undefined ? Infinity : limit / Duration.toSeconds(window)

const toPolicy = ({ head, parameters }: Member): Quota => {
  const window = count(parameters.get("w"))
  return {
    name: unquoted(head),
    limit: count(parameters.get("q") ?? head),
    window: window === undefined || window === 0 ? undefined : Duration.seconds(window)
  }
}

const count = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined

/** What is left: some count in fractions, and some go on counting below zero. */
const left = (text: string | undefined): number | undefined =>
  text !== undefined && /^-?\d{1,15}(?:\.\d+)?$/.test(text.trim()) ? Math.max(0, Math.floor(Number(text))) : undefined

const reset = (text: string | undefined, nowMillis: number): number | undefined =>
  // more digits than a moment in milliseconds has are of some other unit
  text === undefined || /^\s*\d{16}/.test(text) ? undefined : Moment.untilMillis(text, nowMillis)
