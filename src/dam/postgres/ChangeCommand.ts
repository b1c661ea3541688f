/** Changes jobs that wait, as statements. */
import * as Effect from "effect/Effect"
import { changedBy } from "../rows/ChangeUpdate.ts"
import type { JobCommands } from "../rows/Commands.ts"
import { moveOver, type Tally } from "../rows/Tally.ts"
import type { Joins } from "./JoinCommands.ts"
import type { Over, Session } from "./Session.ts"

/** The command. */
export const changeCommand = (
  on: Session,
  tally: Tally,
  joins: Pick<Joins, "orphan">
): Pick<Over<JobCommands>, "change"> => ({
  change: Effect.fnUntraced(function* (id, change) {
    const job = yield* on.one(
      `SELECT seq, lane, account, state, due_at, not_before, revision, coalesce_key, leader_id FROM jobs
       WHERE id = $1 AND state IN ('scheduled', 'queued', 'parked')`,
      id
    )
    const changed = changedBy(job, change)
    if (typeof changed === "string") return changed
    const { account, dueAt, from, isApart, to } = changed
    const seq = job?.["seq"] ?? null
    yield* on.run(
      `UPDATE jobs SET revision = revision + 1, lane = $2, account = $3, state = $4, due_at = $5, start_before = $6
       WHERE seq = $1`,
      seq,
      to.lane,
      account,
      to.state,
      dueAt,
      change.startBefore
    )
    yield* on.run("UPDATE payloads SET step = $2 WHERE seq = $1", seq, change.step)
    if (isApart) {
      yield* on.run("UPDATE jobs SET coalesce_key = $2, leader_id = NULL WHERE seq = $1", seq, change.coalesce)
      yield* joins.orphan(id)
    }
    if (change.time !== undefined) {
      yield* on.run(
        "UPDATE jobs SET not_before = $2, deadline_at = coalesce($3, deadline_at) WHERE seq = $1",
        seq,
        change.time.notBefore,
        change.time.deadlineAt
      )
    }
    moveOver(tally, from, to)
    return "Changed"
  })
})
