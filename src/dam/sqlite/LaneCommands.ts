/** What lanes, deliveries and settings need of the database, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import { bytesOf } from "./Database.ts"
import type { Row } from "../rows/Commands.ts"
import type { Tally } from "./Tally.ts"

/** Prepares the statements once and makes the commands over them. */
export const laneCommands = (db: DatabaseSync, tally: Tally) => {
  // SQLite reads a whole index to find its distinct values; these leap from one to the next
  const lanes = db.prepare(
    `WITH RECURSIVE found (lane) AS (
       SELECT (SELECT lane FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' ORDER BY lane LIMIT 1)
       UNION ALL
       SELECT (SELECT lane FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' AND lane > found.lane ORDER BY lane LIMIT 1)
       FROM found WHERE lane IS NOT NULL
     ) SELECT lane FROM found WHERE lane IS NOT NULL`
  )
  const accounts = db.prepare(
    `WITH RECURSIVE found (account) AS (
       SELECT (SELECT account FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' AND lane = ?1 ORDER BY account LIMIT 1)
       UNION ALL
       SELECT (SELECT account FROM jobs INDEXED BY jobs_queued
               WHERE state = 'queued' AND lane = ?1 AND account > found.account ORDER BY account LIMIT 1)
       FROM found WHERE account IS NOT NULL
     ) SELECT account FROM found WHERE account IS NOT NULL`
  )
  const deliveryLanes = db.prepare(
    `WITH RECURSIVE found (lane) AS (
       SELECT (SELECT lane FROM deliveries INDEXED BY deliveries_of_lane WHERE state = 'pending' ORDER BY lane LIMIT 1)
       UNION ALL
       SELECT (SELECT lane FROM deliveries INDEXED BY deliveries_of_lane
               WHERE state = 'pending' AND lane > found.lane ORDER BY lane LIMIT 1)
       FROM found WHERE lane IS NOT NULL
     ) SELECT lane FROM found WHERE lane IS NOT NULL`
  )
  const depth = db.prepare(
    "SELECT count(*) AS jobs FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' AND lane = ?"
  )
  const page = db.prepare(
    `SELECT id, account, isolated, seq FROM jobs
     WHERE state = 'queued' AND lane = ? AND account = ? AND seq > ? ORDER BY seq LIMIT ?`
  )
  const due = db.prepare(
    `SELECT n, due_at FROM deliveries WHERE state = 'pending' AND id NOT IN (SELECT value FROM json_each(?))
     ORDER BY due_at, n LIMIT ?`
  )
  const dueInLane = db.prepare(
    `SELECT n, due_at FROM deliveries INDEXED BY deliveries_of_lane
     WHERE state = 'pending' AND lane = ? AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY due_at, n LIMIT ?`
  )
  const delivery = db.prepare(
    `SELECT deliveries.*, body, endpoints.reason AS disabled_reason, probe_at
     FROM deliveries JOIN delivery_bodies USING (n)
     LEFT JOIN endpoints ON endpoints.customer = deliveries.customer AND endpoints.url = deliveries.url
     WHERE n = ?`
  )
  const deliveriesOf = db.prepare(
    "SELECT * FROM deliveries JOIN delivery_bodies USING (n) WHERE seq = (SELECT seq FROM jobs WHERE id = ?) ORDER BY n"
  )
  const disabled = db.prepare("SELECT count(*) AS endpoints FROM endpoints WHERE status = 'disabled'")
  const paces = db.prepare("SELECT * FROM paces")
  const savePace = db.prepare("INSERT OR REPLACE INTO paces VALUES (?, ?, ?, ?, ?, ?, ?, ?)")

  return {
    lanes: (): ReadonlyArray<Row> => lanes.all(),
    accounts: (lane: string): ReadonlyArray<Row> => accounts.all(lane),
    page: (lane: string, account: string, after: number, limit: number): ReadonlyArray<Row> =>
      page.all(lane, account, after, limit),
    depth: (lane: string): number => Number(depth.get(lane)?.["jobs"]),
    deliveryLanes: (): ReadonlyArray<Row> => deliveryLanes.all(),
    dueDeliveries: (now: number, limit: number, except: string, lane: string | null) => {
      // one more than asked for tells when to come back
      const next = lane === null ? due.all(except, limit + 1) : dueInLane.all(lane, except, limit + 1)
      const taken = next.slice(0, limit).filter(({ due_at }) => Number(due_at) <= now)
      return {
        deliveries: taken.flatMap(({ n }) => delivery.all(n ?? null)),
        nextDueAt: next[taken.length]?.["due_at"]
      }
    },
    deliveries: (jobId: string): ReadonlyArray<Row> => deliveriesOf.all(jobId),
    paces: (): ReadonlyArray<Row> => paces.all(),
    savePace: (
      lane: string,
      account: string,
      rps: number | null,
      maxConcurrent: number | null,
      accountQueues: number | null,
      heldUntil: number | null,
      seenAt: number,
      heldBy: string | null
    ): void => {
      savePace.run(lane, account, rps, maxConcurrent, accountQueues, heldUntil, seenAt, heldBy)
    },
    stats: () => ({
      jobs: { ...tally.jobs },
      pendingDeliveries: tally.pending,
      deadDeliveries: tally.dead,
      disabledEndpoints: Number(disabled.get()?.["endpoints"]),
      bytes: bytesOf(db)
    })
  }
}
