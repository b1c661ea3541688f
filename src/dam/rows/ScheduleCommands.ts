/** What a database must do for schedules, in plain data: a part of `Commands`. */

/** A schedule as it is stored. */
export type ScheduleRow = readonly [
  customer: string,
  name: string,
  generation: string,
  definition: string,
  step: string,
  progress: string,
  lookAt: number | null,
  createdAt: number,
  changedAt: number
]

/** What schedules need. */
export interface ScheduleCommands {
  readonly schedules: (customer: string | null) => ReadonlyArray<unknown>
  readonly schedule: (customer: string, name: string) => unknown
  readonly saveSchedule: (...row: ScheduleRow) => void
  /** Saves and removes as a whole. */
  readonly applySchedules: (customer: string, saved: ReadonlyArray<ScheduleRow>, removed: ReadonlyArray<string>) => void
  /** Moves when it is looked at, whatever else its row says. */
  readonly putOffSchedule: (customer: string, name: string, lookAt: number) => void
  /** Whether there was one. */
  readonly removeSchedule: (customer: string, name: string) => boolean
  readonly countSchedules: (customer: string) => number
  readonly dueSchedules: (
    now: number,
    limit: number
  ) => { readonly due: ReadonlyArray<unknown>; readonly nextAt: number | undefined }
}
