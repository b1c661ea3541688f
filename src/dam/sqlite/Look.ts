/**
 * Looks into jobs for what no index holds: how the path of the URL begins, and text of the URL or of the error.
 *
 * Nothing else of a job is looked at: headers and bodies are in the same JSON, and are never compared. A look costs a few
 * microseconds and an index of every word would cost each job that is handed in more than that, so the jobs are looked
 * at, as many as one answer may take, and the next page goes on behind them (decision 0047). Where there is an index after
 * all it says which ones are worth a look (`TextIndex`).
 */
import type { DatabaseSync } from "node:sqlite"
import type { Listing, Row } from "../rows/Commands.ts"
import { textIn, textOf } from "./TextIndex.ts"

/** What one answer may look at: jobs, and bytes of theirs. */
const jobsAtMost = 20_000
const bytesAtMost = 32 * 1024 * 1024

/** Looks at one job after the other. */
export interface Look {
  readonly fits: (seq: number) => boolean
  /** Whether it has looked at as much as one answer may take. */
  readonly isTired: () => boolean
}

/** Makes one for a filter, if that asks for any such thing. */
export const looker = (db: DatabaseSync, { path, texts }: Listing): Look | undefined => {
  if (path === undefined && texts.length === 0) return undefined
  const read = db.prepare(`SELECT ${textOf} FROM payloads LEFT JOIN results USING (seq) WHERE payloads.seq = ?`)
  let jobs = 0
  let bytes = 0
  return {
    fits: (seq) => {
      const row = read.get(seq)
      jobs++
      if (row === undefined) return false
      bytes += Number(row["bytes"])
      return beginsAt(row, path) && hasAll(row, texts)
    },
    isTired: () => jobs >= jobsAtMost || bytes >= bytesAtMost
  }
}

const beginsAt = ({ url }: Row, path: string | undefined): boolean => {
  if (path === undefined) return true
  const parsed = URL.parse(String(url))
  return parsed !== null && `${parsed.pathname}${parsed.search}`.startsWith(path)
}

const hasAll = (row: Row, texts: ReadonlyArray<string>): boolean => {
  const text = textIn(row)
  return texts.every((wanted) => text.includes(wanted))
}
