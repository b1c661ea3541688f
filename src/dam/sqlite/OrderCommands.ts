/**
 * Jobs that stand in an order, as statements. Runs in the thread that writes.
 *
 * Of the unfinished jobs of a key only the first may be anything but `scheduled` without a moment; whatever ends it gives
 * the next one a moment in the same transaction. So the order holds whatever stops the process, and nobody who looks for
 * jobs that are queued or due comes across one that is not its turn.
 */
import type { DatabaseSync } from "node:sqlite"
import type { FinishInsert, Row } from "../rows/Commands.ts"
import type { OrderCommands } from "../rows/OrderCommands.ts"

/** What filing and ending jobs needs of it. */
export interface Orders {
  /** Whether a new job of a key has to wait for others. To be asked before it is filed. */
  readonly isTaken: (customer: string, key: string) => boolean
  /** Notes in which line a job stands that was filed just now. */
  readonly stand: (seq: number, order: { readonly key: string; readonly stops: boolean }, isBehind: boolean) => void
  /** Lets the next one go, or nobody, after a job has ended whose row is given as it was. */
  readonly ended: (job: Row, finish: Pick<FinishInsert, "at" | "failure" | "state">) => void
}

const live = "state IN ('scheduled', 'queued', 'parked', 'running')"

const prepare = (db: DatabaseSync) => ({
  first: db.prepare(
    `SELECT seq, id, state, due_at FROM jobs INDEXED BY jobs_in_order
     WHERE customer = ? AND order_key = ? AND ${live} ORDER BY seq LIMIT 1`
  ),
  count: db.prepare(
    `SELECT count(*) AS jobs FROM jobs INDEXED BY jobs_in_order WHERE customer = ? AND order_key = ? AND ${live}`
  ),
  before: db.prepare(
    `SELECT count(*) AS jobs FROM jobs AS self CROSS JOIN jobs AS other INDEXED BY jobs_in_order
     ON other.customer = self.customer AND other.order_key = self.order_key
     WHERE self.id = ? AND other.${live} AND other.seq < self.seq`
  ),
  // without a moment it waits for those before it
  stand: db.prepare("UPDATE jobs SET order_key = ?2, order_stops = ?3, due_at = iif(?4, NULL, due_at) WHERE seq = ?1"),
  letGo: db.prepare("UPDATE jobs SET due_at = coalesce(not_before, 0) WHERE seq = ?"),
  stopped: db.prepare("SELECT * FROM orders WHERE customer = ? AND key = ?"),
  allStopped: db.prepare("SELECT * FROM orders WHERE customer = ? ORDER BY key LIMIT ?"),
  stop: db.prepare("INSERT OR IGNORE INTO orders VALUES (?, ?, (SELECT id FROM jobs WHERE seq = ?), ?)"),
  resume: db.prepare("DELETE FROM orders WHERE customer = ? AND key = ?")
})

/** Prepares the statements once. */
export const ordersOver = (db: DatabaseSync): { readonly orders: Orders; readonly commands: OrderCommands } => {
  const on = prepare(db)

  const letNextGo = (customer: string, key: string): void => {
    const next = on.first.get(customer, key)
    if (next?.["state"] === "scheduled" && next["due_at"] === null) on.letGo.run(next["seq"] ?? null)
  }

  const rowOf = (customer: string, key: string, stop: Row | undefined): Row | undefined => {
    const first = on.first.get(customer, key)
    if (first === undefined && stop === undefined) return undefined
    const jobs = on.count.get(customer, key)?.["jobs"] ?? 0
    return {
      key,
      jobs,
      first_id: first?.["id"] ?? null,
      stopped_by: stop?.["job_id"] ?? null,
      stopped_at: stop?.["at"] ?? null
    }
  }

  return {
    orders: {
      isTaken: (customer, key) =>
        on.first.get(customer, key) !== undefined || on.stopped.get(customer, key) !== undefined,
      stand: (seq, { key, stops }, isBehind) => {
        on.stand.run(seq, key, Number(stops), Number(isBehind))
      },
      ended: (job, { at, failure, state }) => {
        const customer = String(job["customer"])
        const key = String(job["order_key"])
        // one that was never called, or came too late for it, has done no harm to those behind it
        const hasFailed = state === "failed" && Number(job["epoch"]) > 0 && failure?.reason !== "Expired"
        if (hasFailed && job["order_stops"] === 1) on.stop.run(customer, key, job["seq"] ?? null, at)
        if (on.stopped.get(customer, key) === undefined) letNextGo(customer, key)
      }
    },
    commands: {
      order: (customer, key) => rowOf(customer, key, on.stopped.get(customer, key)),
      stoppedOrders: (customer, limit) =>
        on.allStopped.all(customer, limit).flatMap((stop) => {
          const row = rowOf(customer, String(stop["key"]), stop)
          return row === undefined ? [] : [row]
        }),
      beforeInOrder: (id) => Number(on.before.get(id)?.["jobs"]),
      resumeOrder: (customer, key) => {
        const wasStopped = on.resume.run(customer, key).changes === 1
        if (wasStopped) letNextGo(customer, key)
        return wasStopped
      }
    }
  }
}
