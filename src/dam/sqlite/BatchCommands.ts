/**
 * What batches need of the database, as statements. Runs in the thread that writes.
 *
 * A batch counts its lines in the commit that takes them, and nothing else: how many of its jobs are where is told by an
 * index, so that a job without a batch costs nothing more, and no count can be wrong after a crash.
 */
import type { DatabaseSync } from "node:sqlite"
import type { BatchCommands, LinesAdded, LinesInsert } from "../rows/BatchCommands.ts"
import { isKnown, shown, valueIn } from "../rows/BatchLines.ts"
import type { BatchForms, JobCommands, JobInsert, LoadedJob } from "../rows/Commands.ts"
import type { Tally } from "../rows/Tally.ts"
import { liveOf } from "./Counts.ts"

/** For which something is to be done: word for word the condition of their index. */
const isDue = `told = 0 AND (
    state = 'ended' OR state = 'showing' OR cancelled_at IS NOT NULL
    OR (state = 'open' AND rerun_of IS NOT NULL)
    OR (failed_at IS NOT NULL AND on_any_failure IS NOT NULL AND failure_job IS NULL))`

const live = "('scheduled', 'queued', 'running', 'parked')"

/** What the end of jobs needs of their batches. */
export const batchEnds = (db: DatabaseSync) => {
  const failed = db.prepare("UPDATE batches SET failed_at = ? WHERE n = ? AND failed_at IS NULL")
  const ended = db.prepare(
    `UPDATE batches SET state = 'ended', ended_at = ?1 WHERE n = ?2 AND state = 'running'
     AND NOT EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_of_batch WHERE batch = ?2 AND state IN ${live})`
  )
  return {
    /** Notes that a job of a batch has ended, whose row says so already. */
    jobEnded: (batch: number, state: string, at: number): void => {
      if (state === "failed") failed.run(at, batch)
      ended.run(at, batch)
    },
    /** Ends a batch that nothing is left of. */
    end: (batch: number, at: number): void => {
      ended.run(at, batch)
    }
  }
}

/** What removing old jobs needs of their batches, and how old batches are removed. */
export const batchSweeps = (db: DatabaseSync) => {
  const swept = db.prepare(
    `UPDATE batches SET swept_succeeded = swept_succeeded + (?1 = 'succeeded'), swept_failed = swept_failed + (?1 = 'failed'),
      swept_cancelled = swept_cancelled + (?1 = 'cancelled') WHERE n = ?2`
  )
  // nobody has gone on with it for as long as ended jobs are kept: what it has is all there is
  const abandoned = db.prepare(
    `UPDATE batches SET closed_at = touched_at, state = iif(together, 'showing', 'running'),
      cancelled_at = iif(together, touched_at, NULL) WHERE state = 'open' AND touched_at < ? RETURNING n`
  )
  const over = db.prepare(
    `SELECT n FROM batches WHERE told = 1 AND ended_at < ?
     AND NOT EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_of_batch WHERE batch = batches.n) ORDER BY ended_at LIMIT ?`
  )
  const remove = db.prepare("DELETE FROM batches WHERE n = ?")
  const ends = batchEnds(db)
  return {
    swept: (batch: number, state: string): void => {
      swept.run(state, batch)
    },
    sweep: (before: number, limit: number): void => {
      for (const { n } of abandoned.all(before)) ends.end(Number(n), before)
      for (const { n } of over.all(before, Math.ceil(limit / 10))) remove.run(Number(n))
    }
  }
}

