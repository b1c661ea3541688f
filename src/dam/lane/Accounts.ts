/**
 * The accounts of a lane, in the order of their turns.
 *
 * An account has one queue, and a second one for what was submitted with the wish for a queue of its own. The two take
 * turns inside the account's turn: isolation keeps such jobs out of the account's own backlog and makes nobody faster.
 */
import type * as Deferred from "effect/Deferred"
import type * as Latch from "effect/Latch"
import type * as Gate from "./Gate.ts"
import type { Ticket } from "../store/JobRecords.ts"
import type { Permit } from "./Permit.ts"
import { accountIn } from "../job/LaneName.ts"

/** Jobs of one account in the order of their acceptance. */
export interface Queue {
  readonly name: string
  tickets: ReadonlyArray<Ticket>
  /** Whether the store may have more than what is in `tickets`. */
  more: boolean
  /** Whether the last page was full. */
  isLong: boolean
  /** Whether the store is being asked. */
  isReading: boolean
  /** Monotonic milliseconds before which the store is not asked again. */
  restsUntil: number
}

/** Somebody who waits for a permit. */
export interface Waiter {
  /** Ends with nothing where it is sent away. */
  readonly granted: Deferred.Deferred<Permit | undefined>
  /** The job that waits; `undefined` for deliveries. */
  readonly jobId: string | undefined
  /** Whether it can come back by the store, and so is sent away where nobody is let through for long. */
  readonly canLeave: boolean
}

/** Who takes turns in a lane. */
export interface Account {
  readonly name: string
  readonly waiters: Array<Waiter>
  /** In the order of their turns. */
  queues: ReadonlyArray<Queue>
  gate: Gate.Gate
  /** Calls that wait to be sent, where the account has a pace of its own. */
  readonly line: Array<Latch.Latch>
}

/** A ring of accounts. */
export interface Accounts {
  readonly size: () => number
  readonly all: () => ReadonlyArray<Account>
  /** Whose turn it is. */
  readonly first: () => Account | undefined
  /** Passes the turn on. */
  readonly rotate: () => void
  readonly drop: (account: Account) => void
  readonly find: (name: string) => Account | undefined
  /** The account of this name or of this queue, made when it is new. */
  readonly get: (name: string) => Account
  readonly queue: (name: string) => Queue
}

/** Makes an empty ring. */
export const make = (gateOf: (account: string) => Gate.Gate): Accounts => {
  const accounts = new Map<string, Account>()
  let ring: Array<Account> = []
  let head = 0

  const get = (queueName: string): Account => {
    const name = accountIn(queueName)
    const known = accounts.get(name)
    if (known !== undefined) return known
    const made: Account = { name, waiters: [], queues: [], gate: gateOf(name), line: [] }
    accounts.set(name, made)
    ring.push(made)
    return made
  }

  return {
    size: () => accounts.size,
    all: () => ring.slice(head),
    first: () => ring[head],
    rotate: () => {
      const first = ring[head]
      if (first === undefined) return
      ring.push(first)
      head++
      // now and then, so that a turn costs the same however many there are
      if (head * 2 > ring.length) {
        ring = ring.slice(head)
        head = 0
      }
    },
    drop: (account) => {
      // who is dropped has just had its turn, so it stands last or near it
      const place = ring.lastIndexOf(account)
      if (place >= head) ring.splice(place, 1)
      accounts.delete(account.name)
    },
    find: (name) => accounts.get(accountIn(name)),
    get,
    queue: (name) => {
      const self = get(name)
      const known = self.queues.find((queue) => queue.name === name)
      if (known !== undefined) return known
      const made: Queue = {
        name,
        tickets: [],
        more: false,
        isLong: false,
        isReading: false,
        restsUntil: Number.NEGATIVE_INFINITY
      }
      self.queues = [...self.queues, made]
      return made
    }
  }
}

/** Passes the turn on from one queue of an account to the other. */
export const rotate = (self: Account, served: Queue): void => {
  if (self.queues.length > 1) self.queues = [...self.queues.filter((queue) => queue !== served), served]
}

/** Whether somebody waits here, or something is queued as far as is known. */
export const isNeeded = ({ queues, waiters }: Account): boolean =>
  waiters.length > 0 || queues.some(({ isReading, more, tickets }) => more || isReading || tickets.length > 0)
