/** A change of a job that waits, in plain data: what a database is told of it. */
import type { Priority } from "../../step/StepModel.ts"

/** `Change` as it travels. */
export interface ChangeUpdate {
  readonly revision: number | null
  readonly step: string
  /** Where it is called, `null`: where it stands. */
  readonly lane: string | null
  readonly account: string
  readonly priority: Priority
  readonly startBefore: number | null
  /** Its time, where it has another one. */
  readonly time: { readonly notBefore: number | null; readonly deadlineAt: number | null } | undefined
  readonly now: number
  /** What identical calls have in common, where they share one answer. */
  readonly coalesce: string | null
}
