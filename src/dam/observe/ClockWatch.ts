/**
 * Waiting by a clock that may be set while the dam runs. What waits for a moment follows it, so it is looked at again and
 * again; a pause does not, so its end is moved by as much as the clock was set.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Latch from "effect/Latch"
import type { UpkeepPort } from "../store/Upkeep.ts"

/** A wait for a moment. */
export interface Wait {
  /** Epoch milliseconds. */
  readonly at: number
  /** Ends it sooner. */
  readonly signal: Latch.Latch
  /** How often the clock is looked at meanwhile, in milliseconds. */
  readonly clockEvery: number
  readonly noticeClock: Effect.Effect<void>
}

/** Waits for a moment of the clock, which may come sooner or later than it seems, or for a signal. */
export const until = Effect.fnUntraced(function* ({ at, clockEvery, noticeClock, signal }: Wait) {
  let left = at - (yield* Clock.currentTimeMillis)
  while (left > 0) {
    const isSignalled = yield* Effect.raceFirst(
      Effect.as(signal.await, true),
      Effect.as(Effect.sleep(Math.min(left, clockEvery)), false)
    )
    yield* noticeClock
    if (isSignalled) return
    left = at - (yield* Clock.currentTimeMillis)
  }
})

/** By how much the clock must have been set for pauses to be moved: it is kept right by less all the time. */
const noticed = 1000

/**
 * Makes the look at the clock: it has been set when it has gone further, or less far, than time has. Then every pause is
 * moved, and those who wait look again.
 */
export const make = Effect.fnUntraced(function* (store: Pick<UpkeepPort, "shiftPauses">, wasSet: () => void) {
  let ahead = yield* aheadOfTime
  return Effect.gen(function* () {
    const now = yield* aheadOfTime
    const set = Math.round(now - ahead)
    // before anything is written, so that nobody else moves them too
    ahead = now
    if (Math.abs(set) < noticed) return
    yield* Effect.logWarning(`the clock was set ${set > 0 ? "forward" : "back"} by ${Math.abs(set / 1000)} s`)
    yield* store.shiftPauses(set).pipe(
      Effect.catch((error) => {
        ahead -= set
        return Effect.logWarning(`pauses cannot be moved: ${error.message}`)
      })
    )
    wasSet()
  })
})

/** How far the clock is ahead of the time that has passed, in milliseconds: the same until it is set. */
const aheadOfTime = Effect.map(
  Effect.all([Clock.currentTimeMillis, Clock.monotonicTimeNanos]),
  ([millis, nanos]) => millis - Number(nanos) / 1e6
)
