/**
 * What the clock asks of the dam: to queue what is scheduled and parked when its time has come, to end what has waited
 * past its deadline, and to delete what has been finished for long enough.
 *
 * The clock may be set while the dam runs, and a machine may sleep. What waits for a moment follows the clock, so it is
 * looked at again and again; a pause does not, so its end is moved by as much as the clock was set.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { StoreError } from "../store/StoreError.ts"
import type { UpkeepPort } from "../store/Upkeep.ts"

/** What the duties do beside the store. */
export interface DutyOptions {
  /** Jobs of this lane were queued. */
  readonly released: (lane: string) => Effect.Effect<void>
  /** Ends a job that is past its deadline and does not run. */
  readonly expire: (jobId: string) => Effect.Effect<void, StoreError>
  /** Milliseconds for which a finished job is kept. */
  readonly retention: number
  /** How often the clock is looked at while something waits for it, in milliseconds. */
  readonly clockEvery: number
}

/** The duties at work. */
export interface Duties {
  /** Says that the dam has started, or that a job was scheduled or parked, or has a deadline. */
  readonly lookAround: () => void
  /** Takes in how the clock was set since it was looked at last. */
  readonly noticeClock: Effect.Effect<void>
}

/** By how much the clock must have been set for pauses to be moved: it is kept right by less all the time. */
const noticed = 1000

/** When a store that failed is asked again. */
const askAgainAfter = 1000

const sweepEvery = Duration.minutes(1)
/** Little enough that whoever hands a job in meanwhile waits milliseconds: each portion is a part of a commit. */
const sweepSize = 50

/** How many jobs are ended before it is looked again. */
const expireSize = 100

/** Makes the duties; they work in the scope until it closes, from the first `lookAround` on. */
export const make = Effect.fnUntraced(function* (
  store: UpkeepPort,
  { clockEvery, expire, released, retention }: DutyOptions
): Effect.fn.Return<Duties, never, Scope.Scope> {
  const signals = [Latch.makeUnsafe(false), Latch.makeUnsafe(false)] as const
  const lookAround = () => {
    for (const signal of signals) signal.openUnsafe()
  }
  const noticeClock = yield* clockWatch(store, lookAround)

  /** Does something whenever it is due, or when it is told to look; the effect answers when it is due again. */
  const whenDue = (
    signal: Latch.Latch,
    name: string,
    look: (now: number) => Effect.Effect<number | undefined, StoreError>
  ) =>
    Effect.forkScoped(
      Effect.gen(function* () {
        yield* signal.await
        while (true) {
          signal.closeUnsafe()
          const now = yield* Clock.currentTimeMillis
          const next = yield* look(now).pipe(
            Effect.catch((error) => Effect.as(Effect.logWarning(`${name}: ${error.message}`), now + askAgainAfter))
          )
          yield* next === undefined ? signal.await : waitUntil({ at: next, signal, clockEvery, noticeClock })
        }
      })
    )

  yield* whenDue(signals[0], "jobs that are due", (now) =>
    Effect.gen(function* () {
      const { lanes, nextDueAt } = yield* store.release(now)
      for (const lane of lanes) yield* released(lane)
      return nextDueAt
    })
  )

  yield* whenDue(signals[1], "jobs past their deadline", (now) =>
    Effect.gen(function* () {
      const { ids, nextAt } = yield* store.overdue(now, expireSize)
      for (const id of ids) yield* expire(id)
      return nextAt
    })
  )

  yield* Effect.forkScoped(
    Effect.gen(function* () {
      while (true) {
        yield* Effect.sleep(sweepEvery)
        const before = (yield* Clock.currentTimeMillis) - retention
        let deleted = sweepSize
        while (deleted === sweepSize) {
          deleted = yield* store
            .sweep(before, sweepSize)
            .pipe(Effect.catch((error) => Effect.as(Effect.logWarning(`sweep: ${error.message}`), 0)))
        }
      }
    })
  )

  return { lookAround, noticeClock }
})

interface Wait {
  /** Epoch milliseconds. */
  readonly at: number
  readonly signal: Latch.Latch
  readonly clockEvery: number
  readonly noticeClock: Effect.Effect<void>
}

/** Waits for a moment of the clock, which may come sooner or later than it seems, or for a signal. */
const waitUntil = Effect.fnUntraced(function* ({ at, clockEvery, noticeClock, signal }: Wait) {
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

/**
 * Makes the look at the clock: it has been set when it has gone further, or less far, than time has. Then every pause is
 * moved, and those who wait look again.
 */
const clockWatch = Effect.fnUntraced(function* (store: Pick<UpkeepPort, "shiftPauses">, wasSet: () => void) {
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
