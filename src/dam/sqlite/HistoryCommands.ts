/** What history needs of the database, as statements. Runs in the thread that writes. */
import type { DatabaseSync } from "node:sqlite"
import type { HistoryCommands } from "../rows/HistoryCommands.ts"
import { latencies } from "../rows/Latencies.ts"
import { type HistoryEntry, resolutions } from "../store/HistoryRecords.ts"

const prepare = (db: DatabaseSync) => ({
  latency: db.prepare("SELECT latency FROM history WHERE span = ? AND at = ? AND lane = ?"),
  lanes: db.prepare("SELECT count(*) AS lanes FROM history WHERE span = ? AND at = ?"),
  add: db.prepare(
    `INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (span, at, lane) DO UPDATE SET accepted = accepted + excluded.accepted,
       succeeded = succeeded + excluded.succeeded, failed = failed + excluded.failed,
       cancelled = cancelled + excluded.cancelled, calls = calls + excluded.calls, refused = refused + excluded.refused,
       held_ms = held_ms + excluded.held_ms, latency = excluded.latency`
  ),
  forget: db.prepare("DELETE FROM history WHERE span = ? AND at < ?"),
  spans: db.prepare(
    `SELECT lane, at, accepted, succeeded, failed, cancelled, calls, refused, held_ms, latency
     FROM history INDEXED BY history_of_lane WHERE lane = ? AND span = ? AND at >= ? ORDER BY at`
  )
})

/** Lanes that are kept apart in one span; with the two lengths of spans this bounds the table at 92,000 rows. */
const mostLanes = 200

/** Prepares the statements once and makes the commands over them. */
export const historyCommands = (db: DatabaseSync) => {
  const on = prepare(db)
  const note = (entry: HistoryEntry, span: number): void => {
    const at = entry.at - (entry.at % span)
    const known = on.latency.get(span, at, entry.lane)
    const isApart = known !== undefined || entry.lane === "" || Number(on.lanes.get(span, at)?.["lanes"]) < mostLanes
    const lane = isApart ? entry.lane : "*"
    const before = isApart ? known : on.latency.get(span, at, lane)
    on.add.run(
      span,
      at,
      lane,
      entry.accepted,
      entry.succeeded,
      entry.failed,
      entry.cancelled,
      entry.calls,
      entry.refused,
      entry.heldMillis,
      latencies(entry, before)
    )
  }
  return {
    noteHistory: (entries) => {
      for (const { keeps, span } of resolutions) {
        for (const entry of entries) note(entry, span)
        const [last] = entries
        if (last !== undefined) on.forget.run(span, last.at - keeps)
      }
    },
    history: (lane, span, from) => on.spans.all(lane, span, from)
  } satisfies HistoryCommands
}
