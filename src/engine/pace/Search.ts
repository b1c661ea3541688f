/**
 * How many calls per second an upstream takes that tells nothing: found by what it refuses.
 *
 * The pace doubles quickly at first. A refusal begins an episode, in which one call at a time asks whether it is over.
 * What got through from the end of the last episode to the end of this one, the refused time included, is what the
 * upstream allows, whatever kind of limit it has. From there the pace lingers and then climbs away, the slower the
 * longer the refusals lasted: a window is at least as long as they are.
 *
 * Moments and lengths are milliseconds, rates calls per second. Everything is pure.
 *
 * @since 0.1.0
 */

/**
 * What is known of the rate.
 *
 * @category models
 * @since 0.1.0
 */
export interface Search {
  /** The pace now. */
  readonly rate: number
  /** The pace that was found last; the climb starts from it. */
  readonly peak: number
  /** Accepted calls since then which the pace had held back. */
  readonly climbed: number
  /** After how many such calls the pace is back at its peak, from where it climbs away. */
  readonly climb: number
  /** Whether nothing was refused yet, and the pace doubles. */
  readonly isStarting: boolean
  /** Whether the upstream punishes refused calls by refusing longer: its refused time is no part of a window. */
  readonly isPenalty: boolean
  readonly episode: Episode | undefined
  readonly cycle: Cycle
  /** The cycles before it that longer refusals began, the longest first. */
  readonly past: ReadonlyArray<Past>
  /** The longest refused time, fading with each episode. */
  readonly longRefused: number
  /** Of the last episode. */
  readonly lastRefused: number
  /** How long calls got through before it. */
  readonly lastRun: number
  /** How many episodes in a row lasted as long as the one before. */
  readonly alike: number
}

/**
 * Refusals from a first one to the first accepted call that was sent after it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Episode {
  /** When the first refused call was sent. */
  readonly since: number
  /** When the last one was. */
  readonly refusedAt: number
  /** Calls that asked in vain. */
  readonly tries: number
  /** Whether a quota with nothing left explains it. */
  readonly isExplained: boolean
  /** Whether no call was refused: nothing was left, and nobody said for how long. */
  readonly isQuiet: boolean
}

/**
 * What got through since the last episode ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cycle {
  /** `undefined` before the first call. */
  readonly since: number | undefined
  readonly accepted: number
  /** The highest rate since. */
  readonly topRate: number
}

/**
 * An earlier cycle, up to the next one that is remembered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Past {
  readonly since: number
  readonly accepted: number
  /** The refused time that began it; `Infinity` for the first. */
  readonly refused: number
}

/**
 * The pace of an upstream nobody knows anything of.
 *
 * @category constants
 * @since 0.1.0
 */
export const startRate = 2

/** Accepted calls of a climb, at least. */
const shortestClimb = 100

/** A climb takes no longer than this. */
const longestClimb = 900_000

/** By how much each accepted call raises the pace while it starts. */
const startGrowth = 1.07

/** By how much the pace leaves its peak in the time of one climb. */
const steepness = 0.05

/** The slowest pace: one call an hour. */
const slowest = 1 / 3600

/** The first wait after a refusal: the time of so many calls, within bounds. */
const waitCalls = 8
const shortestWait = 250
const longestFirstWait = 1000

/** Up to here the waits double; after `patience` waits as long as that they double again, up to a day. */
const longWait = 600_000
const longestWait = 86_400_000
const patience = 6
const doublings = Math.ceil(Math.log2(longWait / longestFirstWait))

/** Refused times that differ by less than this part of themselves are alike. */
const likeness = 0.15

/** Alike refused times say that they are a penalty only where the runs before them differed by this part. */
const unlikeness = 0.3

/** Shorter refused times are no penalty. */
const shortestPenalty = 5000

/** Accepted calls that a penalty is worth. */
const penaltyClimb = 12

/** Refusals that lasted so many times as long as those that began a cycle belong to a longer window than it. */
const longer = 4

/** So many earlier cycles are remembered at most. */
const remembered = 6

/** Fewer accepted calls than this are not much of a measure. */
const fewAccepted = 5

/**
 * Makes a search; `rate` says that it starts there and doubles no more.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (rate?: number): Search => ({
  rate: rate ?? startRate,
  peak: rate ?? 0,
  climbed: rate === undefined ? 0 : shortestClimb,
  climb: shortestClimb,
  isStarting: rate === undefined,
  isPenalty: false,
  episode: undefined,
  cycle: { since: undefined, accepted: 0, topRate: rate ?? startRate },
  past: [],
  longRefused: 0,
  lastRefused: 0,
  lastRun: 0,
  alike: 0
})

/**
 * Ends the start: the pace is known, or another limit than the rate holds calls back.
 *
 * @category verbs
 * @since 0.1.0
 */
