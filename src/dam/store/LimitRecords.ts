/**
 * Limits as the store knows them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Limit } from "../../engine/limits/Limit.ts"
import type { StoreError } from "./StoreError.ts"

/**
 * A limit that an operator has defined.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredLimit {
  readonly name: string
  readonly limit: Limit
  /** Epoch milliseconds. */
  readonly at: number
  /** The customer of the key, or `local`. */
  readonly by: string
}

/**
 * What was left of a limit for one key.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredLevel {
  readonly name: string
  readonly key: string
  /** Units at the moment `at`; below zero what is owed. */
  readonly level: number
  /** Epoch milliseconds. */
  readonly at: number
}

/**
 * How the levels were left behind.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredLevels {
  /**
   * What the keys have that are not among these: they are as new (`full`), nobody knows (`unknown`: the dam did not come
   * to keep more than what was owed), or they were empty at a moment, in epoch milliseconds. A file that no dam has used
   * says `full`.
   */
  readonly others: "full" | "unknown" | number
  readonly levels: ReadonlyArray<StoredLevel>
}

/**
 * What the store keeps of limits.
 *
 * @category ports
 * @since 0.1.0
 */
export interface LimitPort {
  readonly limits: Effect.Effect<ReadonlyArray<StoredLimit>, StoreError>
  readonly saveLimit: (limit: StoredLimit) => Effect.Effect<void, StoreError>
  readonly removeLimit: (name: string) => Effect.Effect<void, StoreError>
  /** How many jobs that have not ended draw on a limit. */
  readonly drawing: (name: string) => Effect.Effect<number, StoreError>
  readonly levels: Effect.Effect<StoredLevels, StoreError>
  /** Puts these over those of the same keys, or instead of all where `isAll`. */
  readonly saveLevels: (levels: StoredLevels, isAll: boolean) => Effect.Effect<void, StoreError>
}
