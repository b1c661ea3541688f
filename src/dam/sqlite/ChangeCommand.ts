/** Changes jobs that wait, as statements. Runs in the thread that writes. */
import { apart, waitingAfter } from "../rows/ChangeUpdate.ts"
import type { DatabaseSync } from "node:sqlite"
import { requeued } from "../job/LaneName.ts"
import type { JobCommands } from "../rows/Commands.ts"
import { moveOver, stateOf, type Tally } from "../rows/Tally.ts"
import type { Joins } from "./JoinCommands.ts"
import { withoutTrace } from "./SecretCommands.ts"

const prepare = (db: DatabaseSync) => ({
  waiting: db.prepare(
    `SELECT seq, lane, account, state, due_at, not_before, order_key, revision, coalesce_key, leader_id FROM jobs
     WHERE id = ? AND state IN ('scheduled', 'queued', 'parked')`
  ),
  update: db.prepare(
    `UPDATE jobs SET revision = revision + 1, lane = ?2, account = ?3, state = ?4, due_at = ?5, start_before = ?6 WHERE seq = ?1`
  ),
  retime: db.prepare("UPDATE jobs SET not_before = ?2, deadline_at = coalesce(?3, deadline_at) WHERE seq = ?1"),
  regroup: db.prepare("UPDATE jobs SET coalesce_key = ?2, leader_id = NULL WHERE seq = ?1"),
  step: db.prepare("UPDATE payloads SET step = ?2 WHERE seq = ?1")
})

/** Prepares the statements once and makes the command over them. */
export const changeCommand = (
  db: DatabaseSync,
  tally: Tally,
  joins: Pick<Joins, "orphan">
): Pick<JobCommands, "change"> => {
  const on = prepare(db)
  return {
    change: (id, change) => {
      const job = on.waiting.get(id)
      if (job === undefined) return "Settled"
      if (change.revision !== null && change.revision !== job["revision"]) return "Stale"
      const seq = job["seq"] ?? null
      const from = { lane: String(job["lane"]), state: stateOf(job["state"]) }
      const { isApart, job: waiting } = apart(job, change)
      const { dueAt, state } = waitingAfter(waiting, from.state, change)
      const lane = change.lane ?? from.lane
      const account = requeued(String(job["account"]), change.account, change.priority)
      on.update.run(seq, lane, account, state, dueAt, change.startBefore)
      // what it said before is not to be found any more, should it be erased
      withoutTrace(db, () => on.step.run(seq, change.step))
      if (isApart) {
        on.regroup.run(seq, change.coalesce)
        joins.orphan(id)
      }
      if (change.time !== undefined) on.retime.run(seq, change.time.notBefore, change.time.deadlineAt)
      moveOver(tally, from, { lane, state })
      return "Changed"
    }
  }
}
