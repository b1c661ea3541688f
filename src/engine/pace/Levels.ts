/**
 * How many calls an upstream takes at once: found by which levels it refuses, and by how its answers slow down.
 *
 * A level is how many calls were in flight with one, itself included. Where the calls of a level and above are few and
 * its refusals many, the number in flight is to blame and not the pace.
 *
 * @since 0.1.0
 */

/**
 * What is known of calls in flight.
 *
 * @category models
 * @since 0.1.0
 */
export interface Levels {
  /** How many may be in flight; a fraction grows towards the next. */
  readonly cap: number
  /** The most that refusals allow. */
  readonly top: number
  /** Accepted calls since one more was tried than `top`. */
  readonly sinceTop: number
  /** After how many one more is tried. */
  readonly tryAfter: number
  /** Accepted calls by level, fading, but for the last ones. */
  readonly accepted: ReadonlyArray<number>
  /** The levels of those, the oldest first: there may be hundreds of counts, and only a refusal asks for them. */
  readonly since: ReadonlyArray<number>
  /** First refusals by level, fading. */
  readonly refused: ReadonlyArray<number>
  /** The latencies of the last calls, at most nine. */
  readonly latencies: ReadonlyArray<number>
  /** The least mean of ten latencies. */
  readonly base: number
  /** The last such mean. */
  readonly recent: number
}

/**
 * How many calls an upstream nobody knows anything of gets at once.
 *
 * @category constants
 * @since 0.1.0
 */
export const startCap = 2

const fading = 0.9995

/** How many accepted calls are counted together. */
const together = 32
const sample = 10

/** The base rises by this factor with each sample, so that an upstream may become slower for good. */
const drift = 1.00003

/** Answers that take so many times as long as the least, and so many milliseconds longer, say that too much is in flight. */
const slow = 1.5
const slowBy = 50

/** The most that one sample takes off. */
const smallestCut = 0.7

/** How often one more is tried than refusals allow: after so many accepted calls, and each time twice as many. */
const firstTry = 200
const lastTry = 6400

/** How likely it may be that the refusals met the calls of high levels by chance. */
const chance = 0.02

/** Fewer refusals say nothing. */
const fewRefusals = 3

/** A level is refused when this much of its refusals has not faded. */
const notFaded = 0.3

/**
 * Makes it for at most `most` calls in flight.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (most: number, cap: number = startCap): Levels => ({
  cap: Math.min(cap, most),
  top: most,
  sinceTop: 0,
  tryAfter: firstTry,
  accepted: [],
  since: [],
  refused: [],
  latencies: [],
  base: Number.POSITIVE_INFINITY,
  recent: 0
})

/**
 * How many calls may be in flight now.
 *
 * @category accessors
 * @since 0.1.0
 */
export const capOf = ({ cap, top }: Levels): number => Math.max(1, Math.min(Math.floor(cap), top))

/**
 * Notes that a call of a level got through after `latency` milliseconds.
 *
 * @category verbs
 * @since 0.1.0
 */
export const accepted = (self: Levels, level: number, latency: number, most: number): Levels => {
  const timed = measure(counting(self, level), level, latency)
  const isSlow = timed.recent > timed.base * (1 + (slow - 1) / 2)
  // one more for each round of calls, while it is the number that holds them back
  const cap =
    level >= Math.floor(timed.cap) && !isSlow ? Math.min(most, timed.top, timed.cap + 1 / timed.cap) : timed.cap
  const isTried = timed.top < most && timed.sinceTop >= timed.tryAfter
  return {
    ...timed,
    cap,
    top: isTried ? timed.top + 1 : timed.top,
    sinceTop: isTried || timed.top >= most ? 0 : timed.sinceTop + 1,
    refused: self.refused.length === 0 ? self.refused : self.refused.map((count) => count * fading)
  }
}

/** Notes an accepted call, and counts those together that were not counted yet, where they are many. */
const counting = (self: Levels, level: number): Levels => {
  const since = [...self.since, level]
  return since.length < together ? { ...self, since } : counted({ ...self, since })
}

/** Counts what was not counted yet. */
const counted = (self: Levels): Levels => {
  if (self.since.length === 0) return self
  const accepted = Array.from(self.accepted)
  for (const level of self.since) {
    for (let other = 0; other < accepted.length; other++) accepted[other] = (accepted[other] ?? 0) * fading
    while (accepted.length <= level) accepted.push(0)
    accepted[level] = (accepted[level] ?? 0) + 1
  }
  return { ...self, accepted, since: [] }
}

/** The mean of ten latencies against the least such mean. */
const measure = (self: Levels, level: number, latency: number): Levels => {
  if (self.latencies.length < sample - 1) return { ...self, latencies: [...self.latencies, latency] }
  const recent = (self.latencies.reduce((sum, one) => sum + one, 0) + latency) / sample
  const base = Math.min(self.base * drift, recent)
  const isSlow = recent > base * slow && recent > base + slowBy
  const cap = isSlow ? Math.max(1, Math.min(self.cap, level) * Math.max(smallestCut, (base * slow) / recent)) : self.cap
  return { ...self, latencies: [], base, recent, cap }
}

/**
 * Notes a first refusal of a level. `isBlamed` says that the number in flight explains it; the limit is then kept below
 * the lowest level that is refused.
 *
 * @category verbs
 * @since 0.1.0
 */
export const refused = (
  before: Levels,
  level: number,
  { mayBlame, most }: { readonly mayBlame: boolean; readonly most: number }
): { readonly levels: Levels; readonly isBlamed: boolean } => {
  const heard: Levels = { ...counted(before), refused: raised(before.refused, level) }
  // refused again at a level that was thought to be allowed: it was not the number
  const isWrong = level <= heard.top && heard.top < most && (heard.refused[level] ?? 0) > 1.5
  const self = isWrong ? { ...heard, top: most, tryAfter: firstTry } : heard
  const lowest = self.refused.findIndex((count) => count > notFaded)
  if (!mayBlame || level < 2 || lowest < 2 || !isTelling(self, lowest)) return { levels: self, isBlamed: false }
  const top = lowest - 1
  return {
    isBlamed: true,
    levels: {
      ...self,
      top,
      cap: Math.min(self.cap, top),
      sinceTop: 0,
      tryAfter: Math.min(lastTry, 2 * self.tryAfter),
      accepted: self.accepted.map((count) => count / 2),
      refused: self.refused.map((count) => count / 2)
    }
  }
}

/** Whether it is no chance that so many refusals met calls of this level and above. */
const isTelling = ({ accepted: ok, refused: no }: Levels, lowest: number): boolean => {
  const refusals = sum(no, lowest)
  if (refusals < fewRefusals) return false
  return (sum(ok, lowest) / sum(ok, 0)) ** refusals < chance
}

const sum = (counts: ReadonlyArray<number>, from: number): number => {
  let total = 0
  for (let level = from; level < counts.length; level++) total += counts[level] ?? 0
  return total
}

const raised = (counts: ReadonlyArray<number>, level: number): ReadonlyArray<number> => {
  const next = Array.from(counts)
  while (next.length <= level) next.push(0)
  next[level] = (next[level] ?? 0) + 1
  return next
}

/**
 * Brings what is allowed below `most`, or lifts it where `most` was what held it back.
 *
 * @category verbs
 * @since 0.1.0
 */
export const clamp = (self: Levels, most: number, before: number): Levels => ({
  ...self,
  cap: Math.min(self.cap, most),
  top: self.top >= before ? most : Math.min(self.top, most)
})
