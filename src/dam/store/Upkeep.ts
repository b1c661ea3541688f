/**
 * The port to the store's own upkeep.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { JobState } from "../../engine/JobState.ts"
import type { StoreError } from "./StoreError.ts"

/**
 * Numbers for admission control and `/health`.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoreStats {
  readonly jobs: Readonly<Record<JobState, number>>
  readonly pendingDeliveries: number
  readonly deadDeliveries: number
  /** Endpoints that are disabled, of all customers. */
  readonly disabledEndpoints: number
  /** Bytes that the database holds, without room that was freed. */
  readonly bytes: number
  /** Why nothing can be written just now, in words for an operator; `undefined` while all is well. */
  readonly fault: string | undefined
}

/**
 * What keeps the store in order: jobs whose time has come, whose owner is gone, or whose days are over; and its numbers.
 *
 * @category ports
 * @since 0.1.0
 */
export interface UpkeepPort {
  /** After a crash: everything running is queued again with its history, in its old place. Answers how many. */
  readonly recover: Effect.Effect<number, StoreError>
  /**
   * scheduled and parked jobs whose time has come -> queued, in their old place; answers the lanes concerned and when
   * the next is due. Many are released in portions: `nextDueAt` is not after `now` while there are more.
   */
  readonly release: (
    now: number
  ) => Effect.Effect<{ readonly lanes: ReadonlyArray<string>; readonly nextDueAt: number | undefined }, StoreError>
  /**
   * Moves the end of every pause, of parked jobs and of deliveries: the clock was set by so many milliseconds, and pauses
   * do not follow it.
   */
  readonly shiftPauses: (millis: number) => Effect.Effect<void, StoreError>
  /**
   * Jobs that are not running and whose `onFailureTimeout` or `totalTimeout` has passed, the longest overdue first; the
   * one counts from acceptance, or from `notBefore` where that is later, the other from acceptance. Answers when the next
   * one will be.
   */
  readonly overdue: (
    now: number,
    limit: number
  ) => Effect.Effect<{ readonly ids: ReadonlyArray<string>; readonly nextAt: number | undefined }, StoreError>
  /**
   * Deletes finished jobs whose end, and whose last delivery's end, came before the moment, at most `limit`; answers
   * how many. Forgets paces not seen since that moment too, but none that still holds its host after it.
   */
  readonly sweep: (endedBefore: number, limit: number) => Effect.Effect<number, StoreError>
  /**
   * Takes jobs into the index of texts, and errors of those that are in it, so many at most; answers how many. Does nothing
   * where there is none. A search finds the same whether they are in it or not.
   */
  readonly fillTexts: (jobs: number) => Effect.Effect<number, StoreError>
  readonly stats: Effect.Effect<StoreStats, StoreError>
}
