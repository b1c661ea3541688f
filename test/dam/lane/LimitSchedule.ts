/** A schedule of callers, operators and restarts, drawn from a seed, against limits in a time of its own. */
import * as Bucket from "../../../src/engine/limits/Bucket.ts"
import type { Limit } from "../../../src/engine/limits/Limit.ts"
import { accountOf, customerIn } from "../../../src/dam/job/LaneName.ts"
import * as LimitBook from "../../../src/dam/lane/LimitBook.ts"
import * as Shares from "../../../src/dam/lane/Shares.ts"
import { seeded } from "../../engine/pace/sim/Chance.ts"

/** What was drawn, by limit, in the order of its moments: below zero where it was given back. */
export interface Entry {
  readonly at: number
  readonly units: number
  /** Whether a call was let through, and not corrected. */
  readonly isAdmission: boolean
}

/** How a limit fared. */
export interface Account {
  readonly entries: Array<Entry>
  /** The rate in units a millisecond from each moment on. */
  readonly rates: Array<readonly [at: number, rate: number]>
  /** The largest burst it ever had. */
  burst: number
  /** Whether more calls were open than may be, or one passed that was not paid for. */
  readonly faults: Array<string>
}

export const limitOf = (limit: Partial<Limit>): Limit => ({
  rate: undefined,
  per: 1000,
  burst: limit.rate ?? 1,
  concurrency: undefined,
  settle: undefined,
  weights: {},
  ...limit
})

export const define = (book: LimitBook.LimitBook, name: string, limit: Partial<Limit>, now: number): void =>
  LimitBook.define(book, name, { limit: limitOf(limit), source: "configured", since: undefined, by: undefined }, now)

export const claimOf = (customer: string, isReady: (now: number) => boolean = () => true): Shares.Claim =>
  Shares.claim({ customer: customerIn(accountOf(customer, {})), isReady, wake: () => undefined })

export const costing = (cost: number) => ({
  status: 200,
  headers: { "x-cost": String(cost) },
  body: new Uint8Array(0)
})

const names: ReadonlyArray<string> = ["calls", "tokens", "points"]

interface State {
  book: LimitBook.LimitBook
  now: number
  open: Array<ReadonlyArray<LimitBook.Taken>>
  readonly accounts: ReadonlyMap<string, Account>
  readonly callers: ReadonlyArray<{ readonly claim: Shares.Claim; pausedUntil: number }>
  readonly roll: (least: number, most: number) => number
}

/** Plays a schedule; answers how each limit fared. */
export const play = (seed: number, steps: number): ReadonlyMap<string, Account> => {
  const chance = seeded(seed)
  const roll = (least: number, most: number): number => least + Math.floor(chance() * (most - least + 1))
  const self: State = {
    book: LimitBook.make(),
    now: 0,
    open: [],
    accounts: new Map(names.map((name) => [name, { entries: [], rates: [], burst: 0, faults: [] }])),
    callers: Array.from({ length: roll(1, 6) }, (_, n) => ({ claim: claimOf(`customer ${n % 3}`), pausedUntil: 0 })),
    roll
  }
  for (const name of names) redefine(self, name)
  for (let step = 0; step < steps; step++) {
    self.now += roll(0, 3) === 0 ? 0 : roll(1, 2000) / 7
    const next = roll(0, 99)
    if (next < 60) call(self)
    else if (next < 82) end(self)
    else if (next < 89) pause(self)
    else if (next < 96) redefine(self, names[roll(0, names.length - 1)] ?? "calls")
    else restart(self)
  }
  return self.accounts
}

const redefine = ({ accounts, book, now, roll }: State, name: string): void => {
  const limit = limitOf({
    rate: roll(1, 50),
    per: [1000, 10_000, 60_000][roll(0, 2)] ?? 1000,
    burst: roll(1, 100),
    concurrency: roll(0, 3) === 0 ? roll(1, 3) : undefined,
    settle: { header: "X-Cost" }
  })
  define(book, name, limit, now)
  const account = accounts.get(name)
  if (account === undefined) return
  account.rates.push([now, (limit.rate ?? 0) / limit.per])
  account.burst = Math.max(account.burst, limit.burst)
}

