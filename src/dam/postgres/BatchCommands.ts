/** What batches need of the database, as statements. A batch counts its lines in the commit that takes them. */
import * as Effect from "effect/Effect"
import type { BatchCommands, LinesAdded, LinesInsert } from "../rows/BatchCommands.ts"
import { isKnown, shown, valueIn } from "../rows/BatchLines.ts"
import {
  type BatchForms,
  type Fault,
  type JobCommands,
  type JobInsert,
  type LoadedJob,
  type Row
} from "../rows/Commands.ts"
import type { Tally } from "../rows/Tally.ts"
import { batchEnds } from "./BatchEnds.ts"
import { liveOf } from "./Counts.ts"
import { broken, type Over, put, type Session } from "./Session.ts"

/** What batches need of jobs. */
export interface OfJobs extends Pick<Over<JobCommands>, "enqueue" | "finishIdle"> {
  /** The job that has the key of another already. */
  readonly known: (job: JobInsert) => Effect.Effect<LoadedJob | undefined, Fault>
}

interface Self {
  readonly on: Session
  readonly tally: Tally
  readonly jobs: OfJobs
}

const isDue = `told = 0 AND (
    state = 'ended' OR state = 'showing' OR cancelled_at IS NOT NULL
    OR (state = 'open' AND rerun_of IS NOT NULL)
    OR (failed_at IS NOT NULL AND on_any_failure IS NOT NULL AND failure_job IS NULL))`

const live = "state IN ('scheduled', 'queued', 'running', 'parked')"

const shownState = "CASE together WHEN 1 THEN 'showing' ELSE 'running' END"

/** The commands, over those of jobs. */
export const batchCommands = (on: Session, tally: Tally, jobs: OfJobs): Over<BatchCommands<BatchForms>> => {
  const self: Self = { on, tally, jobs }
  const ends = batchEnds(on)
  const one = (customer: string, id: string) =>
    on.one("SELECT * FROM batches WHERE customer = $1 AND id = $2", customer, id)
  return {
    openBatch: Effect.fnUntraced(function* (batch) {
      const made = yield* on.run(
        `INSERT INTO batches (customer, id, together, webhook, metadata, on_complete, on_any_failure, rerun_of, created_at, touched_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT DO NOTHING`,
        ...batch
      )
      return { isNew: made === 1, batch: yield* one(batch[0], batch[1]) }
    }),
    batch: one,
    batches: (customer, below, limit) =>
      on.all("SELECT * FROM batches WHERE customer = $1 AND n < $2 ORDER BY n DESC LIMIT $3", customer, below, limit),
    addLines: (lines) => addLines(self, lines),
    closeBatch: Effect.fnUntraced(function* (batch, at) {
      const closed = yield* on.run(
        `UPDATE batches SET closed_at = $1, touched_at = $1, state = ${shownState}
         WHERE n = $2 AND state = 'open' AND NOT (together = 1 AND refused > 0)`,
        at,
        batch
      )
      if (closed === 1) yield* ends.end(batch, at)
      return closed === 1
    }),
    callOffBatch: (batch, at) =>
      Effect.map(
        on.run(
          `UPDATE batches SET cancelled_at = coalesce(cancelled_at, $1), closed_at = coalesce(closed_at, $1), touched_at = $1,
             state = CASE state WHEN 'open' THEN ${shownState} ELSE state END
           WHERE n = $2 AND state IN ('open', 'showing', 'running')`,
          at,
          batch
        ),
        (changed) => changed === 1
      ),
    batchCounts: Effect.fnUntraced(function* (batch) {
      const states = yield* on.all("SELECT state, count(*) AS jobs FROM jobs WHERE batch = $1 GROUP BY state", batch)
      const staged = yield* on.one("SELECT count(*) AS jobs FROM batch_staged WHERE batch = $1", batch)
      const swept = yield* on.one(
        "SELECT swept_succeeded AS succeeded, swept_failed AS failed, swept_cancelled AS cancelled FROM batches WHERE n = $1",
        batch
      )
      return { states: [...states, { state: "queued", jobs: Number(staged?.["jobs"]) }], swept }
    }),
    lineNotes: (batch, kind, behind, limit) =>
      on.all(
        "SELECT kind, line, detail FROM batch_lines WHERE batch = $1 AND kind = $2 AND line > $3 ORDER BY line LIMIT $4",
        batch,
        kind,
        behind,
        limit
      ),
    dueBatches: (limit) => on.all(`SELECT * FROM batches WHERE ${isDue} ORDER BY n LIMIT $1`, limit),
    showLines: Effect.fnUntraced(function* (batch, at, limit) {
      const portion = yield* showLines(self, batch, limit)
      if (portion === undefined) return []
      if (portion.isLast) yield* ends.end(batch, at)
      return portion.jobs
    }),
    liveInBatch: (batch, limit) => on.all(`SELECT id FROM jobs WHERE batch = $1 AND ${live} LIMIT $2`, batch, limit),
    batchCalledOff: (batch, at) => ends.end(batch, at),
    failureTold: (batch, job) => Effect.asVoid(on.run("UPDATE batches SET failure_job = $1 WHERE n = $2", job, batch)),
    endTold: Effect.fnUntraced(function* (batch, job, notice) {
      yield* on.run("UPDATE batches SET complete_job = $1, told = 1 WHERE n = $2", job, batch)
      if (notice === null) return
      yield* jobs.enqueue(notice.job)
      yield* jobs.finishIdle(notice.id, notice.finish)
    }),
    failedInBatch: (batch, behind, limit) =>
      on.all(
        `SELECT id, seq AS place FROM jobs WHERE batch = $1 AND state = 'failed' AND seq > $2 ORDER BY seq LIMIT $3`,
        batch,
        behind,
        limit
      )
  }
}

