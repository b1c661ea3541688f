/**
 * What an answer says, as a preset understands it: whether it is a refusal, how long to wait, what is left of each limit,
 * and what the call has cost.
 *
 * No answer makes a reader throw. Every number is finite and not below zero; what cannot be understood is not there.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import * as Moment from "../engine/Moment.ts"
import * as RetryAfter from "../engine/RetryAfter.ts"
import { type Answer, type Answered, headerIn, make } from "./Answered.ts"
import * as Figures from "./Figures.ts"
import { holds } from "./Holds.ts"
import * as JsonPath from "./JsonPath.ts"
import * as LaneRule from "./LaneRule.ts"
import * as Limits from "./Limits.ts"
import type { BodyWait, Cost, Limit, Preset, TooMany, UsedUp } from "./Preset.ts"

/**
 * One limit, its figures where they were told.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitReading {
  readonly name: string
  readonly limit?: number
  readonly remaining?: number
  /** Milliseconds until it is renewed. */
  readonly reset_ms?: number
}

/**
 * What an answer says, in the words of `ezthrottle presets read --json`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading {
  /** `too_many`: refused, and worth repeating. `quota_used_up`: refused, and waiting a little does not help. */
  readonly kind: "ok" | "too_many" | "quota_used_up"
  /** Milliseconds until the next call may be made; `null` where nobody says. */
  readonly wait_ms: number | null
  readonly limits: ReadonlyArray<LimitReading>
  /** What the call has cost, in the provider's own unit; `null` where nobody says. */
  readonly cost: number | null
  /** What the limits belong to: a key that calls share, or the rule's name where the call is not known. */
  readonly lane: string
}

/**
 * Reads an answer.
 *
 * **Details** — a refusal is a 429, a 403 that announces a wait or has a limit with nothing left, and whatever the preset
 * says. Its wait is, in this order: a header that tells
 * milliseconds, `Retry-After`, the body, the latest reset among limits with nothing left, what the provider is known to
 * ask for. Where no limit tells what is left, the latest reset counts. A 503 waits as long as it announces, and an
 * accepted call until what it used up is renewed. `x-should-retry: false` on a refusal says that a quota is used up.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (preset: Preset, answer: Answer, nowMillis: number, call: LaneRule.Call = {}): Reading => {
  const answered = make(answer)
  const { kind, limits, waitMillis } = judge(preset, answered, nowMillis)
  return {
    kind,
    wait_ms: waitMillis ?? null,
    limits: limits.map(toReading),
    cost: costOf(preset.cost ?? [], answered) ?? null,
    lane: LaneRule.keyOf(preset, call, answered) ?? LaneRule.nameOf(preset)
  }
}

/**
 * A reading, as far as it says when to call again.
 *
 * @category models
 * @since 0.1.0
 */
export interface Judged {
  readonly kind: Reading["kind"]
  readonly waitMillis: number | undefined
  /** Whether the wait is that of a limit that is to be renewed. */
  readonly isReset: boolean
  readonly limits: ReadonlyArray<Limits.Told>
}

/**
 * Judges an answer, as {@link read} does.
 *
 * @category decoding
 * @since 0.1.0
 */
export const judge = (preset: Preset, answered: Answered, nowMillis: number): Judged => {
  const limits = Limits.read(preset.limits ?? common, answered, nowMillis)
  const { headers, status } = answered
  const announced = RetryAfter.told(headers, nowMillis)
  const fits = (rule: TooMany | UsedUp) =>
    (rule.exhausted === undefined || rule.exhausted === limits.some(isExhausted)) &&
    (rule.announced === undefined || rule.announced === (announced !== undefined)) &&
    holds(rule, answered)
  const usedUp = preset.used_up?.find(fits)
  if (usedUp !== undefined) {
    return { kind: "quota_used_up", waitMillis: untilOf(usedUp, announced, nowMillis), isReset: false, limits }
  }
  const rule = preset.too_many?.find(fits)
  const isPlainly = status === 429 || (status === 403 && (announced !== undefined || limits.some(isExhausted)))
  if (rule === undefined && !isPlainly) {
    return { kind: "ok", ...acceptedWait(limits, status, announced), limits }
  }
  if (headerIn(headers, "x-should-retry")?.toLowerCase() === "false") {
    return { kind: "quota_used_up", waitMillis: undefined, isReset: false, limits }
  }
  const asked = announced ?? bodyWait(preset.body_wait ?? [], answered, nowMillis)
  return { kind: "too_many", ...refusedWait(limits, asked, rule?.wait_seconds), limits }
}

