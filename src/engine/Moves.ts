/**
 * The policy of a path as a `Schedule`: an ending goes in, and out comes the move after it, until the policy stops. It
 * wraps `decide` over what the racers of the path share.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type { ResolvedRetryPolicy } from "../step/RetryPolicy.ts"
import type { Ended, Spent } from "./Decide.ts"
import { decide } from "./Decide.ts"
import * as Pause from "./Pause.ts"

/**
 * What leads to an attempt: the start of its racer, a retry in the same region, or a reroute to another one.
 *
 * @category models
 * @since 0.1.0
 */
export interface Move {
  readonly kind: "start" | "retry" | "reroute"
  readonly region: string | undefined
  /** Milliseconds to wait before the attempt. */
  readonly pause: number
}

/**
 * What a schedule of moves goes by.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rules {
  readonly policy: ResolvedRetryPolicy
  /** The longest `Retry-After` worth sleeping through, in milliseconds. */
  readonly patience: number
}

/**
 * What a path has spent and where it may still go. Its racers share one and change it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Budget {
  spent: Spent
  readonly spare: Array<string>
}

/**
 * Where one racer stands: the move that led to its last attempt, and the one after that once it is settled.
 *
 * @category models
 * @since 0.1.0
 */
export interface Seat {
  last: Move
  next: Move | undefined
}

/**
 * Makes the seat of a racer that starts in a region.
 *
 * @category constructors
 * @since 0.1.0
 */
export const seat = (region: string | undefined): Seat => ({
  last: { kind: "start", region, pause: 0 },
  next: undefined
})

/**
 * Makes the schedule of one racer. It outputs the next move, delays by its pause, and ends with the racer's last move
 * where the policy stops.
 *
 * **Details** — a move is claimed from the budget when it is output, once for each ending, however often a schedule that
 * holds this one twice asks. Whoever steps it calls `advance` before the next ending, or `giveBack`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule = (rules: Rules, budget: Budget, self: Seat): Schedule.Schedule<Move, Ended> =>
  Schedule.fromStep(
    Effect.succeed((_now: number, ended: Ended) =>
      Effect.flatMap(Random.Random, (random) => {
        const move = settle({ rules, budget, self, ended }, () => random.nextDoubleUnsafe())
        return move === undefined
          ? Cause.done(self.last)
          : Effect.succeed<[Move, Duration.Duration]>([move, Duration.millis(move.pause)])
      })
    )
  )

/**
 * Makes the move that was settled the last one.
 *
 * @category verbs
 * @since 0.1.0
 */
export const advance = (self: Seat, move: Move): void => {
  self.last = move
  self.next = undefined
}

/**
 * Returns a move that was claimed and is not made, so that another racer can have it.
 *
 * @category verbs
 * @since 0.1.0
 */
export const giveBack = (budget: Budget, self: Seat): void => {
  const { next } = self
  if (next === undefined) return
  self.next = undefined
  const { reroutes, retries } = budget.spent
  budget.spent = next.kind === "reroute" ? { retries, reroutes: reroutes - 1 } : { retries: retries - 1, reroutes }
  if (next.kind === "reroute" && next.region !== undefined) budget.spare.unshift(next.region)
}

/**
 * Goes on though the policy was not asked or has stopped: where it would go, else in the same region. Its pause is left
 * to whoever goes on.
 *
 * @category verbs
 * @since 0.1.0
 */
export const insist = (rules: Rules, budget: Budget, self: Seat, ended: Ended): Move =>
  settle({ rules, budget, self, ended }, () => 0) ??
  claim(budget, self, { kind: "retry", region: self.last.region, pause: 0 })

interface Ending {
  readonly rules: Rules
  readonly budget: Budget
  readonly self: Seat
  readonly ended: Ended
}

// decided and claimed before anything is awaited, so that racers cannot spend the same retry or region twice
const settle = ({ budget, ended, rules, self }: Ending, draw: () => number): Move | undefined => {
  if (self.next !== undefined) return self.next
  const { spare, spent } = budget
  const decision = decide(rules.policy, ended, { spent, regionLeft: spare.length > 0, patience: rules.patience })
  if (decision._tag === "Stop") return undefined
  const pause = Pause.draw(decision.pause, draw())
  return decision._tag === "Reroute"
    ? claim(budget, self, { kind: "reroute", region: spare.shift(), pause })
    : claim(budget, self, { kind: "retry", region: self.last.region, pause })
}

const claim = (budget: Budget, self: Seat, move: Move): Move => {
  const { reroutes, retries } = budget.spent
  budget.spent = move.kind === "reroute" ? { retries, reroutes: reroutes + 1 } : { retries: retries + 1, reroutes }
  self.next = move
  return move
}
