/** What history needs of the database, as statements. */
import * as Effect from "effect/Effect"
import type { Fault } from "../rows/Commands.ts"
import type { HistoryCommands } from "../rows/HistoryCommands.ts"
import { latencies } from "../rows/Latencies.ts"
import { type HistoryEntry, resolutions } from "../store/HistoryRecords.ts"
import type { Over, Session } from "./Session.ts"

/** Lanes that are kept apart in one span; with the two lengths of spans this bounds the table at 92,000 rows. */
const mostLanes = 200

const add = `INSERT INTO history (span, at, lane, accepted, succeeded, failed, cancelled, calls, refused, held_ms, latency)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
  ON CONFLICT (lane, span, at) DO UPDATE SET accepted = history.accepted + excluded.accepted,
    succeeded = history.succeeded + excluded.succeeded, failed = history.failed + excluded.failed,
    cancelled = history.cancelled + excluded.cancelled, calls = history.calls + excluded.calls,
    refused = history.refused + excluded.refused, held_ms = history.held_ms + excluded.held_ms, latency = excluded.latency`

/** The commands. */
export const historyCommands = (on: Session): Over<HistoryCommands> => ({
  noteHistory: Effect.fnUntraced(function* (entries) {
    for (const { keeps, span } of resolutions) {
      for (const entry of entries) yield* note(on, entry, span)
      const [last] = entries
      if (last !== undefined) yield* on.run("DELETE FROM history WHERE span = $1 AND at < $2", span, last.at - keeps)
    }
  }),
  history: (lane, span, from) =>
    on.all(
      `SELECT lane, at, accepted, succeeded, failed, cancelled, calls, refused, held_ms, latency
       FROM history WHERE lane = $1 AND span = $2 AND at >= $3 ORDER BY at`,
      lane,
      span,
      from
    )
})

const note = Effect.fnUntraced(function* (
  on: Session,
  entry: HistoryEntry,
  span: number
): Effect.fn.Return<void, Fault> {
  const at = entry.at - (entry.at % span)
  const latencyOf = (lane: string) =>
    on.one("SELECT latency FROM history WHERE lane = $1 AND span = $2 AND at = $3", lane, span, at)
  const known = yield* latencyOf(entry.lane)
  const lanes = yield* on.one("SELECT count(*) AS lanes FROM history WHERE span = $1 AND at = $2", span, at)
  const isApart = known !== undefined || entry.lane === "" || Number(lanes?.["lanes"]) < mostLanes
  const lane = isApart ? entry.lane : "*"
  const before = isApart ? known : yield* latencyOf(lane)
  const { accepted, calls, cancelled, failed, heldMillis, refused, succeeded } = entry
  const counted = [accepted, succeeded, failed, cancelled, calls, refused, heldMillis]
  yield* on.run(add, span, at, lane, ...counted, latencies(entry, before))
})
