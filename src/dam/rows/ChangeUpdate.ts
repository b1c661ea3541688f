/** A change of a job that waits, in plain data: what a database is told of it. */
import type { JobState } from "../../engine/JobState.ts"
import type { Priority } from "../../step/StepModel.ts"
import { requeued } from "../job/LaneName.ts"
import type { Row } from "./Row.ts"
import { stateOf } from "./Tally.ts"

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

/**
 * Whether a job shares no answer any more, and the job as it waits then: another call has another answer than those it was
 * identical with, and one at another time has none of them wait.
 */
const apart = (job: Row, { coalesce, time }: ChangeUpdate): { readonly isApart: boolean; readonly job: Row } => {
  const isApart = job["coalesce_key"] !== null && (job["coalesce_key"] !== coalesce || time !== undefined)
  const waitsForAnother = isApart && job["leader_id"] !== null
  return { isApart, job: waitsForAnother ? { ...job, due_at: job["not_before"] ?? 0 } : job }
}

/** Where a job waits then, and until when. */
const waitingAfter = (
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

/** A job as a change leaves it. */
export interface Changed {
  readonly from: { readonly lane: string; readonly state: JobState }
  readonly to: { readonly lane: string; readonly state: JobState }
  readonly account: string
  readonly dueAt: number | null
  /** It shares no answer any more. */
  readonly isApart: boolean
}

/** What becomes of a job that waits, or why nothing does. */
export const changedBy = (job: Row | undefined, change: ChangeUpdate): Changed | "Settled" | "Stale" => {
  if (job === undefined) return "Settled"
  if (change.revision !== null && change.revision !== job["revision"]) return "Stale"
  const from = { lane: String(job["lane"]), state: stateOf(job["state"]) }
  const { isApart, job: waiting } = apart(job, change)
  const { dueAt, state } = waitingAfter(waiting, from.state, change)
  const account = requeued(String(job["account"]), change.account, change.priority)
  return { from, to: { lane: change.lane ?? from.lane, state }, account, dueAt, isApart }
}
