import type * as Effect from "effect/Effect"
import type { Answer } from "../../presets/Answered.ts"
import type { Draw } from "../../step/StepModel.ts"

/**
 * A right to one exchange. It is given back once, when the exchange has ended, or when there will be none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Permit {
  /** What it has drawn on limits. */
  readonly draws: ReadonlyArray<Draw>
  /**
   * Waits until the exchange may begin, and takes that moment; to be run right before it. It may begin at once unless
   * writing before it took longer than the pace allows for, or the lane was held, paused or slowed down meanwhile.
   * Answers `false`, with nothing taken, where it is not to begin: see {@link Going}.
   */
  readonly depart: (going?: Going) => Effect.Effect<boolean>
  /** Notes that the exchange has begun, whether or not it might: whoever sends it has not asked, or is not heard of again. */
  readonly sent: Effect.Effect<void>
  /** Corrects what its call has drawn on limits by what the answer says of its cost. */
  readonly settle: (answer: Answer) => Effect.Effect<void>
  /** Gives it back. Where nothing departed, whoever is next takes its turn. */
  readonly release: Effect.Effect<void>
}

/**
 * Who asks for a permit, and what for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asking {
  /** The job or delivery whose call it is. */
  readonly jobId?: string | undefined
  /** Whether another call of the job is under way meanwhile. Defaults to `false`. */
  readonly isBeside?: boolean | undefined
  /** What the call draws on beside the pace of the lane. Defaults to nothing. */
  readonly draws?: ReadonlyArray<Draw> | undefined
}

/**
 * Where a call waits for a permit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Waiting {
  readonly account: string
  /** What it draws on beside the pace of the lane. */
  readonly draws: ReadonlyArray<Draw>
  /** Whether another call of its job is under way meanwhile. */
  readonly isBeside: boolean
}

/**
 * What may keep an exchange from beginning although its moment comes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Going {
  /** Asked in the moment of the departure: whether it is still wanted. Defaults to yes. */
  readonly isWanted?: (() => boolean) | undefined
  /** Whether it can come back by the store, and so does not wait for a pause or a long hold. Defaults to `false`. */
  readonly canLeave?: boolean | undefined
}

/**
 * A lane's share of the places for running jobs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Room {
  /** Whether there is a place for this lane now. Where there is none, or others come first, it is told once it is its turn. */
  readonly ask: () => boolean
  /** Takes a place, right after it was asked for. */
  readonly take: () => void
  /** Says that the lane asks for none at present: whoever stands behind it comes first. */
  readonly pass: () => void
  /** Whether no place is left for this lane. */
  readonly isFull: () => boolean
  /** Gives a place back. */
  readonly giveBack: Effect.Effect<void>
}
