/** A change of a job that waits, in plain data: what a database is told of it. */
import type { JobState } from "../../engine/JobState.ts"
import type { Priority } from "../../step/StepModel.ts"
import type { Row } from "./Row.ts"

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

/** Where a job waits after a change, until when, and whether it shares an answer with those of before no more. */
export interface WaitingAfter {
  readonly state: JobState
  readonly dueAt: number | null
  readonly isApart: boolean
}

/** Tells it from its row. */
export const waitingAfter = (job: Row, state: JobState, change: ChangeUpdate): WaitingAfter => {
  // another call has another answer than those it was identical with, and one at another time makes none of them wait
  const isApart = job["coalesce_key"] !== null && (job["coalesce_key"] !== change.coalesce || change.time !== undefined)
  return { ...placeOf(isApart ? letGo(job) : job, state, change), isApart }
}

/** One that waits for the answer of another waits for its own time. */
const letGo = (job: Row): Row =>
  job["leader_id"] === null ? job : { ...job, leader_id: null, due_at: job["not_before"] ?? 0 }

const placeOf = (
  job: Row,
  state: JobState,
  { now, time }: ChangeUpdate
): { readonly state: JobState; readonly dueAt: number | null } => {
  const dueAt = typeof job["due_at"] === "number" ? job["due_at"] : null
  if (time === undefined) return { state, dueAt }
  // behind others of its order it has a time only when its turn comes
  if (state === "scheduled" && dueAt === null) return { state, dueAt }
  const at = time.notBefore ?? 0
  if (state === "queued") return at > now ? { state: "scheduled", dueAt: at } : { state, dueAt }
  return { state, dueAt: at }
}
