/** Lists jobs by what a caller filters on. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { JobCommands, Listing, LoadedJob } from "../rows/Commands.ts"

/** Payloads of one page; a page of large jobs ends early, so that nobody has to hold 200 of them. */
const pageBytes = 8 * 1024 * 1024

/** Makes the command; `load` reads one job whole. */
export const listCommand = (db: DatabaseSync, load: (seq: number) => LoadedJob): Pick<JobCommands, "list"> => ({
  list: (filter) => {
    const found = candidates(filter)
      .flatMap(({ params, sql }) => db.prepare(sql).all(...params))
      .map(({ seq }) => Number(seq))
      .toSorted((one, other) => other - one)
    const jobs: Array<LoadedJob> = []
    let bytes = 0
    for (const seq of found.slice(0, filter.limit)) {
      if (bytes > pageBytes) break
      const job = load(seq)
      bytes += sizeOf(job)
      jobs.push(job)
    }
    return { jobs, next: jobs.length < found.length ? found[jobs.length - 1] : undefined }
  }
})

interface Query {
  readonly sql: string
  readonly params: ReadonlyArray<SQLInputValue>
}

/** Each query walks an index downwards and stops at the limit; several of them are merged. */
const candidates = (filter: Listing): ReadonlyArray<Query> => {
  const { customer, deliveryStates, limit, states } = filter
  const [first, ...others] = filter.metadata
  const conditions: ReadonlyArray<Query> = [
    { sql: "jobs.customer = ?", params: [customer] },
    { sql: "jobs.seq < ?", params: [filter.below] },
    ...(filter.queues === undefined ? [] : [oneOf("account", filter.queues)]),
    ...optional("created_at >= ?", filter.createdFrom),
    ...optional("created_at <= ?", filter.createdTo),
    ...(deliveryStates === undefined ? [] : [oneOf("delivery_state", deliveryStates)]),
    ...others.map(([name, value]) => ({ sql: hasMetadata, params: [name, value] }))
  ]
  if (first !== undefined) {
    const led = { sql: "led.customer = ? AND led.name = ? AND led.value = ?", params: [customer, ...first] }
    // the left side of a CROSS JOIN is read first: the part of the index that holds this very value
    const from = "metadata AS led CROSS JOIN jobs ON jobs.seq = led.seq"
    const lane = optional("lane = ?", filter.lane)
    return [select(from, [led, ...conditions, ...lane, oneOf("state", states)], "led.seq", limit)]
  }
  const walk = walkOf(filter)
  if (walk !== undefined) {
    const all = [walk.condition, ...conditions, oneOf("state", states)]
    return [select(`jobs INDEXED BY ${walk.index}`, all, "seq", limit)]
  }
  return states.map((state) =>
    select("jobs INDEXED BY jobs_by_state", [{ sql: "state = ?", params: [state] }, ...conditions], "seq", limit)
  )
}

/** The index that holds the fewest others beside what is wanted; `undefined` for those by state. */
const walkOf = ({ deliveryStates, lane }: Listing): { index: string; condition: Query } | undefined => {
  if (lane !== undefined) return { index: "jobs_of_lane", condition: { sql: "lane = ?", params: [lane] } }
  const [only, ...others] = deliveryStates ?? []
  const index = only !== undefined && others.length === 0 ? deliveryIndexes[only] : undefined
  // written out, since an index of some rows serves only whoever names them
  return index === undefined ? undefined : { index, condition: { sql: `delivery_state = '${only}'`, params: [] } }
}

const deliveryIndexes: Readonly<Record<string, string>> = { undelivered: "jobs_undelivered", pending: "jobs_untold" }

const hasMetadata = `EXISTS (
  SELECT 1 FROM metadata WHERE customer = jobs.customer AND name = ? AND value = ? AND seq = jobs.seq
)`

const select = (from: string, conditions: ReadonlyArray<Query>, order: string, limit: number): Query => ({
  sql: `SELECT jobs.seq FROM ${from} WHERE ${conditions.map(({ sql }) => sql).join(" AND ")} ORDER BY ${order} DESC LIMIT ?`,
  params: [...conditions.flatMap(({ params }) => params), limit + 1]
})

const optional = (sql: string, value: SQLInputValue | undefined): ReadonlyArray<Query> =>
  value === undefined ? [] : [{ sql, params: [value] }]

const oneOf = (column: string, values: ReadonlyArray<string>): Query => ({
  sql: `${column} IN (${values.map(() => "?").join(", ")})`,
  params: values
})

const sizeOf = ({ attempts, job }: LoadedJob): number =>
  [job, ...attempts].flatMap((row) => Object.values(row)).reduce<number>((sum, value) => sum + lengthOf(value), 0)

const lengthOf = (value: unknown): number =>
  typeof value === "string" ? value.length : value instanceof Uint8Array ? value.byteLength : 0
