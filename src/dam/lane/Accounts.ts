/**
 * The accounts of a lane, in the order of their turns: customers first, so that nobody gets more of the rate by having
 * more accounts, and then the accounts of one customer.
 *
 * An account has one queue, and a second one for what was submitted with the wish for a queue of its own. The two take
 * turns inside the account's turn: isolation keeps such jobs out of the account's own backlog and makes nobody faster.
 */
import type * as Deferred from "effect/Deferred"
import type * as Latch from "effect/Latch"
import type * as Meter from "../../engine/pace/Meter.ts"
import type { Ticket } from "../store/JobRecords.ts"
import type { Permit } from "./Permit.ts"
import { accountIn, customerIn } from "../job/LaneName.ts"
import * as Classes from "./Classes.ts"
import type { Drawing } from "./LimitBook.ts"
import * as Ring from "./Ring.ts"
import type { Claim } from "./Shares.ts"

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
  /** Where its first job waits for limits. */
  claim: Claim | undefined
}

/** Somebody who waits for a permit. */
export interface Waiter {
  /** Ends with nothing where it is sent away. */
  readonly granted: Deferred.Deferred<Permit | undefined>
  /** The job that waits; `undefined` for deliveries. */
  readonly jobId: string | undefined
  /** Whether another call of the job is under way meanwhile. */
  readonly isBeside: boolean
  /** Whether it can come back by the store, and so is sent away where nobody is let through for long. */
  readonly canLeave: boolean
  /** What its call draws on beside the pace of the lane; `undefined` where it is nothing. */
  readonly drawing: Drawing | undefined
}

/** Who takes turns in a lane. */
export interface Account {
  readonly name: string
  readonly waiters: Array<Waiter>
  /** In the order of their turns. */
  queues: ReadonlyArray<Queue>
  /** How its classes of priority stand; see `Classes`. */
  passed: Classes.Passed
  meter: Meter.Meter
  /** Calls that wait to be sent, where the account has a pace of its own. */
  readonly line: Array<Latch.Latch>
}

/** The accounts of a lane: customers take turns, and in a customer's turn its accounts do. */
export interface Accounts {
  readonly size: () => number
  /** In the order of their turns: the customer's whose turn it is, then those of the next one. */
  readonly all: () => ReadonlyArray<Account>
  /** Whose turn it is. */
  readonly first: () => Account | undefined
  /** Passes the turn on: the account whose turn it is has made use of it. The next customer's comes when its weight is used up. */
  readonly rotate: () => void
  /** Passes the turn on to the customer's next account, and to the next customer after the last of them. */
  readonly pass: () => void
  readonly drop: (account: Account) => void
  readonly find: (name: string) => Account | undefined
  /** The account of this name or of this queue, made when it is new. */
  readonly get: (name: string) => Account
  readonly queue: (name: string) => Queue
}

/** A customer, and how many of its accounts have made no use of its turn. */
interface Customer {
  readonly name: string
  readonly accounts: Ring.Ring<Account>
  passed: number
  /** How many calls its turn has been used for. */
  used: number
}

/** How many calls the turn of a customer is for, by the customer as `customerIn` names it. */
export type Weights = ReadonlyMap<string, number>

/** Makes it with no accounts; a customer without a weight has turns of one call. */
export const make = (meterOf: (account: string) => Meter.Meter, weights?: Weights): Accounts =>
  new AccountsOf(meterOf, weights)

// a class, and nothing made before there is an account: there may be ten thousand lanes in which nobody waits
class AccountsOf implements Accounts {
  private readonly meterOf: (account: string) => Meter.Meter
  private readonly weights: Weights | undefined
  private known: Known | undefined = undefined

  constructor(meterOf: (account: string) => Meter.Meter, weights: Weights | undefined) {
    this.meterOf = meterOf
    this.weights = weights
  }

  size(): number {
    return this.known?.accounts.size ?? 0
  }