export const settle = (self: Search, rate: number): Search => ({
  ...self,
  rate,
  peak: rate,
  climbed: self.climb,
  isStarting: false
})

/**
 * Notes that a call was sent.
 *
 * @category verbs
 * @since 0.1.0
 */
export const sent = (self: Search, now: number): Search =>
  self.cycle.since === undefined ? { ...self, cycle: { ...self.cycle, since: now } } : self

/**
 * Notes that a call got through. Only one that the pace had held back raises it, and never above `most`.
 *
 * @category verbs
 * @since 0.1.0
 */
export const accepted = (self: Search, call: { readonly isBound: boolean; readonly most: number }): Search => {
  const { cycle, episode } = self
  const { isBound, most } = call
  const grown = isBound && episode === undefined ? grow(self, most) : self
  return {
    ...grown,
    cycle: { ...cycle, accepted: cycle.accepted + 1, topRate: Math.max(cycle.topRate, grown.rate) }
  }
}

const grow = (self: Search, most: number): Search => {
  if (self.isStarting) return { ...self, rate: Math.min(most, self.rate * startGrowth) }
  const climbed = self.climbed + 1
  return { ...self, climbed, rate: rateOf(self, climbed, most) }
}

/** A cubic: it lingers around the peak, and then goes off. */
const rateOf = ({ climb, isPenalty, peak }: Search, climbed: number, most: number): number => {
  const beyond = climbed - 2 * climb
  const height = beyond < 0 ? (climbed - climb) / climb : 1 + beyond / (isPenalty ? 0.8 * shortestClimb : 0.8 * climb)
  return Math.min(most, peak * (1 + steepness * height ** 3))
}

/**
 * Begins an episode.
 *
 * @category verbs
 * @since 0.1.0
 */
export const begin = (self: Search, episode: Pick<Episode, "since" | "isExplained" | "isQuiet">): Search => ({
  ...self,
  episode: { ...episode, refusedAt: episode.since, tries: 0 }
})

/**
 * Notes that a call of the episode asked in vain.
 *
 * @category verbs
 * @since 0.1.0
 */
export const again = (self: Search, sentAt: number): Search =>
  self.episode === undefined
    ? self
    : { ...self, episode: { ...self.episode, tries: self.episode.tries + 1, refusedAt: sentAt } }

/**
 * The shortest wait before the next call of an episode asks, in milliseconds.
 *
 * @category accessors
 * @since 0.1.0
 */
export const waitOf = ({ episode, rate }: Search): number => {
  const tries = episode?.tries ?? 0
  if (tries > doublings) return Math.min(longestWait, longWait * 2 ** Math.max(0, tries - doublings - patience))
  return Math.min(longWait, firstWait(rate) * 2 ** tries)
}

const firstWait = (rate: number): number =>
  Math.min(longestFirstWait, Math.max(shortestWait, (waitCalls * 1000) / rate))

/** The wait of an episode that no refusal began. */
export const quietWait = longestFirstWait

/**
 * Ends an episode by a call that got through and was sent at `sentAt`. The pace is what got through in the whole cycle,
 * unless something else explains the refusals.
 *
 * @category verbs
 * @since 0.1.0
 */
export const end = (
  self: Search,
  { isExplained, most, sentAt }: { readonly sentAt: number; readonly isExplained: boolean; readonly most: number }
): Search => {
  const { cycle, episode } = self
  if (episode === undefined) return self
  const cycleSince = cycle.since ?? episode.since
  const refused = sentAt - episode.since
  const run = Math.max(1, episode.since - cycleSince)
  const like = likenessOf(self, refused, run)
  const learnt: Search = {
    ...self,
    ...like,
    episode: undefined,
    lastRefused: refused,
    lastRun: run,
    longRefused: like.isPunished ? 0 : Math.max(refused, 0.8 * self.longRefused)
  }
  const whole = wholeOf(self, refused)
  const estimate = estimateOf(self, {
    ...whole,
    run: Math.max(1, episode.since - whole.since),
    refused,
    sentAt,
    isPunished: like.isPunished
  })
  const climb = Math.max(shortestClimb, climbOf(learnt, refused, estimate))
  const next =
    isExplained || isEmptyAlarm(episode)
      ? { ...learnt, climb }
      : cutTo({ ...learnt, climb }, peakOf(self, episode, estimate), most)
  return { ...next, past: pastOf(self, refused), cycle: { since: sentAt, accepted: 0, topRate: next.rate } }
}

