/**
 * Groups failed jobs, out of an index that holds all there is to group by. An answer looks at so many of them and no more,
 * the newest, whatever is asked for, and says from when on it has seen all.
 */
import * as Effect from "effect/Effect"
import type { FailureCommands, FailureQuery, Fault, Row } from "../rows/Commands.ts"
import { errorIn } from "../rows/Looking.ts"
import { optional, type Query, query, where } from "./Query.ts"
import type { Over, Session } from "./Session.ts"

/** What one answer looks at. */
const failuresAtMost = 100_000

/** The host of a lane, with its port. */
const hostOf = "split_part(lane, '#', 1)"

const orders = { newest: "last_at DESC, jobs DESC", largest: "jobs DESC, last_at DESC" }

const columns = "lane, failed_status, failed_reason, finished_at"

/** The commands. */
export const failureCommands = (on: Session): Over<FailureCommands> => ({
  failures: Effect.fnUntraced(function* (asked) {
    const { host, limit, sort } = asked
    const failed = failedOf(asked)
    const newest = query("ORDER BY finished_at DESC LIMIT ?) AS entries", failuresAtMost + 1)
    const count = where(
      `SELECT count(*) AS jobs, min(finished_at) AS since FROM (SELECT ${columns} FROM jobs`,
      failed,
      newest
    )
    const counted = yield* on.one(count.sql, ...count.params)
    const found = Number(counted?.["jobs"])
    const ofHost = host === undefined ? "" : `WHERE ? IN (lane, ${hostOf}, rtrim(rtrim(${hostOf}, '0123456789'), ':'))`
    const grouped = where(
      `SELECT lane, failed_status, failed_reason, count(*) AS jobs, min(finished_at) AS first_at,
         max(finished_at) AS last_at, count(*) OVER () AS group_count FROM (SELECT ${columns} FROM jobs`,
      failed,
      query(
        `ORDER BY finished_at DESC LIMIT ?) AS entries ${ofHost} GROUP BY lane, failed_status, failed_reason
         ORDER BY ${orders[sort]}, lane, failed_status NULLS FIRST, failed_reason NULLS FIRST LIMIT ?`,
        failuresAtMost,
        ...(host === undefined ? [] : [host]),
        limit
      )
    )
    const rows = yield* on.all(grouped.sql, ...grouped.params)
    const groups = yield* Effect.forEach(rows, (group) =>
      Effect.map(newestOf(on, asked, group), (job): Row => ({ ...group, ...job }))
    )
    return {
      groups,
      groupCount: Number(rows[0]?.["group_count"] ?? 0),
      lookedAt: Math.min(found, failuresAtMost),
      isExact: found <= failuresAtMost,
      since: found === 0 ? undefined : Number(counted?.["since"])
    }
  })
})

const failedOf = ({ customer, from, to }: FailureQuery): ReadonlyArray<Query> => [
  query("state = 'failed'"),
  ...optional("customer = ?", customer),
  query("finished_at >= ? AND finished_at <= ?", from, to)
]

/** Id, customer and message of the newest job of a group. */
const newestOf = Effect.fnUntraced(function* (
  on: Session,
  { customer }: FailureQuery,
  { failed_reason = null, failed_status = null, lane = null, last_at = null }: Row
): Effect.fn.Return<Row, Fault> {
  const { params, sql } = where(
    "SELECT id, customer, result FROM jobs LEFT JOIN results USING (seq)",
    [
      query("state = 'failed' AND finished_at = ? AND lane = ?", last_at, lane),
      query("failed_status IS NOT DISTINCT FROM ?::integer", failed_status),
      query("failed_reason IS NOT DISTINCT FROM ?", failed_reason),
      ...optional("customer = ?", customer)
    ],
    query("ORDER BY seq DESC LIMIT 1")
  )
  const job = yield* on.one(sql, ...params)
  // what stands in it may be text that Postgres does not take out of JSON
  return { id: job?.["id"] ?? null, customer: job?.["customer"] ?? null, message: errorIn(job?.["result"] ?? null) }
})
