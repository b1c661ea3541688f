/**
 * What providers say in their answers, and what is understood of it: a preset for each that is known, as data.
 *
 * ```ts
 * const answer = { status: 429, headers: { "retry-after-ms": "4210" }, body: "" }
 * Presets.read(answer, { call: { url: "https://api.openai.com/v1/responses" }, now }).wait_ms // => 4210
 * ```
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Places from "../step/Places.ts"
import type { Answer } from "./Answered.ts"
import type { Call } from "./LaneRule.ts"
import { Preset as Form } from "./Preset.ts"
import type { Preset } from "./Preset.ts"
import * as Reading from "./Reading.ts"
import { forHost, generic, named, type PresetOptions } from "./Known.ts"

export type { Answer } from "./Answered.ts"
export type { Call } from "./LaneRule.ts"
export type { LimitReading, Reading } from "./Reading.ts"
export type { Preset } from "./Preset.ts"

export { all, forHost, generic, named, settle } from "./Known.ts"
export type { PresetOptions } from "./Known.ts"

/**
 * What is wrong with presets that somebody wrote down, each mistake with its place below `presets`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const problemsOf = (options: unknown): ReadonlyArray<Places.Problem> =>
  Result.match(decodeOptions(options), {
    onFailure: ({ issue }) => Places.problemsOf(issue, "presets"),
    onSuccess: () => []
  })

/**
 * Which presets hold, as a file says it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Options = Schema.Struct({
  off: Schema.optional(Schema.Array(Schema.String)),
  own: Schema.optional(Schema.Array(Form))
}).check(
  Schema.makeFilter(({ off = [], own = [] }: PresetOptions) => {
    const unknown = off.findIndex((name) => named(name) === undefined)
    if (unknown !== -1) return { path: ["off", unknown], issue: `There is no preset ${off[unknown]}` }
    const twice = own.findIndex(({ name }, place) => own.findIndex((other) => other.name === name) < place)
    return twice === -1 ? undefined : { path: ["own", twice, "name"], issue: "Expected each name once" }
  })
)

const decodeOptions = Schema.decodeUnknownResult(Options, { errors: "all", onExcessProperty: "error" })

/**
 * How an answer is to be read.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReadOptions {
  /** Epoch milliseconds. */
  readonly now: number
  /** Defaults to the one that knows the host of `call`, and where none does to {@link generic}. */
  readonly preset?: Preset | undefined
  /** What was called, as far as it is known: it finds the preset, and tells the lane. */
  readonly call?: Call | undefined
  /** The presets to choose from. Defaults to {@link all}. */
  readonly known?: ReadonlyArray<Preset> | undefined
}

/**
 * Reads what an answer says: what `ezthrottle presets read --json` prints.
 *
 * **Gotchas** — the body has to be read before: an answer of `fetch` has none until then.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (answer: Answer, { call, known, now, preset }: ReadOptions): Reading.Reading => {
  const host = call?.url ?? call?.host
  const found = preset ?? (host === undefined ? undefined : forHost(host, known)) ?? generic
  return Reading.read(found, answer, now, call)
}
