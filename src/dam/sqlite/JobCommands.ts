/**
 * What the store does with jobs, as statements. Runs in the thread that writes; arguments and answers are plain data.
 */
import type { DatabaseSync, SQLInputValue } from "node:sqlite"
import type { JobState } from "../../engine/JobState.ts"
import { keyedRange } from "../job/LaneName.ts"
import { jobColumns } from "../rows/Commands.ts"
import type {
  AttemptInsert,
  FinishInsert,
  JobCommands,
  JobInsert,
  LoadedJob,
  ParkingUpdate,
  Row
} from "../rows/Commands.ts"
import { digestOf, endOf, valueOf } from "../rows/JobValues.ts"
import type { Joins } from "./JoinCommands.ts"
import type { Orders } from "./OrderCommands.ts"
import type { JoinCommands } from "../rows/JoinCommands.ts"
import { batchEnds } from "./BatchCommands.ts"
import { add, move, moveOver, stateOf, type Tally } from "../rows/Tally.ts"
import { liveOf } from "./Counts.ts"
import type { TextIndex } from "./TextIndex.ts"

const end = `UPDATE jobs SET state = ?, delivery_state = ?, due_at = NULL, finished_at = ?, settled_at = ?,
  quorum = coalesce(?, quorum), failed_status = ?, failed_reason = ?`