/** What got through since the last refusals of this kind, shorter ones between them included. */
const wholeOf = ({ cycle, episode, lastRefused, past }: Search, refused: number) => {
  let { accepted } = cycle
  let since = cycle.since ?? episode?.since ?? 0
  let began = past.length === 0 ? Number.POSITIVE_INFINITY : lastRefused
  for (let at = past.length - 1; at >= 0 && longer * began < refused; at--) {
    const span = past[at]
    if (span === undefined) break
    accepted += span.accepted
    since = span.since
    began = span.refused
  }
  return { accepted, since }
}

/** Cycles that shorter refusals began are merged into the one before. */
const pastOf = ({ cycle, episode, lastRefused, past }: Search, refused: number): ReadonlyArray<Past> => {
  const kept: Array<Past> = [...past]
  let span: Past = {
    since: cycle.since ?? episode?.since ?? 0,
    accepted: cycle.accepted,
    refused: past.length === 0 ? Number.POSITIVE_INFINITY : lastRefused
  }
  while (span.refused <= refused || kept.length >= remembered) {
    const before = kept.pop()
    if (before === undefined) break
    span = { since: before.since, accepted: before.accepted + span.accepted, refused: before.refused }
  }
  return [...kept, span]
}

/** Refused times that are alike, whatever ran before them, are a penalty and no part of a window. */
const likenessOf = (self: Search, refused: number, run: number) => {
  const alike = Math.abs(refused - self.lastRefused) < likeness * refused ? self.alike + 1 : 0
  const differs = Math.abs(run - self.lastRun) > unlikeness * Math.max(run, self.lastRun)
  const isPunished = alike >= 2 && refused > shortestPenalty && (self.isPenalty || differs)
  return { alike, isPunished, isPenalty: isPunished || (self.isPenalty && refused > shortestPenalty) }
}

interface Measured {
  readonly since: number
  readonly accepted: number
  readonly run: number
  readonly refused: number
  readonly isPunished: boolean
  readonly sentAt: number
}

const reached = ({ cycle, rate }: Search): number => Math.min(rate, cycle.topRate)

const estimateOf = (self: Search, { accepted, isPunished, refused, run, sentAt, since }: Measured): number => {
  const { episode, isStarting } = self
  const over = ((episode?.refusedAt ?? sentAt) + sentAt) / 2
  const through = (1000 * accepted) / Math.max(1, over - since)
  const short = isPunished && run < 2 * refused
  const estimate = !isPunished ? through : short ? 0.8 * reached(self) : (1000 * accepted) / run
  // where less time was refused than used, the limit is not far below
  const isNear = run >= (isPunished ? 2 : 1) * refused && !isStarting
  return isNear ? Math.max(estimate, 0.5 * reached(self)) : estimate
}

const climbOf = ({ isPenalty, longRefused }: Search, refused: number, estimate: number): number =>
  Math.min(longestClimb, isPenalty ? penaltyClimb * refused : longRefused) * (estimate / 1000)

/** Nothing was refused, and the first call that asked got through. */
const isEmptyAlarm = ({ isQuiet, tries }: Episode): boolean => isQuiet && tries === 0

const peakOf = (self: Search, { tries }: Episode, estimate: number): number => {
  const was = reached(self)
  if (self.cycle.accepted < fewAccepted) return Math.max(Math.min(estimate, was), 0.7 * was)
  const isFirst = self.isStarting && self.cycle.topRate > estimate && tries === 0
  return Math.min(was, isFirst ? Math.max(estimate, was / 2) : estimate)
}

const cutTo = (self: Search, peak: number, most: number): Search => {
  const cut = { ...self, peak: Math.max(slowest, peak), climbed: 0, isStarting: false }
  return { ...cut, rate: rateOf(cut, 0, most) }
}

/**
 * Notes that calls in flight were to blame for a refusal: the pace was not too fast, and climbs on.
 *
 * @category verbs
 * @since 0.1.0
 */
export const acquit = (self: Search): Search => ({
  ...self,
  rate: Math.max(self.rate, self.peak),
  climbed: 2 * self.climb
})

/**
 * Brings the pace below what may not be exceeded.
 *
 * @category verbs
 * @since 0.1.0
 */
export const clamp = (self: Search, most: number): Search =>
  self.rate <= most && self.peak <= most
    ? self
    : { ...self, rate: Math.min(self.rate, most), peak: Math.min(self.peak, most) }
