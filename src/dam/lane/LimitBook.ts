/**
 * All limits of a dam and what is left of each, for all lanes: several lanes may draw on one.
 *
 * A call takes from all its limits together or from none, in the moment in which its lane lets it through. Who cannot
 * pass stands at the limit that keeps it back for longest, and at no other: those behind it that need only the others go
 * on. One that has waited for long and could pass within a second stands at all of them, so that it is not passed by for
 * ever by calls that need less.
 */
import * as Bucket from "../../engine/limits/Bucket.ts"
import type { Limit } from "../../engine/limits/Limit.ts"
import type { Answer } from "../../presets/Answered.ts"
import * as Settling from "../../presets/Settling.ts"
import type { Draw } from "../../step/StepModel.ts"
import { customerIn, accountOf } from "../job/LaneName.ts"
import type { StoredLevel } from "../store/LimitRecords.ts"
import * as Shares from "./Shares.ts"
import type { Claim, Share } from "./Shares.ts"

/** A limit, and who defined it. */
export interface Definition {
  readonly limit: Limit
  readonly source: "configured" | "operator"
  /** Epoch milliseconds at which an operator defined it, and who did. */
  readonly since: number | undefined
  readonly by: string | undefined
}

/** The limits of a dam. */
export interface LimitBook {
  readonly definitions: Map<string, Definition>
  /** By name and key. */
  readonly shares: Map<string, Map<string, Share>>
  /** What was left of those that were not used since the start, each at a monotonic moment. */
  readonly left: Map<string, StoredLevel>
  /** When all that are in neither began empty, as is safe where nobody knows what was left; `undefined`: they are full. */
  emptyAt: number | undefined
  /** Is told that more is owed than was kept. */
  readonly owes: (share: Share) => void
}

/** What a book begins with; by default all are full. */
interface BookOptions extends Partial<Pick<LimitBook, "emptyAt" | "owes">> {
  readonly left?: ReadonlyArray<StoredLevel> | undefined
}

/** Makes one without limits. */
export const make = (options: BookOptions = {}): LimitBook => ({
  definitions: new Map(),
  shares: new Map(),
  left: new Map(options.left?.map((one) => [leftKey(one.name, one.key), one])),
  emptyAt: options.emptyAt,
  owes: options.owes ?? (() => undefined)
})

/** What a call draws on, and where it waits for that. */
export interface Drawing {
  readonly draws: ReadonlyArray<Draw>
  readonly claim: Claim
}

/** What a call has taken. */
export interface Taken {
  readonly share: Share
  readonly customer: string
  cost: number
}

/** After this long, in milliseconds, somebody stands at all its limits, where it could pass this soon. */
const oldAfter = 10_000
const soon = 1000

/** The moment from which a call may pass all its limits; where that is later, its claim stands where it has to wait. */
export const look = (self: LimitBook, { claim: who, draws }: Drawing, now: number): number => {
  let latest = Number.NEGATIVE_INFINITY
  let last: Share | undefined
  for (const draw of draws) {
    const share = shareOf(self, draw, now)
    const at = Shares.opensAt(share, who, draw.cost, now)
    if (at > now && at >= latest) {
      latest = at
      last = share
    }
  }
  if (last === undefined) return now
  wait(self, { draws, who, last, isSoon: latest - now < soon }, now)
  // nobody may ever come to say that it has left
  return latest === Number.POSITIVE_INFINITY ? now + askAgainAfter : latest
}

/** How long somebody who is to be woken waits at most before it looks by itself, in milliseconds. */
const askAgainAfter = 1000

interface Waiting {
  readonly draws: ReadonlyArray<Draw>
  readonly who: Claim
  readonly last: Share
  readonly isSoon: boolean
}

const wait = (self: LimitBook, { draws, isSoon, last, who }: Waiting, now: number): void => {
  const since = who.since ?? now
  const isOld = isSoon && now - since >= oldAfter
  if (!isOld && (who.at.size !== 1 || !who.at.has(last))) Shares.withdraw(who, now)
  who.since = since
  if (!isOld) Shares.stand(last, who)
  else for (const draw of draws) Shares.stand(shareOf(self, draw, now), who)
}

/** Takes from all limits of a call that may pass. */
export const take = (self: LimitBook, { claim: who, draws }: Drawing, now: number): ReadonlyArray<Taken> => {
  const { customer } = who
  const taken: Array<Taken> = []
  for (const draw of draws) {
    const share = shareOf(self, draw, now)
    Shares.take(share, customer, draw.cost, now)
    taken.push({ share, customer, cost: draw.cost })
  }
  Shares.withdraw(who, now)
  for (const { share } of taken) Shares.wakeNext(share, now)
  return taken
}

/** Corrects what a call has cost by what its answer says. */
export const settle = (self: LimitBook, taken: ReadonlyArray<Taken>, answer: Answer, now: number): void => {
  for (const it of taken) {
    const { settle: where } = it.share.bucket.limit
    const actual = where === undefined ? undefined : Settling.costIn(answer, where)
    if (actual !== undefined) correct(self, it, actual, now)
  }
}

/** Gives back what a call has taken, when it has ended; all of it where it was never sent. */
export const leave = (self: LimitBook, taken: ReadonlyArray<Taken>, departed: boolean, now: number): void => {
  for (const it of taken) {
    if (!departed) correct(self, it, 0, now)
    const { share } = it
    share.bucket = Bucket.leave(share.bucket)
    share.next = undefined
    Shares.wakeNext(share, now)
  }
}

