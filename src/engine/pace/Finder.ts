/**
 * The pace that finds itself: when an upstream may be called next, going by what its answers tell and by what it refuses.
 *
 * Two parts share one gate. What is told is obeyed: quotas are spread over what is left of their windows, holds are kept.
 * What is not told is searched for: see `Search` for the pace and `Levels` for the calls in flight. A call may go at the
 * latest of the moments that all of them allow. A ceiling that somebody has set bounds what is found; the pace of the ceiling
 * itself is kept by whoever has set it.
 *
 * A finder is a value, and each event makes the next one from it. Moments are milliseconds of one clock that never goes
 * back; nothing here reads a clock, and no order of events throws.
 *
 * @since 0.1.0
 */
import { hold, mostOf, type Call, type Ceiling, type Finder } from "./FinderModel.ts"
import * as Levels from "./Levels.ts"
import * as Quota from "./Quota.ts"
import type * as Said from "./Said.ts"
import * as Search from "./Search.ts"
import { hear } from "./Told.ts"

export { hold } from "./FinderModel.ts"
export type { Call, Ceiling, Finder } from "./FinderModel.ts"

/**
 * How a finder begins.
 *
 * @category models
 * @since 0.1.0
 */
export interface FinderOptions {
  readonly ceiling: Ceiling
  /** Whether to begin at the ceiling, which somebody has told, and not slowly. Defaults to `false`. */
  readonly isKnown?: boolean | undefined
  /** Whether what is left of a told quota is spread over its window. Defaults to `true`. */
  readonly isSpread?: boolean | undefined
}

const never = Number.NEGATIVE_INFINITY

/** Being late gives back at most this part of an interval, and of a second. */
const lateness = 0.9
const longestLateness = 1000

const longestWaitMargin = 1000
const waitMarginStep = 500
const goodCalls = 200

/** A wait up to this long says that calls in flight may be to blame. */
const shortWait = 1000

/**
 * Makes a finder that knows nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ ceiling, isKnown = false, isSpread = true }: FinderOptions): Finder => ({
  ceiling,
  isSpread,
  isKnown,
  search: Search.clamp(Search.make(isKnown ? ceiling.rps : undefined), ceiling.rps),
  levels: Levels.make(ceiling.maxConcurrent, isKnown ? ceiling.maxConcurrent : undefined),
  quotas: [],
  policy: Number.POSITIVE_INFINITY,
  policyAt: never,
  dueAt: never,
  sentAt: never,
  heldUntil: never,
  heldFrom: never,
  waitMargin: 0,
  good: 0,
  longestTold: 0,
  open: [],
  count: 0
})

/**
 * The moment from which a call may go; `Infinity` while an answer has to come first.
 *
 * @category accessors
 * @since 0.1.0
 */
export const opensAt = (self: Finder, now: number): number => {
  const { ceiling, heldUntil, open, quotas, search, sentAt } = self
  const dueAt = search.rate >= ceiling.rps ? never : self.dueAt
  if (open.length >= Levels.capOf(self.levels)) return Number.POSITIVE_INFINITY
  if (search.episode !== undefined) return isAsking(self) ? Number.POSITIVE_INFINITY : heldUntil
  const told = toldRate(self, now)
  let at = Math.max(dueAt, heldUntil, told === Number.POSITIVE_INFINITY ? never : sentAt + 1 / told)
  for (const quota of quotas) at = Math.max(at, Quota.opensAt(quota, open.length, now))
  // at the end of a window all is weighed anew
  for (const quota of quotas) {
    const end = Quota.endOf(quota)
    if (end !== undefined && end > now && end < at) at = end
  }
  return at
}

/** Whether a call of the episode is out. */
const isAsking = ({ heldFrom, open }: Finder): boolean => open.some(({ at }) => at > heldFrom)

/** Calls per millisecond that told quotas allow. */
const toldRate = ({ isSpread, open, quotas }: Finder, now: number): number => {
  let rate = Number.POSITIVE_INFINITY
  if (isSpread) for (const quota of quotas) rate = Math.min(rate, Quota.spread(quota, open.length, now))
  return rate
}

/**
 * Calls per second that are made now, if there are enough of them.
 *
 * @category accessors
 * @since 0.1.0
 */
export const rateOf = (self: Finder, now: number): number => Math.min(self.search.rate, 1000 * toldRate(self, now))

/**
 * Until when a quota with nothing left is waited for, where that is told; `undefined` where none is used up.
 *
 * @category accessors
 * @since 0.1.0
 */
export const usedUpUntil = ({ open, quotas }: Finder, now: number): number | undefined => {
  let until: number | undefined
  for (const quota of quotas) {
    const end = Quota.endOf(quota)
    const isWaited = end !== undefined && end > now && !quota.isGuess && !Quota.isRefilling(quota)
    if (isWaited && Quota.budgetOf(quota, open.length, now) <= 0 && Quota.isUsedUp(quota)) {
      until = Math.max(until ?? end, end)
    }
  }
  return until
}

