/** Walks through the jobs of a filter in their order, each step by an index, and reads no further than it is asked to. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import { keyedRange } from "../job/LaneName.ts"
import type { Listing } from "../rows/Commands.ts"
import type { TextIndex } from "./TextIndex.ts"

/** The next job, or none. */
export type Walk = () => number | undefined

/** What a walk goes by. */
export interface WalkOptions {
  /** How many jobs are read at a time. */
  readonly portion: number
  readonly texts: TextIndex | undefined
}

/** Makes the walk. Where an index of texts leads to few jobs, the walk is to these and to what it does not hold yet. */
export const walkOf = (db: DatabaseSync, filter: Listing, { portion, texts }: WalkOptions): Walk => {
  const few = filter.id === undefined ? undefined : fewOf(db, filter, filter.id)
  if (few !== undefined) return merged([inOrder(few)], filter.oldestFirst)
  const candidates = texts?.find(filter.texts, filter)
  const lanes = lanesOf(db, filter)
  const within = withinOf(db, filter)
  if (within === undefined) return () => undefined
  const queries = queriesOf(filter, lanes, candidates?.mark)
  return merged(
    [
      ...(candidates === undefined ? [] : [someOf(db, filter, candidates.jobs, portion)]),
      ...queries.map((query) => inPortions(db, query, within, portion))
    ],
    filter.oldestFirst
  )
}

/** Where a walk begins, behind a job, and where it ends, before another. */
interface Within {
  readonly behind: number
  readonly before: number
}

/**
 * Jobs are walked through as they were taken, which is nearly, but not for certain, as they were created: the index by time
 * tells between which of them all of a window lie. Without it a look far back would walk through everything since.
 */
const withinOf = (db: DatabaseSync, filter: Listing): Within | undefined => {
  const { behind, createdFrom, createdTo, customer, oldestFirst } = filter
  const all = { behind, before: oldestFirst ? Number.MAX_SAFE_INTEGER : 0 }
  if (createdFrom === undefined && createdTo === undefined) return all
  const found = db
    .prepare(
      `SELECT min(seq) AS first, max(seq) AS last FROM jobs INDEXED BY jobs_by_time
       WHERE customer = ? AND created_at >= ? AND created_at <= ?`
    )
    .get(customer, createdFrom ?? 0, createdTo ?? Number.MAX_SAFE_INTEGER)
  if (found === undefined || found["first"] === null) return undefined
  const [first, last] = [Number(found["first"]), Number(found["last"])]
  return oldestFirst
    ? { behind: Math.max(behind, first - 1), before: last + 1 }
    : { behind: Math.min(behind, last + 1), before: first - 1 }
}

interface Query {
  readonly sql: string
  readonly params: ReadonlyArray<SQLInputValue>
}

/** More jobs than these are walked through like any; so many are sorted. */
const fewAtMost = 1000

/** The jobs whose id begins so, where these are few: it is the beginning of a moment, so a short one is everybody's. */
const fewOf = (db: DatabaseSync, filter: Listing, id: string): ReadonlyArray<number> | undefined => {
  const found = db
    .prepare("SELECT seq FROM jobs WHERE id >= ? AND id < ? LIMIT ?")
    .all(id, endOf(id), fewAtMost + 1)
    .map(seqOf)
  return found.length > fewAtMost ? undefined : among(db, filter, found)
}

/** Those of some jobs that the filter leaves, but for what must be looked at, in its order. */
const among = (db: DatabaseSync, filter: Listing, jobs: ReadonlyArray<number>): ReadonlyArray<number> => {
  const { behind, oldestFirst } = filter
  const all = [
    { sql: "seq IN (SELECT value FROM json_each(?))", params: [JSON.stringify(jobs)] },
    ...conditionsOf(filter),
    ...filter.metadata.map(hasMetadata),
    ...placesOf(filter),
    oneOf("state", filter.states),
    { sql: oldestFirst ? "seq > ?" : "seq < ?", params: [behind] }
  ]
  return db
    .prepare(`SELECT seq FROM jobs NOT INDEXED WHERE ${all.map(({ sql }) => sql).join(" AND ")}`)
    .all(...all.flatMap(({ params }) => params))
    .map(seqOf)
    .toSorted((one, other) => (oldestFirst ? one - other : other - one))
}

/** What is asked of a lane, or of a host: the name of a host means all its lanes, with a port or on any. */
const placesOf = ({ host, lane }: Listing): ReadonlyArray<Query> => [
  ...(lane === undefined
    ? []
    : [{ sql: "(lane = ? OR (lane > ? AND lane < ?))", params: [lane, ...keyedRange(lane)] }]),
  ...(host === undefined ? [] : [{ sql: "lane > ? AND lane < ?", params: [`${host}:`, endOf(`${host}:`)] }])
]

