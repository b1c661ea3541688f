/**
 * A quota that answers tell of: how much of it is left, and until when.
 *
 * A told end is an interval and never a point: seconds are rounded, clocks differ, answers travel. What is left is spread
 * up to the earliest moment at which the quota may be renewed; a used-up one is waited for until the latest. So rounding
 * costs idle time and hardly ever a refused call.
 *
 * Some quotas refill bit by bit. They are told by what is left falling by less than was sent, and are spent at that rate.
 * Some are told without their end; it is then found by the moments at which the amount jumps up.
 *
 * Moments and lengths are milliseconds. Everything is pure.
 *
 * @since 0.1.0
 */
import type { Ends, Interval, ToldQuota } from "./Said.ts"
import * as Rounds from "./Rounds.ts"

/**
 * What is known of a quota.
 *
 * @category models
 * @since 0.1.0
 */
export interface Quota {
  readonly name: string
  readonly limit: number
  /** As the answer to the call sent last has told it. */
  readonly remaining: number
  /** The number of that call, and when it was sent. */
  readonly seq: number
  readonly at: number
  /** When the quota is renewed: not before `from`, at the latest at `by`. */
  readonly ends: Interval | undefined
  /** Whether `ends` was found, not told. */
  readonly isGuess: boolean
  /** The length of its window as far as it is known. */
  readonly window: number
  /** What came back while calls were sent, and in which time; both fade. */
  readonly refilled: number
  readonly refillTime: number
  /** The share of answers that show a refill. */
  readonly refilling: number
  /** What a call takes off, on average; at least 1. */
  readonly cost: number
  /** The largest amount seen. */
  readonly most: number
  /** For how long a told end is not trusted. */
  readonly endMargin: number
  /** The least of that, once it was seen to be too early. */
  readonly slack: number
  /** Renewals since it was right. */
  readonly calm: number
  readonly rounds: Rounds.Rounds
}

/** An amount that no quota exceeds. */
const unlimited = 1e9

/** The share of answers that makes a quota one that refills bit by bit. */
const rolling = 0.3

const fading = 0.95

/** How much the last calls count for what a call costs. */
const costWeight = 0.1

/** The least time in which what is left is spent: of a window, and of a quota that refills. */
const soonest = 50
const soonestRolling = 1000

/** Longer windows than this, in milliseconds, are long. */
const longWindow = 90_000

/** How long a used-up quota that refills is waited for, where its end is not told. */
const longestRefill = 60_000

/**
 * How long what was told without its end is believed where nobody tells it again, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const believedFor = 60_000

const longestMargin = 4000
const calmAfter = 100

/** What came in with an answer. */
interface Heard {
  readonly told: ToldQuota
  readonly call: { readonly seq: number; readonly at: number }
  readonly ends: Ends | undefined
  readonly isAccepted: boolean
  readonly now: number
}

/**
 * Takes in what an answer tells of the quota, whose call is the last one sent of those that were answered.
 *
 * @category verbs
 * @since 0.1.0
 */
export const hear = (known: Quota | undefined, heard: Heard): Quota => {
  const { call, ends, now, told } = heard
  // another limit is another quota, or the same one made anew: what was told of the old one is not compared with it
  const before = known !== undefined && known.limit === (told.limit ?? unlimited) ? known : undefined
  const { remaining } = told
  const limit = told.limit ?? unlimited
  const interval = ends === undefined ? undefined : { from: ends.from, by: ends.by }
  const base = { name: told.name, limit, remaining, seq: call.seq, at: call.at, slack: ends?.slack ?? 0 }
  if (before === undefined) {
    const most = Math.max(remaining, told.limit ?? 0)
    const window = interval === undefined ? 0 : interval.by - now
    const { endMargin } = known ?? unused
    return { ...unused, ...base, ends: interval, window: told.window ?? window, most, endMargin }
  }
  const isRenewed = remaining > before.remaining + (call.seq - before.seq)
  const self = weigh(before, heard, isRenewed)
  const found = interval === undefined ? guess(self, heard, isRenewed) : { ends: interval, rounds: self.rounds }
  const isRolling = isRefilling(self)
  const kept = interval !== undefined && !isRenewed && !isRolling ? narrowed(found.ends, before.ends, now) : found.ends
  const isCalm = isRenewed && self.calm >= calmAfter
  const length = kept === undefined ? undefined : kept.by - now
  return {
    ...self,
    ...base,
    ends: kept,
    isGuess: interval === undefined,
    rounds: found.rounds,
    most: Math.max(self.most, remaining, told.limit ?? 0),
    window: told.window ?? windowOf(self, isRolling ? undefined : length, isRenewed && remaining > 0.8 * limit),
    calm: isCalm ? 0 : self.calm + Number(isRenewed),
    endMargin: isCalm ? 0.75 * self.endMargin : self.endMargin
  }
}