/**
 * The quotas as they were told last, their ends moved by `offset` milliseconds.
 *
 * @category accessors
 * @since 0.1.0
 */
export const told = ({ quotas }: Finder, offset: number) =>
  quotas.map((quota) => ({
    name: quota.name,
    limit: Quota.limitOf(quota),
    remaining: quota.remaining,
    resetsAt: quota.ends === undefined ? undefined : Math.ceil(quota.ends.by + offset)
  }))

/**
 * Lets a call through, which is sent when it `depart`s. `beside` are calls whose answers were heard and have not ended yet:
 * they count for how many are out at once.
 *
 * @category verbs
 * @since 0.1.0
 */
export const pass = (self: Finder, id: number, now: number, beside = 0): Finder => {
  const { dueAt, open, search } = self
  const rate = Math.max(1e-6, Math.min(search.rate, self.ceiling.rps)) / 1000
  const interval = 1 / rate
  const isBound = rate <= toldRate(self, now) * 1.05 && now - dueAt < Math.max(0.5 * interval, 5)
  const late = search.episode === undefined ? lateness * Math.min(interval, longestLateness) : 0
  const call: Call = {
    id,
    at: now,
    isOut: false,
    level: open.length + beside + 1,
    isBound,
    seq: self.count + 1,
    interval
  }
  return {
    ...self,
    search: Search.sent(search, now),
    dueAt: Math.max(dueAt, now - late) + interval,
    sentAt: now,
    open: [...open, call],
    count: call.seq
  }
}

/**
 * Notes that a call which was let through is sent.
 *
 * @category verbs
 * @since 0.1.0
 */
export const depart = (self: Finder, id: number, now: number): Finder => ({
  ...self,
  open: self.open.map((call) => (call.id === id ? { ...call, at: now, isOut: true } : call))
})

/**
 * Whether a call that was let through may be sent: in an episode one is out at a time, also of those let through before.
 *
 * @category accessors
 * @since 0.1.0
 */
export const mayDepart = ({ heldFrom, open, search }: Finder, id: number): boolean =>
  search.episode === undefined || !open.some((call) => call.isOut && call.id !== id && call.at > heldFrom)

/**
 * Notes that a call ended without an answer: it teaches nothing. One that was never sent leaves its turn to the next one;
 * one that was to ask in an episode has not, and the next waits as long before it asks.
 *
 * @category verbs
 * @since 0.1.0
 */
export const lost = (self: Finder, id: number, now: number): Finder => {
  const call = self.open.find((one) => one.id === id)
  if (call === undefined) return self
  const next = { ...self, open: self.open.filter((one) => one !== call) }
  if (!call.isOut) return { ...next, dueAt: self.dueAt - call.interval }
  const { heldFrom, search } = self
  return search.episode !== undefined && call.at > heldFrom ? hold(next, now + Search.waitOf(search)) : next
}

/**
 * Takes in the answer to a call that was sent not long before `sentAt`; it may be one from before this finder was made.
 *
 * @category verbs
 * @since 0.1.0
 */
export const answered = (self: Finder, sentAt: number, said: Said.Said, now: number): Finder => {
  let found: Call | undefined
  for (const call of self.open) if (call.isOut && call.at <= sentAt && call.at >= (found?.at ?? never)) found = call
  const stranger: Call = { id: -1, at: sentAt, isOut: true, level: 1, isBound: false, seq: self.count, interval: 0 }
  return answer(self, found ?? stranger, said, now)
}

const answer = (before: Finder, call: Call, said: Said.Said, now: number): Finder => {
  const heard = hear({ ...before, open: before.open.filter((one) => one !== call) }, call, said, now)
  return said.isAccepted
    ? quieted(taken(heard, call, now), call, said, now)
    : refused(heard, call, { ...said, known: before.quotas }, now)
}

/** A refusal, and the quotas as they were known when its call was sent. */
interface Refusal extends Said.Said {
  readonly known: ReadonlyArray<Quota.Quota>
}

const taken = (before: Finder, call: Call, now: number): Finder => {
  const { ceiling, heldFrom, levels } = before
  const self = before.search.episode !== undefined && call.at > heldFrom ? over(before, call.at) : before
  const isSettled = self.good >= goodCalls
  return {
    ...self,
    search: Search.accepted(self.search, { isBound: call.isBound, most: mostOf(self) }),
    levels: Levels.accepted(levels, call.level, self.isKnown ? 0 : now - call.at, ceiling.maxConcurrent),
    good: isSettled ? 0 : self.good + 1,
    waitMargin: isSettled ? self.waitMargin / 2 : self.waitMargin
  }
}

/** Where nothing is left and nobody says for how long, one call asks after a while. */
const quieted = (self: Finder, call: Call, { quotas: told = [] }: Said.Said, now: number): Finder => {
  if (self.search.episode !== undefined || call.at <= self.heldFrom) return self
  const used = told.find(({ name }) =>
    self.quotas.some((quota) => quota.name === name && Quota.isSilentlyUsedUp(quota))
  )
  if (used === undefined) return self
  const search = Search.begin(self.search, { since: call.at, isExplained: false, isQuiet: true })
  return hold({ ...self, search, heldFrom: now }, now + quietWaitOf(used))
}

