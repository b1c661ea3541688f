/**
 * Counts kept in memory, since counting a million rows for every look at `/health` would stop the writer.
 *
 * They are exact because the store owns its database. A tally is copied before whatever may be rolled back.
 */
import { type JobState, states } from "../../engine/JobState.ts"

/** The counts, and the highest `seq` ever given. */
export interface Tally {
  seq: number
  jobs: Record<JobState, number>
  pending: number
  dead: number
  /** Endpoints that fail, which mostly are none. */
  endpoints: number
  /** Unfinished jobs by lane; a lane without any is not here. */
  readonly lanes: Map<string, LaneCounts>
  /** Unfinished jobs by customer; nobody counts them before somebody asks. */
  customers: Map<string, number> | undefined
  /** What the transaction at hand changed in `lanes` and `customers`: there may be too many lanes to copy. */
  readonly moves: Array<Move>
}

/** The states of unfinished jobs. */
export const liveStates = ["scheduled", "queued", "parked", "running"] as const

/** The unfinished jobs of a lane. */
export type LaneCounts = Record<(typeof liveStates)[number], number>

interface Move {
  readonly lane: string
  readonly from: JobState | undefined
  readonly to: JobState | undefined
  readonly jobs: number
  /** Whose jobs they are, where some begin or end. */
  readonly customer?: string
}

/** The counts of a moment, to go back to. */
export interface Snapshot extends Pick<Tally, "dead" | "endpoints" | "jobs" | "pending" | "seq"> {
  readonly moves: number
}

/** Counts of a database that is not written to, and not asked for them. */
export const empty = (): Tally => ({
  seq: 0,
  jobs: { scheduled: 0, queued: 0, running: 0, parked: 0, succeeded: 0, failed: 0, cancelled: 0 },
  pending: 0,
  dead: 0,
  endpoints: 0,
  lanes: new Map(),
  customers: undefined,
  moves: []
})

/** Copies a tally at the beginning of a transaction. */
export const begin = (self: Tally): Snapshot => {
  self.moves.length = 0
  return copy(self)
}

/** Copies a tally inside a transaction. */
export const copy = ({ dead, endpoints, jobs, moves, pending, seq }: Tally): Snapshot => ({
  seq,
  jobs: { ...jobs },
  pending,
  dead,
  endpoints,
  moves: moves.length
})

/** Puts a copy of the same transaction back. */
export const restore = (self: Tally, earlier: Snapshot): void => {
  const { dead, endpoints, jobs, pending, seq } = earlier
  Object.assign(self, { seq, jobs: { ...jobs }, pending, dead, endpoints })
  for (const { from, to, ...moved } of self.moves.splice(earlier.moves).toReversed()) {
    shift(self, { ...moved, from: to, to: from })
  }
}

/** Notes that a job is new. */
export const add = (self: Tally, whose: Required<Pick<Move, "customer" | "lane">>, to: JobState): void => {
  self.jobs[to]++
  note(self, { ...whose, from: undefined, to, jobs: 1 })
}

/** Notes that jobs of a lane went from one state to another. */
export const move = (self: Tally, moved: Move & { readonly from: JobState; readonly to: JobState }): void => {
  self.jobs[moved.from] -= moved.jobs
  self.jobs[moved.to] += moved.jobs
  note(self, moved)
}

/** Notes that a job went over from one lane to another. */
export const moveOver = (self: Tally, from: Standing, to: Standing): void => {
  self.jobs[from.state]--
  self.jobs[to.state]++
  note(self, { lane: from.lane, from: from.state, to: undefined, jobs: 1 })
  note(self, { lane: to.lane, from: undefined, to: to.state, jobs: 1 })
}

interface Standing {
  readonly lane: string
  readonly state: JobState
}

const note = (self: Tally, moved: Move): void => {
  shift(self, moved)
  self.moves.push(moved)
}

const shift = ({ customers, lanes }: Tally, { customer, from, jobs, lane, to }: Move): void => {
  if (customers !== undefined && customer !== undefined) {
    const after = (customers.get(customer) ?? 0) + (isLive(to) ? jobs : 0) - (isLive(from) ? jobs : 0)
    if (after === 0) customers.delete(customer)
    else customers.set(customer, after)
  }
  const counts = lanes.get(lane) ?? { scheduled: 0, queued: 0, parked: 0, running: 0 }
  if (isLive(from)) counts[from] -= jobs
  if (isLive(to)) counts[to] += jobs
  if (liveStates.every((state) => counts[state] === 0)) lanes.delete(lane)
  else lanes.set(lane, counts)
}

/** Whether jobs of a state are unfinished. */
export const isLive = (state: JobState | undefined): state is keyof LaneCounts =>
  state === "queued" || state === "running" || state === "parked" || state === "scheduled"

/** Reads a state back from a row. */
export const stateOf = (value: unknown): JobState => {
  const state = states.find((known) => known === value)
  if (state === undefined) throw new Error(`a job is in the unknown state ${String(value)}`)
  return state
}
