/**
 * Many callers of one target in virtual time, each with a policy: what an outage costs the target, and how it ends. Calls
 * arrive on their own, whatever becomes of those before; a call that fails fails at once.
 */
import * as Breaker from "../../../src/engine/Breaker.ts"
import * as Budget from "../../../src/engine/Budget.ts"
import { chanceOf, type Chance } from "../../simulation/Chance.ts"

/** How calls are tried again. */
export interface Policy {
  readonly name: string
  readonly retries: number
  /** Milliseconds before the n-th retry, counted from 0. */
  readonly pause: (nth: number, chance: Chance) => number
  readonly budget?: Budget.Settings
  readonly breaker?: Breaker.Settings
}

/** When the target fails, and how much of what it gets. */
export interface Weather {
  readonly from: number
  readonly to: number
  /** The share of calls that fail meanwhile. */
  readonly share: number
}

/** What became of it. */
export interface Figures {
  /** What the target got meanwhile, by what it gets as a rule. */
  readonly load: number
  /** Of the calls that began meanwhile, the share that ended well. */
  readonly goodput: number
  /** Seconds after it until the target gets as much as ever and answers nearly all; `Infinity`: not while it was watched. */
  readonly recovery: number
  /** The most that it got in a second after it, by what it gets as a rule. */
  readonly peak: number
}

const doubling =
  (base: number, cap: number) =>
  (nth: number, chance: Chance): number =>
    chance() * Math.min(cap, base * 2 ** nth)

const ours = { retries: 3, pause: doubling(200, 30_000) }

/** What is compared. p-retry 6: ten retries, 1 s doubled each time. Polly 8 `RetryStrategyOptions`: three, 2 s each. */
export const policies: { readonly [Name in "bare" | "retries" | "pRetry" | "polly" | "budget" | "both"]: Policy } = {
  bare: { name: "no retries", retries: 0, pause: () => 0 },
  retries: { name: "three retries, no budget", ...ours },
  pRetry: { name: "p-retry's defaults", retries: 10, pause: (nth) => 1000 * 2 ** nth },
  polly: { name: "Polly's default retry", retries: 3, pause: () => 2000 },
  budget: { name: "three retries, a budget", ...ours, budget: Budget.defaults },
  both: { name: "and a breaker", ...ours, budget: Budget.defaults, breaker: Breaker.defaults }
}

/** Runs so many callers, each calling once in ten seconds or so, and watches until two minutes after the weather. */
export const run = (policy: Policy, callers: number, weather: Weather, seed = 1): Figures => {
  const chance = chanceOf(seed, policy.name)
  const perMilli = callers / 10_000
  const end = weather.to + 120_000
  const target = targetOf(policy, weather, chance, end)
  const due: Array<Array<Call>> = []
  let arrivals = 0
  for (let now = 0; now < end; now++) {
    for (arrivals += perMilli; arrivals >= 1; arrivals--) target.make({ nth: 0, beganAt: now }, now, due)
    for (const call of due[now] ?? []) target.make(call, now, due)
    delete due[now]
  }
  return figuresOf(target, perMilli * 1000, weather)
}

interface Call {
  readonly nth: number
  readonly beganAt: number
}

const targetOf = (policy: Policy, { from, share, to }: Weather, chance: Chance, end: number) => {
  const { breaker: settings, budget: rules, pause, retries } = policy
  let budget = Budget.full(rules ?? Budget.defaults, 0)
  let breaker = Breaker.closed
  const got = new Uint32Array(Math.ceil(end / 1000))
  const well = new Uint32Array(Math.ceil(end / 1000))
  let [begun, saved] = [0, 0]
  const make = (call: Call, now: number, due: Array<Array<Call>>): void => {
    const isMeant = call.beganAt >= from && call.beganAt < to
    if (call.nth === 0 && isMeant) begun++
    const [asked, answer] = settings === undefined ? ([breaker, go] as const) : Breaker.ask(breaker, settings, now)
    breaker = asked
    if (answer._tag === "Wait") return
    if (rules !== undefined && call.nth === 0) budget = Budget.called(budget, rules, now)
    const second = Math.floor(now / 1000)
    got[second] = (got[second] ?? 0) + 1
    const isDown = now >= from && now < to && chance() < share
    if (settings !== undefined)
      breaker = Breaker.ended(breaker, settings, { era: answer.era, isDown, now, draw: chance() })
    if (!isDown) {
      well[second] = (well[second] ?? 0) + 1
      if (isMeant) saved++
      return
    }
    if (call.nth >= retries) return
    const paid = rules === undefined ? budget : Budget.paid(budget, rules, now)
    if (paid === undefined) return
    budget = paid
    const at = now + Math.max(1, Math.round(pause(call.nth, chance)))
    ;(due[at] ??= []).push({ nth: call.nth + 1, beganAt: call.beganAt })
  }
  return { make, got, well, goodput: () => saved / Math.max(1, begun) }
}

const go = { _tag: "Go", era: 0 } as const

const figuresOf = (
  { goodput, got, well }: ReturnType<typeof targetOf>,
  normal: number,
  { from, to }: Weather
): Figures => {
  const during = got.slice(from / 1000, to / 1000).reduce((sum, count) => sum + count, 0)
  const after = got.slice(to / 1000)
  const isNormal = (second: number) =>
    (after[second] ?? 0) <= 1.1 * normal && (well[to / 1000 + second] ?? 0) >= 0.95 * normal
  const recovery = after.findIndex((_, second) => [0, 1, 2, 3, 4].every((more) => isNormal(second + more)))
  return {
    load: during / ((normal * (to - from)) / 1000),
    goodput: goodput(),
    recovery: recovery < 0 ? Number.POSITIVE_INFINITY : recovery,
    peak: after.reduce((most, count) => Math.max(most, count), 0) / normal
  }
}
