/** The outbox, as statements: what is due, and when to look again. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import type { DeliveryCommands } from "../rows/Commands.ts"

const prepare = (db: DatabaseSync) => ({
  deliveryLanes: db.prepare(
    `WITH RECURSIVE found (lane) AS (
       SELECT (SELECT lane FROM deliveries INDEXED BY deliveries_of_lane WHERE state = 'pending' ORDER BY lane LIMIT 1)
       UNION ALL
       SELECT (SELECT lane FROM deliveries INDEXED BY deliveries_of_lane
               WHERE state = 'pending' AND lane > found.lane ORDER BY lane LIMIT 1)
       FROM found WHERE lane IS NOT NULL
     ) SELECT lane FROM found WHERE lane IS NOT NULL`
  ),
  due: db.prepare(
    `SELECT n, due_at FROM deliveries WHERE state = 'pending' AND id NOT IN (SELECT value FROM json_each(?))
     ORDER BY due_at, n LIMIT ?`
  ),
  dueInLane: db.prepare(
    `SELECT n, due_at FROM deliveries INDEXED BY deliveries_of_lane
     WHERE state = 'pending' AND lane = ? AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY due_at, n LIMIT ?`
  ),
  delivery: db.prepare(
    `SELECT deliveries.*, body, endpoints.reason AS disabled_reason, probe_at
     FROM deliveries JOIN delivery_bodies USING (n)
     LEFT JOIN endpoints ON endpoints.customer = deliveries.customer AND endpoints.url = deliveries.url
     WHERE n = ?`
  ),
  deliveriesOf: db.prepare(
    "SELECT * FROM deliveries JOIN delivery_bodies USING (n) WHERE seq = (SELECT seq FROM jobs WHERE id = ?) ORDER BY n"
  )
})

/** Prepares the statements once and makes the commands over them. */
export const outboxCommands = (db: DatabaseSync) => {
  const on = prepare(db)
  return {
    deliveryLanes: () => on.deliveryLanes.all(),
    dueDeliveries: ({ except, lane, limit, now }) => {
      // one more than asked for tells when to come back
      const next = lane === null ? on.due.all(except, limit + 1) : on.dueInLane.all(lane, except, limit + 1)
      const taken = next.slice(0, limit).filter(({ due_at }) => Number(due_at) <= now)
      const after = next[taken.length]?.["due_at"]
      return {
        deliveries: taken.flatMap(({ n }) => on.delivery.all(n ?? null)),
        nextDueAt: typeof after === "number" ? after : undefined
      }
    },
    deliveries: (jobId) => on.deliveriesOf.all(jobId)
  } satisfies Pick<DeliveryCommands, "deliveries" | "deliveryLanes" | "dueDeliveries">
}
