/** What a database must do for what went through lanes, in plain data: a part of `Commands`. */
import type { HistoryEntry } from "../store/HistoryRecords.ts"
import type { Row } from "./Row.ts"

/** What history needs. */
export interface HistoryCommands {
  readonly noteHistory: (entries: ReadonlyArray<HistoryEntry>) => void
  readonly history: (lane: string, span: number, from: number) => ReadonlyArray<Row>
}
