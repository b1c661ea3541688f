/** What operators and those who ask why a job waits need of the database, as statements. */
import * as Effect from "effect/Effect"
import { accountIn, patienceIn, priorityIn } from "../job/LaneName.ts"
import type { Fault, LaneCommands } from "../rows/Commands.ts"
import type { Tally } from "../rows/Tally.ts"
import type { Ahead } from "../store/LaneRecords.ts"
import { type Over, put, type Session } from "./Session.ts"

/** Entries of a lane's log that are kept. */
const logSize = 1000

const save = put("steering", ["lane"], ["rps", "max_concurrent", "paused_by", "paused_at", "note", "find"])

const trim = `DELETE FROM lane_log WHERE lane = $1
  AND n <= (SELECT n FROM lane_log WHERE lane = $1 ORDER BY n DESC LIMIT 1 OFFSET ${logSize})`

/** The commands. */
export const steeringCommands = (on: Session, tally: Tally) => {
  const some = (lane: string, queue: string, most: number) =>
    Effect.map(
      on.one(
        `SELECT count(*) AS jobs FROM (SELECT 1 FROM jobs WHERE state = 'queued' AND lane = $1 AND account = $2 LIMIT $3) AS queued`,
        lane,
        queue,
        most
      ),
      (row) => Number(row?.["jobs"])
    )

  const lengths = Effect.fnUntraced(function* (lane: string, most: number): Effect.fn.Return<Ahead["others"], Fault> {
    const found: Array<Ahead["others"][number]> = []
    for (let last = ""; ;) {
      const next = yield* on.one(
        "SELECT account FROM jobs WHERE state = 'queued' AND lane = $1 AND account > $2 ORDER BY account LIMIT 1",
        lane,
        last
      )
      if (next === undefined) return found
      last = String(next["account"])
      found.push({ queue: last, jobs: yield* some(lane, last, most) })
    }
  })

  return {
    laneCounts: () => Effect.sync(() => Array.from(tally.lanes, ([lane, counts]) => [lane, { ...counts }] as const)),
    steering: () => on.all("SELECT * FROM steering"),
    steer: Effect.fnUntraced(function* ({ action, at, by, detail, lane }, steering, forgets) {
      if (steering === undefined) yield* on.run("DELETE FROM steering WHERE lane = $1", lane)
      else {
        const { find, maxConcurrent = null, paused, rps = null } = steering
        const { at: since = null, by: who = null, note: why = null } = paused ?? {}
        yield* on.run(save, lane, rps, maxConcurrent, who, since, why, find === undefined ? null : Number(find))
      }
      if (forgets) yield* on.run("DELETE FROM paces WHERE lane = $1", lane)
      yield* on.run(
        "INSERT INTO lane_log (lane, at, actor, action, detail) VALUES ($1, $2, $3, $4, $5)",
        lane,
        at,
        by,
        action,
        detail
      )
      yield* on.run(trim, lane)
    }),
    laneLog: (lane, limit) =>
      on.all(
        "SELECT lane, at, actor, action, detail FROM lane_log WHERE lane = $1 ORDER BY n DESC LIMIT $2",
        lane,
        limit
      ),
    ahead: Effect.fnUntraced(function* (id) {
      const job = yield* on.one(
        "SELECT lane, account, seq FROM jobs WHERE id = $1 AND state IN ('queued', 'scheduled', 'parked')",
        id
      )
      if (job === undefined) return undefined
      const lane = String(job["lane"])
      const queue = String(job["account"])
      const own = yield* on.one(
        "SELECT count(*) AS jobs FROM jobs WHERE state = 'queued' AND lane = $1 AND account = $2 AND seq < $3",
        lane,
        queue,
        job["seq"] ?? null
      )
      const jobs = Number(own?.["jobs"])
      // in turns nobody else gets more than one call for each of this queue's, but for higher classes of its account
      const others = (yield* lengths(lane, 2 * (jobs + 1))).filter((other) => other.queue !== queue)
      const most = patienceIn(queue) * (jobs + 1)
      const counted = yield* Effect.forEach(others, (other) =>
        accountIn(other.queue) === accountIn(queue) &&
        priorityIn(other.queue) !== priorityIn(queue) &&
        most > other.jobs
          ? Effect.map(some(lane, other.queue, most), (found) => ({ ...other, jobs: found }))
          : Effect.succeed(other)
      )
      return { queue, jobs, others: counted }
    }),
    queueLengths: lengths
  } satisfies Pick<Over<LaneCommands>, "ahead" | "laneCounts" | "laneLog" | "queueLengths" | "steer" | "steering">
}
