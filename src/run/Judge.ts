/** One racer's way through the schedule of its path: after each ending the next move, or none. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import * as Moves from "../engine/Moves.ts"
import type { EndedAttempt } from "../step/HistoryModel.ts"
import type { Subject } from "./PathPolicy.ts"
import { PathPolicy } from "./PathPolicy.ts"

export interface Policy extends Moves.Rules, Subject {
  readonly budget: Moves.Budget
}

/** Answers the move after an attempt whose ending is not final. */
export type Judge = (attempt: EndedAttempt) => Effect.Effect<Moves.Move | undefined>

/**
 * Makes the judge of a racer that starts in a region. What it has behind it is stepped through first, each ending at its
 * own time and with the move that followed it, so that a schedule which counts or looks at the clock goes on counting.
 */
export const make = Effect.fnUntraced(function* (
  self: Policy,
  start: string | undefined,
  before: ReadonlyArray<EndedAttempt>
): Effect.fn.Return<Judge> {
  const { budget } = self
  const seat = Moves.seat(before[0]?.region ?? start)
  const own = Moves.schedule(self, budget, seat)
  const compose = yield* PathPolicy
  const step = yield* Schedule.toStep(compose === undefined ? own : compose(own, self))
  const delayAfter = ({ at, ending, latency }: EndedAttempt): Effect.Effect<Duration.Duration | undefined> =>
    Pull.catchDone(
      Effect.map(step(at + latency, ending), ([, delay]) => (Duration.isFinite(delay) ? delay : undefined)),
      () => Effect.undefined
    )
  for (const [index, { kind, pause, region }] of before.entries()) {
    const earlier = before[index - 1]
    if (earlier === undefined || (kind !== "retry" && kind !== "reroute")) continue
    const move: Moves.Move = { kind, region, pause }
    seat.next = move
    if ((yield* delayAfter(earlier)) === undefined) return () => Effect.undefined
    Moves.advance(seat, move)
  }
  return (attempt) =>
    Effect.map(delayAfter(attempt), (delay) => {
      if (delay === undefined) {
        Moves.giveBack(budget, seat)
        return undefined
      }
      const move = {
        ...(seat.next ?? Moves.insist(self, budget, seat, attempt.ending)),
        pause: Math.max(0, Duration.toMillis(delay))
      }
      Moves.advance(seat, move)
      return move
    })
})
