/** Changes jobs that wait, as statements. Runs in the thread that writes. */
import { changedBy } from "../rows/ChangeUpdate.ts"
import type { DatabaseSync } from "node:sqlite"
import type { JobCommands } from "../rows/Commands.ts"
import { moveOver, type Tally } from "../rows/Tally.ts"
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
      const changed = changedBy(job, change)
      if (typeof changed === "string") return changed
      const { account, dueAt, from, isApart, to } = changed
      const seq = job?.["seq"] ?? null
      on.update.run(seq, to.lane, account, to.state, dueAt, change.startBefore)
      // what it said before is not to be found any more, should it be erased
      withoutTrace(db, () => on.step.run(seq, change.step))
      if (isApart) {
        on.regroup.run(seq, change.coalesce)
        joins.orphan(id)
      }
      if (change.time !== undefined) on.retime.run(seq, change.time.notBefore, change.time.deadlineAt)
      moveOver(tally, from, to)
      return "Changed"
    }
  }
}
