/** How well a client uses a hidden limit: over ten windows once it is warm, and for 500 calls from cold. */
import type { Dialect } from "./Dialect.ts"
import { place, type Kind } from "./Kinds.ts"
import { run, type Client } from "./Network.ts"
import type { Chance } from "./Chance.ts"
import type { Upstream } from "./Upstream.ts"

/** Means over the seeds; shares of 1. */
export interface Measured {
  /** Accepted calls over what the limit allowed. */
  readonly used: number
  /** Refused calls over those sent. */
  readonly refused: number
  /** The time of 500 calls from cold over the least that anybody could take. */
  readonly slowdown: number
}

const coldCalls = 500
const endless = 1e8

export const measure = (
  kind: Kind,
  clientOf: (kind: Kind) => Client,
  dialect: Dialect,
  seeds: ReadonlyArray<number>
): Measured => {
  const warm = seeds.map((seed) => warmed(kind, clientOf, dialect, seed))
  return {
    used: mean(warm.map(({ used }) => used)),
    refused: mean(warm.map(({ refused }) => refused)),
    slowdown: mean(seeds.map((seed) => slowdown(kind, clientOf, dialect, seed)))
  }
}

const settingOf = (kind: Kind, clientOf: (kind: Kind) => Client, dialect: Dialect, seed: number) => {
  const { roundTrip, upstream } = place(kind, seed)
  return { upstream, client: clientOf(kind), dialect, seed, roundTrip, cost: kind.cost }
}

/** After two windows or 200 calls, over ten windows (three long ones) and half an hour at least. */
export const warmed = (kind: Kind, clientOf: (kind: Kind) => Client, dialect: Dialect, seed: number) => {
  const setting = settingOf(kind, clientOf, dialect, seed)
  const { upstream } = setting
  const { window } = upstream
  const horizon = Math.max(
    (window >= 600_000 ? 3 : 10) * window,
    1_800_000,
    Math.ceil((300 / upstream.allows(0, 60_000)) * 60_000)
  )
  let from: number | undefined
  let to = Infinity
  const trace = run({
    ...setting,
    ...(kind.hasWork === undefined ? {} : { hasWork: kind.hasWork }),
    stop: (now, accepted) => {
      if (from === undefined && accepted >= 200 && now >= 2 * window) {
        from = upstream.align(now)
        to = from + Math.ceil(horizon / window) * window
      }
      return now >= to || now > 30 * horizon
    }
  })
  const since = from ?? 15 * horizon
  const until = from === undefined ? 30 * horizon : to
  let sent = 0
  let refused = 0
  let used = 0
  for (const [call, at] of trace.at.entries()) {
    if (at < since || at >= until) continue
    sent++
    if (trace.isOk[call] === true) used += trace.cost[call] ?? 1
    else refused++
  }
  return {
    used: used / upstream.allows(since, until),
    refused: refused / Math.max(1, sent)
  }
}

const slowdown = (kind: Kind, clientOf: (kind: Kind) => Client, dialect: Dialect, seed: number): number => {
  let done = endless
  run({
    ...settingOf(kind, clientOf, dialect, seed),
    stop: (now, accepted) => {
      if (accepted >= coldCalls) done = now
      return accepted >= coldCalls || now > endless
    }
  })
  const again = place(kind, seed)
  return done / optimum(again.upstream, coldCalls, again.chance)
}

/** The least time for so many calls by somebody who knows the limit, with a call every 11 ms at most. */
const optimum = (upstream: Upstream, calls: number, chance: Chance): number => {
  if (upstream.policy === undefined) return calls / upstream.allows(0, 1)
  let at = 0
  for (let call = 0; call < calls; call++) {
    for (let wait = upstream.wait(at); wait > 0; wait = upstream.wait(at)) at += wait + 1e-6
    upstream.arrive(at, chance)
    at += 11
  }
  return at
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length
