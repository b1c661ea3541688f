/** Lists jobs by what a caller filters on, and counts them. */
import * as Effect from "effect/Effect"
import { keyedRange } from "../job/LaneName.ts"
import type { Cell, Fault, JobCommands, Listing, LoadedJob, Row } from "../rows/Commands.ts"
import { errorIn, type Look, looker, urlIn } from "../rows/Looking.ts"
import { oneOf, optional, type Query, query, where } from "./Query.ts"
import type { Over, Session } from "./Session.ts"

/** Payloads of one page; a page of large jobs ends early, so that nobody has to hold 200 of them. */
const pageBytes = 8 * 1024 * 1024

/** So many are counted; whoever reads more does not count them. */
const countAtMost = 10_000

/** Jobs that are looked at are read so many at a time: most searches end soon. */
const portion = 500

/** What listing needs. */
export interface Lists {
  readonly on: Session
  /** Reads one job whole. */
  readonly load: (seq: Cell) => Effect.Effect<LoadedJob, Fault>
}

/** The commands. */
export const listCommand = (self: Lists): Pick<Over<JobCommands>, "list" | "count"> => ({
  list: Effect.fnUntraced(function* (filter) {
    const { found, stoppedAt } = yield* search(self, filter, filter.limit + 1)
    const jobs: Array<LoadedJob> = []
    let bytes = 0
    for (const seq of found.slice(0, filter.limit)) {
      if (bytes > pageBytes) break
      const job = yield* self.load(seq)
      bytes += sizeOf(job)
      jobs.push(job)
    }
    return { jobs, next: jobs.length < found.length ? found[jobs.length - 1] : stoppedAt }
  }),
  count: Effect.fnUntraced(function* (filter) {
    const { found, stoppedAt } = yield* search(self, filter, countAtMost + 1)
    const jobs = Math.min(found.length, countAtMost)
    return { jobs, isExact: stoppedAt === undefined && jobs === found.length }
  })
})

interface Found {
  readonly found: ReadonlyArray<number>
  /** The job behind which to go on, where it was given up before there were enough. */
  readonly stoppedAt: number | undefined
}

/** The first `most` jobs of a filter, as far as they are found without reading too much. */
const search = Effect.fnUntraced(function* (
  { on }: Lists,
  filter: Listing,
  most: number
): Effect.fn.Return<Found, Fault> {
  const look = looker(filter)
  const [order, beyond] = filter.oldestFirst ? ["ASC", ">"] : ["DESC", "<"]
  const conditions = conditionsOf(filter)
  const from = look === undefined ? "jobs" : "jobs JOIN payloads USING (seq) LEFT JOIN results USING (seq)"
  const columns =
    look === undefined ? "seq" : "seq, step, result, octet_length(step) + coalesce(octet_length(result), 0) AS bytes"
  const limit = look === undefined ? most : portion
  const found: Array<number> = []
  let behind = filter.behind
  for (;;) {
    const { params, sql } = where(
      `SELECT ${columns} FROM ${from}`,
      [...conditions, query(`seq ${beyond} ?`, behind)],
      query(`ORDER BY seq ${order} LIMIT ?`, limit)
    )
    const rows = yield* on.all(sql, ...params)
    for (const row of rows) {
      behind = Number(row["seq"])
      if (fits(look, row)) found.push(behind)
      if (found.length === most) return { found, stoppedAt: undefined }
      if (look?.isTired() === true) return { found, stoppedAt: behind }
    }
    if (rows.length < limit) return { found, stoppedAt: undefined }
  }
})

/** Postgres takes no text out of JSON in which a zero or half a character is written down anywhere. */
const fits = (look: Look | undefined, { bytes = null, result = null, step = null }: Row): boolean =>
  look === undefined || look.fits({ bytes, url: urlIn(step), error: errorIn(result) })

/** Behind everything that begins so. */
const endOf = (beginning: string): string => `${beginning}\u{10ffff}`

const conditionsOf = (filter: Listing): ReadonlyArray<Query> => {
  const { account, batch, createdFrom, createdTo, customer, deliveryStates, host, id, lane } = filter
  const { metadata, order, parent, priority, rerunOf, states } = filter
  return [
    query("jobs.customer = ?", customer),
    oneOf("state", states),
    ...optional("parent_id = ?", parent),
    // the child of a rerun names its parent as what it repeats, so that it has no place among the keys either
    ...(rerunOf === undefined ? [] : [query("rerun_of = ? AND parent_id IS DISTINCT FROM ?", rerunOf, rerunOf)]),
    ...optional("order_key = ?", order),
    ...(priority === undefined ? [] : [ofPriority(priority)]),
    ...(batch === undefined
      ? []
      : [query("batch = (SELECT n FROM batches WHERE batches.customer = ? AND batches.id = ?)", customer, batch)]),
    // the names of an account's queues begin with its own
    ...(account === undefined ? [] : [query("account >= ? AND account < ?", account, endOf(account))]),
    ...(id === undefined ? [] : [query("jobs.id >= ? AND jobs.id < ?", id, endOf(id))]),
    // the name of a host means all its lanes, with a port or on any
    ...(lane === undefined ? [] : [query("(lane = ? OR (lane > ? AND lane < ?))", lane, ...keyedRange(lane))]),
    ...(host === undefined ? [] : [query("lane > ? AND lane < ?", `${host}:`, endOf(`${host}:`))]),
    ...optional("created_at >= ?", createdFrom),
    ...optional("created_at <= ?", createdTo),
    ...(deliveryStates === undefined ? [] : [oneOf("delivery_state", deliveryStates)]),
    ...metadata.map(([name, value]) =>
      query(
        `seq IN (SELECT led.seq FROM metadata AS led WHERE led.customer = ?
           AND md5(led.name || '=' || led.value) = md5(?::text || '=' || ?::text) AND led.name = ?)`,
        customer,
        name,
        value,
        name
      )
    )
  ]
}

/** The usual one has no sign of its own. */
const ofPriority = (end: string): Query =>
  end === "" ? query("strpos(account, '!') = 0") : query("strpos(account, ?) > 0", end)

const sizeOf = ({ attempts, job }: LoadedJob): number =>
  [job, ...attempts].flatMap((row) => Object.values(row)).reduce<number>((sum, value) => sum + lengthOf(value), 0)

const lengthOf = (value: unknown): number =>
  typeof value === "string" ? value.length : value instanceof Uint8Array ? value.byteLength : 0