const common: ReadonlyArray<Limit> = [{ dialect: "common" }]

const isExhausted = ({ remaining }: Limits.Told): boolean => remaining === 0

type Wait = Pick<Judged, "waitMillis" | "isReset">

const refusedWait = (
  limits: ReadonlyArray<Limits.Told>,
  asked: number | undefined,
  usualSeconds: number | undefined
): Wait => {
  if (asked !== undefined) return { waitMillis: asked, isReset: false }
  const isSilent = limits.every(({ remaining }) => remaining === undefined)
  const reset = latest(isSilent ? limits : limits.filter(isExhausted))
  if (reset !== undefined) return { waitMillis: reset, isReset: true }
  return { waitMillis: Moment.whole(usualSeconds === undefined ? undefined : usualSeconds * 1000), isReset: false }
}

/** Some announce a wait with every success: it counts where there is nothing left, and on a 503. */
const acceptedWait = (limits: ReadonlyArray<Limits.Told>, status: number, told: number | undefined): Wait => {
  const isSpent = limits.some(isExhausted)
  const isSilent = limits.every(({ remaining }) => remaining === undefined)
  const reset = isSpent ? latest(limits.filter(isExhausted)) : status === 503 && isSilent ? latest(limits) : undefined
  const asked = status === 503 || (isSpent && reset === undefined) ? told : undefined
  return asked === undefined
    ? { waitMillis: reset, isReset: reset !== undefined }
    : { waitMillis: asked, isReset: false }
}

const latest = (limits: ReadonlyArray<Limits.Told>): number | undefined => {
  const resets = limits.flatMap(({ resetMillis }) => (resetMillis === undefined ? [] : [resetMillis]))
  return resets.length === 0 ? undefined : Math.max(...resets)
}

const untilOf = ({ until }: UsedUp, announced: number | undefined, nowMillis: number): number | undefined => {
  if (until === undefined) return undefined
  return until === "told" ? announced : day - (((nowMillis % day) + day) % day)
}

const day = 86_400_000

const bodyWait = (waits: ReadonlyArray<BodyWait>, { json }: Answered, nowMillis: number): number | undefined => {
  for (const wait of waits) {
    const found =
      "path" in wait
        ? JsonPath.valuesAt(json(), wait.path)
            .map((value) => Figures.until(value, wait.in, nowMillis))
            .find((millis) => millis !== undefined)
        : missing(wait, json())
    if (found !== undefined) return found
  }
  return undefined
}

const missing = (
  { available, needed, per_second }: Extract<BodyWait, { readonly needed: string }>,
  json: Schema.Json | undefined
): number | undefined => {
  const [want, have, rate] = [needed, available, per_second].map((path) => lastAmount(json, path))
  if (want === undefined || have === undefined || rate === undefined || rate <= 0) return undefined
  const seconds = Math.max(0, want - have) / rate
  return Figures.until(seconds.toFixed(6), "seconds", nowhere)
}

/** What counts from now asks for no moment. */
const nowhere = 0

const costOf = (costs: ReadonlyArray<Cost>, { headers, json }: Answered): number | undefined => {
  for (const cost of costs) {
    const parts =
      "header" in cost
        ? [Figures.amount(headerIn(headers, cost.header))]
        : cost.sum.map((path) => lastAmount(json(), path))
    const told = parts.flatMap((part) => (part === undefined || part < 0 ? [] : [part]))
    const sum = told.reduce((sum, part) => sum + part, 0)
    if (told.length > 0 && Number.isFinite(sum)) return sum
  }
  return undefined
}

const lastAmount = (json: Schema.Json | undefined, path: string): number | undefined =>
  Figures.amount(JsonPath.valuesAt(json, path).at(-1))

const toReading = ({ limit, name, remaining, resetMillis }: Limits.Told): LimitReading => ({
  name,
  ...(limit === undefined ? {} : { limit }),
  ...(remaining === undefined ? {} : { remaining }),
  ...(resetMillis === undefined ? {} : { reset_ms: resetMillis })
})