const call = (self: State): void => {
  const { accounts, book, callers, now, open, roll } = self
  const caller = callers[roll(0, callers.length - 1)]
  if (caller === undefined || caller.pausedUntil > now) return
  const draws = names
    .filter(() => roll(0, 1) === 1)
    .map((name) => ({ name, key: "", cost: roll(1, book.definitions.get(name)?.limit.burst ?? 1) }))
  // a key that nobody has used yet is looked up by looking at it
  LimitBook.look(book, { draws, claim: claimOf("nobody", () => false) }, now)
  const before = draws.map(({ name }) => levelOf(book, name, now))
  const passes = LimitBook.look(book, { draws, claim: caller.claim }, now) <= now
  if (passes) open.push(LimitBook.take(book, { draws, claim: caller.claim }, now))
  for (const [place, { cost, name }] of draws.entries()) {
    const account = accounts.get(name)
    const level = levelOf(book, name, now)
    const { concurrency = Number.POSITIVE_INFINITY } = book.definitions.get(name)?.limit ?? {}
    if (passes) account?.entries.push({ at: now, units: cost, isAdmission: true })
    if (passes && level < -1e-6) account?.faults.push(`one passes at ${now} that leaves ${level}`)
    if (!passes && Math.abs(level - (before[place] ?? level)) > 1e-6) account?.faults.push(`one takes and waits`)
    if (passes && (book.shares.get(name)?.get("")?.bucket.open ?? 0) > concurrency)
      account?.faults.push("too many are open")
  }
}

const levelOf = (book: LimitBook.LimitBook, name: string, now: number): number => {
  const share = book.shares.get(name)?.get("")
  return share === undefined ? 0 : (Bucket.available(share.bucket, now) ?? 0)
}

/** The call that is open for longest was never sent, or has cost something else. */
const end = (self: State): void => {
  const [taken, ...rest] = self.open
  if (taken === undefined) return
  self.open = rest
  const { accounts, book, now, roll } = self
  const isSent = roll(0, 4) > 0
  const cost = isSent ? roll(0, 60) : 0
  for (const it of taken)
    accounts.get(it.share.name)?.entries.push({ at: now, units: cost - it.cost, isAdmission: false })
  if (isSent) LimitBook.settle(book, taken, costing(cost), now)
  LimitBook.leave(book, taken, isSent, now)
}

const pause = ({ callers, now, roll }: State): void => {
  const caller = callers[roll(0, callers.length - 1)]
  if (caller === undefined) return
  caller.pausedUntil = now + roll(1, 3000)
  Shares.withdraw(caller.claim, now)
}

/** A stop knows what is left, a crash what is owed; what was open is known to neither. */
const restart = (self: State): void => {
  const { book, callers, now, roll } = self
  const isCrash = roll(0, 1) === 0
  const after = LimitBook.make({
    left: LimitBook.levels(book, now).filter(({ level }) => !isCrash || level < 0),
    emptyAt: isCrash ? now : book.emptyAt
  })
  for (const [name, it] of book.definitions) LimitBook.define(after, name, it, now)
  self.book = after
  self.open = []
  for (const { claim } of callers) Shares.withdraw(claim, now)
}

/**
 * Where more was drawn in a window than its rate has brought in and the burst: what calls have cost beyond what they
 * said, and no more, which is in no window any more that ends with the next call.
 */
export const excess = ({ burst, entries, rates }: Account): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const [first, { at: from }] of entries.entries()) {
    let sum = 0
    let dearer = 0
    for (const { at, isAdmission, units } of entries.slice(first)) {
      sum += units
      // what is owed has been brought in when the next one passes
      dearer = isAdmission ? 0 : dearer + Math.max(0, units)
      const most = burst + broughtBetween(rates, from, at) + dearer
      if (sum > most + 1e-6) found.push(`${sum} of ${most} from ${from} to ${at}`)
    }
  }
  return found
}

const broughtBetween = (rates: Account["rates"], from: number, to: number): number =>
  rates.reduce((sum, [at, rate], place) => {
    const begins = Math.max(from, at)
    const ends = Math.min(to, rates[place + 1]?.[0] ?? to)
    return sum + Math.max(0, ends - begins) * rate
  }, 0)