  all(): ReadonlyArray<Account> {
    return this.known?.ring.all().flatMap((customer) => customer.accounts.all()) ?? none
  }

  first(): Account | undefined {
    return this.known?.ring.first()?.accounts.first()
  }

  rotate(): void {
    const { known } = this
    const customer = known?.ring.first()
    if (known === undefined || customer === undefined) return
    customer.accounts.rotate()
    customer.passed = 0
    if (++customer.used >= (this.weights?.get(customer.name) ?? 1)) next(known, customer)
  }

  pass(): void {
    const { known } = this
    const customer = known?.ring.first()
    if (known === undefined || customer === undefined) return
    customer.accounts.rotate()
    customer.passed++
    if (customer.passed >= customer.accounts.size()) next(known, customer)
  }

  drop(account: Account): void {
    const { known } = this
    if (known === undefined) return
    dropFrom(known, account)
    if (known.accounts.size === 0) this.known = undefined
  }

  find(name: string): Account | undefined {
    return this.known?.accounts.get(accountIn(name))
  }

  get(queueName: string): Account {
    const name = accountIn(queueName)
    const found = this.known?.accounts.get(name)
    if (found !== undefined) return found
    const made: Account = { name, waiters: [], queues: [], passed: Classes.fresh, meter: this.meterOf(name), line: [] }
    this.known ??= { accounts: new Map(), customers: undefined, ring: Ring.make() }
    this.known.accounts.set(name, made)
    customerOf(this.known, name).accounts.push(made)
    return made
  }

  queue(name: string): Queue {
    return queueIn(this.get(name), name)
  }
}

interface Known {
  readonly accounts: Map<string, Account>
  /** `undefined` until there are two. */
  customers: Map<string, Customer> | undefined
  readonly ring: Ring.Ring<Customer>
}

const none: ReadonlyArray<Account> = []

/** The turn is the next customer's. */
const next = ({ ring }: Known, customer: Customer): void => {
  customer.passed = 0
  customer.used = 0
  ring.rotate()
}

const dropFrom = (self: Known, account: Account): void => {
  self.accounts.delete(account.name)
  const customer = customerOf(self, account.name)
  customer.accounts.drop(account)
  if (customer.accounts.size() > 0) {
    // the last of those that could make use of the turn
    if (self.ring.first() === customer && customer.passed >= customer.accounts.size()) next(self, customer)
    return
  }
  self.customers?.delete(customer.name)
  self.ring.drop(customer)
}

const customerOf = (self: Known, account: string): Customer => {
  const name = customerIn(account)
  const first = self.ring.first()
  if (first?.name === name) return first
  const known = self.customers?.get(name)
  if (known !== undefined) return known
  const made: Customer = { name, accounts: Ring.make(), passed: 0, used: 0 }
  self.ring.push(made)
  if (first !== undefined) self.customers = (self.customers ?? new Map([[first.name, first]])).set(name, made)
  return made
}

const queueIn = (self: Account, name: string): Queue => {
  const known = self.queues.find((queue) => queue.name === name)
  if (known !== undefined) return known
  const made: Queue = {
    name,
    tickets: [],
    more: false,
    isLong: false,
    isReading: false,
    restsUntil: Number.NEGATIVE_INFINITY,
    claim: undefined
  }
  self.queues = [...self.queues, made]
  return made
}

/** Passes the turn on from one queue of an account to the other. */
export const rotate = (self: Account, served: Queue): void => {
  if (self.queues.length < 2) return
  self.passed = Classes.served(self.queues, served, self.passed)
  self.queues = [...self.queues.filter((queue) => queue !== served), served]
}

/** Whether somebody waits here, or something is queued as far as is known. */
export const isNeeded = ({ queues, waiters }: Account): boolean =>
  waiters.length > 0 || queues.some(({ isReading, more, tickets }) => more || isReading || tickets.length > 0)
