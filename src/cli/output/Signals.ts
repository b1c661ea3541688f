/**
 * What the terminal and process managers say: the first Ctrl-C or SIGTERM asks to stop, the second stops at once.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { constants } from "node:os"

const signals = ["SIGINT", "SIGTERM"] as const

export type StopSignal = (typeof signals)[number]

/** Listens for as long as the scope lasts; the value waits for the first signal. */
export const make: Effect.Effect<Effect.Effect<StopSignal>, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const first = Deferred.makeUnsafe<StopSignal>()
      let asked = false
      const onSignal = (signal: StopSignal): void => {
        // what a process that was ended by this signal answers; nothing is lost, all that counts is on disk
        if (asked) process.exit(128 + constants.signals[signal])
        asked = true
        Deferred.doneUnsafe(first, Effect.succeed(signal))
      }
      for (const signal of signals) process.on(signal, onSignal)
      return { first, onSignal }
    }),
    ({ onSignal }) => Effect.sync(() => signals.forEach((signal) => process.off(signal, onSignal)))
  ),
  ({ first }) => Deferred.await(first)
)
