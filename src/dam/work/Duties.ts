/**
 * What the clock asks of the dam: to queue what is scheduled and parked when its time has come, to end what has waited
 * past its deadline or has not started in time, and to delete what has been finished for long enough. And what nobody waits for: to take new jobs into
 * the index of texts, where there is one.
 *
 * The clock may be set while the dam runs, and a machine may sleep. What waits for a moment follows the clock, so it is
 * looked at again and again; a pause does not, so its end is moved by as much as the clock was set.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as ClockWatch from "../observe/ClockWatch.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { UpkeepPort } from "../store/Upkeep.ts"

/** What the duties do beside the store. */
export interface DutyOptions {
  /** Jobs of this lane were queued. */
  readonly released: (lane: string) => Effect.Effect<void>
  /** Ends a job that does not run and is past its deadline, or has not started in time. */
  readonly expire: (jobId: string) => Effect.Effect<void, StoreError>
  /** The clock was set. */
  readonly clockWasSet: () => void
  /** Milliseconds for which a finished job is kept. */
  readonly retention: number
  /** How often the clock is looked at while something waits for it, in milliseconds. */
  readonly clockEvery: number
  /** Whether the store keeps an index of texts. */
  readonly fillsTexts: boolean
}

/** The duties at work. */
export interface Duties {
  /** Says that the dam has started, or that a job was scheduled or parked, or has a moment to be ended at. */
  readonly lookAround: () => void
  /** Says that a job was filed or has ended. */
  readonly noteTexts: () => void
  /** Takes in how the clock was set since it was looked at last. */
  readonly noticeClock: Effect.Effect<void>
}

/** When a store that failed is asked again. */
const askAgainAfter = 1000

const sweepEvery = Duration.minutes(1)
/** Little enough that whoever hands a job in meanwhile waits milliseconds: each portion is a part of a commit. */
const sweepSize = 50

/** How many jobs are ended before it is looked again. */
const expireSize = 100

/** For so long jobs gather before the index takes them in, so that a quiet dam commits once for many. */
const gatherTexts = Duration.seconds(1)
/** A portion of the index is a part of a commit too, and takes as long as one of the sweep. */
const fillSize = 200
/** The index is filled for a tenth of the time at most: whoever hands a job in does not notice. */
const restAfterFill = 9

/** Makes the duties; they work in the scope until it closes, from the first `lookAround` on. */
export const make = Effect.fnUntraced(function* (
  store: UpkeepPort,
  { clockEvery, clockWasSet, expire, fillsTexts, released, retention }: DutyOptions
): Effect.fn.Return<Duties, never, Scope.Scope> {
  const signals = [Latch.makeUnsafe(false), Latch.makeUnsafe(false)] as const
  const texts = Latch.makeUnsafe(true)
  let isAtWork = false
  const lookAround = () => {
    isAtWork = true
    for (const signal of signals) signal.openUnsafe()
  }
  const noticeClock = yield* ClockWatch.make(store, () => {
    lookAround()
    clockWasSet()
  })

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
          yield* next === undefined ? signal.await : ClockWatch.until({ at: next, signal, clockEvery, noticeClock })
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
        // a copy rests until it is told to go on
        if (isAtWork) lookAround()
      }
    })
  )

  if (fillsTexts) yield* Effect.forkScoped(Effect.forever(fillTexts(store, texts)))

  return { lookAround, noteTexts: () => void texts.openUnsafe(), noticeClock }
})

/** Waits for something to take into the index, and takes it in behind those who write. */
const fillTexts = Effect.fnUntraced(function* (store: UpkeepPort, signal: Latch.Latch) {
  yield* signal.await
  yield* Effect.sleep(gatherTexts)
  signal.closeUnsafe()
  while (true) {
    const [took, filled] = yield* Effect.timed(Effect.result(store.fillTexts(fillSize)))
    if (Result.isFailure(filled)) {
      yield* Effect.logWarning(`index of texts: ${filled.failure.message}`)
      yield* Effect.sleep(sweepEvery)
    } else if (filled.success === 0) return
    else yield* Effect.sleep(Duration.times(took, restAfterFill))
  }
})
