/** What keeps the store in order, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import { pastIn } from "../rows/Past.ts"
import type { UpkeepCommands } from "../rows/UpkeepCommands.ts"
import { batchSweeps } from "./BatchCommands.ts"
import { bytesOf } from "./Database.ts"
import type { Joins } from "./JoinCommands.ts"
import { move, stateOf, type Tally } from "../rows/Tally.ts"
import type { TextIndex } from "./TextIndex.ts"

/** How many jobs one `release` moves at most, so that no transaction holds up the others for long. */
const releaseLimit = 1000

const prepare = (db: DatabaseSync) => ({
  waiting: db.prepare(
    // left to itself SQLite takes the index by state and sorts a million jobs
    `SELECT seq, lane, state FROM jobs INDEXED BY jobs_waiting
     WHERE state IN ('scheduled', 'parked') AND due_at <= ? ORDER BY due_at LIMIT ?`
  ),
  nextWaiting: db.prepare(
    "SELECT min(due_at) AS due FROM jobs INDEXED BY jobs_waiting WHERE state IN ('scheduled', 'parked')"
  ),
  shift: db.prepare("UPDATE jobs SET due_at = due_at + ? WHERE state = 'parked'"),
  shiftDeliveries: db.prepare(
    "UPDATE deliveries INDEXED BY deliveries_pending SET due_at = due_at + ? WHERE state = 'pending'"
  ),
  queueAgain: db.prepare("UPDATE jobs SET state = 'queued' WHERE seq = ?"),
  overdue: db.prepare(
    `SELECT id, deadline_at FROM jobs INDEXED BY jobs_overdue
     WHERE deadline_at IS NOT NULL AND state IN ('scheduled', 'queued', 'parked') ORDER BY deadline_at LIMIT ?`
  ),
  expiring: db.prepare(
    `SELECT id, start_before FROM jobs INDEXED BY jobs_expiring
     WHERE start_before IS NOT NULL AND epoch = 0 AND state IN ('scheduled', 'queued', 'parked')
     ORDER BY start_before LIMIT ?`
  ),
  recoverAll: db.prepare("UPDATE jobs SET state = 'queued' WHERE state = 'running'"),
  settled: db.prepare(
    "SELECT seq, state, batch FROM jobs WHERE settled_at IS NOT NULL AND settled_at < ? ORDER BY settled_at LIMIT ?"
  ),
  settledOf: db.prepare(
    "SELECT seq, state, batch FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND settled_at IS NOT NULL"
  ),
  deadOf: db.prepare("SELECT count(*) AS dead FROM deliveries WHERE state = 'dead' AND seq = ?"),
  remove: db.prepare("DELETE FROM jobs WHERE seq = ?"),
  forget: db.prepare("DELETE FROM paces INDEXED BY paces_by_time WHERE seen_at < ?1 AND coalesce(held_until, 0) < ?1"),
  forgetEndpoints: db.prepare(
    // one that operators were told of is kept until it is over: forgetting it is no recovery
    `DELETE FROM endpoints INDEXED BY endpoints_by_time WHERE status = 'enabled' AND seen_at < ?
     AND NOT EXISTS (SELECT 1 FROM notices WHERE subject = 'endpoint ' || customer || ' ' || url)`
  ),
  disabled: db.prepare("SELECT count(*) AS endpoints FROM endpoints WHERE status = 'disabled'")
})

/** What upkeep needs. */
export interface Kept {
  readonly db: DatabaseSync
  readonly tally: Tally
  readonly texts: TextIndex | undefined
  readonly joins: Pick<Joins, "recover">
  /** Says why nothing can be written. */
  readonly fault: () => string | undefined
}

/** Prepares the statements once and makes the commands over them. */
export const upkeepCommands = ({ db, fault, joins, tally, texts }: Kept): UpkeepCommands => {
  const on = prepare(db)
  const batches = batchSweeps(db)
  const remove = (jobs: ReadonlyArray<Record<string, unknown>>): number => {
    for (const job of jobs) {
      const seq = Number(job["seq"])
      tally.dead -= Number(on.deadOf.get(seq)?.["dead"])
      const state = stateOf(job["state"])
      tally.jobs[state]--
      on.remove.run(seq)
      // its batch goes on counting it
      if (job["batch"] !== null) batches.swept(Number(job["batch"]), state)
      texts?.remove(seq)
    }
    if (jobs.length > 0) texts?.tidy()
    return jobs.length
  }
  return {
    release: (now) => {
      const lanes = new Set<string>()
      for (const { lane, seq, state } of on.waiting.all(now, releaseLimit)) {
        if (seq === undefined) continue
        on.queueAgain.run(seq)
        move(tally, { lane: String(lane), from: stateOf(state), to: "queued", jobs: 1 })
        lanes.add(String(lane))
      }
      const due = on.nextWaiting.get()?.["due"]
      return { lanes: [...lanes], nextDueAt: typeof due === "number" ? due : undefined }
    },
    shiftPauses: (millis) => {
      on.shift.run(millis)
      on.shiftDeliveries.run(millis)
    },
    overdue: (now, limit) => {
      // one more than asked for tells when to come back
      const late = pastIn(on.overdue.all(limit + 1), "deadline_at", { now, limit })
      const expired = pastIn(on.expiring.all(limit + 1), "start_before", { now, limit })
      const nextAt = Math.min(late.nextAt, expired.nextAt)
      return {
        ids: [...new Set([...late.ids, ...expired.ids])],
        nextAt: nextAt === Infinity ? undefined : nextAt
      }
    },
    recover: () => {
      const jobs = Number(on.recoverAll.run().changes)
      joins.recover()
      for (const [lane, { running: here }] of tally.lanes) {
        if (here > 0) move(tally, { lane, from: "running", to: "queued", jobs: here })
      }
      return jobs
    },
    deleteEnded: (ids) => remove(on.settledOf.all(ids)),
    sweep: (endedBefore, limit) => {
      const jobs = on.settled.all(endedBefore, limit)
      remove(jobs)
      // whose answer could not be told to all
      if (jobs.length < limit) joins.recover()
      batches.sweep(endedBefore, limit)
      on.forget.run(endedBefore)
      tally.endpoints -= Number(on.forgetEndpoints.run(endedBefore).changes)
      return jobs.length
    },
    fillTexts: (jobs) => texts?.fill(jobs) ?? 0,
    stats: () => ({
      jobs: { ...tally.jobs },
      pendingDeliveries: tally.pending,
      deadDeliveries: tally.dead,
      disabledEndpoints: Number(on.disabled.get()?.["endpoints"]),
      bytes: bytesOf(db),
      fault: fault()
    })
  }
}
