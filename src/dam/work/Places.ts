/** The places of running jobs, over all lanes, and whether the dam still gives any away. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Room } from "../lane/Permit.ts"

/** How many are taken. */
export interface Places {
  readonly most: number
  /** Says that a place is free again where there was none. */
  readonly freed: () => void
  taken: number
  /** Monotonic milliseconds since when nothing is started any more. */
  leftAt: number | undefined
}

/** How often it is looked whether a dam that stops has come to rest. */
const lookEvery = 20

/** Makes the places; all are free. */
export const make = (most: number, freed: () => void): Places => ({ most, freed, taken: 0, leftAt: undefined })

/** Whether nothing is started any more. */
export const isLeaving = (self: Places): boolean => self.leftAt !== undefined

/** The places as lanes see them. */
export const room = (self: Places): Room => ({
  left: () => (isLeaving(self) ? 0 : self.most - self.taken),
  take: () => void self.taken++
})

/** The numbers, as `/health` shows them. */
export const view = ({ most, taken }: Places) => ({ running_now: taken, max_running: most })

/** Gives one back. */
export const giveBack = (self: Places): Effect.Effect<void> =>
  Effect.sync(() => {
    const wasFull = self.taken >= self.most
    self.taken--
    if (wasFull) self.freed()
  })

/** Gives none away from now on. */
export const leave = (self: Places): Effect.Effect<void> =>
  Effect.map(Clock.monotonicTimeNanos, (nanos) => void (self.leftAt ??= Number(nanos) / 1e6))

/** Leaves, and waits until nothing is under way, at most for `drain` milliseconds since it left. */
export const emptied = Effect.fnUntraced(function* (self: Places, drain: number, others: () => number) {
  yield* leave(self)
  const until = (self.leftAt ?? 0) + drain
  // looked at again and again rather than interrupted: a finalizer cannot count on that
  while (self.taken > 0 || others() > 0) {
    const left = until - Number(yield* Clock.monotonicTimeNanos) / 1e6
    if (left <= 0) return
    yield* Effect.sleep(Math.min(lookEvery, left))
  }
})
