/** What statements are given of a job that is filed or ends, the same for every database. */
import { hash } from "node:crypto"
import { type Cell, type FinishInsert, type JobColumn, jobColumns, type JobInsert } from "./Commands.ts"

/** What the end of a job changes in its row. */
export const endOf = ({ at, deliveries, failure, quorum, state }: FinishInsert) => {
  const { reason = null, status = null } = failure ?? {}
  const [told, settledAt] = deliveries.length > 0 ? ["pending", null] : ["none", at]
  return [state, told, at, settledAt, quorum, status, reason] as const
}

/** Names scope and key in 16 bytes; a rerun has no place among the keys. */
export const digestOf = (job: JobInsert): Uint8Array | null => {
  if (valueOf(job, "rerun_of") !== null) return null
  const scope = String(valueOf(job, "key_scope"))
  return hash("sha256", `${scope.length}:${scope}${String(valueOf(job, "key"))}`, "buffer").subarray(0, 16)
}

/** What one of its columns holds. */
export const valueOf = (job: JobInsert, column: JobColumn): Cell => job.columns[jobColumns.indexOf(column)] ?? null
