/**
 * What a call asks for: its lane, its host, and what it draws on limits.
 *
 * @since 0.1.0
 */
import type { Rules } from "../engine/Refusal.ts"
import { make as look } from "../presets/Answered.ts"
import * as HostRules from "../presets/HostRules.ts"
import * as Known from "../presets/Known.ts"
import * as LaneRule from "../presets/LaneRule.ts"
import type { Preset } from "../presets/Preset.ts"
import type { Draw } from "../step/StepModel.ts"
import { hostOf } from "../engine/HostName.ts"
import type { Ask } from "./Permits.ts"

/**
 * A call, as far as its lane depends on it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly url: URL
  readonly method: string
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string>>
  /** Absent where it is not known before it is sent. */
  readonly body?: Uint8Array | string | undefined
}

/**
 * How lanes are told apart, and what is drawn on limits.
 *
 * @category models
 * @since 0.1.0
 */
export interface AskingOptions<A> {
  readonly presets: boolean | Known.PresetOptions
  readonly laneOf: ((call: A) => string | undefined) | undefined
  readonly draws: ((call: A) => ReadonlyArray<DrawOptions>) | undefined
}

/**
 * What a call draws on a limit.
 *
 * @category models
 * @since 0.1.0
 */
export interface DrawOptions {
  /** Of the limit. */
  readonly name: string
  /** Whose share of it: each key has the whole limit for itself. Defaults to one for all calls. */
  readonly key?: string | undefined
  /** Units. Defaults to 1. */
  readonly cost?: number | undefined
}

/**
 * What is asked for, and what is known of the hosts that are called.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asking<A> {
  readonly ask: (call: Call, given: A) => Omit<Ask, "patience">
  readonly rulesOf: (host: string) => Rules | undefined
  readonly presetOf: (host: string) => Preset | undefined
}

/**
 * Makes it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>({ draws, laneOf, presets }: AskingOptions<A>): Asking<A> => {
  const options = presets === true ? {} : presets
  const known = options === false ? [] : Known.settle(options)
  const presetOf = HostRules.remembered((host) => Known.forHost(host, known))
  return {
    ask: (call, given) => {
      const host = hostOf(call.url)
      return {
        host,
        lane: laneOf?.(given) ?? keyOf(presetOf(host), call) ?? host,
        draws: together((draws?.(given) ?? []).map(toDraw))
      }
    },
    rulesOf: HostRules.remembered((host) => {
      const preset = presetOf(host)
      return preset && HostRules.rulesOf(preset)
    }),
    presetOf
  }
}

/** A part that only the answer tells is not known yet. */
const keyOf = (preset: Preset | undefined, { body, headers, method, url }: Call): string | undefined =>
  preset && LaneRule.keyOf(preset, { url: url.href, method, headers, body: body ?? "" }, unanswered)

const unanswered = look({ status: 0, headers: {} })

/** What is drawn twice on one share is drawn at once. */
const together = (draws: ReadonlyArray<Draw>): ReadonlyArray<Draw> =>
  draws.length < 2
    ? draws
    : draws.reduce<ReadonlyArray<Draw>>((before, draw) => {
        const isSame = ({ key, name }: Draw) => name === draw.name && key === draw.key
        const cost = (before.find(isSame)?.cost ?? 0) + draw.cost
        return [...before.filter((one) => !isSame(one)), { ...draw, cost }]
      }, [])

const toDraw = ({ cost = 1, key = "", name }: DrawOptions): Draw => ({ name, key, cost })
