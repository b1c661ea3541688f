/**
 * Jobs that become one, or share an answer, as statements. Runs in the thread that writes.
 *
 * Whoever shares the answer of another job is `scheduled` without a moment and names it. Should that one be called off, the
 * first of those takes its place; should the process end before all have got the answer, it does so at the next start.
 */
import type { DatabaseSync } from "node:sqlite"
import type { Row } from "../rows/Commands.ts"
import type { JoinCommands } from "../rows/JoinCommands.ts"

/** What filing, ending and recovering jobs needs of it. */
export interface Joins {
  /** The job whose answer an identical one would share, by its id. */
  readonly leaderOf: (coalesce: string) => string | undefined
  readonly debounce: (seq: number, debounce: { readonly key: string; readonly since: number }) => void
  readonly coalesce: (seq: number, coalesce: string, leaderId: string | undefined) => void
  /** Has the first of those that wait for a job take its place. */
  readonly orphan: (leaderId: string) => void
  /** The same for all whose leader has ended. */
  readonly recover: () => void
}

const prepare = (db: DatabaseSync) => ({
  leader: db.prepare(
    `SELECT id FROM jobs INDEXED BY jobs_coalesced
     WHERE coalesce_key = ? AND leader_id IS NULL AND state IN ('queued', 'parked', 'running') ORDER BY seq LIMIT 1`
  ),
  debounce: db.prepare("UPDATE jobs SET debounce_key = ?2, debounce_since = ?3 WHERE seq = ?1"),
  // without a moment it waits for the answer
  coalesce: db.prepare(
    "UPDATE jobs SET coalesce_key = ?2, leader_id = ?3, due_at = iif(?3 IS NULL, due_at, NULL) WHERE seq = ?1"
  ),
  debounced: db.prepare(
    `SELECT id, debounce_since FROM jobs INDEXED BY jobs_debounced
     WHERE customer = ? AND debounce_key = ? AND state = 'scheduled' LIMIT 1`
  ),
  following: db.prepare(
    `SELECT id, seq FROM jobs INDEXED BY jobs_following WHERE leader_id = ? AND state = 'scheduled' ORDER BY seq LIMIT ?`
  ),
  promote: db.prepare("UPDATE jobs SET leader_id = NULL, due_at = coalesce(not_before, 0) WHERE seq = ?"),
  follow: db.prepare(
    "UPDATE jobs INDEXED BY jobs_following SET leader_id = ?2 WHERE leader_id = ?1 AND state = 'scheduled'"
  ),
  orphans: db.prepare(
    `SELECT DISTINCT follower.leader_id AS leader FROM jobs AS follower INDEXED BY jobs_following
     LEFT JOIN jobs AS leader ON leader.id = follower.leader_id
     WHERE follower.leader_id IS NOT NULL AND follower.state = 'scheduled'
     AND coalesce(leader.state, 'gone') NOT IN ('scheduled', 'queued', 'parked', 'running')`
  )
})

/** Prepares the statements once. */
export const joinsOver = (db: DatabaseSync): { readonly joins: Joins; readonly commands: JoinCommands } => {
  const on = prepare(db)
  const orphan = (leaderId: string): void => {
    const [first] = on.following.all(leaderId, 1)
    if (first === undefined) return
    on.promote.run(first["seq"] ?? null)
    on.follow.run(leaderId, first["id"] ?? null)
  }
  return {
    joins: {
      leaderOf: (coalesce) => idOf(on.leader.get(coalesce)),
      debounce: (seq, { key, since }) => {
        on.debounce.run(seq, key, since)
      },
      coalesce: (seq, coalesce, leaderId) => {
        on.coalesce.run(seq, coalesce, leaderId ?? null)
      },
      orphan,
      recover: () => {
        for (const { leader } of on.orphans.all()) orphan(String(leader))
      }
    },
    commands: {
      debounced: (customer, key) => {
        const found = on.debounced.get(customer, key)
        return found && { id: String(found["id"]), since: Number(found["debounce_since"]) }
      },
      following: (leaderId, limit) => on.following.all(leaderId, limit).map(({ id }) => String(id))
    }
  }
}

const idOf = (row: Row | undefined): string | undefined => row && String(row["id"])
