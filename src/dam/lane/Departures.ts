/**
 * Calls that have their permit, on the way out: between a permit and its call a job is written, and where a disk keeps
 * many waiting, their calls would all be sent in the moment it answers. Here they are spaced again.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Gate from "./Gate.ts"

/** The way out of one gate. */
export interface Departures {
  /** Waits for the moment of the next call, and takes it. */
  readonly next: Effect.Effect<void>
}

/** Timers know whole milliseconds; a pace that has less between its calls cannot wait for less. */
const shortest = 1

/** Makes the way out of a gate that is read and written where it is kept. */
export const make = (read: () => Gate.Gate, write: (gate: Gate.Gate) => void): Departures => {
  const line: Array<object> = []

  const leave = (now: number): void => write(Gate.send(read(), now))

  const inLine = Effect.suspend(() => {
    const self = {}
    line.push(self)
    return Effect.ensuring(
      Effect.gen(function* () {
        while (true) {
          const now = monotonic(yield* Clock.Clock)
          const { pace, sendDueAt } = read()
          const place = line.indexOf(self)
          if (place === 0 && sendDueAt <= now) return leave(now)
          yield* Effect.sleep(Math.max(shortest, Math.ceil(sendDueAt + (place * 1000) / pace.rps - now)))
        }
      }),
      Effect.sync(() => void line.splice(line.indexOf(self), 1))
    )
  })

  return {
    next: Clock.clockWith((clock) => {
      const now = monotonic(clock)
      const { pace, sendDueAt } = read()
      const isFine = 1000 / pace.rps < shortest && sendDueAt - now < shortest
      if (!isFine && (line.length > 0 || sendDueAt > now)) return inLine
      leave(now)
      return Effect.void
    })
  }
}

const monotonic = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
