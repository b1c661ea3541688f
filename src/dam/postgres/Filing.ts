/**
 * Files jobs, as statements: many of them in one, which is what makes taking them in cheap.
 *
 * A job whose key is known is left out, and answered as not filed. Two of one key, or of one order, must not be in the
 * same statement.
 */
import * as Effect from "effect/Effect"
import { type Cell, type Fault, jobColumns, type JobInsert } from "../rows/Commands.ts"
import { valueOf } from "../rows/JobValues.ts"
import { add, stateOf, type Tally } from "../rows/Tally.ts"
import { bytes, type Session, texts } from "./Session.ts"

/** A job to file, and behind whom it stands. */
export interface Filing {
  readonly job: JobInsert
  readonly digest: Uint8Array | null
  /** Whether others of its order are before it. */
  readonly isBehind: boolean
  /** Whose answer it will share. */
  readonly leader: string | undefined
}

/** Whether what becomes of a job depends on no other job but the one that has its key. */
export const isPlain = ({ coalesce, debounce, order }: JobInsert): boolean =>
  coalesce === undefined && debounce === undefined && order === undefined

const joined = ["order_key", "order_stops", "debounce_key", "debounce_since", "coalesce_key", "leader_id"] as const

const columns = ["state", ...jobColumns, ...joined] as const

type Column = (typeof columns)[number]

const moments: ReadonlySet<Column> = new Set([
  "created_at",
  "not_before",
  "due_at",
  "deadline_at",
  "start_before",
  "debounce_since"
])

const wholes: ReadonlySet<Column> = new Set(["key_given", "isolated", "quorum", "batch", "batch_line", "order_stops"])

const typed = (column: Column): string =>
  moments.has(column) ? `${column}::float8` : wholes.has(column) ? `${column}::bigint` : column

const given = columns.map((_, place) => `$${place + 3}::text[]`).join(", ")

const file = `WITH given AS MATERIALIZED (
    SELECT nextval('jobs_seq') AS seq, g.* FROM unnest($1::bytea[], $2::text[], ${given})
      WITH ORDINALITY AS g(key_digest, step, ${columns.join(", ")}, n)
    WHERE g.key_digest IS NULL OR NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.key_digest = g.key_digest)
  ), filed AS (
    INSERT INTO jobs (seq, key_digest, ${columns.join(", ")}) SELECT seq, key_digest, ${columns.map(typed).join(", ")} FROM given
  ), paid AS (
    INSERT INTO payloads (seq, step) SELECT seq, step FROM given
  ) SELECT n, seq FROM given`

const note = `INSERT INTO metadata (customer, name, value, seq)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]::bigint[]) ON CONFLICT DO NOTHING`

/** Files them; answers the places of those that were. */
export const all = Effect.fnUntraced(function* (
  on: Session,
  tally: Tally,
  filings: ReadonlyArray<Filing>
): Effect.fn.Return<ReadonlySet<number>, Fault> {
  if (filings.length === 0) return new Set()
  const rows = filings.map(rowOf)
  const filed = yield* on.all(
    file,
    bytes(filings.map(({ digest }) => digest)),
    texts(filings.map(({ job }) => job.step)),
    ...columns.map((_, column) => texts(rows.map((row) => row[column])))
  )
  const places = new Set<number>()
  const metadata: Array<readonly [customer: Cell, name: string, value: string, seq: Cell]> = []
  for (const { n, seq = null } of filed) {
    const place = Number(n) - 1
    const filing = filings[place]
    if (filing === undefined) continue
    places.add(place)
    const { job } = filing
    const customer = valueOf(job, "customer")
    for (const [name, value] of job.metadata) metadata.push([customer, name, value, seq])
    add(tally, { lane: String(valueOf(job, "lane")), customer: String(customer) }, stateOf(rows[place]?.[0]))
  }
  if (metadata.length > 0) {
    yield* on.run(note, ...([0, 1, 2, 3] as const).map((column) => texts(metadata.map((row) => row[column]))))
  }
  return places
})

const dueAt = jobColumns.indexOf("due_at")

/** What its columns hold: one that stands behind others has no moment. */
const rowOf = ({ isBehind, job, leader }: Filing): ReadonlyArray<Cell | boolean | undefined> => {
  const { coalesce, debounce, order } = job
  const waits = isBehind || leader !== undefined
  return [
    waits ? "scheduled" : job.state,
    ...job.columns.map((value, place) => (waits && place === dueAt ? null : value)),
    order?.key,
    Number(order?.stops ?? false),
    debounce?.key,
    debounce?.since,
    coalesce,
    leader
  ]
}
