/**
 * Targets that answer by themselves, for tests where meeting every exchange would say less than it costs.
 *
 * A script is a value: rules in order, the first that matches a call answers it. Whose turn it is in an answer is kept
 * by the transport made from the script, so one script serves many tests.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { EZThrottle } from "../run/EZThrottle.ts"
import type { Service } from "../run/Service.ts"
import type { Response } from "../step/Reply.ts"
import { target } from "../step/Request.ts"
import type { Exchange, Exchanging } from "../transport/HttpTransport.ts"
import type { Strategies } from "../transport/Strategies.ts"
import type { Answer, Input } from "./Answer.ts"
import { from, start } from "./Answer.ts"
import type { ExchangeCall } from "./Call.ts"
import { ledger, revealed } from "./Call.ts"
import * as Faults from "./Faults.ts"
import { FakeService } from "./FakeService.ts"
import { surround } from "./Surroundings.ts"

export {
  type Answer,
  fail,
  failTimes,
  hang,
  type Input,
  inTurn,
  later,
  notFound,
  refuse,
  reply,
  type ReplyLike,
  reset
} from "./Answer.ts"

/**
 * Rules in order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Script {
  readonly rules: ReadonlyArray<Rule>
}

/**
 * Which calls are answered, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rule {
  /** How the rule is called when no rule matches. */
  readonly name: string
  readonly matches: (exchange: Exchange) => boolean
  readonly answer: Answer
}

/**
 * Which calls a rule is about.
 *
 * **Details** — text: a URL, or a method, a blank and a URL. A URL without a query matches whatever the query, and one
 * that ends in `*` matches everything that begins with it.
 *
 * @category models
 * @since 0.1.0
 */
export type Match = string | RegExp | ((exchange: Exchange) => boolean)

/**
 * Answers the calls that match.
 *
 * @category constructors
 * @since 0.1.0
 */
export const on = (match: Match, answer: Input): Script => {
  const name = typeof match === "function" ? "calls that a function picks" : String(match)
  return { rules: [{ name, matches: matcher(match), answer: from(answer) }] }
}

/**
 * Answers every call that no rule before it matched.
 *
 * @category constructors
 * @since 0.1.0
 */
export const always = (answer: Input): Script => ({
  rules: [{ name: "every call", matches: () => true, answer: from(answer) }]
})

/**
 * Joins scripts; the first rule that matches a call answers it.
 *
 * @category combining
 * @since 0.1.0
 */
export const all = (...scripts: ReadonlyArray<Script>): Script => ({ rules: scripts.flatMap(({ rules }) => rules) })

/**
 * Keeps a script to calls that leave from one region.
 *
 * @category combining
 * @since 0.1.0
 */
export const inRegion = (region: string, script: Script): Script => ({
  rules: script.rules.map((rule) => ({
    name: `${rule.name} in ${region}`,
    matches: (exchange) => exchange.region === region && rule.matches(exchange),
    answer: rule.answer
  }))
})

/**
 * What a scripted transport is made of beside its script.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Healthy regions it can leave from. Defaults to none: it does not tell regions apart. */
  readonly regions?: ReadonlyArray<string> | undefined
  /** The place a region leaves from. Defaults to the region itself. */
  readonly egress?: ((region: string) => string) | undefined
  /** Whether it takes steps that draw on limits. Defaults to `false`: like a client that calls from here. */
  readonly keepsLimits?: boolean | undefined
  /** What the fake EZThrottle does with what only a dam can read. Defaults to `refuse`; `send` makes a dam of it. */
  readonly extensions?: "refuse" | "send" | undefined
  /** What a share of the calls meets instead of the script, or on the way back. Defaults to nothing. */
  readonly faults?: Faults.Faults | undefined
}

/**
 * An exchanging transport that follows a script and keeps a record.
 *
 * @category services
 * @since 0.1.0
 */
export class Scripted extends Context.Service<
  Scripted,
  Exchanging & {
    /** Every exchange so far, in the order they were sent. */
    readonly exchanges: Effect.Effect<ReadonlyArray<ExchangeCall>>
  }
>()("ezthrottle-effect/testing/Scripted") {}

/**
 * Makes a transport that begins the script afresh.
 *
 * **Gotchas** — a call that no rule matches is a defect that names it, so that a test cannot pass by accident.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  script: Script,
  { egress, faults, keepsLimits, regions = [] }: Options = {}
): Effect.Effect<Scripted["Service"]> => {
  const calls = ledger<Exchange, Response>()
  const rules = script.rules.map(({ answer, matches }) => ({ matches, next: start(answer) }))
  const scripted: Exchanging = {
    kind: "exchanging",
    regions: Effect.succeed(regions),
    egress,
    keepsLimits,
    send: (exchange) =>
      Effect.suspend(() => {
        const rule = rules.find(({ matches }) => matches(exchange))
        return rule === undefined ? Effect.die(new Error(unanswered(exchange, script))) : rule.next()
      })
  }
  const met = faults === undefined ? Effect.succeed(scripted) : Faults.over(scripted, faults)
  return Effect.map(met, (transport) => ({
    ...transport,
    send: (exchange) => revealed(exchange, (whole) => calls.note(whole, transport.send(whole))),
    exchanges: calls.calls
  }))
}

/**
 * A client whose FRUGAL steps are tried against the script and forwarded to a fake EZThrottle, which PERFORMANCE steps
 * reach at once.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  script: Script,
  options?: Options
): Layer.Layer<Scripted | FakeService | Strategies | Service | EZThrottle> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const scripted = yield* make(script, options)
      const service = yield* FakeService.make({ extensions: options?.extensions })
      return Context.add(surround(scripted, service), Scripted, scripted)
    })
  )

const unanswered = ({ region, request }: Exchange, { rules }: Script): string =>
  `The script has no answer for ${target(request)}${region === undefined ? "" : ` in ${region}`}; it answers ${
    rules.map(({ name }) => name).join(", ") || "nothing"
  }`

const matcher = (match: Match): ((exchange: Exchange) => boolean) => {
  if (typeof match === "function") return match
  if (match instanceof RegExp)
    return ({ request }) => new RegExp(match.source, match.flags.replace(/[gy]/g, "")).test(request.url)
  const [, method, pattern = ""] = /^(?:(\S+)\s+)?(\S+)$/.exec(match.trim()) ?? []
  return ({ request }) =>
    (method === undefined || method.toUpperCase() === request.method) && matchesUrl(pattern, request.url)
}

const matchesUrl = (pattern: string, url: string): boolean => {
  if (pattern.endsWith("*")) return url.startsWith(pattern.slice(0, -1))
  const [bare = ""] = url.split(/[?#]/)
  return sameUrl(pattern, pattern.includes("?") ? url : bare)
}

// `https://a.example` and `https://a.example/` are one place
const sameUrl = (one: string, other: string): boolean =>
  one === other || (URL.canParse(one) && URL.canParse(other) && new URL(one).href === new URL(other).href)