/** A window is as long as it is told to be once it was renewed whole; else at least as long as what is left of it. */
const windowOf = ({ window }: Quota, left: number | undefined, isWhole: boolean): number =>
  left === undefined ? window : isWhole ? left : Math.max(0.999 * window, left)

const unused = {
  isGuess: false,
  refilled: 0,
  refillTime: 0,
  refilling: 0,
  cost: 1,
  endMargin: 0,
  calm: 0,
  rounds: Rounds.none
}

/** Where less went than was sent, the rest came back; where more went, a call costs more than one, or others call too. */
const weigh = (self: Quota, { call, isAccepted, told }: Heard, isRenewed: boolean): Quota => {
  const sent = call.seq - self.seq
  if (!isAccepted || isRenewed || sent <= 0) return self
  const gone = self.remaining - told.remaining
  const back = Math.max(0, sent - gone)
  return {
    ...self,
    cost: isPrice(self, gone / sent) ? Math.max(1, self.cost + costWeight * (gone / sent - self.cost)) : self.cost,
    refilled: fading * self.refilled + back,
    refillTime: fading * self.refillTime + (call.at - self.at),
    refilling: fading * self.refilling + (1 - fading) * Number(back > 0)
  }
}

/** More than half of a quota is no price: it was made smaller, or somebody else took it. */
const isPrice = ({ limit, most }: Quota, price: number): boolean => price <= Math.min(limit, most) / 2

/** Answers of one window narrow its end. */
const narrowed = (self: Interval | undefined, before: Interval | undefined, now: number): Interval | undefined => {
  if (self === undefined || before === undefined || before.by <= now) return self
  const from = Math.max(self.from, before.from)
  const by = Math.min(self.by, before.by)
  return from <= by ? { from, by } : self
}

const guess = (self: Quota, { call, now }: Heard, isRenewed: boolean) => {
  if (isRefilling(self)) return { ends: undefined, rounds: self.rounds }
  const rounds = isRenewed ? Rounds.renewed(self.rounds, { from: self.at, by: now, sentAt: call.at }) : self.rounds
  return { ends: Rounds.next(rounds, now), rounds }
}

/**
 * Whether it comes back bit by bit.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isRefilling = ({ refilling }: Quota): boolean => refilling > rolling

/**
 * Calls per window; `undefined` where it is not told.
 *
 * @category accessors
 * @since 0.1.0
 */
export const limitOf = ({ limit }: Quota): number | undefined => (limit >= unlimited ? undefined : limit)

/** Calls that come back per millisecond. */
const refillOf = ({ refillTime, refilled }: Quota): number => (refillTime > 0 ? refilled / refillTime : 0)

/** Past its end an amount says nothing any more: one call finds out. */
const isOver = ({ endMargin, ends }: Quota, now: number): boolean => ends !== undefined && now >= ends.by + endMargin

/**
 * How many calls it allows beside those that are in flight, at what calls have cost.
 *
 * @category accessors
 * @since 0.1.0
 */
