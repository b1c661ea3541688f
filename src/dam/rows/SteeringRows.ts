/** What operators have said as rows, and back. Rows are read through schemas, as in `JobRows`. */
import * as Schema from "effect/Schema"
import type { LaneLogEntry, StoredSteering } from "../store/LaneRecords.ts"
import { Bit, Moment, Text } from "./JobRows.ts"

/** What operators have said of a lane. */
export const LoadedSteering = Schema.Struct({
  lane: Schema.String,
  rps: Moment,
  max_concurrent: Moment,
  paused_by: Text,
  paused_at: Moment,
  note: Text,
  find: Schema.NullOr(Bit)
})

/** The same as the port knows it. */
export const toSteering = (row: typeof LoadedSteering.Type): StoredSteering => ({
  lane: row.lane,
  rps: row.rps ?? undefined,
  maxConcurrent: row.max_concurrent ?? undefined,
  find: row.find === null ? undefined : row.find === 1,
  paused:
    row.paused_by === null || row.paused_at === null
      ? undefined
      : { by: row.paused_by, at: row.paused_at, note: row.note ?? undefined }
})

/** An entry of a lane's log. */
export const LoadedEntry = Schema.Struct({
  lane: Schema.String,
  at: Schema.Number,
  actor: Schema.String,
  action: Schema.Literals(["pause", "resume", "pace", "reset", "rule", "breaker"]),
  detail: Schema.String
})

/** The same as the port knows it. */
export const toEntry = ({ actor, ...row }: typeof LoadedEntry.Type): LaneLogEntry => ({ ...row, by: actor })