/** Each is a walk of its own; where there are more, all jobs are walked through. */
const lanesAtMost = 64

/** The lanes that are asked for and have jobs; `undefined` where nothing is asked of them, or where they are too many. */
const lanesOf = (db: DatabaseSync, filter: Listing): ReadonlyArray<string> | undefined => {
  const { customer, host, lane } = filter
  if (host === undefined && lane === undefined) return undefined
  const next = db.prepare(
    "SELECT min(lane) AS lane FROM jobs INDEXED BY jobs_of_lane WHERE customer = ? AND lane > ? AND lane < ?"
  )
  const [first, end] = lane === undefined ? [`${host}:`, endOf(`${host}:`)] : keyedRange(lane)
  const lanes = lane === undefined ? [] : [lane]
  for (let last: string = first; ;) {
    const found = next.get(customer, last, end)?.["lane"]
    if (typeof found !== "string") break
    if (lanes.length === lanesAtMost) return undefined
    lanes.push(found)
    last = found
  }
  return host === undefined ? lanes : lanes.filter((one) => one.startsWith(`${host}:`))
}

/** Behind everything that begins so. */
const endOf = (beginning: string): string => `${beginning}\u{10ffff}`

/**
 * Each query walks an index in the order of the jobs; several of them are merged. Behind which job comes last of all.
 * `mark`: only jobs that came after this one.
 */
const queriesOf = (
  filter: Listing,
  lanes: ReadonlyArray<string> | undefined,
  mark: number | undefined
): ReadonlyArray<Query> => {
  const { batch, customer, id, oldestFirst, states } = filter
  if (lanes?.length === 0) return []
  const related = relatedIndexOf(filter)
  const [first, ...more] = filter.metadata
  const conditions: ReadonlyArray<Query> = [
    ...conditionsOf(filter),
    ...(lanes === undefined ? placesOf(filter) : []),
    ...optional("jobs.seq > ?", mark),
    ...(id === undefined ? [] : [{ sql: "jobs.id >= ? AND jobs.id < ?", params: [id, endOf(id)] }]),
    ...(related === undefined ? more : filter.metadata).map(hasMetadata)
  ]
  if (related !== undefined) {
    const lane = lanes === undefined ? [] : [oneOf("lane", lanes)]
    return [select(`jobs INDEXED BY ${related}`, [...conditions, ...lane, oneOf("state", states)], "seq", oldestFirst)]
  }
  if (first !== undefined) {
    const led = { sql: "led.customer = ? AND led.name = ? AND led.value = ?", params: [customer, ...first] }
    // the left side of a CROSS JOIN is read first: the part of the index that holds this very value
    const from = "metadata AS led CROSS JOIN jobs ON jobs.seq = led.seq"
    const lane = lanes === undefined ? [] : [oneOf("lane", lanes)]
    return [select(from, [led, ...conditions, ...lane, oneOf("state", states)], "led.seq", oldestFirst)]
  }
  if (lanes !== undefined) {
    return lanes.map((lane) => {
      const all = [{ sql: "lane = ?", params: [lane] }, ...conditions, oneOf("state", states)]
      return select("jobs INDEXED BY jobs_of_lane", all, "seq", oldestFirst)
    })
  }
  const told = deliveryIndexOf(filter)
  if (told !== undefined) {
    const all = [told.condition, ...conditions, oneOf("state", states)]
    return [select(`jobs INDEXED BY ${told.index}`, all, "seq", oldestFirst)]
  }
  if (batch !== undefined) {
    return states.map((state) =>
      select(
        "jobs INDEXED BY jobs_of_batch",
        [...conditions, { sql: "state = ?", params: [state] }],
        "seq",
        oldestFirst
      )
    )
  }
  return states.map((state) =>
    select("jobs INDEXED BY jobs_by_state", [{ sql: "state = ?", params: [state] }, ...conditions], "seq", oldestFirst)
  )
}

const conditionsOf = ({
  account,
  batch,
  createdFrom,
  createdTo,
  customer,
  deliveryStates,
  order,
  parent,
  priority,
  rerunOf
}: Listing): ReadonlyArray<Query> => [
  { sql: "jobs.customer = ?", params: [customer] },
  ...optional("parent_id = ?", parent),
  // the child of a rerun names its parent as what it repeats, so that it has no place among the keys either
  ...(rerunOf === undefined ? [] : [{ sql: "rerun_of = ? AND parent_id IS NOT ?", params: [rerunOf, rerunOf] }]),
  ...optional("order_key = ?", order),
  ...(priority === undefined ? [] : [ofPriority(priority)]),
  ...(batch === undefined
    ? []
    : [
        {
          sql: "batch = (SELECT n FROM batches WHERE batches.customer = ? AND batches.id = ?)",
          params: [customer, batch]
        }
      ]),
  // the names of an account's queues begin with its own
  ...(account === undefined ? [] : [{ sql: "account >= ? AND account < ?", params: [account, endOf(account)] }]),
  ...optional("created_at >= ?", createdFrom),
  ...optional("created_at <= ?", createdTo),
  ...(deliveryStates === undefined ? [] : [oneOf("delivery_state", deliveryStates)])
]

