/** What a database must do to be kept in order, in plain data: a part of `Commands`. */
import type { StoreStats } from "../store/Upkeep.ts"

/** What keeps the store in order. */
export interface UpkeepCommands {
  readonly recover: () => number
  readonly release: (now: number) => { readonly lanes: ReadonlyArray<string>; readonly nextDueAt: number | undefined }
  readonly shiftPauses: (millis: number) => void
  readonly overdue: (
    now: number,
    limit: number
  ) => { readonly ids: ReadonlyArray<string>; readonly nextAt: number | undefined }
  readonly sweep: (endedBefore: number, limit: number) => number
  /** A JSON array. */
  readonly deleteEnded: (ids: string) => number
  readonly fillTexts: (jobs: number) => number
  readonly stats: () => StoreStats
}
