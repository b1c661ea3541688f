/** The outbox, as statements: what is due, and when to look again. */
import * as Effect from "effect/Effect"
import type { DeliveryCommands, Row } from "../rows/Commands.ts"
import { distinct } from "./Query.ts"
import type { Over, Session } from "./Session.ts"

const whole = `SELECT deliveries.*, body, endpoints.reason AS disabled_reason, probe_at
  FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted(n, turn) JOIN deliveries USING (n) JOIN delivery_bodies USING (n)
  LEFT JOIN endpoints ON endpoints.customer = deliveries.customer AND md5(endpoints.url) = md5(deliveries.url)
  ORDER BY turn`

const but = "id NOT IN (SELECT json_array_elements_text($1::json)) ORDER BY due_at, n LIMIT $2"

/** The commands. */
export const outboxCommands = (
  on: Session
): Pick<Over<DeliveryCommands>, "deliveries" | "deliveryLanes" | "dueDeliveries"> => ({
  deliveryLanes: () => on.all(distinct("lane", "deliveries WHERE state = 'pending'")),
  dueDeliveries: Effect.fnUntraced(function* ({ except, lane, limit, now }) {
    // one more than asked for tells when to come back
    const next: ReadonlyArray<Row> =
      lane === null
        ? yield* on.all(`SELECT n, due_at FROM deliveries WHERE state = 'pending' AND ${but}`, except, limit + 1)
        : yield* on.all(
            `SELECT n, due_at FROM deliveries WHERE state = 'pending' AND lane = $3 AND ${but}`,
            except,
            limit + 1,
            lane
          )
    const taken = next.slice(0, limit).filter((row) => Number(row["due_at"]) <= now)
    const after = next[taken.length]?.["due_at"]
    return {
      deliveries: taken.length === 0 ? [] : yield* on.all(whole, `{${taken.map(({ n }) => String(n)).join(",")}}`),
      nextDueAt: typeof after === "number" ? after : undefined
    }
  }),
  deliveries: (jobId) =>
    on.all(
      `SELECT deliveries.*, body FROM deliveries JOIN delivery_bodies USING (n)
       WHERE deliveries.seq = (SELECT seq FROM jobs WHERE id = $1) ORDER BY n`,
      jobId
    )
})
