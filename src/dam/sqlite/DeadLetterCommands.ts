/** Dead letters: listed, delivered once more, deleted. Runs in the thread that writes. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { DeliveryCommands, Row, Wanted } from "../rows/Commands.ts"
import type { Judge } from "./DeliveryCommands.ts"
import type { Tally } from "../rows/Tally.ts"

/** The most of one page. */
const pageSize = 200

/** Makes the commands; `judge` settles the delivery state of a job. */
export const deadLetterCommands = (db: DatabaseSync, tally: Tally, judge: Judge) => {
  const again = db.prepare(
    `UPDATE deliveries SET state = 'pending', due_at = ?1, begun_at = ?1, spent = json_array_length(attempts),
       reason = NULL, dead_at = NULL WHERE n = ?2`
  )
  const remove = db.prepare("DELETE FROM deliveries WHERE n = ?")

  const select = ({ beyond, columns, limit, order, wanted }: Selection) => {
    const { params, sql } = conditionsOf(wanted)
    return db
      .prepare(
        `SELECT ${columns} FROM deliveries INDEXED BY deliveries_dead_of
         WHERE state = 'dead' AND ${sql} AND ${beyond} ORDER BY n ${order} LIMIT ?`
      )
      .all(...params, limit)
  }

  return {
    deadLetters: (wanted, below, limit) => {
      const most = Math.min(Math.max(1, Math.trunc(limit)), pageSize)
      const found = select({ columns: "*", wanted, beyond: `n < ${below}`, order: "DESC", limit: most + 1 })
      const rows: ReadonlyArray<Row> = found.slice(0, most)
      return { rows, next: found.length > most ? Number(rows.at(-1)?.["n"]) : undefined }
    },
    replay: ({ above, limit, now, spacing, wanted }) => {
      const rows = select({ columns: "n, seq, lane", wanted, beyond: `n > ${above}`, order: "ASC", limit })
      rows.forEach(({ n = null, seq = null }, place) => {
        again.run(now + place * spacing, n)
        judge(seq, now)
      })
      tally.dead -= rows.length
      tally.pending += rows.length
      return {
        replayed: rows.length,
        lanes: [...new Set(rows.map(({ lane }) => String(lane)))],
        next: rows.length === limit ? Number(rows.at(-1)?.["n"]) : undefined
      }
    },
    purge: (wanted, limit) => {
      const rows = select({ columns: "n", wanted, beyond: "n > 0", order: "ASC", limit })
      for (const { n = null } of rows) remove.run(n)
      tally.dead -= rows.length
      return rows.length
    }
  } satisfies Pick<DeliveryCommands, "deadLetters" | "purge" | "replay">
}

/** Which dead letters are read, and what of them. */
interface Selection {
  readonly columns: string
  readonly wanted: Wanted
  readonly beyond: string
  readonly order: "ASC" | "DESC"
  readonly limit: number
}

interface Query {
  readonly sql: string
  readonly params: ReadonlyArray<SQLInputValue>
}

const conditionsOf = ({ customer, deliveryId, endedSince, host, jobId, reasons, since, until, url }: Wanted): Query => {
  const conditions: ReadonlyArray<readonly [sql: string, value: SQLInputValue | undefined]> = [
    ["customer = ?", customer],
    ["id = ?", deliveryId],
    ["job_id = ?", jobId],
    // with its port, or without for all its ports
    ["? IN (lane, rtrim(rtrim(lane, '0123456789'), ':'))", host],
    ["dead_at >= ?", since],
    ["dead_at <= ?", until],
    ["url = ?", url],
    ["(SELECT finished_at FROM jobs WHERE jobs.seq = deliveries.seq) >= ?", endedSince],
    ["reason IN (SELECT value FROM json_each(?))", reasons]
  ]
  const given = conditions.filter(([, value]) => value !== undefined)
  return {
    sql: given.map(([sql]) => sql).join(" AND "),
    params: given.flatMap(([, value]) => (value === undefined ? [] : [value]))
  }
}
