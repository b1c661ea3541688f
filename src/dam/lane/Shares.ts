/**
 * Who is next at one key of a limit.
 *
 * Customers share what is scarce by their weights: each call moves its customer's mark on by what it costs over the
 * customer's weight, and whoever stands furthest behind is next (start-time fair queueing). Whoever waited for nothing
 * gets no credit for it: a mark never lies before that of the last call that passed.
 *
 * Those that wait stand here as claims. A claim counts only while nothing but this limit keeps it back, so what others
 * could use is never kept for somebody who cannot come.
 */
import * as Bucket from "../../engine/limits/Bucket.ts"
import type { Limit } from "../../engine/limits/Limit.ts"

/** Somebody who waits for limits: a queue of jobs, or a call of a running one. */
export interface Claim {
  /** As `customerIn` names it. */
  readonly customer: string
  /** Whether everything besides the limits would let it pass at a monotonic moment. */
  readonly isReady: (now: number) => boolean
  /** Has its lane look again. */
  readonly wake: () => void
  /** When its first call began to wait; `undefined` while it does not. */
  since: number | undefined
  /** Where it stands. */
  readonly at: Set<Share>
}

/** One key of a limit. */
export interface Share {
  readonly name: string
  readonly key: string
  readonly claims: Set<Claim>
  bucket: Bucket.Bucket
  /** The mark of the last call that passed. */
  passed: number
  /** The marks of customers that lie beyond it. */
  readonly marks: Map<string, number>
  /** Who was found to be next, and when that was; whoever comes or goes may change it. */
  next: { readonly claim: Claim | undefined; readonly at: number } | undefined
  /** Weights by customers as `customerIn` names them. */
  weights: ReadonlyMap<string, number>
}

/** For how many milliseconds it is not looked for who is next again, where nothing has happened. */
const freshFor = 1

/** Makes one with nobody. */
export const make = (
  { key, name }: Pick<Share, "key" | "name">,
  bucket: Bucket.Bucket,
  weights: Share["weights"]
): Share => ({
  name,
  key,
  claims: new Set(),
  bucket,
  passed: 0,
  marks: new Map(),
  next: undefined,
  weights
})

/** Makes a claim of nobody that waits. */
export const claim = (options: Pick<Claim, "customer" | "isReady" | "wake">): Claim => ({
  ...options,
  since: undefined,
  at: new Set()
})

/**
 * The moment from which a call may pass; `Infinity` while an open one has to end first, or somebody else comes before it.
 * Whoever does not wait here yet is looked at as one that has just come.
 */
export const opensAt = (self: Share, who: Claim, cost: number, now: number): number => {
  const at = Bucket.opensAt(self.bucket, cost)
  if (at > now || self.claims.size === 0) return at
  const next = nextOf(self, now)
  return next === undefined || next === who || isBefore(self, who, next) ? at : Number.POSITIVE_INFINITY
}

/** Lets a call pass. */
export const take = (self: Share, customer: string, cost: number, now: number): void => {
  self.bucket = Bucket.take(self.bucket, cost, now)
  const mark = markOf(self, customer)
  self.passed = mark
  self.marks.set(customer, mark + cost / (self.weights.get(customer) ?? 1))
  self.next = undefined
  if (self.marks.size > marksMost) forget(self)
}

/** Corrects what the calls of a customer have cost. */
export const charge = (self: Share, customer: string, units: number): void => {
  const mark = markOf(self, customer) + units / (self.weights.get(customer) ?? 1)
  self.marks.set(customer, mark)
  self.next = undefined
}

/** Has whoever is next look whether it may pass. */
export const wakeNext = (self: Share, now: number): void => {
  if (self.claims.size > 0) nextOf(self, now)?.wake()
}

/** Notes that somebody waits here. */
export const stand = (self: Share, who: Claim): void => {
  if (self.claims.has(who)) return
  self.claims.add(who)
  who.at.add(self)
  self.next = undefined
}

/** Notes that somebody waits no more, wherever it did. */
export const withdraw = (who: Claim, now: number): void => {
  who.since = undefined
  for (const self of who.at) {
    const wasNext = self.next?.claim === who
    self.claims.delete(who)
    self.next = undefined
    if (wasNext) wakeNext(self, now)
  }
  who.at.clear()
}

/** Whoever cannot come leaves the turn to the next, and keeps its place. */
export const giveWay = (who: Claim, now: number): void => {
  for (const self of who.at) {
    self.next = undefined
    wakeNext(self, now)
  }
}

/** Takes over another definition. */
export const change = (self: Share, limit: Limit, weights: Share["weights"], now: number): void => {
  self.bucket = Bucket.change(self.bucket, limit, now)
  self.weights = weights
  self.next = undefined
  for (const who of self.claims) who.wake()
}

/** Nobody waits here, and one made anew would let through no more. */
export const isQuiet = (self: Share, now: number): boolean => self.claims.size === 0 && Bucket.isQuiet(self.bucket, now)

const nextOf = (self: Share, now: number): Claim | undefined => {
  const known = self.next
  if (known !== undefined && now - known.at < freshFor) return known.claim
  let next: Claim | undefined
  for (const who of self.claims) {
    if ((next === undefined || isBefore(self, who, next)) && who.isReady(now)) next = who
  }
  self.next = { claim: next, at: now }
  return next
}

const isBefore = (self: Share, one: Claim, other: Claim): boolean => {
  const difference = markOf(self, one.customer) - markOf(self, other.customer)
  return difference === 0 ? (one.since ?? Number.POSITIVE_INFINITY) < (other.since ?? 0) : difference < 0
}

const markOf = ({ marks, passed }: Share, customer: string): number => Math.max(passed, marks.get(customer) ?? 0)

const marksMost = 1000

const forget = ({ marks, passed }: Share): void => {
  for (const [customer, mark] of marks) if (mark <= passed) marks.delete(customer)
}