const byNumber = "SELECT * FROM batches WHERE n = $1"

/** All or none, and it was none: its end is nobody's. */
const untold = `UPDATE batches SET told = 1 WHERE n = $1 AND accepted = 0 AND duplicates = 0
  AND NOT EXISTS (SELECT 1 FROM jobs WHERE batch = $1)`

const note = put("batch_lines", ["batch", "kind", "line"], ["detail"])

const addLines = Effect.fnUntraced(function* (
  { jobs, on, tally }: Self,
  { after, at, batch, isAgain, jobs: given, most, notes, through }: LinesInsert<BatchForms>
): Effect.fn.Return<LinesAdded<BatchForms>, Fault> {
  const now = yield* on.one(byNumber, batch)
  if (now === undefined || now["through"] !== after || now["state"] !== "open") return { _tag: "Moved", batch: now }
  const known: Array<{ readonly place: number; readonly job: LoadedJob }> = []
  for (const [place, insert] of given.entries()) {
    const job = yield* jobs.known(insert)
    if (job !== undefined) known.push({ place, job })
  }
  if (known.length > 0) return { _tag: "Known", known }
  const [first] = given
  if (most !== null && first !== undefined) {
    const customer = String(valueIn(first, "customer"))
    // lines that are to become jobs together are as good as jobs
    const heldBack = yield* on.one(
      `SELECT coalesce(sum(accepted), 0)::bigint AS jobs FROM batches
       WHERE customer = $1 AND together = 1 AND state IN ('open', 'showing')`,
      customer
    )
    const has = (yield* liveOf(on, tally, customer)) + Number(heldBack?.["jobs"])
    if (has + given.length > most) return { _tag: "Crowded", jobs: has }
  }
  const isTogether = now["together"] === 1
  // one that was refused before is not refused any more, unless somebody else has seen to it meanwhile
  let again = 0
  const isWanted = Effect.fnUntraced(function* (line: number): Effect.fn.Return<boolean, Fault> {
    if (!isAgain) return true
    const unnoted = yield* on.run(
      "DELETE FROM batch_lines WHERE batch = $1 AND kind = 'Refused' AND line = $2",
      batch,
      line
    )
    again += unnoted
    return unnoted === 1
  })
  let accepted = 0
  for (const insert of given) {
    const line = Number(valueIn(insert, "batch_line"))
    if (!(yield* isWanted(line))) continue
    accepted++
    if (isTogether) {
      yield* on.run(
        "INSERT INTO batch_staged (batch, line, job) VALUES ($1, $2, $3)",
        batch,
        line,
        JSON.stringify(insert)
      )
    } else if (isKnown(yield* jobs.enqueue(insert))) {
      return yield* Effect.fail({ ...broken("two lines of a group have one key"), local: true })
    }
  }
  const noted = { Refused: 0, Duplicate: 0 }
  for (const [line, kind, detail] of notes) {
    if (!(yield* isWanted(line))) continue
    noted[kind]++
    yield* on.run(note, batch, kind, line, detail)
  }
  yield* on.run(
    `UPDATE batches SET through = $1, accepted = accepted + $2, duplicates = duplicates + $3, refused = refused + $4,
       touched_at = $5 WHERE n = $6`,
    through,
    accepted,
    noted.Duplicate,
    noted.Refused - again,
    at,
    batch
  )
  return { _tag: "Added" }
})

interface Portion {
  readonly jobs: ReadonlyArray<Row>
  readonly isLast: boolean
}

/** Makes jobs of the next lines that are shown together; of one that is called off they are forgotten. */
const showLines = Effect.fnUntraced(function* (
  { jobs, on }: Self,
  batch: number,
  limit: number
): Effect.fn.Return<Portion | undefined, Fault> {
  const now = yield* on.one(byNumber, batch)
  if (now === undefined) return undefined
  const staged = yield* on.all(
    "SELECT line, job FROM batch_staged WHERE batch = $1 ORDER BY line LIMIT $2",
    batch,
    limit
  )
  const isShown = now["state"] === "showing" && now["cancelled_at"] === null
  const found: Array<Row> = []
  for (const { job, line } of isShown ? staged : []) {
    found.push(...(yield* showOne(on, jobs, batch, Number(line), String(job))))
  }
  const last = staged.at(-1)?.["line"]
  if (last !== undefined) yield* on.run("DELETE FROM batch_staged WHERE batch = $1 AND line <= $2", batch, last)
  if (!isShown) yield* on.run("UPDATE batches SET accepted = accepted - $1 WHERE n = $2", staged.length, batch)
  const isLast = staged.length < limit
  if (isLast) {
    if (!isShown) yield* on.run(untold, batch)
    yield* on.run("UPDATE batches SET state = 'running' WHERE n = $1 AND state = 'showing'", batch)
  }
  return { jobs: found, isLast }
})

const showOne = Effect.fnUntraced(function* (
  on: Session,
  jobs: OfJobs,
  batch: number,
  line: number,
  text: string
): Effect.fn.Return<ReadonlyArray<Row>, Fault> {
  const insert = JSON.parse(text) as JobInsert
  const became = shown(insert, yield* jobs.enqueue(insert))
  if (became._tag === "Job") return [became.row]
  yield* on.run(
    "UPDATE batches SET accepted = accepted - 1, duplicates = duplicates + $1, refused = refused + $2 WHERE n = $3",
    became.duplicates,
    became.refused,
    batch
  )
  yield* on.run(note, batch, became.kind, line, became.detail)
  return []
})
