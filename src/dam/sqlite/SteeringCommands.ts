/** What operators and those who ask why a job waits need of the database, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import { accountIn, patienceIn, priorityIn } from "../job/LaneName.ts"
import type { LaneCommands } from "../rows/Commands.ts"
import type { Tally } from "../rows/Tally.ts"

/** Entries of a lane's log that are kept. */
const logSize = 1000

/** Prepares the statements once and makes the commands over them. */
export const steeringCommands = (db: DatabaseSync, tally: Tally) => {
  const all = db.prepare("SELECT * FROM steering")
  const save = db.prepare("INSERT OR REPLACE INTO steering VALUES (?, ?, ?, ?, ?, ?, ?)")
  const remove = db.prepare("DELETE FROM steering WHERE lane = ?")
  const removePaces = db.prepare("DELETE FROM paces WHERE lane = ?")
  const note = db.prepare("INSERT INTO lane_log (lane, at, actor, action, detail) VALUES (?, ?, ?, ?, ?)")
  const trim = db.prepare(
    `DELETE FROM lane_log WHERE lane = ?1
     AND n <= (SELECT n FROM lane_log WHERE lane = ?1 ORDER BY n DESC LIMIT 1 OFFSET ${logSize})`
  )
  const log = db.prepare("SELECT lane, at, actor, action, detail FROM lane_log WHERE lane = ? ORDER BY n DESC LIMIT ?")
  const place = db.prepare(
    "SELECT lane, account, seq FROM jobs WHERE id = ? AND state IN ('queued', 'scheduled', 'parked')"
  )
  const own = db.prepare(
    `SELECT count(*) AS jobs FROM jobs INDEXED BY jobs_queued
     WHERE state = 'queued' AND lane = ? AND account = ? AND seq < ?`
  )
  const next = db.prepare(
    `SELECT account FROM jobs INDEXED BY jobs_queued
     WHERE state = 'queued' AND lane = ? AND account > ? ORDER BY account LIMIT 1`
  )
  const some = db.prepare(
    `SELECT count(*) AS jobs FROM (SELECT 1 FROM jobs INDEXED BY jobs_queued
     WHERE state = 'queued' AND lane = ? AND account = ? LIMIT ?)`
  )

  const lengths = (lane: string, most: number) => {
    const found: Array<{ readonly queue: string; readonly jobs: number }> = []
    for (let last = next.get(lane, ""); last !== undefined; last = next.get(lane, last["account"] ?? null)) {
      const queue = String(last["account"])
      found.push({ queue, jobs: Number(some.get(lane, queue, most)?.["jobs"]) })
    }
    return found
  }

  return {
    laneCounts: () => Array.from(tally.lanes, ([lane, counts]) => [lane, { ...counts }] as const),
    steering: () => all.all(),
    steer: ({ action, at, by, detail, lane }, steering, forgets) => {
      if (steering === undefined) remove.run(lane)
      else {
        const { find, maxConcurrent = null, paused, rps = null } = steering
        const { at: since = null, by: who = null, note: why = null } = paused ?? {}
        save.run(lane, rps, maxConcurrent, who, since, why, find === undefined ? null : Number(find))
      }
      if (forgets) removePaces.run(lane)
      note.run(lane, at, by, action, detail)
      trim.run(lane)
    },
    laneLog: (lane, limit) => log.all(lane, limit),
    ahead: (id) => {
      const job = place.get(id)
      if (job === undefined) return undefined
      const lane = String(job["lane"])
      const queue = String(job["account"])
      const jobs = Number(own.get(lane, queue, job["seq"] ?? null)?.["jobs"])
      // in turns nobody else gets more than one call for each of this queue's, but for higher classes of its account
      const others = lengths(lane, 2 * (jobs + 1)).filter((other) => other.queue !== queue)
      const most = patienceIn(queue) * (jobs + 1)
      const counted = others.map((other) =>
        accountIn(other.queue) === accountIn(queue) &&
        priorityIn(other.queue) !== priorityIn(queue) &&
        most > other.jobs
          ? { ...other, jobs: Number(some.get(lane, other.queue, most)?.["jobs"]) }
          : other
      )
      return { queue, jobs, others: counted }
    },
    queueLengths: lengths
  } satisfies Pick<LaneCommands, "ahead" | "laneCounts" | "laneLog" | "queueLengths" | "steer" | "steering">
}
