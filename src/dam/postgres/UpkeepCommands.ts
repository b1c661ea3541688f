/** What keeps the store in order, as statements. */
import * as Effect from "effect/Effect"
import { pastIn } from "../rows/Past.ts"
import type { Fault, Row } from "../rows/Commands.ts"
import { move, stateOf, type Tally } from "../rows/Tally.ts"
import type { UpkeepCommands } from "../rows/UpkeepCommands.ts"
import { batchSweeps } from "./BatchEnds.ts"
import type { Joins } from "./JoinCommands.ts"
import { type Over, type Session, texts } from "./Session.ts"

/** How many jobs one `release` moves at most, so that no transaction holds up the others for long. */
const releaseLimit = 1000

const release = `WITH due AS MATERIALIZED (
    SELECT seq, state FROM jobs WHERE state IN ('scheduled', 'parked') AND due_at <= $1 ORDER BY due_at LIMIT ${releaseLimit}
  ) UPDATE jobs SET state = 'queued' FROM due WHERE jobs.seq = due.seq RETURNING lane, due.state AS was`

const overdue = `SELECT id, deadline_at FROM jobs
  WHERE deadline_at IS NOT NULL AND state IN ('scheduled', 'queued', 'parked') ORDER BY deadline_at LIMIT $1`

const expiring = `SELECT id, start_before FROM jobs
  WHERE start_before IS NOT NULL AND epoch = 0 AND state IN ('scheduled', 'queued', 'parked') ORDER BY start_before LIMIT $1`

const bytes = `SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint AS bytes FROM pg_class
  WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'`

/** Where the parts of a job stand, beside the deliveries. */
const parts = ["payloads", "metadata", "attempts", "results", "deliveries", "jobs"]

/** The commands. */
export const upkeepCommands = (on: Session, tally: Tally, joins: Pick<Joins, "recover">): Over<UpkeepCommands> => {
  const batches = batchSweeps(on)
  return {
    release: (now) => releaseAt(on, tally, now),
    shiftPauses: Effect.fnUntraced(function* (millis) {
      yield* on.run("UPDATE jobs SET due_at = due_at + $1 WHERE state = 'parked'", millis)
      yield* on.run("UPDATE deliveries SET due_at = due_at + $1 WHERE state = 'pending'", millis)
    }),
    overdue: Effect.fnUntraced(function* (now, limit) {
      // one more than asked for tells when to come back
      const late = pastIn(yield* on.all(overdue, limit + 1), "deadline_at", { now, limit })
      const expired = pastIn(yield* on.all(expiring, limit + 1), "start_before", { now, limit })
      const nextAt = Math.min(late.nextAt, expired.nextAt)
      return { ids: [...new Set([...late.ids, ...expired.ids])], nextAt: nextAt === Infinity ? undefined : nextAt }
    }),
    recover: Effect.fnUntraced(function* () {
      const jobs = yield* on.run("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
      yield* joins.recover
      for (const [lane, { running: here }] of tally.lanes) {
        if (here > 0) move(tally, { lane, from: "running", to: "queued", jobs: here })
      }
      return jobs
    }),
    deleteEnded: Effect.fnUntraced(function* (ids) {
      return yield* remove(
        on,
        tally,
        yield* on.all(
          `SELECT seq, state, batch FROM jobs
           WHERE id IN (SELECT json_array_elements_text($1::json)) AND settled_at IS NOT NULL`,
          ids
        )
      )
    }),
    sweep: Effect.fnUntraced(function* (endedBefore, limit) {
      const jobs = yield* on.all(
        `SELECT seq, state, batch FROM jobs WHERE settled_at IS NOT NULL AND settled_at < $1 ORDER BY settled_at LIMIT $2`,
        endedBefore,
        limit
      )
      yield* remove(on, tally, jobs)
      // whose answer could not be told to all
      if (jobs.length < limit) yield* joins.recover
      yield* batches.sweep(endedBefore, limit)
      yield* on.run("DELETE FROM paces WHERE seen_at < $1 AND coalesce(held_until, 0) < $1", endedBefore)
      // one that operators were told of is kept until it is over: forgetting it is no recovery
      tally.endpoints -= yield* on.run(
        `DELETE FROM endpoints WHERE status = 'enabled' AND seen_at < $1 AND NOT EXISTS (
           SELECT 1 FROM notices WHERE md5(subject) = md5('endpoint ' || customer || ' ' || url))`,
        endedBefore
      )
      return jobs.length
    }),
    // it keeps no index of texts
    fillTexts: () => Effect.succeed(0),
    stats: Effect.fnUntraced(function* () {
      const disabled = yield* on.one("SELECT count(*) AS endpoints FROM endpoints WHERE status = 'disabled'")
      const held = yield* on.one(bytes)
      return {
        jobs: { ...tally.jobs },
        pendingDeliveries: tally.pending,
        deadDeliveries: tally.dead,
        disabledEndpoints: Number(disabled?.["endpoints"]),
        bytes: Number(held?.["bytes"]),
        fault: undefined
      }
    })
  }
}

/** Queues what is due again. */
const releaseAt = Effect.fnUntraced(function* (
  on: Session,
  tally: Tally,
  now: number
): Effect.fn.Return<ReturnType<UpkeepCommands["release"]>, Fault> {
  const released = yield* on.all(release, now)
  for (const { lane, was } of released) {
    move(tally, { lane: String(lane), from: stateOf(was), to: "queued", jobs: 1 })
  }
  const next = yield* on.one("SELECT min(due_at) AS due FROM jobs WHERE state IN ('scheduled', 'parked')")
  const due = next?.["due"]
  return {
    lanes: [...new Set(released.map(({ lane }) => String(lane)))],
    nextDueAt: typeof due === "number" ? due : undefined
  }
})

/** Takes jobs out, with all that stands elsewhere of them; their batches go on counting them. */
const remove = Effect.fnUntraced(function* (
  on: Session,
  tally: Tally,
  jobs: ReadonlyArray<Row>
): Effect.fn.Return<number, Fault> {
  if (jobs.length === 0) return 0
  const gone = texts(jobs.map(({ seq }) => seq))
  const dead = yield* on.one(
    "SELECT count(*) AS dead FROM deliveries WHERE state = 'dead' AND seq = ANY($1::text[]::bigint[])",
    gone
  )
  tally.dead -= Number(dead?.["dead"])
  yield* on.run(
    "DELETE FROM delivery_bodies WHERE n IN (SELECT n FROM deliveries WHERE seq = ANY($1::text[]::bigint[]))",
    gone
  )
  for (const table of parts) yield* on.run(`DELETE FROM ${table} WHERE seq = ANY($1::text[]::bigint[])`, gone)
  for (const { batch, state } of jobs) {
    const was = stateOf(state)
    tally.jobs[was]--
    if (batch !== null) yield* batchSweeps(on).swept(Number(batch), was)
  }
  return jobs.length
})
