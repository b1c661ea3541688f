import type { Found } from "./Steering.ts"
import type * as Gate from "../../engine/pace/Gate.ts"

/**
 * What a lane shows of itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneView {
  /** The pace that holds now, with what was found below the ceiling. */
  readonly pace: Gate.Pace
  readonly ceiling: Gate.Pace
  readonly open: number
  readonly waiting: number
  readonly accountQueues: boolean
  readonly paused: boolean
  /** Milliseconds until the next permit; 0 when one is free, `Infinity` while all are out or the lane is paused. */
  readonly opensIn: number
  /** Milliseconds the lane is still held for. */
  readonly heldFor: number
  /** Whether a refusal is not over yet, and one call at a time asks. */
  readonly isAsking: boolean
  /** The quotas that answers tell of, with their ends by the clock whose present moment is given. */
  readonly quotas: (epoch: number) => Found["quotas"]
  /** Headers of its answers that spoke of pace and made no sense. */
  readonly ignored: number
  /** Calls it has let through. */
  readonly calls: number
}

/**
 * What decides when somebody has a turn. Moments are monotonic milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface LaneWhy {
  /** The gate that counts: the host's, or the account's where each has its own. */
  readonly gate: Gate.Gate
  /** The gate of the host, where all its lanes together have a ceiling. */
  readonly host?: Gate.Gate | undefined
  readonly accountQueues: boolean
  readonly paused: boolean
  /** Whether one more job may run in the whole dam. */
  readonly hasRoom: boolean
  /** When the calls that are open at this gate began, the oldest first. */
  readonly openSince: ReadonlyArray<number>
  /** How long a call takes here, in milliseconds, going by those that have ended; `undefined` before the first. */
  readonly callMillis: number | undefined
  /** Accounts in the order of their turns, with the calls of running jobs that wait. */
  readonly turns: ReadonlyArray<{
    readonly account: string
    readonly waiting: ReadonlyArray<string | undefined>
    /** Names of its queues in the order of their turns. */
    readonly queues: ReadonlyArray<string>
  }>
}
