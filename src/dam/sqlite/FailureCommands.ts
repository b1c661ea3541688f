/**
 * Groups failed jobs, out of an index that holds all there is to group by: no job is read but the newest of each group.
 *
 * An answer looks at so many entries of the index and no more, the newest, whatever is asked for. So its time and its
 * memory are bounded, and it says from when on it has seen all.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { FailureCommands, Row } from "../rows/Commands.ts"

/** What one answer looks at. */
const failuresAtMost = 100_000

/** Prepares the statements once and makes the commands over them. */
export const failureCommands = (db: DatabaseSync): FailureCommands => {
  const ofOne = prepare(db, "jobs_failed", "customer = ? AND ")
  const ofAll = prepare(db, "jobs_failed_of_all", "")
  return {
    failures: ({ customer, from, host, limit, sort, to }) => {
      const on = customer === undefined ? ofAll : ofOne
      const whose: ReadonlyArray<SQLInputValue> = customer === undefined ? [] : [customer]
      const looked = on.looked.get(...whose, from, to, failuresAtMost + 1)
      const found = Number(looked?.["jobs"])
      const groups = on[sort].all(...whose, from, to, failuresAtMost, host ?? null, limit)
      const lastOf = ({ failed_reason, failed_status, lane, last_at }: Row) =>
        on.last.get(...whose, last_at ?? null, lane ?? null, failed_status ?? null, failed_reason ?? null)
      return {
        groups: groups.map((group) => ({ ...group, ...lastOf(group) })),
        groupCount: Number(groups[0]?.["group_count"] ?? 0),
        lookedAt: Math.min(found, failuresAtMost),
        isExact: found <= failuresAtMost,
        since: found === 0 ? undefined : Number(looked?.["since"])
      }
    }
  }
}

/** The host of a lane, with its port. */
const hostOf = "substr(lane, 1, instr(lane || '#', '#') - 1)"

/** Over an index of one customer's failures after the other's, or of everybody's. */
const prepare = (db: DatabaseSync, index: string, whose: string) => {
  const entries = `SELECT lane, failed_status, failed_reason, finished_at FROM jobs INDEXED BY ${index}
    WHERE state = 'failed' AND ${whose}finished_at >= ? AND finished_at <= ? ORDER BY finished_at DESC LIMIT ?`
  const grouped = (order: string) =>
    db.prepare(
      `SELECT lane, failed_status, failed_reason, count(*) AS jobs, min(finished_at) AS first_at,
         max(finished_at) AS last_at, count(*) OVER () AS group_count
       FROM (${entries}) WHERE coalesce(? IN (lane, ${hostOf}, rtrim(rtrim(${hostOf}, '0123456789'), ':')), TRUE)
       GROUP BY lane, failed_status, failed_reason ORDER BY ${order}, lane, failed_status, failed_reason LIMIT ?`
    )
  return {
    looked: db.prepare(`SELECT count(*) AS jobs, min(finished_at) AS since FROM (${entries})`),
    newest: grouped("last_at DESC, jobs DESC"),
    largest: grouped("jobs DESC, last_at DESC"),
    last: db.prepare(
      `SELECT id, customer, CASE WHEN json_valid(result) THEN json_extract(result, '$.error.message') END AS message
       FROM jobs INDEXED BY ${index} LEFT JOIN results USING (seq)
       WHERE state = 'failed' AND ${whose}finished_at = ? AND lane = ? AND failed_status IS ? AND failed_reason IS ?
       ORDER BY seq DESC LIMIT 1`
    )
  }
}
