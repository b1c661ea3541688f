/** Counts what the database holds, where `Tally` begins. */
import * as Effect from "effect/Effect"
import type { Fault } from "../rows/Commands.ts"
import { empty, isLive, stateOf, type Tally } from "../rows/Tally.ts"
import type { Session } from "./Session.ts"

/** Counts anew into a tally, which then says what the database says. */
export const recount = Effect.fnUntraced(function* (on: Session, self: Tally): Effect.fn.Return<void, Fault> {
  const { jobs, lanes } = empty()
  for (const row of yield* on.all("SELECT state, count(*) AS jobs FROM jobs GROUP BY state")) {
    jobs[stateOf(row["state"])] = Number(row["jobs"])
  }
  const byLane = yield* on.all(
    `SELECT lane, state, count(*) AS jobs FROM jobs WHERE state IN ('scheduled', 'queued', 'parked', 'running')
     GROUP BY lane, state`
  )
  for (const row of byLane) {
    const lane = String(row["lane"])
    const counts = lanes.get(lane) ?? { scheduled: 0, queued: 0, parked: 0, running: 0 }
    const state = stateOf(row["state"])
    if (isLive(state)) counts[state] = Number(row["jobs"])
    lanes.set(lane, counts)
  }
  const others = yield* on.one(
    `SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending') AS pending,
       (SELECT count(*) FROM deliveries WHERE state = 'dead') AS dead, (SELECT count(*) FROM endpoints) AS endpoints`
  )
  self.lanes.clear()
  for (const [lane, counts] of lanes) self.lanes.set(lane, counts)
  self.moves.length = 0
  Object.assign(self, {
    jobs,
    pending: Number(others?.["pending"]),
    dead: Number(others?.["dead"]),
    endpoints: Number(others?.["endpoints"]),
    customers: undefined
  })
})

/** The unfinished jobs of a customer, counted once and kept from then on. */
export const liveOf = Effect.fnUntraced(function* (
  on: Session,
  self: Tally,
  customer: string
): Effect.fn.Return<number, Fault> {
  if (self.customers === undefined) {
    const found = yield* on.all(
      `SELECT customer, count(*) AS jobs FROM jobs WHERE state IN ('scheduled', 'queued', 'parked', 'running')
       GROUP BY customer`
    )
    self.customers = new Map(found.map((row) => [String(row["customer"]), Number(row["jobs"])]))
  }
  return self.customers.get(customer) ?? 0
})