const correct = (self: LimitBook, it: Taken, actual: number, now: number): void => {
  const { cost, customer, share } = it
  share.bucket = Bucket.settle(share.bucket, cost, actual, now)
  Shares.charge(share, customer, actual - cost)
  it.cost = actual
  if (actual > cost && share.bucket.level < 0) self.owes(share)
  if (actual < cost) Shares.wakeNext(share, now)
}

/** Defines a limit, or takes its definition away; what waits for it looks again. */
export const define = (self: LimitBook, name: string, definition: Definition | undefined, now: number): void => {
  const before = self.definitions.get(name)
  if (definition === undefined) self.definitions.delete(name)
  else self.definitions.set(name, definition)
  const { limit } = definition ?? undefinedLimit
  const weights = weightsOf(limit)
  if (before !== undefined) {
    // what has come in until now came in by the rate of before
    for (const one of self.left.values()) if (one.name === name) shareIn(self, one, before.limit, now)
    if (self.emptyAt !== undefined) self.emptyAt = now
  }
  for (const share of self.shares.get(name)?.values() ?? []) {
    if (before === undefined) share.bucket = { ...bucketOf(self, share, limit, now), open: share.bucket.open }
    Shares.change(share, limit, weights, now)
  }
}

/** What a limit makes a call wait for. */
export interface LimitWhy extends Draw {
  /** `undefined` where nobody defines it. */
  readonly limit: Limit | undefined
  /** Units that could be taken now. */
  readonly available: number | undefined
  readonly open: number
  /** Others that wait for it. */
  readonly waiting: number
  /** The moment from which it could pass, were nobody else there; `Infinity` while an open call has to end first. */
  readonly opensAt: number
}

/** Says what its limits make a call wait for, with so many calls like it before it. */
export const why = (
  self: LimitBook,
  draws: ReadonlyArray<Draw>,
  { ahead, now }: { readonly ahead: number; readonly now: number }
): ReadonlyArray<LimitWhy> =>
  draws.map((draw) => {
    const { bucket, claims } = shareOf(self, draw, now)
    // those before it take theirs first, as it comes in
    const alone = Bucket.opensAt(bucket, draw.cost)
    const all =
      ahead === 0 || alone === Number.POSITIVE_INFINITY ? alone : Bucket.opensAt(bucket, draw.cost * (ahead + 1))
    return {
      ...draw,
      limit: self.definitions.get(draw.name)?.limit,
      available: Bucket.available(bucket, now),
      open: bucket.open,
      waiting: Math.max(0, claims.size - 1),
      opensAt: all
    }
  })

/** Forgets what is as new. */
export const tidy = (self: LimitBook, now: number): void => {
  const { left, shares } = self
  for (const [key, level] of left) if (isFull(self, level, now)) left.delete(key)
  for (const [name, ofName] of shares) {
    for (const [key, share] of ofName) if (Shares.isQuiet(share, now)) ofName.delete(key)
    if (ofName.size === 0) shares.delete(name)
  }
}

/** What is left of all that is not as new, each at a monotonic moment. */
export const levels = (self: LimitBook, now: number): ReadonlyArray<StoredLevel> => [
  ...Array.from(self.left.values()).filter((level) => !isFull(self, level, now)),
  ...Array.from(self.shares.values()).flatMap((ofName) =>
    Array.from(ofName.values()).flatMap((share) => {
      const level = Bucket.available(share.bucket, now)
      const { key, name } = share
      return level === undefined || Shares.isQuiet(share, now) ? [] : [{ name, key, level, at: now }]
    })
  )
]

/** Whether what was left has filled up since, and one that nobody knows of would have too. */
const isFull = ({ definitions, emptyAt }: LimitBook, { at, level, name }: StoredLevel, now: number): boolean => {
  const limit = definitions.get(name)?.limit
  const fills = (from: number, units: number) =>
    limit !== undefined && Bucket.isQuiet(Bucket.make(limit, from, units), now)
  return fills(at, level) && (emptyAt === undefined || fills(emptyAt, 0))
}

const shareOf = (self: LimitBook, draw: Draw, now: number): Share =>
  self.shares.get(draw.name)?.get(draw.key) ??
  shareIn(self, draw, (self.definitions.get(draw.name) ?? undefinedLimit).limit, now)

const shareIn = (self: LimitBook, { key, name }: Pick<Share, "key" | "name">, limit: Limit, now: number): Share => {
  const made = Shares.make({ name, key }, bucketOf(self, { name, key }, limit, now), weightsOf(limit))
  const ofName = self.shares.get(name) ?? new Map<string, Share>()
  self.shares.set(name, ofName)
  ofName.set(key, made)
  return made
}

/** Lets nobody pass: jobs may name a limit that has been taken out of the config since. */
const undefinedLimit = {
  limit: { rate: undefined, per: 1000, burst: 0, concurrency: 0, settle: undefined, weights: {} }
} satisfies { readonly limit: Limit }

const bucketOf = (self: LimitBook, { key, name }: Pick<Share, "key" | "name">, limit: Limit, now: number) => {
  const left = self.left.get(leftKey(name, key))
  if (left !== undefined && self.definitions.has(name)) {
    self.left.delete(leftKey(name, key))
    return Bucket.make(limit, left.at, left.level)
  }
  return self.emptyAt === undefined ? Bucket.make(limit, now) : Bucket.make(limit, self.emptyAt, 0)
}

const leftKey = (name: string, key: string): string => `${name}\n${key}`

const weightsOf = ({ weights }: Limit): Share["weights"] =>
  new Map(Object.entries(weights).map(([customer, weight]) => [customerIn(accountOf(customer, {})), weight]))
