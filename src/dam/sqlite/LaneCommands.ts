/** What lanes need of the database, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import type { LaneCommands } from "../rows/Commands.ts"

const prepare = (db: DatabaseSync) => ({
  // SQLite reads a whole index to find its distinct values; these leap from one to the next
  lanes: db.prepare(
    `WITH RECURSIVE found (lane) AS (
       SELECT (SELECT lane FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' ORDER BY lane LIMIT 1)
       UNION ALL
       SELECT (SELECT lane FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' AND lane > found.lane ORDER BY lane LIMIT 1)
       FROM found WHERE lane IS NOT NULL
     ) SELECT lane FROM found WHERE lane IS NOT NULL`
  ),
  queues: db.prepare(
    `WITH RECURSIVE found (account) AS (
       SELECT (SELECT account FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' AND lane = ?1 ORDER BY account LIMIT 1)
       UNION ALL
       SELECT (SELECT account FROM jobs INDEXED BY jobs_queued
               WHERE state = 'queued' AND lane = ?1 AND account > found.account ORDER BY account LIMIT 1)
       FROM found WHERE account IS NOT NULL
     ) SELECT account AS queue FROM found WHERE account IS NOT NULL`
  ),
  depth: db.prepare("SELECT count(*) AS jobs FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' AND lane = ?"),
  page: db.prepare(
    `SELECT id, account AS queue, seq, limits FROM jobs
     WHERE state = 'queued' AND lane = ? AND account = ? AND seq > ? ORDER BY seq LIMIT ?`
  ),
  paces: db.prepare("SELECT * FROM paces"),
  savePace: db.prepare("INSERT OR REPLACE INTO paces VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
  before: db.prepare(
    `SELECT count(*) AS jobs FROM jobs AS other JOIN jobs AS self ON self.id = ?
     WHERE self.state = 'queued' AND other.state = 'queued' AND other.lane = self.lane AND other.seq < self.seq`
  ),
  isQueued: db.prepare("SELECT 1 FROM jobs WHERE id = ? AND state = 'queued'")
})

/** Prepares the statements once and makes the commands over them. */
export const laneCommands = (db: DatabaseSync) => {
  const on = prepare(db)
  return {
    lanes: () => on.lanes.all(),
    queues: (lane) => on.queues.all(lane),
    page: (lane, queue, after, limit) => on.page.all(lane, queue, after, limit),
    depth: (lane) => Number(on.depth.get(lane)?.["jobs"]),
    position: (id) => (on.isQueued.get(id) === undefined ? undefined : Number(on.before.get(id)?.["jobs"])),
    paces: () => on.paces.all(),
    savePace: ({ account, accountQueues, heldBy, heldUntil, kept, lane, maxConcurrent, rps, seenAt, taughtAt }) => {
      on.savePace.run(lane, account, rps, maxConcurrent, accountQueues, heldUntil, seenAt, heldBy, taughtAt, kept)
    }
  } satisfies Pick<LaneCommands, "depth" | "lanes" | "page" | "paces" | "position" | "queues" | "savePace">
}
