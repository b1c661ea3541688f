/**
 * The limits that calls draw on beside the pace of their lane: defined in the config or by operators, live.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Limit } from "../../engine/limits/Limit.ts"
import type { StoreError } from "../store/StoreError.ts"

/**
 * How much of a limit is left for one key.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitLevel {
  /** Empty where all calls share one. */
  readonly key: string
  /** Units that could be taken now; below zero what is owed. `undefined` where the limit has no rate. */
  readonly available: number | undefined
  /** Calls that are open. */
  readonly open: number
  /** Calls and queues of jobs that wait for it and for nothing else. */
  readonly waiting: number
}

/**
 * How a limit stands.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitStatus {
  readonly name: string
  readonly limit: Limit
  /** Where its definition comes from; an operator's goes before the config's. */
  readonly source: "configured" | "operator"
  /** Epoch milliseconds at which an operator defined it, and who did. */
  readonly since: number | undefined
  readonly by: string | undefined
  /** Keys in use now: a key that has rested is as new, and not listed. */
  readonly levels: ReadonlyArray<LimitLevel>
}

/**
 * A limit that jobs still draw on is not deleted.
 *
 * @category errors
 * @since 0.1.0
 */
export class LimitInUse extends Schema.TaggedError<LimitInUse>()("LimitInUse", {
  limit: Schema.String,
  /** Jobs that have not ended and name it. */
  jobs: Schema.Number
}) {
  override get message() {
    return `the limit ${this.limit} is in use: ${this.jobs} ${this.jobs === 1 ? "job that has" : "jobs that have"} not ended`
  }
}

/**
 * What operators do with limits. A change holds at once, for what waits already too.
 *
 * @category models
 * @since 0.1.0
 */
export interface CallLimits {
  /** Whether a limit of this name is defined. */
  readonly isKnown: (name: string) => boolean
  /** What is defined by this name, without how it stands. */
  readonly definition: (name: string) => Limit | undefined
  readonly names: () => ReadonlyArray<string>
  /** By name. */
  readonly list: Effect.Effect<ReadonlyArray<LimitStatus>>
  readonly get: (name: string) => Effect.Effect<LimitStatus | undefined>
  /** Defines a limit, or changes it. */
  readonly set: (name: string, limit: Limit, by: string) => Effect.Effect<LimitStatus, StoreError>
  /**
   * Takes an operator's definition back: one of the config holds again. Answers what holds now, or nothing where there is
   * none any more.
   */
  readonly remove: (name: string) => Effect.Effect<LimitStatus | undefined, LimitInUse | StoreError>
}
