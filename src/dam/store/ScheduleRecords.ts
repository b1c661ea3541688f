/**
 * Schedules as the store knows them.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { FiringRules, Progress } from "../../engine/schedule/Firing.ts"
import type { TimingOptions } from "../../engine/schedule/Timing.ts"
import type { Step } from "../../step/StepModel.ts"
import type { StoreError } from "./StoreError.ts"

/**
 * What a customer has said of a schedule.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScheduleDefinition {
  readonly timing: TimingOptions
  readonly rules: FiringRules
  /** What each firing submits. */
  readonly step: Step
}

/**
 * A schedule, and how far it has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredSchedule extends ScheduleDefinition {
  readonly customer: string
  readonly name: string
  /** Another one for each time that a schedule of this name is made anew, so that its firings are its own. */
  readonly generation: string
  readonly progress: Progress
  /** When there is something to do, in epoch milliseconds; `undefined`: nothing is to come. */
  readonly lookAt: number | undefined
  /** Epoch milliseconds. */
  readonly createdAt: number
  readonly changedAt: number
}

/**
 * What the store keeps of schedules.
 *
 * @category ports
 * @since 0.1.0
 */
export interface SchedulePort {
  /** Those of a customer by their names, or those of all; one that cannot be read is left out with a warning. */
  readonly schedules: (customer?: string) => Effect.Effect<ReadonlyArray<StoredSchedule>, StoreError>
  readonly schedule: (customer: string, name: string) => Effect.Effect<StoredSchedule | undefined, StoreError>
  readonly saveSchedule: (schedule: StoredSchedule) => Effect.Effect<void, StoreError>
  /** Saves some of a customer and removes others, all of it or nothing. */
  readonly applySchedules: (
    customer: string,
    saved: ReadonlyArray<StoredSchedule>,
    removed: ReadonlyArray<string>
  ) => Effect.Effect<void, StoreError>
  /** Moves when it is looked at, also of one that cannot be read. */
  readonly putOffSchedule: (customer: string, name: string, lookAt: number) => Effect.Effect<void, StoreError>
  /** Whether there was one, readable or not. */
  readonly removeSchedule: (customer: string, name: string) => Effect.Effect<boolean, StoreError>
  /** How many a customer has, readable or not. */
  readonly countSchedules: (customer: string) => Effect.Effect<number, StoreError>
  /** Which are due, the longest first, and when the next of those is that are not. */
  readonly dueSchedules: (
    now: number,
    limit: number
  ) => Effect.Effect<
    {
      readonly due: ReadonlyArray<{ readonly customer: string; readonly name: string }>
      readonly nextAt: number | undefined
    },
    StoreError
  >
}
