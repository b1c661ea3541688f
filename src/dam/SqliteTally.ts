/**
 * Counts kept in memory, since counting a million rows for every look at `/health` would stop the writer.
 *
 * They are exact because the store owns its file. A tally is copied before whatever may be rolled back.
 */
import type { DatabaseSync } from "node:sqlite"
import { type JobState, states } from "../engine/JobState.ts"
import { numberOf } from "./SqliteDatabase.ts"

/** The counts, and the highest `seq` ever given. */
export interface Tally {
  seq: number
  jobs: Record<JobState, number>
  pending: number
  dead: number
}

/** Counts what a database holds. */
export const count = (db: DatabaseSync): Tally => ({
  seq: numberOf(db, "SELECT max(seq) FROM sqlite_sequence WHERE name = 'jobs'"),
  jobs: {
    scheduled: inState(db, "scheduled"),
    queued: inState(db, "queued"),
    running: inState(db, "running"),
    parked: inState(db, "parked"),
    succeeded: inState(db, "succeeded"),
    failed: inState(db, "failed"),
    cancelled: inState(db, "cancelled")
  },
  pending: numberOf(db, "SELECT count(*) FROM deliveries WHERE state = 'pending'"),
  dead: numberOf(db, "SELECT count(*) FROM deliveries WHERE state = 'dead'")
})

/** Copies a tally. */
export const copy = (self: Tally): Tally => ({ ...self, jobs: { ...self.jobs } })

/** Puts a copy back. */
export const restore = (self: Tally, earlier: Tally): void => {
  Object.assign(self, copy(earlier))
}

/** Notes that jobs went from one state to another. */
export const move = (self: Tally, from: JobState, to: JobState, jobs = 1): void => {
  self.jobs[from] -= jobs
  self.jobs[to] += jobs
}

/** Reads a state back from a row. */
export const stateOf = (value: unknown): JobState => {
  const state = states.find((known) => known === value)
  if (state === undefined) throw new Error(`a job is in the unknown state ${String(value)}`)
  return state
}

const inState = (db: DatabaseSync, state: JobState): number =>
  numberOf(db, `SELECT count(*) FROM jobs WHERE state = '${state}'`)