export const budgetOf = (self: Quota, open: number, now: number): number => {
  const calls = (self.remaining - spareOf(self)) / self.cost
  return (isOver(self, now) ? Math.max(1, calls) : calls) - open
}

/** What is left and may be no call's worth, since calls differ in cost. */
const spareOf = ({ cost }: Quota): number => 2 * (cost - 1)

/**
 * Whether nothing is left that would be worth a call.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isUsedUp = (self: Quota): boolean => self.remaining <= spareOf(self)

/** Half of what a long window allows is not spread: a few calls a day must not wait hours for each other. */
const isPlenty = (self: Quota, now: number): boolean =>
  self.window > longWindow && self.limit < unlimited && self.remaining > self.limit / 2 && !isOver(self, now)

/**
 * The pace in calls per millisecond at which what is left lasts.
 *
 * @category accessors
 * @since 0.1.0
 */
export const spread = (self: Quota, open: number, now: number): number => {
  const budget = budgetOf(self, open, now)
  const { ends, limit, window } = self
  if (isRefilling(self) && !isOver(self, now)) {
    const left = ends === undefined ? 2 * soonestRolling : Math.max(ends.from - now, soonestRolling)
    return Math.max(1 / longestRefill, refillOf(self) + (0.5 * Math.max(0, budget)) / left)
  }
  if (ends === undefined || isPlenty(self, now)) return Number.POSITIVE_INFINITY
  const fastest =
    window > 0 && limit > 0 && limit < unlimited ? (2 * limit) / (window * self.cost) : Number.POSITIVE_INFINITY
  if (isOver(self, now)) return fastest / 2
  return Math.min(fastest, Math.max(budget, 0.5) / Math.max(ends.from - now, soonest))
}

/**
 * The moment from which it allows a call; `Infinity` where an answer has to come first.
 *
 * @category accessors
 * @since 0.1.0
 */
export const opensAt = (self: Quota, open: number, now: number): number => {
  if (budgetOf(self, open, now) > 0) return Number.NEGATIVE_INFINITY
  if (open > 0) return Number.POSITIVE_INFINITY
  const { at, endMargin, ends } = self
  const refill = refillOf(self)
  if (isRefilling(self) && refill > 0) {
    const longest = ends === undefined ? longestRefill : Math.max(0, ends.by - at)
    return at + Math.min(longest, 1 / refill)
  }
  return ends === undefined ? Number.NEGATIVE_INFINITY : ends.by + endMargin
}

/**
 * The moment at which all is weighed anew.
 *
 * @category accessors
 * @since 0.1.0
 */
export const endOf = ({ endMargin, ends }: Quota): number | undefined =>
  ends === undefined ? undefined : ends.by + endMargin

/**
 * Whether a call sent at `at`, whose answer says nothing of it, shows that nobody tells of it any more.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isForgotten = (self: Quota, at: number): boolean => at >= (endOf(self) ?? self.at + believedFor)

/**
 * Whether nothing is left and nobody says for how long.
 *
 * @category accessors
 * @since 0.1.0
 */
export const isSilentlyUsedUp = (self: Quota): boolean =>
  isUsedUp(self) && self.ends === undefined && !isRefilling(self) && self.most > 1

/**
 * Whether a call sent at `at` was thought to be allowed because its end had passed, or because it had refilled.
 *
 * @category accessors
 * @since 0.1.0
 */
export const allowed = (self: Quota, at: number): boolean =>
  isRefilling(self) || (self.ends !== undefined && self.ends.by <= at)

/**
 * Takes in that a call was refused while nothing was left: the end was told too early, or the refill is slower.
 *
 * @category verbs
 * @since 0.1.0
 */
export const doubt = (self: Quota): Quota => ({
  ...self,
  refilled: isRefilling(self) ? 0.7 * self.refilled : self.refilled,
  endMargin:
    self.ends === undefined ? self.endMargin : Math.min(longestMargin, Math.max(self.slack, 2 * self.endMargin)),
  calm: self.ends === undefined ? self.calm : 0
})
