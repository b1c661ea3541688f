/**
 * What presets know of hosts, for whoever paces and repeats calls to them.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Moment from "../engine/Moment.ts"
import type { Quota, RateLimit } from "../engine/RateLimitHeaders.ts"
import type * as Refusal from "../engine/Refusal.ts"
import { make as look } from "./Answered.ts"
import { holds } from "./Holds.ts"
import type { Told } from "./Limits.ts"
import type { Preset } from "./Preset.ts"
import * as Known from "./Known.ts"
import { judge, type Judged } from "./Reading.ts"

/**
 * Makes what is known of a host, by its name: with a port, or without. Nothing is known of one that no preset knows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Known.PresetOptions = {}): ((host: string) => HostRules | undefined) => {
  const known = Known.settle(options)
  return remembered((host) => {
    const preset = Known.forHost(host, known)
    return preset && { ...rulesOf(preset), preset }
  })
}

/**
 * What is said of a host, found once: it is on the way of every answer.
 *
 * @category accessors
 * @since 0.1.0
 */
export const remembered = <A>(find: (host: string) => A): ((host: string) => A) => {
  const found = new Map<string, { readonly value: A }>()
  return (host) => {
    const known = found.get(host)
    if (known !== undefined) return known.value
    const value = find(host)
    if (found.size >= mostFound) found.clear()
    found.set(host, { value })
    return value
  }
}

/**
 * What is known of a host, and by which preset.
 *
 * @category models
 * @since 0.1.0
 */
export interface HostRules extends Refusal.Rules {
  readonly preset: Preset
}

const mostFound = 10_000

/**
 * What a preset knows, in the words of every upstream. A wait is believed for a day.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rulesOf = (preset: Preset): Refusal.Rules => ({
  read: (answer, nowMillis) => {
    const looked = look(answer)
    const said = toSaid(judge(preset, looked, nowMillis), answer.status)
    const wider = said.kind === "TooMany" ? preset.wider?.find((rule) => holds(rule, looked)) : undefined
    return wider === undefined ? said : { ...said, wider: wider.lanes }
  }
})

/**
 * Whether what an answer says depends on its body.
 *
 * @category decisions
 * @since 0.1.0
 */
export const asksForBody = (
  preset: Preset,
  answer: Pick<Refusal.Answer, "headers" | "status">,
  nowMillis: number
): boolean => {
  let isAsked = false
  const asked = <A>(answered: A) => {
    isAsked = true
    return answered
  }
  judge(preset, { ...look(answer), text: () => asked(""), json: () => asked(undefined) }, nowMillis)
  return isAsked
}

const toSaid = ({ isReset, kind, limits, waitMillis }: Judged, status: number): Refusal.Said => {
  const scarcest = limits.toSorted(scarcestFirst)[0]
  return {
    kind: kinds[kind] ?? (status === 503 ? "Unavailable" : "Taken"),
    wait: waitMillis === undefined ? undefined : Math.min(waitMillis, Duration.toMillis(Moment.cap)),
    by: waitMillis === undefined ? undefined : isReset ? "rate_limit" : "retry_after",
    limit: scarcest && toRateLimit(scarcest),
    isExhausted: scarcest?.remaining === 0,
    quotas: limits.map(toQuota)
  }
}

const toQuota = ({ windowMillis = 0, ...told }: Told): Quota => ({
  ...told,
  window: windowMillis === 0 ? undefined : Duration.millis(windowMillis)
})

const kinds = { ok: undefined, too_many: "TooMany", quota_used_up: "UsedUp" } as const

/** Two unknown amounts give NaN and are equals. */
const scarcestFirst = (self: Told, that: Told): number =>
  (self.remaining ?? Infinity) - (that.remaining ?? Infinity) || (that.resetMillis ?? 0) - (self.resetMillis ?? 0)

const toRateLimit = ({ limit, remaining, resetMillis, windowMillis }: Told): RateLimit => ({
  ...(limit === undefined ? {} : { limit }),
  ...(remaining === undefined ? {} : { remaining }),
  ...(resetMillis === undefined ? {} : { resetAfter: Duration.min(Duration.millis(resetMillis), Moment.cap) }),
  ...(windowMillis === undefined || windowMillis === 0 ? {} : { window: Duration.millis(windowMillis) }),
  source: "preset"
})
