/**
 * What the store does with jobs, as statements. Runs in the thread that writes; arguments and answers are plain data.
 *
 * A command either does all of its work or throws; whoever runs it rolls back. Refusals that are part of the contract
 * (a key that is taken, an epoch that is over) are answers.
 */
import { hash } from "node:crypto"
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { JobState } from "../../engine/JobState.ts"
import { type JobColumn, jobColumns } from "../rows/Commands.ts"
import { add, move, stateOf, type Tally } from "./Tally.ts"
import type { AttemptInsert, FinishInsert, JobInsert, LoadedJob, Row } from "../rows/Commands.ts"

/** How many jobs one `release` moves at most, so that no transaction holds up the others for long. */
export const releaseLimit = 1000

/** Prepares the statements once and makes the commands over them. */
export const jobCommands = (db: DatabaseSync, tally: Tally) => {
  const insert = db.prepare(
    `INSERT INTO jobs (seq, state, key_digest, ${jobColumns.join(", ")}) VALUES (?, ?, ?, ${jobColumns.map(() => "?").join(", ")})
     ON CONFLICT DO NOTHING`
  )
  const insertPayload = db.prepare("INSERT INTO payloads (seq, step) VALUES (?, ?)")
  // names that are no Unicode text become the same one here; the payload keeps them apart
  const insertMetadata = db.prepare(
    "INSERT OR IGNORE INTO metadata (customer, name, value, seq) SELECT customer, ?, ?, seq FROM jobs WHERE seq = ?"
  )
  const byKey = db.prepare("SELECT seq FROM jobs WHERE key_digest = ?")
  const byId = db.prepare("SELECT seq FROM jobs WHERE id = ?")
  const whole = db.prepare(
    `SELECT jobs.*, step, result, bodies FROM jobs JOIN payloads USING (seq) LEFT JOIN results USING (seq)
     WHERE jobs.seq = ?`
  )
  const attemptsOf = db.prepare("SELECT attempt, response, body FROM attempts WHERE seq = ? ORDER BY n")
  const startQueued = db.prepare(
    `UPDATE jobs SET state = 'running', epoch = epoch + 1, started_at = coalesce(started_at, ?)
     WHERE id = ? AND state = 'queued' RETURNING seq, lane, epoch`
  )
  const running = db.prepare("SELECT seq, lane FROM jobs WHERE id = ? AND epoch = ? AND state = 'running'")
  const idle = db.prepare(
    "SELECT seq, lane, state FROM jobs WHERE id = ? AND state IN ('scheduled', 'queued', 'parked')"
  )
  const letGo = db.prepare(
    `UPDATE attempts SET response = NULL, body = NULL
     WHERE seq = ? AND path = ? AND racer = ? AND response IS NOT NULL`
  )
  const insertAttempt = db.prepare(
    "INSERT INTO attempts (seq, path, racer, attempt, response, body) VALUES (?, ?, ?, ?, ?, ?)"
  )
  const parkRunning = db.prepare(
    `UPDATE jobs SET state = 'parked', due_at = ?, held_since = coalesce(held_since, ?)
     WHERE id = ? AND epoch = ? AND state = 'running' RETURNING lane`
  )
  const end = db.prepare(
    `UPDATE jobs SET state = ?, delivery_state = ?, due_at = NULL, finished_at = ?, settled_at = ?, quorum = coalesce(?, quorum)
     WHERE seq = ?`
  )
  const insertResult = db.prepare("INSERT INTO results (seq, result, bodies) VALUES (?, ?, ?)")
  const insertDelivery = db.prepare(
    `INSERT INTO deliveries (seq, due_at, begun_at, id, job_id, customer, place, url, regions, votes, lane)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
  )
  const insertBody = db.prepare("INSERT INTO delivery_bodies (n, body) VALUES (?, ?)")
  const waiting = db.prepare(
    `SELECT seq, lane, state FROM jobs WHERE state IN ('scheduled', 'parked') AND due_at <= ? ORDER BY due_at LIMIT ?`
  )
  const nextWaiting = db.prepare("SELECT min(due_at) AS due FROM jobs WHERE state IN ('scheduled', 'parked')")
  const queueAgain = db.prepare("UPDATE jobs SET state = 'queued' WHERE seq = ?")
  const overdue = db.prepare(
    `SELECT id, deadline_at FROM jobs
     WHERE deadline_at IS NOT NULL AND state IN ('scheduled', 'queued', 'parked') ORDER BY deadline_at LIMIT ?`
  )
  const recoverAll = db.prepare("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
  const before = db.prepare(
    `SELECT count(*) AS jobs FROM jobs AS other JOIN jobs AS self ON self.id = ?
     WHERE self.state = 'queued' AND other.state = 'queued' AND other.lane = self.lane AND other.seq < self.seq`
  )
  const isQueued = db.prepare("SELECT 1 FROM jobs WHERE id = ? AND state = 'queued'")
  const settled = db.prepare(
    "SELECT seq, state FROM jobs WHERE settled_at IS NOT NULL AND settled_at < ? ORDER BY settled_at LIMIT ?"
  )
  const deadOf = db.prepare("SELECT count(*) AS dead FROM deliveries WHERE state = 'dead' AND seq = ?")
  const remove = db.prepare("DELETE FROM jobs WHERE seq = ?")
  const forget = db.prepare("DELETE FROM paces WHERE seen_at < ?")
  const forgetEndpoints = db.prepare("DELETE FROM endpoints WHERE status = 'enabled' AND seen_at < ?")

  const load = (seq: SQLInputValue): LoadedJob => {
    const job = whole.get(seq)
    if (job === undefined) throw new Error("a job has lost its payload")
    return { job, attempts: job["epoch"] === 0 ? [] : attemptsOf.all(seq) }
  }

  const enqueue = (job: JobInsert): LoadedJob | undefined => {
    const seq = tally.seq + 1
    const digest = digestOf(job)
    if (insert.run(seq, job.state, digest, ...job.columns).changes === 0) {
      const first = digest === null ? undefined : byKey.get(digest)
      if (first === undefined) throw new Error("the job's id is taken")
      return load(seqOf(first))
    }
    insertPayload.run(seq, job.step)
    for (const [name, value] of job.metadata) insertMetadata.run(name, value, seq)
    tally.seq = seq
    add(tally, String(valueOf(job, "lane")), job.state)
    return undefined
  }

  const note = (seq: number, { attempt, body, path, racer, response }: AttemptInsert): void => {
    // as in `History.append`: only the last answer of a racer is kept
    letGo.run(seq, path, racer)
    insertAttempt.run(seq, path, racer, attempt, response, body)
  }

  const finishAt = (job: Row, from: JobState, finish: FinishInsert): void => {
    const seq = seqOf(job)
    const untold = finish.deliveries.length > 0
    if (finish.attempt !== undefined) note(seq, finish.attempt)
    end.run(finish.state, untold ? "pending" : "none", finish.at, untold ? null : finish.at, finish.quorum, seq)
    insertResult.run(seq, finish.result, finish.bodies)
    for (const child of finish.children) enqueue(child)
    for (const { body, columns } of finish.deliveries) {
      const { lastInsertRowid } = insertDelivery.run(seq, finish.at, finish.at, ...columns)
      insertBody.run(lastInsertRowid, body)
    }
    move(tally, String(job["lane"]), from, finish.state)
    tally.pending += finish.deliveries.length
  }

  return {
    load,
    enqueue,
    get: (id: string): LoadedJob | undefined => {
      const found = byId.get(id)
      return found && load(seqOf(found))
    },
    start: (id: string, at: number): LoadedJob | undefined => {
      const started = startQueued.get(at, id)
      if (started === undefined) return undefined
      move(tally, String(started["lane"]), "queued", "running")
      return load(seqOf(started))
    },
    /** The same for one whose contents are known: answers the epoch. */
    begin: (id: string, at: number): number | undefined => {
      const started = startQueued.get(at, id)
      if (started === undefined) return undefined
      move(tally, String(started["lane"]), "queued", "running")
      return Number(started["epoch"])
    },
    record: (id: string, epoch: number, attempt: AttemptInsert): boolean => {
      const job = running.get(id, epoch)
      if (job !== undefined) note(seqOf(job), attempt)
      return job !== undefined
    },
    park: (id: string, epoch: number, dueAt: number, heldSince: number | null): boolean => {
      const parked = parkRunning.get(dueAt, heldSince, id, epoch)
      if (parked !== undefined) move(tally, String(parked["lane"]), "running", "parked")
      return parked !== undefined
    },
    finish: (id: string, epoch: number, finish: FinishInsert): boolean => {
      const job = running.get(id, epoch)
      if (job !== undefined) finishAt(job, "running", finish)
      return job !== undefined
    },
    finishIdle: (id: string, finish: FinishInsert): boolean => {
      const job = idle.get(id)
      if (job !== undefined) finishAt(job, stateOf(job["state"]), finish)
      return job !== undefined
    },
    release: (now: number): { readonly lanes: ReadonlyArray<string>; readonly nextDueAt: number | undefined } => {
      const lanes = new Set<string>()
      for (const { lane, seq, state } of waiting.all(now, releaseLimit)) {
        if (seq === undefined) continue
        queueAgain.run(seq)
        move(tally, String(lane), stateOf(state), "queued")
        lanes.add(String(lane))
      }
      const due = nextWaiting.get()?.["due"]
      return { lanes: [...lanes], nextDueAt: typeof due === "number" ? due : undefined }
    },
    overdue: (
      now: number,
      limit: number
    ): { readonly ids: ReadonlyArray<string>; readonly nextAt: number | undefined } => {
      // one more than asked for tells when to come back
      const next = overdue.all(limit + 1)
      const past = next.slice(0, limit).filter((job) => Number(job["deadline_at"]) <= now)
      const after = next[past.length]?.["deadline_at"]
      return { ids: past.map(({ id }) => String(id)), nextAt: typeof after === "number" ? after : undefined }
    },
    recover: (): number => {
      const jobs = Number(recoverAll.run().changes)
      for (const [lane, { running: here }] of tally.lanes) {
        if (here > 0) move(tally, lane, "running", "queued", here)
      }
      return jobs
    },
    position: (id: string): number | undefined =>
      isQueued.get(id) === undefined ? undefined : Number(before.get(id)?.["jobs"]),
    sweep: (endedBefore: number, limit: number): number => {
      const jobs = settled.all(endedBefore, limit)
      for (const job of jobs) {
        const seq = seqOf(job)
        tally.dead -= Number(deadOf.get(seq)?.["dead"])
        tally.jobs[stateOf(job["state"])]--
        remove.run(seq)
      }
      forget.run(endedBefore)
      forgetEndpoints.run(endedBefore)
      return jobs.length
    }
  }
}

const seqOf = (row: Row): number => Number(row["seq"])

/** Names scope and key in 16 bytes; a rerun has no place among the keys. */
const digestOf = (job: JobInsert): Uint8Array | null => {
  if (valueOf(job, "rerun_of") !== null) return null
  const scope = String(valueOf(job, "key_scope"))
  return hash("sha256", `${scope.length}:${scope}${String(valueOf(job, "key"))}`, "buffer").subarray(0, 16)
}

const valueOf = (job: JobInsert, column: JobColumn): SQLInputValue => job.columns[jobColumns.indexOf(column)] ?? null