/** Ends the episode by a call that got through. */
const over = (self: Finder, sentAt: number): Finder => {
  const isAtCeiling = self.search.rate > 0.9 * self.ceiling.rps
  const isExplained = self.search.episode?.isExplained === true && isAtCeiling && !self.quotas.some(Quota.isRefilling)
  const search = Search.end(self.search, { sentAt, isExplained, most: mostOf(self) })
  return { ...self, search, dueAt: Math.max(self.dueAt, sentAt + 1000 / search.rate) }
}

const refused = (before: Finder, call: Call, refusal: Refusal, now: number): Finder => {
  const self = { ...before, good: 0 }
  const { wait } = refusal
  // sent before the hold began: it is no news, but what it says of the wait is
  if (call.at <= self.heldFrom) return wait === undefined ? self : hold(self, now + wait)
  return self.search.episode === undefined ? first(self, call, refusal, now) : again(self, call, wait, now)
}

/** A first refusal: calls in flight may be to blame, else it begins an episode. */
const first = (self: Finder, call: Call, { known, wait }: Refusal, now: number): Finder => {
  const { levels, isBlamed } = Levels.refused(self.levels, call.level, {
    mayBlame: (wait ?? 0) <= shortWait,
    most: self.ceiling.maxConcurrent
  })
  if (isBlamed) {
    const dueAt = Math.max(self.dueAt, now + (now - call.at) / 2)
    const search = Search.clamp(Search.acquit(self.search), mostOf(self))
    return hold({ ...self, levels, search, dueAt, heldFrom: now }, now + (wait ?? 0))
  }
  const asked = askedFor(self, wait, now)
  const isExplained = self.quotas.some(Quota.isUsedUp)
  const search = Search.begin(self.search, { since: call.at, isExplained, isQuiet: false })
  const quotas = isExplained ? self.quotas.map((quota) => doubted(quota, known, call)) : self.quotas
  return hold({ ...self, levels, search, quotas, heldFrom: now }, now + (asked > 0 ? asked : Search.waitOf(search)))
}

/** Where it was thought to allow the call, its end was told too early, or it refills more slowly. */
const doubted = (quota: Quota.Quota, known: ReadonlyArray<Quota.Quota>, call: Call): Quota.Quota => {
  const before = known.find(({ name }) => name === quota.name)
  return before !== undefined && Quota.isUsedUp(quota) && Quota.allowed(before, call.at) ? Quota.doubt(quota) : quota
}

const again = (self: Finder, call: Call, wait: number | undefined, now: number): Finder => {
  const search = Search.again(self.search, call.at)
  const asked = askedFor(self, wait, now)
  const waitMargin =
    wait === undefined ? self.waitMargin : Math.min(longestWaitMargin, self.waitMargin + waitMarginStep)
  return hold({ ...self, search, waitMargin, heldFrom: now }, now + Math.max(asked, Search.waitOf(search)))
}

/** The wait that was told, by the refusal or by a quota that is used up; 0 where none was. */
const askedFor = ({ quotas, waitMargin }: Finder, wait: number | undefined, now: number): number => {
  if (wait !== undefined) return wait + waitMargin
  let asked = 0
  for (const quota of quotas) {
    const isTold = Quota.isUsedUp(quota) && !quota.isGuess && !Quota.isRefilling(quota)
    if (isTold && quota.ends !== undefined && quota.ends.by > now) {
      asked = Math.max(asked, quota.ends.by + quota.endMargin - now)
    }
  }
  return asked
}

/** The time of one call, where that is told. */
const quietWaitOf = ({ limit = 0, window }: Said.ToldQuota): number =>
  limit > 0 && window !== undefined ? window / limit : Search.quietWait

/**
 * Takes over another ceiling. What was found below it stays; what it held back may go on.
 *
 * @category verbs
 * @since 0.1.0
 */
export const limit = (self: Finder, ceiling: Ceiling): Finder => {
  const { ceiling: before, isKnown } = self
  if (before.rps === ceiling.rps && before.maxConcurrent === ceiling.maxConcurrent) return self
  const isAtCeiling = !self.search.isStarting && self.search.rate >= before.rps
  const search = isAtCeiling && isKnown ? Search.settle(self.search, ceiling.rps) : self.search
  const levels = Levels.clamp(self.levels, ceiling.maxConcurrent, before.maxConcurrent)
  const isFull = isKnown && self.levels.cap >= before.maxConcurrent
  return {
    ...self,
    ceiling,
    search: Search.clamp(search, Math.min(ceiling.rps, self.policy)),
    levels: isFull ? { ...levels, cap: levels.top } : levels
  }
}

/**
 * Forgets all that was found and told, but not the calls that are out.
 *
 * @category verbs
 * @since 0.1.0
 */
export const forget = (self: Finder, options: FinderOptions): Finder => ({
  ...make(options),
  open: self.open,
  count: self.count
})
