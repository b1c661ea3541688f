/** History as rows and back. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { HistoryEntry, HistoryPort } from "../store/HistoryRecords.ts"
import type { Executor } from "./Running.ts"
import { reader } from "./Reader.ts"

const LoadedSpan = Schema.Struct({
  lane: Schema.String,
  at: Schema.Number,
  accepted: Schema.Number,
  succeeded: Schema.Number,
  failed: Schema.Number,
  cancelled: Schema.Number,
  calls: Schema.Number,
  refused: Schema.Number,
  held_ms: Schema.Number,
  latency: Schema.fromJsonString(Schema.Array(Schema.Tuple([Schema.Number, Schema.Number])))
})

/** History over any database. */
export const historyPort = (run: Executor): HistoryPort => ({
  noteHistory: (entries) => run("noteHistory", entries),
  history: (lane, span, from) => Effect.flatMap(run("history", lane, span, from), readSpans)
})

const readSpans = reader(Schema.Array(LoadedSpan), (rows) =>
  rows.map(({ held_ms: heldMillis, ...row }): HistoryEntry => ({ ...row, heldMillis }))
)
