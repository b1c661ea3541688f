/**
 * Whose turn it is among the queues of an account that are of different priorities.
 *
 * The highest class goes first, and every turn that a class which waits is passed over makes it older. One that was passed
 * over as often as its patience lasts goes before all others, so none starves, however many jobs of higher classes come:
 * in an account's turns at most 16 others come before a job of the class `low` that is first in its class, and at most 5
 * before one of the class `normal`. Turns between accounts and customers are none of its business.
 */
import type { Priority } from "../../step/StepModel.ts"
import { patience, priorityIn } from "../job/LaneName.ts"

/** How often each class was passed over since it had a turn. */
export type Passed = { readonly [Class in Priority]: number }

/** A queue as far as turns depend on it. */
interface Queue {
  readonly name: string
  readonly tickets: ReadonlyArray<unknown>
  readonly more: boolean
  readonly isReading: boolean
}

/** Nobody has been passed over. */
export const fresh: Passed = { high: 0, normal: 0, low: 0 }

/** The queues of an account in the order of their turns; those of one class stay as they stand. */
export const inTurn = <Q extends Queue>(queues: ReadonlyArray<Q>, passed: Passed): ReadonlyArray<Q> => {
  const [first, ...rest] = queues
  // nearly all accounts have one queue
  if (first === undefined || rest.length === 0) return queues
  const one = priorityIn(first.name)
  return rest.every(({ name }) => priorityIn(name) === one)
    ? queues
    : queues.toSorted((a, b) => rankOf(priorityIn(a.name), passed) - rankOf(priorityIn(b.name), passed))
}

/** Notes that a queue had its turn: classes that waited meanwhile were passed over. */
export const served = (queues: ReadonlyArray<Queue>, turn: Queue, passed: Passed): Passed => {
  if (queues.length < 2) return passed
  const now = priorityIn(turn.name)
  const after = (one: Priority) =>
    one === now || !queues.some((queue) => isWaiting(queue) && priorityIn(queue.name) === one) ? 0 : passed[one] + 1
  const next: Passed = { high: 0, normal: after("normal"), low: after("low") }
  return next.normal === passed.normal && next.low === passed.low ? passed : next
}

/**
 * How many turns another queue of the account may have before a job has its own, with so many jobs before it in its queue:
 * queues of one class take turns, a higher one has as many as patience lasts, a lower one its share.
 */
export const turnsBefore = (other: string, own: string, jobs: number, isFirst: boolean): number => {
  const [theirs, mine] = [priorityIn(other), priorityIn(own)]
  if (theirs === mine) return jobs + Number(isFirst)
  const rank = { high: 0, normal: 1, low: 2 }
  if (mine !== "high" && rank[theirs] < rank[mine]) return (jobs + 1) * patience[mine]
  return theirs === "high" ? 0 : Math.floor(jobs / patience[theirs])
}

/** As far as is known: those of a lower class are not read before their turn comes. */
const isWaiting = ({ isReading, more, tickets }: Queue): boolean => more || isReading || tickets.length > 0

const rankOf = (one: Priority, passed: Passed): number => {
  switch (one) {
    case "low":
      return passed.low >= patience.low ? -2 : 2
    case "normal":
      return passed.normal >= patience.normal ? -1 : 1
    case "high":
      return 0
  }
}
