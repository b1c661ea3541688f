/**
 * When somebody who stands in a lane's line will be let through, if nothing changes: the lane's own gate, turned forward.
 */
import * as Gate from "../../engine/pace/Gate.ts"
import type { Ahead } from "../store/LaneRecords.ts"
import * as Classes from "./Classes.ts"
import { accountIn, customerIn } from "../job/LaneName.ts"
import type { LaneWhy } from "./LaneView.ts"

/** Who is let through before somebody. */
export interface Line {
  /** Of the same account. */
  readonly own: number
  /** Of other accounts, in their turns. */
  readonly others: number
  /** Other accounts that have something to send. */
  readonly accounts: number
}

/** What a forecast says. Moments are monotonic milliseconds. */
export interface Forecast {
  readonly at: number
  /** Whether it hangs on how long calls take. */
  readonly byCalls: boolean
}

/** Counts who is let through before a job that waits in the store. */
export const lineOfJob = (why: LaneWhy, { jobs, others, queue }: Ahead): Line => {
  const account = accountIn(queue)
  const self = why.turns.find((turn) => turn.account === account)
  const { queues = [] } = self ?? {}
  const twins = others.filter((other) => accountIn(other.queue) === account)
  const own = twins.reduce(
    (sum, twin) => {
      const isFirst = queues.indexOf(twin.queue) < queues.indexOf(queue)
      return sum + Math.min(twin.jobs, Classes.turnsBefore(twin.queue, queue, jobs, isFirst))
    },
    (self?.waiting.length ?? 0) + jobs
  )
  return lineOf(why, account, own, others)
}

/** Counts who is let through before a call that waits in memory, with `queued` jobs of the lane in the store. */
export const lineOfCall = (why: LaneWhy, account: string, jobId: string, queued: Ahead["others"]): Line =>
  lineOf(why, account, callsBefore(why, account, jobId), queued)

/** Calls of its own account that a waiting call stands behind. */
export const callsBefore = ({ turns }: LaneWhy, account: string, jobId: string): number => {
  const { waiting = [] } = turns.find((turn) => turn.account === account) ?? {}
  return Math.max(0, waiting.indexOf(jobId))
}

const lineOf = (why: LaneWhy, account: string, own: number, others: Ahead["others"]): Line => {
  if (why.accountQueues) return { own, others: 0, accounts: 0 }
  const needs = new Map<string, number>()
  for (const turn of why.turns) needs.set(turn.account, turn.waiting.length)
  for (const { jobs, queue } of others) {
    const name = accountIn(queue)
    needs.set(name, (needs.get(name) ?? 0) + jobs)
  }
  needs.delete(account)
  const order = why.turns.map((turn) => turn.account)
  const before = standingBefore(order, account)
  let accounts = 0
  let kin = 0
  const customers = new Map<string, number>()
  for (const [name, jobs] of needs) {
    if (jobs > 0) accounts++
    const customer = customerIn(name)
    if (customer === customerIn(account)) kin += Math.min(jobs, own + Number(before.has(name)))
    else customers.set(customer, (customers.get(customer) ?? 0) + jobs)
  }
  // customers take turns as the accounts of one do
  const ahead = standingBefore(order.map(customerIn), customerIn(account))
  let turns = kin
  for (const [name, jobs] of customers) turns += Math.min(jobs, own + kin + Number(ahead.has(name)))
  return { own, others: turns, accounts }
}

const standingBefore = (order: ReadonlyArray<string>, name: string): ReadonlySet<string> =>
  new Set(order.slice(0, Math.max(0, order.indexOf(name))))

/** Turns a lane forward; `undefined` when it hangs on calls of which nobody knows how long they take. */
export const forecast = (
  { callMillis = Number.POSITIVE_INFINITY, gate, openSince }: Pick<LaneWhy, "callMillis" | "gate" | "openSince">,
  ahead: number,
  now: number
): Forecast | undefined => {
  // calls end in the order in which they began
  const ends = openSince.map((since) => Math.max(now, since + callMillis))
  let self = { ...gate, open: ends.length }
  let at = now
  let byCalls = false
  let next = 0
  const turns = Math.min(ahead, turnsAtMost)
  let middle = now
  for (let turn = 0; turn <= turns; turn++) {
    at = Math.max(at, self.dueAt, self.heldUntil)
    while (next < ends.length && (ends[next] ?? at) <= at) {
      next++
      self = Gate.leave(self)
    }
    if (self.open >= self.pace.maxConcurrent) {
      at = ends[next++] ?? Number.POSITIVE_INFINITY
      if (at === Number.POSITIVE_INFINITY) return undefined
      byCalls = true
      self = Gate.leave(self)
    }
    at = now + Math.ceil(at - now)
    self = Gate.pass(self, at)
    ends.push(at + callMillis)
    if (turn === Math.floor(turns / 2)) middle = at
  }
  // as it went in the second half of what was turned through, so it goes on
  const rest = (ahead - turns) * ((at - middle) / Math.max(1, turns - Math.floor(turns / 2)))
  return { at: at + rest, byCalls }
}

const turnsAtMost = 20_000
