/**
 * Who is next in the lanes of this process.
 *
 * Calls of a lane that draw on the same limits stand in one line, so that those that wait for a limit keep nobody waiting
 * who does not draw on it. Only the first of a line looks at the clock, and takes its turn in the moment in which it looks:
 * there is no moment in between in which a permit could be lost.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"
import * as Bucket from "../engine/limits/Bucket.ts"
import * as Levels from "../engine/pace/Levels.ts"
import * as Meter from "../engine/pace/Meter.ts"
import { type Link, Links } from "../transport/Links.ts"
import type { Share } from "./Limits.ts"
import { LaneHeld } from "./Permits.ts"

/** Calls that share a pace. */
export interface Lane {
  readonly key: string
  readonly host: string
  meter: Meter.Meter
  readonly lines: Map<string, Line>
  /** Calls that have their permit and may not be sent yet. */
  readonly departing: Set<Latch.Latch>
  /** Tells its calls apart. */
  count: number
  /** Answers of 503 in a row, and when the last of them came. */
  unavailable: number
  unavailableAt: number
  /** Monotonic milliseconds. */
  usedAt: number
}

/** Calls of a lane that draw on the same shares. */
export interface Line {
  readonly lane: Lane
  readonly id: string
  readonly waiters: Links<Waiter>
}

/** A call that waits. */
export interface Waiter {
  readonly lane: Lane
  readonly draws: ReadonlyArray<Drawn>
  /** Milliseconds. */
  readonly patience: number
  /** Grows from call to call, over all lanes. */
  readonly seq: number
  readonly woken: Latch.Latch
}

/** What a call draws on one share of a limit. */
export interface Drawn {
  readonly share: Share<Waiter>
  readonly cost: number
}

/** A call that was let through. */
export interface Passed {
  readonly lane: Lane
  readonly draws: ReadonlyArray<Drawn>
  readonly id: number
}

/** Waits in line, where interruption is on for the wait alone, and passes. */
export const pass = (ask: (now: number) => Waiter): Effect.Effect<Passed, LaneHeld> =>
  Clock.clockWith((clock) => {
    const waiter = ask(monotonic(clock))
    const line = lineOf(waiter)
    const link = line.waiters.add(waiter)
    for (const { share } of waiter.draws) share.asked++
    promote(line)
    return Effect.ensuring(
      turn(line, waiter),
      Effect.sync(() => leave(line, link))
    )
  })

/** Has everybody look again who is first in a line of the lane, or about to be sent. */
export const wake = ({ departing, lines }: Lane): void => {
  for (const { waiters } of lines.values()) waiters.oldest?.value.woken.openUnsafe()
  // a copy: whoever is woken may come back before the next one is
  for (const woken of Array.from(departing)) woken.openUnsafe()
}

/** Has everybody look again who waits for a share. */
export const wakeShare = ({ first }: Share<Waiter>): void => {
  for (const { woken } of first) woken.openUnsafe()
}

/** Sleeps, unless something happens before. */
export const sleepOr = (woken: Latch.Latch, millis: number): Effect.Effect<void> =>
  millis === Number.POSITIVE_INFINITY
    ? woken.await
    : // whole milliseconds: timers know no others
      Effect.raceFirst(woken.await, Effect.sleep(Math.max(1, Math.ceil(millis))))

const turn = Effect.fnUntraced(function* (line: Line, waiter: Waiter) {
  while (true) {
    waiter.woken.closeUnsafe()
    const now = monotonic(yield* Clock.Clock)
    const at = line.waiters.oldest?.value === waiter ? turnAt(waiter, now) : Number.POSITIVE_INFINITY
    if (at <= now) return take(waiter, now)
    const { meter } = line.lane
    const forMillis = Math.max(Meter.heldUntil(meter), Meter.holdsUntil(meter, now)) - now
    if (forMillis > waiter.patience) return yield* new LaneHeld({ forMillis })
    yield* Effect.interruptible(sleepOr(waiter.woken, at - now))
  }
})

const take = ({ draws, lane }: Waiter, now: number): Passed => {
  const id = lane.count++
  const { finder, gate } = lane.meter
  lane.meter = Meter.pass(lane.meter, id, now, gate.open - finder.open.length)
  for (const { cost, share } of draws) share.bucket = Bucket.take(share.bucket, cost, now)
  return { lane, draws, id }
}

const lineOf = ({ draws, lane }: Waiter): Line => {
  const id = draws.map(({ share }) => share.id).join()
  const known = lane.lines.get(id)
  if (known !== undefined) return known
  const made: Line = { lane, id, waiters: new Links() }
  lane.lines.set(id, made)
  return made
}

const leave = (line: Line, link: Link<Waiter>): void => {
  const { draws } = link.value
  line.waiters.remove(link)
  for (const { share } of draws) {
    share.asked--
    share.first.delete(link.value)
  }
  if (line.waiters.isEmpty) line.lane.lines.delete(line.id)
  else promote(line)
  // whom it kept waiting may go
  for (const { share } of draws) wakeShare(share)
}

const promote = ({ waiters }: Line): void => {
  const first = waiters.oldest?.value
  if (first === undefined) return
  for (const { share } of first.draws) share.first.add(first)
  first.woken.openUnsafe()
}

/** How long somebody waits behind another before it looks by itself, in milliseconds: nobody says that a lane has closed. */
const askAgainAfter = 1000

/** The moment from which the first of a line may go, or looks again; `Infinity` until something happens. */
const turnAt = (waiter: Waiter, now: number): number => {
  let at = opensAt(waiter.lane, now)
  for (const { cost, share } of waiter.draws) {
    if (isKept(share, waiter, now)) return Math.max(at, now + askAgainAfter)
    at = Math.max(at, Bucket.opensAt(share.bucket, cost))
  }
  return at
}

/** A share is kept for whoever has waited longer for it and for nothing else, so that cheap calls do not starve a dear one. */
const isKept = (share: Share<Waiter>, waiter: Waiter, now: number): boolean => {
  for (const other of share.first) {
    if (other.seq >= waiter.seq || opensAt(other.lane, now) > now) continue
    const drawn = other.draws.find((one) => one.share === share)
    if (drawn !== undefined && Bucket.opensAt(share.bucket, drawn.cost) > now) return true
  }
  return false
}

/** A call counts as open until its body has ended, for the number that was found too. */
const opensAt = ({ meter }: Lane, now: number): number =>
  meter.gate.open >= Levels.capOf(meter.finder.levels) ? Number.POSITIVE_INFINITY : Meter.opensAt(meter, now)

/** Milliseconds of a clock that never goes back. */
export const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