/** The usual one has no sign of its own. */
const ofPriority = (end: string): Query =>
  end === "" ? { sql: "instr(account, '!') = 0", params: [] } : { sql: "instr(account, ?) > 0", params: [end] }

/** The index of children, of reruns or of an order: nobody has many of the first two. */
const relatedIndexOf = ({ order, parent, rerunOf }: Listing): string | undefined => {
  if (parent !== undefined) return "jobs_of_parent"
  if (rerunOf !== undefined) return "jobs_of_rerun"
  return order === undefined ? undefined : "jobs_of_order"
}

/** The index that holds only what was told so, or was not. */
const deliveryIndexOf = ({ deliveryStates = [] }: Listing): { index: string; condition: Query } | undefined => {
  const [only, ...others] = deliveryStates
  const index = only !== undefined && others.length === 0 ? deliveryIndexes[only] : undefined
  // written out, since an index of some rows serves only whoever names them
  return index === undefined ? undefined : { index, condition: { sql: `delivery_state = '${only}'`, params: [] } }
}

const deliveryIndexes: Readonly<Record<string, string>> = { undelivered: "jobs_undelivered", pending: "jobs_untold" }

const hasMetadata = (pair: readonly [name: string, value: string]): Query => ({
  sql: "EXISTS (SELECT 1 FROM metadata WHERE customer = jobs.customer AND name = ? AND value = ? AND seq = jobs.seq)",
  params: pair
})

const select = (from: string, conditions: ReadonlyArray<Query>, order: string, oldestFirst: boolean): Query => {
  const [behind, before, direction] = oldestFirst ? [">", "<", "ASC"] : ["<", ">", "DESC"]
  const where = [...conditions.map(({ sql }) => sql), `${order} ${behind} ?`, `${order} ${before} ?`].join(" AND ")
  return {
    sql: `SELECT jobs.seq FROM ${from} WHERE ${where} ORDER BY ${order} ${direction} LIMIT ?`,
    params: conditions.flatMap(({ params }) => params)
  }
}

interface Queue {
  /** The job in front, or none. */
  readonly head: () => number | undefined
  readonly drop: () => void
}

const inOrder = (jobs: ReadonlyArray<number>): Queue => {
  let at = 0
  return { head: () => jobs[at], drop: () => void at++ }
}

const inPortions = (db: DatabaseSync, { params, sql }: Query, { before, behind }: Within, portion: number): Queue => {
  const statement = db.prepare(sql)
  let last = behind
  let isAll = false
  return fromPortions(() => {
    if (isAll) return undefined
    const read = statement.all(...params, last, before, portion).map(seqOf)
    last = read.at(-1) ?? last
    isAll = read.length < portion
    return read
  })
}

/** Those of many jobs that the filter leaves, a portion at a time: most pages are full soon. */
const someOf = (db: DatabaseSync, filter: Listing, jobs: ReadonlyArray<number>, portion: number): Queue => {
  const ordered = jobs.toSorted((one, other) => (filter.oldestFirst ? one - other : other - one))
  let at = 0
  return fromPortions(() => {
    if (at >= ordered.length) return undefined
    at += portion
    return among(db, filter, ordered.slice(at - portion, at))
  })
}

/** A queue of portions, of which one may be empty; `undefined` is the end. */
const fromPortions = (next: () => ReadonlyArray<number> | undefined): Queue => {
  let read: ReadonlyArray<number> | undefined = []
  let at = 0
  return {
    head: () => {
      while (read !== undefined && at === read.length) {
        read = next()
        at = 0
      }
      return read?.[at]
    },
    drop: () => void at++
  }
}

const merged =
  (queues: ReadonlyArray<Queue>, oldestFirst: boolean): Walk =>
  () => {
    let first: number | undefined
    let from: Queue | undefined
    for (const queue of queues) {
      const head = queue.head()
      if (head === undefined || (first !== undefined && (oldestFirst ? head > first : head < first))) continue
      first = head
      from = queue
    }
    from?.drop()
    return first
  }

const optional = (sql: string, value: SQLInputValue | undefined): ReadonlyArray<Query> =>
  value === undefined ? [] : [{ sql, params: [value] }]

const oneOf = (column: string, values: ReadonlyArray<string>): Query => ({
  sql: `${column} IN (${values.map(() => "?").join(", ")})`,
  params: values
})

const seqOf = (row: Readonly<Record<string, unknown>>): number => Number(row["seq"])