const prepare = (db: DatabaseSync) => ({
  insert: db.prepare(
    `INSERT INTO jobs (seq, state, key_digest, ${jobColumns.join(", ")}) VALUES (?, ?, ?, ${jobColumns.map(() => "?").join(", ")})
     ON CONFLICT DO NOTHING`
  ),
  insertPayload: db.prepare("INSERT INTO payloads (seq, step) VALUES (?, ?)"),
  // names that are no Unicode text become the same one here; the payload keeps them apart
  insertMetadata: db.prepare(
    "INSERT OR IGNORE INTO metadata (customer, name, value, seq) SELECT customer, ?, ?, seq FROM jobs WHERE seq = ?"
  ),
  byKey: db.prepare("SELECT seq FROM jobs WHERE key_digest = ?"),
  byId: db.prepare("SELECT seq FROM jobs WHERE id = ?"),
  whole: db.prepare(
    `SELECT jobs.*, step, result, bodies, (SELECT id FROM batches WHERE n = jobs.batch) AS batch_id FROM jobs JOIN payloads USING (seq) LEFT JOIN results USING (seq)
     WHERE jobs.seq = ?`
  ),
  attemptsOf: db.prepare("SELECT attempt, response, body FROM attempts WHERE seq = ? ORDER BY n"),
  startQueued: db.prepare(
    `UPDATE jobs SET state = 'running', epoch = epoch + 1, started_at = coalesce(started_at, ?)
     WHERE id = ? AND state = 'queued' RETURNING seq, lane, epoch`
  ),
  running: db.prepare(
    `SELECT seq, lane, customer, EXISTS (SELECT 1 FROM attempts WHERE attempts.seq = jobs.seq) AS tried
     FROM jobs WHERE id = ? AND epoch = ? AND state = 'running'`
  ),
  idle: db.prepare(
    `SELECT seq, lane, customer, batch, state, due_at, epoch, id, order_key, order_stops, coalesce_key FROM jobs WHERE id = ? AND state IN ('scheduled', 'queued', 'parked')`
  ),
  letGo: db.prepare(
    `UPDATE attempts SET response = NULL, body = NULL
     WHERE seq = ? AND path = ? AND racer = ? AND response IS NOT NULL`
  ),
  insertAttempt: db.prepare(
    "INSERT INTO attempts (seq, path, racer, attempt, response, body) VALUES (?, ?, ?, ?, ?, ?)"
  ),
  parkRunning: db.prepare(
    `UPDATE jobs SET state = 'parked', due_at = ?, held_since = coalesce(held_since, ?), paused_for = ?, held_by = ?,
      lane = ?, account = coalesce(?, account), limits = iif(?, ?, limits) WHERE seq = ?`
  ),
  hasten: db.prepare(
    `UPDATE jobs SET state = 'queued', due_at = ?1, deadline_at = deadline_at - max(0, coalesce(not_before, 0) - ?1),
       not_before = min(not_before, ?1) WHERE seq = ?2 RETURNING lane, account`
  ),
  lift: db.prepare("UPDATE jobs SET due_at = ?1 WHERE state = 'parked' AND held_by = ?2 AND due_at > ?1"),
  // the name of a host means all its lanes
  liftKeyed: db.prepare(
    "UPDATE jobs INDEXED BY jobs_held SET due_at = ?1 WHERE state = 'parked' AND held_by > ?2 AND held_by < ?3 AND due_at > ?1"
  ),
  endRunning: db.prepare(
    `${end} WHERE id = ? AND epoch = ? AND state = 'running'
     RETURNING seq, lane, customer, batch, epoch, id, order_key, order_stops, coalesce_key, EXISTS (SELECT 1 FROM attempts WHERE attempts.seq = jobs.seq) AS tried`
  ),
  endIdle: db.prepare(`${end} WHERE seq = ?`),
  insertResult: db.prepare("INSERT INTO results (seq, result, bodies) VALUES (?, ?, ?)"),
  insertDelivery: db.prepare(
    `INSERT INTO deliveries (seq, due_at, begun_at, id, job_id, customer, place, url, regions, votes, lane, terms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
  ),
  insertBody: db.prepare("INSERT INTO delivery_bodies (n, body) VALUES (?, ?)"),
  disabled: db.prepare("SELECT 1 FROM endpoints WHERE customer = ? AND url = ? AND reason IS NOT NULL")
})

/** What jobs have to do with each other. */
interface Lines {
  readonly orders: Orders
  readonly joins: Joins
  readonly joined: Pick<JoinCommands, "debounced">
}

/** Prepares the statements once and makes the commands over them; `load` reads one job whole. */
export const jobCommands = (db: DatabaseSync, tally: Tally, texts: TextIndex | undefined, lines: Lines) => {
  const { joined } = lines
  const self: Jobs = { on: prepare(db), tally, texts, batches: batchEnds(db), ...lines }
  const commands = {
    enqueue: (job: JobInsert) => enqueue(self, job),
    enqueueBelow: (job: JobInsert, most: number) => {
      const jobs = liveOf(db, tally, String(valueOf(job, "customer")))
      return jobs < most ? enqueue(self, job) : (known(self, digestOf(job)) ?? jobs)
    },
    enqueueOver: (
      job: JobInsert,
      over: { readonly id: string; readonly finish: FinishInsert } | null,
      most: number | null
    ) => {
      const customer = String(valueOf(job, "customer"))
      const first = known(self, digestOf(job))
      if (first !== undefined) return first
      const waiting = job.debounce && joined.debounced(customer, job.debounce.key)
      if (waiting?.id !== over?.id) return "moved"
      if (over !== null) finishIdle(self, over.id, over.finish)
      else if (most !== null) {
        const jobs = liveOf(db, tally, customer)
        if (jobs >= most) return jobs
      }
      return enqueue(self, job)
    },
    get: (id: string): LoadedJob | undefined => {
      const found = self.on.byId.get(id)
      return found && load(self, seqOf(found))
    },
    start: (id: string, at: number): LoadedJob | undefined => {
      const started = begin(self, id, at)
      return started && load(self, seqOf(started))
    },
    begin: (id: string, at: number): number | undefined => {
      const started = begin(self, id, at)
      return started && Number(started["epoch"])
    },
    record: (id: string, epoch: number, attempt: AttemptInsert): boolean => {
      const job = self.on.running.get(id, epoch)
      if (job !== undefined) note(self, job, attempt)
      return job !== undefined
    },
    park: (id: string, epoch: number, parking: ParkingUpdate): boolean => {
      const job = self.on.running.get(id, epoch)
      if (job !== undefined) parkAt(self, job, parking)
      return job !== undefined
    },
    hasten: (id: string, now: number) => {
      const waits = self.on.idle.get(id)
      // without a moment it waits for others, which nobody can hasten
      if (waits === undefined || waits["state"] === "queued" || waits["due_at"] === null) return undefined
      const job = self.on.hasten.get(now, seqOf(waits))
      if (job === undefined) return undefined
      moveOne(tally, job, stateOf(waits["state"]), "queued")
      return { lane: String(job["lane"]), queue: String(job["account"]) }
    },
    lift: (lane: string, now: number): number =>
      Number(self.on.lift.run(now, lane).changes) + Number(self.on.liftKeyed.run(now, ...keyedRange(lane)).changes),
    finish: (id: string, epoch: number, finish: FinishInsert): boolean | undefined => {
      const job = self.on.endRunning.get(...endOf(finish), id, epoch)
      if (job === undefined) return undefined
      finishAt(self, job, "running", finish)
      return areOpen(self, finish)
    },
    finishIdle: (id: string, finish: FinishInsert): boolean => finishIdle(self, id, finish)
  } satisfies Omit<JobCommands, "change" | "list" | "count" | "erase">
  return {
    load: (seq: SQLInputValue) => load(self, seq),
    known: (job: JobInsert) => known(self, digestOf(job)),
    commands
  }
}

interface Jobs {
  readonly on: ReturnType<typeof prepare>
  readonly tally: Tally
  readonly texts: TextIndex | undefined
  readonly orders: Orders
  readonly joins: Joins
  readonly batches: ReturnType<typeof batchEnds>
}

const load = ({ on }: Jobs, seq: SQLInputValue): LoadedJob => {
  const job = on.whole.get(seq)
  if (job === undefined) throw new Error("a job has lost its payload")
  return { job, attempts: job["epoch"] === 0 ? [] : on.attemptsOf.all(seq) }
}

const enqueue = (self: Jobs, job: JobInsert): LoadedJob | "behind" | undefined => {
  const { joins, on, orders, tally } = self
  const { coalesce, debounce, order } = job
  const leader = coalesce !== undefined && job.state === "queued" ? joins.leaderOf(coalesce) : undefined
  const isBehind = order !== undefined && orders.isTaken(String(valueOf(job, "customer")), order.key)
  const state = isBehind || leader !== undefined ? "scheduled" : job.state
  const seq = tally.seq + 1
  const digest = digestOf(job)
  if (on.insert.run(seq, state, digest, ...job.columns).changes === 0) {
    const first = known(self, digest)
    if (first === undefined) throw new Error("the job's id is taken")
    return first
  }
  on.insertPayload.run(seq, job.step)
  for (const [name, value] of job.metadata) on.insertMetadata.run(name, value, seq)
  tally.seq = seq
  add(tally, { lane: String(valueOf(job, "lane")), customer: String(valueOf(job, "customer")) }, state)
  if (order !== undefined) orders.stand(seq, order, isBehind)
  if (debounce !== undefined) joins.debounce(seq, debounce)
  if (coalesce !== undefined) joins.coalesce(seq, coalesce, leader)
  return isBehind || leader !== undefined ? "behind" : undefined
}

/** The job that has a key already. */
const known = (self: Jobs, digest: Uint8Array | null): LoadedJob | undefined => {
  const first = digest === null ? undefined : self.on.byKey.get(digest)
  return first && load(self, seqOf(first))
}

const begin = ({ on, tally }: Jobs, id: string, at: number): Row | undefined => {
  const started = on.startQueued.get(at, id)
  if (started !== undefined) moveOne(tally, started, "queued", "running")
  return started
}

const note = ({ on }: Jobs, job: Row, { attempt, body, path, racer, response }: AttemptInsert): void => {
  const seq = seqOf(job)
  // as in `History.append`: only the last answer of a racer is kept
  if (job["tried"] !== 0) on.letGo.run(seq, path, racer)
  on.insertAttempt.run(seq, path, racer, attempt, response, body)
}

const finishIdle = (self: Jobs, id: string, finish: FinishInsert): boolean => {
  const job = self.on.idle.get(id)
  if (job === undefined) return false
  self.on.endIdle.run(...endOf(finish), seqOf(job))
  // whoever is idle may have run before
  finishAt(self, { ...job, tried: 1 }, stateOf(job["state"]), finish)
  return true
}

/** Adds what belongs to the end of a job whose row says so already. */
const finishAt = (self: Jobs, job: Row, from: JobState, finish: FinishInsert): void => {
  const { joins, on, orders, tally, texts } = self
  const seq = seqOf(job)
  if (finish.attempt !== undefined) note(self, job, finish.attempt)
  on.insertResult.run(seq, finish.result, finish.bodies)
  if (finish.state !== "succeeded") texts?.changed(seq)
  // before its children, which go to the end of the line
  if (job["order_key"] !== null) orders.ended(job, finish)
  // whoever else was called has an answer for those that wait for it
  if (job["coalesce_key"] !== null && (finish.state === "cancelled" || job["epoch"] === 0)) {
    joins.orphan(String(job["id"]))
  }
  for (const child of finish.children) enqueue(self, child)
  for (const { body, columns } of finish.deliveries) {
    const { lastInsertRowid } = on.insertDelivery.run(seq, finish.at, finish.at, ...columns)
    on.insertBody.run(lastInsertRowid, body)
  }
  move(tally, { lane: String(job["lane"]), from, to: finish.state, jobs: 1, customer: String(job["customer"]) })
  tally.pending += finish.deliveries.length
  if (job["batch"] !== null) self.batches.jobEnded(Number(job["batch"]), finish.state, finish.at)
}

/** Whether none of the endpoints is disabled that are told of an end: where none fails, none is looked for. */
const areOpen = ({ on, tally }: Jobs, { deliveries }: FinishInsert): boolean =>
  tally.endpoints === 0 ||
  deliveries.every(({ columns: [, , customer = null, , url = null] }) => on.disabled.get(customer, url) === undefined)

const parkAt = ({ on, tally }: Jobs, job: Row, parking: ParkingUpdate): void => {
  const { dueAt, heldBy, heldSince, next, pausedFor } = parking
  const from = String(job["lane"])
  const [to, queue, limits] = next ?? [from, null, null]
  const since = heldSince ?? null
  const isMoved = Number(next !== undefined)
  on.parkRunning.run(dueAt, since, pausedFor ?? null, heldBy ?? null, to, queue, isMoved, limits, seqOf(job))
  if (from === to) moveOne(tally, job, "running", "parked")
  else moveOver(tally, { lane: from, state: "running" }, { lane: to, state: "parked" })
}

const moveOne = (tally: Tally, job: Row, from: JobState, to: JobState): void =>
  move(tally, { lane: String(job["lane"]), from, to, jobs: 1 })

const seqOf = (row: Row): number => Number(row["seq"])