const prepare = (db: DatabaseSync) => ({
  insert: db.prepare(
    `INSERT INTO batches (customer, id, together, webhook, metadata, on_complete, on_any_failure, rerun_of, created_at, touched_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) ON CONFLICT DO NOTHING`
  ),
  one: db.prepare("SELECT * FROM batches WHERE customer = ? AND id = ?"),
  byNumber: db.prepare("SELECT * FROM batches WHERE n = ?"),
  some: db.prepare("SELECT * FROM batches WHERE customer = ? AND n < ? ORDER BY n DESC LIMIT ?"),
  settle: db.prepare(
    `UPDATE batches SET through = ?, accepted = accepted + ?, duplicates = duplicates + ?, refused = refused + ?,
      touched_at = ? WHERE n = ?`
  ),
  note: db.prepare("INSERT OR REPLACE INTO batch_lines (batch, line, kind, detail) VALUES (?, ?, ?, ?)"),
  unnote: db.prepare("DELETE FROM batch_lines WHERE batch = ? AND kind = 'Refused' AND line = ?"),
  stage: db.prepare("INSERT INTO batch_staged (batch, line, job) VALUES (?, ?, ?)"),
  staged: db.prepare("SELECT line, job FROM batch_staged WHERE batch = ? ORDER BY line LIMIT ?"),
  unstage: db.prepare("DELETE FROM batch_staged WHERE batch = ? AND line <= ?"),
  close: db.prepare(
    `UPDATE batches SET closed_at = ?1, touched_at = ?1, state = iif(together, 'showing', 'running')
     WHERE n = ?2 AND state = 'open' AND NOT (together AND refused > 0)`
  ),
  callOff: db.prepare(
    `UPDATE batches SET cancelled_at = coalesce(cancelled_at, ?1), closed_at = coalesce(closed_at, ?1), touched_at = ?1,
      state = iif(state = 'open', iif(together, 'showing', 'running'), state)
     WHERE n = ?2 AND state IN ('open', 'showing', 'running')`
  ),
  shown: db.prepare("UPDATE batches SET state = 'running' WHERE n = ? AND state = 'showing'"),
  shownAs: db.prepare(
    "UPDATE batches SET accepted = accepted - ?, duplicates = duplicates + ?, refused = refused + ? WHERE n = ?"
  ),
  forgotten: db.prepare("UPDATE batches SET accepted = accepted - ?1 WHERE n = ?2"),
  heldBack: db.prepare(
    `SELECT coalesce(sum(accepted), 0) AS jobs FROM batches INDEXED BY batches_held_back
     WHERE customer = ? AND together AND state IN ('open', 'showing')`
  ),
  // all or none, and it was none: its end is nobody's
  untold: db.prepare(
    `UPDATE batches SET told = 1 WHERE n = ?1 AND accepted = 0 AND duplicates = 0
     AND NOT EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_of_batch WHERE batch = ?1)`
  ),
  counts: db.prepare(
    "SELECT state, count(*) AS jobs FROM jobs INDEXED BY jobs_of_batch WHERE batch = ? GROUP BY state"
  ),
  swept: db.prepare(
    `SELECT swept_succeeded AS succeeded, swept_failed AS failed, swept_cancelled AS cancelled FROM batches WHERE n = ?`
  ),
  stagedCount: db.prepare("SELECT count(*) AS jobs FROM batch_staged WHERE batch = ?"),
  notes: db.prepare(
    "SELECT kind, line, detail FROM batch_lines WHERE batch = ? AND kind = ? AND line > ? ORDER BY line LIMIT ?"
  ),
  due: db.prepare(`SELECT * FROM batches INDEXED BY batches_due WHERE ${isDue} ORDER BY n LIMIT ?`),
  live: db.prepare(`SELECT id FROM jobs INDEXED BY jobs_of_batch WHERE batch = ? AND state IN ${live} LIMIT ?`),
  failed: db.prepare(
    `SELECT id, seq AS place FROM jobs INDEXED BY jobs_of_batch WHERE batch = ? AND state = 'failed' AND seq > ?
     ORDER BY seq LIMIT ?`
  ),
  failureTold: db.prepare("UPDATE batches SET failure_job = ? WHERE n = ?"),
  endTold: db.prepare("UPDATE batches SET complete_job = ?, told = 1 WHERE n = ?")
})

/** What batches need of jobs. */
export interface OfJobs extends Pick<JobCommands, "enqueue" | "finishIdle"> {
  /** The job that has the key of another already. */
  readonly known: (job: JobInsert) => LoadedJob | undefined
}

interface Self {
  readonly db: DatabaseSync
  readonly on: ReturnType<typeof prepare>
  readonly tally: Tally
  readonly jobs: OfJobs
}

