/** A dam that stops: nothing is started any more, and what is under way gets a while to end. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Whether it does. */
export interface Leaving {
  /** Monotonic milliseconds since when nothing is started any more. */
  at: number | undefined
}

/** How often it is looked whether everything has come to rest. */
const lookEvery = 20

/** Makes a dam that does not stop yet. */
export const make = (): Leaving => ({ at: undefined })

/** Whether nothing is started any more. */
export const isLeaving = (self: Leaving): boolean => self.at !== undefined

/** Starts nothing from now on. */
export const leave = (self: Leaving): Effect.Effect<void> =>
  Effect.map(Clock.monotonicTimeNanos, (nanos) => void (self.at ??= Number(nanos) / 1e6))

/**
 * Leaves, and waits until nothing is under way, at most for `drain` milliseconds since it left. `underWay` counts what
 * may still end until a monotonic millisecond.
 */
export const emptied = Effect.fnUntraced(function* (self: Leaving, drain: number, underWay: (until: number) => number) {
  yield* leave(self)
  const until = (self.at ?? 0) + drain
  // looked at again and again rather than interrupted: a finalizer cannot count on that
  while (underWay(until) > 0) {
    const left = until - Number(yield* Clock.monotonicTimeNanos) / 1e6
    if (left <= 0) return
    yield* Effect.sleep(Math.min(lookEvery, left))
  }
})
