/** Counts what the file holds, where `Tally` begins. */
import type { DatabaseSync } from "node:sqlite"
import type { JobState } from "../../engine/JobState.ts"
import { isLive, type LaneCounts, liveStates, stateOf, type Tally } from "../rows/Tally.ts"
import { numberOf } from "./Database.ts"

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
  dead: numberOf(db, "SELECT count(*) FROM deliveries WHERE state = 'dead'"),
  endpoints: numberOf(db, "SELECT count(*) FROM endpoints"),
  lanes: byLane(db),
  customers: undefined,
  moves: []
})

/**
 * The unfinished jobs of a customer. They are counted once, and kept from then on; not before the first who asks, because
 * counting a backlog takes a while.
 */
export const liveOf = (db: DatabaseSync, self: Tally, customer: string): number => {
  self.customers ??= byCustomer(db)
  return self.customers.get(customer) ?? 0
}

const byCustomer = (db: DatabaseSync): Map<string, number> => {
  const customers = new Map<string, number>()
  // state by state, which the index has in the order of customers
  const select = db.prepare(
    "SELECT customer, count(*) AS jobs FROM jobs INDEXED BY jobs_by_state WHERE state = ? GROUP BY customer"
  )
  for (const state of liveStates) {
    for (const { customer, jobs } of select.all(state)) {
      const name = String(customer)
      customers.set(name, (customers.get(name) ?? 0) + Number(jobs))
    }
  }
  return customers
}

const byLane = (db: DatabaseSync): Map<string, LaneCounts> => {
  const lanes = new Map<string, LaneCounts>()
  const found = [
    // told from the index alone, which a backlog needs
    ...db
      .prepare("SELECT 'queued' AS state, lane, count(*) AS jobs FROM jobs WHERE state = 'queued' GROUP BY lane")
      .all(),
    ...db
      .prepare(
        `SELECT state, lane, count(*) AS jobs FROM jobs WHERE state IN ('scheduled', 'parked', 'running')
         GROUP BY state, lane`
      )
      .all()
  ]
  for (const { jobs, lane, state } of found) {
    const name = String(lane)
    const counts = lanes.get(name) ?? { scheduled: 0, queued: 0, parked: 0, running: 0 }
    const known = stateOf(state)
    if (isLive(known)) counts[known] = Number(jobs)
    lanes.set(name, counts)
  }
  return lanes
}

const inState = (db: DatabaseSync, state: JobState): number =>
  numberOf(db, `SELECT count(*) FROM jobs WHERE state = '${state}'`)