/** Prepares the statements once and makes the commands over them and those of jobs. */
export const batchCommands = (db: DatabaseSync, tally: Tally, jobs: OfJobs): BatchCommands<BatchForms> => {
  const self: Self = { db, on: prepare(db), tally, jobs }
  const { on } = self
  const ends = batchEnds(db)
  return {
    openBatch: (batch) => {
      const isNew = on.insert.run(...batch).changes === 1
      return { isNew, batch: on.one.get(batch[0], batch[1]) }
    },
    batch: (customer, id) => on.one.get(customer, id),
    batches: (customer, below, limit) => on.some.all(customer, below, limit),
    addLines: (lines) => addLines(self, lines),
    closeBatch: (batch, at) => {
      const isClosed = on.close.run(at, batch).changes === 1
      if (isClosed) ends.end(batch, at)
      return isClosed
    },
    callOffBatch: (batch, at) => on.callOff.run(at, batch).changes === 1,
    batchCounts: (batch) => ({
      states: [...on.counts.all(batch), { state: "queued", jobs: Number(on.stagedCount.get(batch)?.["jobs"]) }],
      swept: on.swept.get(batch)
    }),
    lineNotes: (batch, kind, behind, limit) => on.notes.all(batch, kind, behind, limit),
    dueBatches: (limit) => on.due.all(limit),
    showLines: (batch, at, limit) => {
      const portion = showLines(self, batch, limit)
      if (portion === undefined) return []
      if (portion.isLast) ends.end(batch, at)
      return portion.jobs
    },
    liveInBatch: (batch, limit) => on.live.all(batch, limit),
    batchCalledOff: (batch, at) => ends.end(batch, at),
    failureTold: (batch, job) => {
      on.failureTold.run(job, batch)
    },
    endTold: (batch, job, notice) => {
      on.endTold.run(job, batch)
      if (notice === null) return
      jobs.enqueue(notice.job)
      jobs.finishIdle(notice.id, notice.finish)
    },
    failedInBatch: (batch, behind, limit) => on.failed.all(batch, behind, limit)
  }
}

const addLines = (
  { db, jobs, on, tally }: Self,
  { after, at, batch, isAgain, jobs: given, most, notes, through }: LinesInsert<BatchForms>
): LinesAdded<BatchForms> => {
  const now = on.byNumber.get(batch)
  if (now === undefined || now["through"] !== after || now["state"] !== "open") return { _tag: "Moved", batch: now }
  const known = given.flatMap((insert, place) => {
    const job = jobs.known(insert)
    return job === undefined ? [] : [{ place, job }]
  })
  if (known.length > 0) return { _tag: "Known", known }
  const [first] = given
  if (most !== null && first !== undefined) {
    const customer = String(valueIn(first, "customer"))
    // lines that are to become jobs together are as good as jobs
    const has = liveOf(db, tally, customer) + Number(on.heldBack.get(customer)?.["jobs"])
    if (has + given.length > most) return { _tag: "Crowded", jobs: has }
  }
  const isTogether = now["together"] === 1
  // one that was refused before is not refused any more, unless somebody else has seen to it meanwhile
  let again = 0
  const isWanted = (line: number): boolean => {
    if (!isAgain) return true
    const wasRefused = on.unnote.run(batch, line).changes === 1
    again += Number(wasRefused)
    return wasRefused
  }
  let accepted = 0
  for (const insert of given) {
    const line = Number(valueIn(insert, "batch_line"))
    if (!isWanted(line)) continue
    accepted++
    if (isTogether) on.stage.run(batch, line, JSON.stringify(insert))
    else if (isKnown(jobs.enqueue(insert))) throw new Error("two lines of a group have one key")
  }
  const noted = { Refused: 0, Duplicate: 0 }
  for (const [line, kind, detail] of notes) {
    if (!isWanted(line)) continue
    noted[kind]++
    on.note.run(batch, line, kind, detail)
  }
  on.settle.run(through, accepted, noted.Duplicate, noted.Refused - again, at, batch)
  return { _tag: "Added" }
}

/** Makes jobs of the next lines that are shown together; of one that is called off they are forgotten. */
const showLines = ({ jobs, on }: Self, batch: number, limit: number) => {
  const now = on.byNumber.get(batch)
  if (now === undefined) return undefined
  const staged = on.staged.all(batch, limit)
  const isShown = now["state"] === "showing" && now["cancelled_at"] === null
  const found = isShown ? staged.flatMap(({ job, line }) => showOne(on, jobs, batch, Number(line), String(job))) : []
  const last = staged.at(-1)?.["line"]
  if (last !== undefined) on.unstage.run(batch, last)
  if (!isShown) on.forgotten.run(staged.length, batch)
  const isLast = staged.length < limit
  if (isLast) {
    if (!isShown) on.untold.run(batch)
    on.shown.run(batch)
  }
  return { jobs: found, isLast }
}

const showOne = (on: Self["on"], jobs: OfJobs, batch: number, line: number, text: string) => {
  const insert = JSON.parse(text) as JobInsert
  const became = shown(insert, jobs.enqueue(insert))
  if (became._tag === "Job") return [became.row]
  on.shownAs.run(1, became.duplicates, became.refused, batch)
  on.note.run(batch, line, became.kind, became.detail)
  return []
}
