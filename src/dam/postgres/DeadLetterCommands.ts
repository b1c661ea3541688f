/** Dead letters: listed, delivered once more, deleted, as statements. */
import * as Effect from "effect/Effect"
import type { DeliveryCommands, Fault, Row, Wanted } from "../rows/Commands.ts"
import type { Tally } from "../rows/Tally.ts"
import type { Judge } from "./DeliveryCommands.ts"
import { optional, type Query, query, where } from "./Query.ts"
import { type Over, type Session, texts } from "./Session.ts"

/** The most of one page. */
const pageSize = 200

const again = `UPDATE deliveries SET state = 'pending', due_at = g.at::float8, begun_at = g.at::float8,
    spent = json_array_length(attempts::json), reason = NULL, dead_at = NULL
  FROM unnest($1::text[], $2::text[]) AS g(place, at) WHERE n = g.place::bigint`

/** The commands; `judge` settles the delivery states of jobs. */
export const deadLetterCommands = (
  on: Session,
  tally: Tally,
  judge: Judge
): Pick<Over<DeliveryCommands>, "deadLetters" | "purge" | "replay"> => {
  const select = (selection: Selection): Effect.Effect<ReadonlyArray<Row>, Fault> => {
    const { beyond, columns, limit, order, wanted } = selection
    const { params, sql } = where(
      `SELECT ${columns} FROM deliveries`,
      [query("state = 'dead'"), ...conditionsOf(wanted), beyond],
      query(`ORDER BY n ${order} LIMIT ?`, limit)
    )
    return on.all(sql, ...params)
  }

  return {
    deadLetters: Effect.fnUntraced(function* (wanted, below, limit) {
      const most = Math.min(Math.max(1, Math.trunc(limit)), pageSize)
      const beyond = query("n < ?", below)
      const found = yield* select({ columns: "*", wanted, beyond, order: "DESC", limit: most + 1 })
      const rows = found.slice(0, most)
      return { rows, next: found.length > most ? Number(rows.at(-1)?.["n"]) : undefined }
    }),
    replay: Effect.fnUntraced(function* ({ above, limit, now, spacing, wanted }) {
      const beyond = query("n > ?", above)
      const rows = yield* select({ columns: "n, seq, lane", wanted, beyond, order: "ASC", limit })
      yield* on.run(again, texts(rows.map(({ n }) => n)), texts(rows.map((_, place) => now + place * spacing)))
      yield* judge(new Map(rows.map(({ seq }) => [Number(seq), now])))
      tally.dead -= rows.length
      tally.pending += rows.length
      return {
        replayed: rows.length,
        lanes: [...new Set(rows.map(({ lane }) => String(lane)))],
        next: rows.length === limit ? Number(rows.at(-1)?.["n"]) : undefined
      }
    }),
    purge: Effect.fnUntraced(function* (wanted, limit) {
      const rows = yield* select({ columns: "n", wanted, beyond: query("n > 0"), order: "ASC", limit })
      const purged = texts(rows.map(({ n }) => n))
      yield* on.run("DELETE FROM delivery_bodies WHERE n = ANY($1::text[]::bigint[])", purged)
      yield* on.run("DELETE FROM deliveries WHERE n = ANY($1::text[]::bigint[])", purged)
      tally.dead -= rows.length
      return rows.length
    })
  }
}

/** Which dead letters are read, and what of them. */
interface Selection {
  readonly columns: string
  readonly wanted: Wanted
  readonly beyond: Query
  readonly order: "ASC" | "DESC"
  readonly limit: number
}

const conditionsOf = ({
  customer,
  deliveryId,
  endedSince,
  host,
  jobId,
  reasons,
  since,
  until,
  url
}: Wanted): ReadonlyArray<Query> => [
  query("customer = ?", customer),
  ...optional("id = ?", deliveryId),
  ...optional("job_id = ?", jobId),
  // with its port, or without for all its ports
  ...optional("? IN (lane, rtrim(rtrim(lane, '0123456789'), ':'))", host),
  ...optional("dead_at >= ?", since),
  ...optional("dead_at <= ?", until),
  ...optional("url = ?", url),
  ...optional("(SELECT finished_at FROM jobs WHERE jobs.seq = deliveries.seq) >= ?", endedSince),
  ...optional("reason IN (SELECT json_array_elements_text(?::json))", reasons)
]
