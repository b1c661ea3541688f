/**
 * Jobs that stand in an order, as statements.
 *
 * Of the unfinished jobs of a key only the first may be anything but `scheduled` without a moment; whatever ends it gives
 * the next one a moment in the same transaction.
 */
import * as Effect from "effect/Effect"
import type { Fault, FinishInsert, Row } from "../rows/Commands.ts"
import type { OrderCommands } from "../rows/OrderCommands.ts"
import type { Over, Session } from "./Session.ts"

/** What filing and ending jobs needs of it. */
export interface Orders {
  /** Whether a new job of a key has to wait for others. To be asked before it is filed. */
  readonly isTaken: (customer: string, key: string) => Effect.Effect<boolean, Fault>
  /** Lets the next one go, or nobody, after a job has ended whose row is given. */
  readonly ended: (job: Row, finish: Pick<FinishInsert, "at" | "failure" | "state">) => Effect.Effect<void, Fault>
}

const live = "state IN ('scheduled', 'queued', 'parked', 'running')"

const firstOf = `SELECT seq, id, state, due_at FROM jobs WHERE customer = $1 AND order_key = $2 AND ${live} ORDER BY seq LIMIT 1`

const stopped = "SELECT * FROM orders WHERE customer = $1 AND key = $2"

/** The commands, and what others need. */
export const ordersOver = (on: Session): { readonly orders: Orders; readonly commands: Over<OrderCommands> } => {
  const letNextGo = Effect.fnUntraced(function* (customer: string, key: string): Effect.fn.Return<void, Fault> {
    const next = yield* on.one(firstOf, customer, key)
    if (next?.["state"] !== "scheduled" || next["due_at"] !== null) return
    yield* on.run("UPDATE jobs SET due_at = coalesce(not_before, 0) WHERE seq = $1", next["seq"] ?? null)
  })

  const rowOf = Effect.fnUntraced(function* (
    customer: string,
    key: string,
    stop: Row | undefined
  ): Effect.fn.Return<Row | undefined, Fault> {
    const first = yield* on.one(firstOf, customer, key)
    if (first === undefined && stop === undefined) return undefined
    const counted = yield* on.one(
      `SELECT count(*) AS jobs FROM jobs WHERE customer = $1 AND order_key = $2 AND ${live}`,
      customer,
      key
    )
    return {
      key,
      jobs: counted?.["jobs"] ?? 0,
      first_id: first?.["id"] ?? null,
      stopped_by: stop?.["job_id"] ?? null,
      stopped_at: stop?.["at"] ?? null
    }
  })

  return {
    orders: {
      isTaken: Effect.fnUntraced(function* (customer, key) {
        return (
          (yield* on.one(firstOf, customer, key)) !== undefined || (yield* on.one(stopped, customer, key)) !== undefined
        )
      }),
      ended: Effect.fnUntraced(function* (job, { at, failure, state }) {
        const customer = String(job["customer"])
        const key = String(job["order_key"])
        // one that was never called, or came too late for it, has done no harm to those behind it
        const hasFailed = state === "failed" && Number(job["epoch"]) > 0 && failure?.reason !== "Expired"
        if (hasFailed && job["order_stops"] === 1) {
          yield* on.run(
            "INSERT INTO orders VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            customer,
            key,
            job["id"] ?? null,
            at
          )
        }
        if ((yield* on.one(stopped, customer, key)) === undefined) yield* letNextGo(customer, key)
      })
    },
    commands: {
      order: Effect.fnUntraced(function* (customer, key) {
        return yield* rowOf(customer, key, yield* on.one(stopped, customer, key))
      }),
      stoppedOrders: Effect.fnUntraced(function* (customer, limit) {
        const stops = yield* on.all("SELECT * FROM orders WHERE customer = $1 ORDER BY key LIMIT $2", customer, limit)
        const rows = yield* Effect.forEach(stops, (stop) => rowOf(customer, String(stop["key"]), stop))
        return rows.filter((row) => row !== undefined)
      }),
      beforeInOrder: (id) =>
        Effect.map(
          on.one(
            `SELECT count(*) AS jobs FROM jobs AS self JOIN jobs AS other
             ON other.customer = self.customer AND other.order_key = self.order_key
             WHERE self.id = $1 AND other.${live} AND other.seq < self.seq`,
            id
          ),
          (row) => Number(row?.["jobs"])
        ),
      resumeOrder: Effect.fnUntraced(function* (customer, key) {
        const resumed = yield* on.run("DELETE FROM orders WHERE customer = $1 AND key = $2", customer, key)
        if (resumed === 1) yield* letNextGo(customer, key)
        return resumed === 1
      })
    }
  }
}
