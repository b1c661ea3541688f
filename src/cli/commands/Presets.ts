/** What `ezthrottle presets` does. It talks to no service. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { nameOf as ruleOf } from "../../presets/LaneRule.ts"
import type { Preset } from "../../presets/Preset.ts"
import * as Presets from "../../presets/Presets.ts"
import * as Output from "../output/Output.ts"
import { problem } from "../output/Problem.ts"
import * as StepFile from "./StepFile.ts"

// the settings of a dam are most of this package
const loadConfig = Effect.promise(() => import("../../dam/config/ConfigFile.ts"))

/** The presets that hold: all of ours, or what a dam's configuration file makes of them. */
const knownBy = Effect.fnUntraced(function* (config: string | undefined) {
  if (config === undefined) return Presets.all
  const text = yield* StepFile.readText(config)
  const { parse } = yield* loadConfig
  const { dam } = yield* Effect.fromResult(
    Result.mapError(parse(text), ({ message }) => problem("usage", `${config}: ${message}`, { code: "bad_settings" }))
  )
  return Presets.settle(dam.presets ?? {})
})

export const list = Effect.fnUntraced(function* (config: string | undefined) {
  const known = yield* knownBy(config)
  const presets = known.map((preset) => ({
    name: preset.name,
    title: preset.title ?? preset.name,
    hosts: preset.hosts,
    lane: ruleOf(preset)
  }))
  yield* Output.print({ presets }, (paint) =>
    Output.table(
      paint,
      ["NAME", "PROVIDER", "LIMITS BELONG TO", "HOSTS"],
      presets.map(({ hosts, lane, name, title }) => [name, Output.plain(title), lane, Output.plain(hosts.join(", "))])
    )
  )
})

export const show = Effect.fnUntraced(function* (name: string, config: string | undefined) {
  const preset = yield* find(name, yield* knownBy(config))
  // what is left out stays out: this is what a file can hold
  const json: Schema.Json = JSON.parse(JSON.stringify(preset))
  yield* Output.print(json, () => Output.block(JSON.stringify(json, undefined, 2)))
})

/** An answer as the command line gives it. */
export interface Given {
  readonly preset: string | undefined
  readonly host: string | undefined
  readonly status: number
  readonly headers: ReadonlyArray<string>
  readonly body: string | undefined
  /** Epoch milliseconds. */
  readonly now: number | undefined
  readonly config: string | undefined
}

export const read = Effect.fnUntraced(function* (given: Given) {
  const { body, host, status } = given
  const known = yield* knownBy(given.config)
  if (given.preset === undefined && host === undefined) {
    return yield* Effect.fail(
      problem("usage", "whose answer it is has to be said", {
        next: "say --preset or --host; see `ezthrottle presets`"
      })
    )
  }
  const preset = given.preset === undefined ? Presets.forHost(host ?? "", known) : yield* find(given.preset, known)
  const headers = yield* headersIn(given.headers)
  const text = body === undefined ? undefined : yield* body === "-" ? StepFile.readInput : StepFile.readText(body)
  const now = given.now ?? (yield* Clock.currentTimeMillis)
  const by = preset ?? Presets.generic
  const call = host === undefined ? undefined : host.includes("://") ? { url: host } : { host }
  const reading = Presets.read({ status, headers, body: text }, { preset: by, call, now })
  yield* Output.print({ ...reading, limits: reading.limits.map((limit) => ({ ...limit })) }, (paint) =>
    told(paint, reading, by)
  )
})

const find = (name: string, known: ReadonlyArray<Preset>) =>
  Effect.fromResult(
    Result.fromNullishOr(Presets.named(name, known), () =>
      problem("usage", `there is no preset ${Output.plain(name, 60)}`, {
        next: "see `ezthrottle presets`",
        code: "no_preset"
      })
    )
  )

/** One sent twice is one with both values, as `fetch` tells it. */
const headersIn = Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value = ""] = /^([!#$%&'*+\-.^_`|~\w]+)\s*:\s*(.*?)\s*$/s.exec(line) ?? []
    if (name === undefined) {
      return yield* Effect.fail(
        problem("usage", "a header is written as 'name: value'", { next: "quote it, as in --header 'retry-after: 30'" })
      )
    }
    const before = headers.get(name.toLowerCase())
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`)
  }
  return Object.fromEntries(headers)
})

const kinds = { ok: "ok", too_many: "too many", quota_used_up: "quota used up" } as const

const told = (paint: Output.Paint, { cost, kind, lane, limits, wait_ms }: Presets.Reading, preset: Preset): string => {
  const style = kind === "ok" ? "green" : kind === "too_many" ? "yellow" : "red"
  const wait =
    wait_ms === null ? (kind === "too_many" ? ", for how long is not told" : "") : `, wait ${Output.span(wait_ms)}`
  const rows = limits.map(({ limit, name, remaining, reset_ms }) => [
    Output.plain(name),
    remaining === undefined ? "?" : String(remaining),
    limit === undefined ? "?" : String(limit),
    reset_ms === undefined ? "?" : `in ${Output.span(reset_ms)}`
  ])
  return [
    `${paint(style, kinds[kind])}${wait}`,
    Output.facts(paint, [
      ["read by", preset.name],
      ["belongs to", Output.plain(lane)],
      ["cost", cost === null ? undefined : String(cost)]
    ]),
    ...(rows.length === 0 ? [] : [Output.table(paint, ["LIMIT", "LEFT", "OF", "RENEWED"], rows, "  ")])
  ].join("\n")
}
