/**
 * Reads what a search looks at in jobs.
 *
 * A look costs a few microseconds and an index of every word would cost each job that is handed in more than that, so the
 * jobs are looked at, as many as one answer may take, and the next page goes on behind them (decision 0047). Where there is
 * an index after all it says which ones are worth a look (`TextIndex`).
 */
import type { DatabaseSync } from "node:sqlite"
import type { Listing } from "../rows/Commands.ts"
import * as Looking from "../rows/Looking.ts"
import { textOf } from "./TextIndex.ts"

/** Looks at one job after the other. */
export interface Look {
  readonly fits: (seq: number) => boolean
  /** Whether it has looked at as much as one answer may take. */
  readonly isTired: () => boolean
}

/** Makes one for a filter, if that asks for any such thing. */
export const looker = (db: DatabaseSync, filter: Listing): Look | undefined => {
  const look = Looking.looker(filter)
  if (look === undefined) return undefined
  const read = db.prepare(`SELECT ${textOf} FROM payloads LEFT JOIN results USING (seq) WHERE payloads.seq = ?`)
  return { fits: (seq) => look.fits(read.get(seq)), isTired: look.isTired }
}
