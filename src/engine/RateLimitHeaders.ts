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
 * A family of rate-limit headers, the most trusted first.
 *
 * @category models
 * @since 0.1.0
 */
export type Source =
  "ratelimit" | "ratelimit-*" | "x-ratelimit-*" | "x-rate-limit-*" | "*-ratelimit-*" | "ratelimit-policy"

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
  const triples = triplesIn(headers)
  if (triples.length === 0 && headers["ratelimit"] === undefined && headers["ratelimit-policy"] === undefined) {
    return undefined
  }
  const policies = members(headers["ratelimit-policy"]).map(toPolicy)
  return (
    fromRateLimit(members(headers["ratelimit"]), policies, nowMillis) ??
    fromTriples("ratelimit-*", triples, policies, nowMillis) ??
    fromTriples("x-ratelimit-*", triples, [], nowMillis) ??
    fromTriples("x-rate-limit-*", triples, [], nowMillis) ??
    fromTriples("*-ratelimit-*", triples, [], nowMillis) ??
    toRateLimit("ratelimit-policy", tightest(policies) ?? {})
  )
}

/** Three headers that belong together, as they were sent. */
interface Triple {
  readonly source: Source
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
    const triple = found.get(key) ?? { source: sourceOf(prefix), texts: {} }
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
      remaining: left(parameters.get("r")),
      resetAfter: reset(parameters.get("t"), nowMillis)
    }))
    .filter(({ remaining, resetAfter }) => remaining !== undefined || resetAfter !== undefined)
    .toSorted(scarcestFirst)
  const quota = quotas[0] ?? {
    limit: count(dictionary.get("limit")),
    remaining: left(dictionary.get("remaining")),
    resetAfter: reset(dictionary.get("reset"), nowMillis)
  }
  return toRateLimit("ratelimit", quota, policies)
}

const fromTriples = (
  source: Source,
  triples: ReadonlyArray<Triple>,
  policies: ReadonlyArray<Quota>,
  nowMillis: number
): RateLimit | undefined => {
  const [first] = triples
    .flatMap((triple) => (triple.source === source ? [quotaOf(triple, policies, nowMillis)] : []))
    .filter(({ quota }) => saysSomething(quota))
    .toSorted((self, that) => scarcestFirst(self.quota, that.quota))
  return first && toRateLimit(source, first.quota, first.policies)
}

const quotaOf = ({ texts }: Triple, policies: ReadonlyArray<Quota>, nowMillis: number) => {
  // early drafts append the policies to the limit: `100, 100;w=60, 5000;w=86400`
  const [head = "", ...rest] = split(Moment.once(texts.limit ?? ""), ",")
  const appended = rest.map((text) => toPolicy(toMember(text)))
  const after = texts["reset-after"]
  const remaining = windowless(Moment.once(texts.remaining ?? ""))
  const quota: Quota = {
    limit: appended.every(({ window }) => window !== undefined) ? count(windowless(head)) : undefined,
    // there is no limit below zero: beside one, an amount below zero is nothing that was counted
    remaining: head.startsWith("-") && remaining.startsWith("-") ? undefined : left(remaining),
    resetAfter: (after === undefined ? undefined : reset(after, nowMillis)) ?? reset(texts.reset, nowMillis),
    window: windowOf(head)
  }
  return { quota, policies: quota.limit === undefined ? policies : [...policies, ...appended] }
}

/** Without the window that some append to an amount: `20;w=21600`. */
const windowless = (text: string): string => text.replace(/;\s*w=\d+$/, "")

const windowOf = (text: string): Duration.Duration | undefined => {
  const seconds = count(toMember(text).parameters.get("w"))
  return seconds === undefined || seconds === 0 ? undefined : Duration.seconds(seconds)
}

const saysSomething = ({ limit, remaining, resetAfter }: Quota): boolean =>
  limit !== undefined || remaining !== undefined || resetAfter !== undefined

// Adds what the quota's policy knows: found by name or by limit, or the only one where the quota has neither.
const toRateLimit = (source: Source, quota: Quota, policies: ReadonlyArray<Quota> = []): RateLimit | undefined => {
  const { remaining, resetAfter } = quota
  if (!saysSomething(quota)) return undefined
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

/** What is left: some count in fractions, and some go on counting below zero. */
const left = (text: string | undefined): number | undefined =>
  text !== undefined && /^-?\d{1,15}(?:\.\d+)?$/.test(text.trim()) ? Math.max(0, Math.floor(Number(text))) : undefined

const reset = (text: string | undefined, nowMillis: number): Duration.Duration | undefined =>
  // more digits than a moment in milliseconds has are of some other unit
  text === undefined || /^\s*\d{16}/.test(text) ? undefined : Moment.read(text, nowMillis)

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
