/**
 * The breakers of lanes: what `engine/Breaker` decides as holds and paces, which lanes obey already.
 *
 * An open breaker is a hold, so jobs wait as they do for a `Retry-After`, and it is kept over restarts with that hold. Its
 * probe is a pace of one call at a time, and its ramp a share of the lane's. A lane whose calls succeed costs one look.
 */
import * as Engine from "../../engine/Breaker.ts"
import type { Pace } from "../../engine/pace/Gate.ts"
import { isReceiverLane } from "../job/LaneName.ts"
import type { BreakerStatus } from "./Steering.ts"
import type { StoredPace } from "../store/LaneRecords.ts"

/** Breakers that are not closed, and closed ones whose lane has failed of late. */
export interface Breakers {
  /** `undefined`: none opens by itself. */
  readonly settings: Engine.Settings | undefined
  readonly known: Map<string, Engine.Breaker>
}

/** Eight of ten of at least 50 calls within a minute: an outage, and no row of failures of one job. */
export const defaults: Engine.Settings = { ...Engine.defaults, failureRate: 0.8, minimum: 50, window: 60_000 }

/** How a call to a lane has ended. Moments are monotonic milliseconds. */
export interface Call extends Engine.Drawn {
  readonly lane: string
  readonly isDown: boolean
  readonly sentAt: number
}

/** What a call has changed. */
export interface Change {
  readonly breaker: Engine.Breaker
  /** Whether it has opened, and holds its lane for so many milliseconds. */
  readonly hold: number | undefined
  /** Whether its lane has another pace than before. */
  readonly isRepaced: boolean
  readonly isClosed: boolean
}

/** Makes breakers, open where a hold says so that was kept; now is a monotonic moment, and the same by the clock. */
export const make = (
  settings: Engine.Settings | undefined,
  paces: Iterable<StoredPace>,
  { epoch, now }: { readonly now: number; readonly epoch: number }
): Breakers => {
  const known = new Map<string, Engine.Breaker>()
  for (const { account, heldBy, heldUntil, lane } of paces) {
    if (account !== "" || heldUntil === undefined || heldBy?.reason !== "breaker") continue
    const { times = 1, why = "most calls failed" } = heldBy
    known.set(lane, { _tag: "Open", era: 1, since: now, times, why, until: now + heldUntil - epoch })
  }
  return { settings, known }
}

/** Whether the ending of a call may change anything. Whether results are told is the business of deliveries. */
export const minds = ({ known, settings }: Breakers, { isDown, lane }: Pick<Call, "isDown" | "lane">): boolean =>
  (isDown && settings !== undefined && !isReceiverLane(lane)) || known.has(lane)

/** Takes note of how a call has ended. */
export const ended = (self: Breakers, { isDown, lane, sentAt, ...drawn }: Call): Change => {
  const { known, settings = defaults } = self
  const before = known.get(lane) ?? Engine.closed
  const state = Engine.at(before, settings, drawn.now)
  // what left before it became what it is says nothing of that
  const isLate = "since" in state && sentAt < state.since
  return change(self, lane, {
    before,
    drawn,
    next: isLate ? state : Engine.ended(state, settings, { era: state.era, isDown, ...drawn })
  })
}

/** Opens a breaker by hand. */
export const opened = (self: Breakers, lane: string, why: string, drawn: Engine.Drawn): Change => {
  const before = self.known.get(lane) ?? Engine.closed
  return change(self, lane, {
    before,
    drawn,
    next: Engine.opened(before, self.settings ?? defaults, { ...drawn, why })
  })
}

/** Closes a breaker by hand. */
export const shut = (self: Breakers, lane: string, drawn: Engine.Drawn): Change => {
  const before = self.known.get(lane) ?? Engine.closed
  return change(self, lane, { before, drawn, next: Engine.shut(before, drawn.now) })
}

/** The pace of a lane as its breaker lets it be. */
export const paceOf = ({ known }: Breakers, lane: string, pace: Pace): Pace => {
  const breaker = known.get(lane)
  if (breaker === undefined || breaker._tag === "Closed") return pace
  if (breaker._tag !== "Ramping") return { ...pace, maxConcurrent: 1 }
  return { rps: pace.rps * breaker.share, maxConcurrent: Math.max(1, Math.ceil(pace.maxConcurrent * breaker.share)) }
}

/** How the breaker of a lane stands at a monotonic moment, with moments like that; `undefined`: it is closed. */
export const statusOf = (
  { known, settings = defaults }: Breakers,
  lane: string,
  now: number
): BreakerStatus | undefined => {
  const given = known.get(lane)
  const breaker = given && Engine.at(given, settings, now)
  switch (breaker?._tag) {
    case "Open":
      return { ...shown(breaker), state: "open", until: breaker.until, share: 0 }
    case "HalfOpen":
      return { ...shown(breaker), state: "half_open", until: undefined, share: 0 }
    case "Ramping":
      return { ...shown(breaker), state: "ramping", until: undefined, share: breaker.share }
    default:
      return undefined
  }
}

const shown = ({ since, why }: Pick<BreakerStatus, "since" | "why">) => ({ since, why })

/** Forgets failures that are older than their window. */
export const forget = ({ known, settings = defaults }: Breakers, now: number): void => {
  for (const [lane, breaker] of known)
    if (breaker._tag === "Closed" && now - breaker.seen.from > settings.window) known.delete(lane)
}

const change = (
  { known }: Breakers,
  lane: string,
  {
    before,
    drawn,
    next
  }: { readonly before: Engine.Breaker; readonly next: Engine.Breaker; readonly drawn: Engine.Drawn }
): Change => {
  if (next._tag === "Closed" && next.seen.failures + next.seen.failuresBefore === 0) known.delete(lane)
  else known.set(lane, next)
  const isNew = next.era !== before.era
  return {
    breaker: next,
    hold: next._tag === "Open" && isNew ? next.until - drawn.now : undefined,
    isRepaced: isNew || (next._tag === "Ramping" && before._tag === "Ramping" && next.share !== before.share),
    isClosed: next._tag === "Closed" && before._tag !== "Closed"
  }
}
