/**
 * Which moments of a schedule are fired now, and what is left of it. Pure: what the clock shows and whether the last job
 * still goes on come in, what to submit comes out.
 *
 * @since 0.1.0
 */
import type { Timing } from "./Timing.ts"

/**
 * What is done with a moment whose predecessor has not ended: it is dropped, it waits for it, or it does not mind.
 *
 * @category models
 * @since 0.1.0
 */
export const overlaps = ["skip", "queue", "parallel"] as const

/**
 * Which of the moments that were missed are made up: none of them, the latest, or all up to a number.
 *
 * @category models
 * @since 0.1.0
 */
export const catchUps = ["none", "last", "all"] as const

/**
 * How a schedule fires.
 *
 * @category models
 * @since 0.1.0
 */
export interface FiringRules {
  readonly overlap: (typeof overlaps)[number]
  readonly catchUp: (typeof catchUps)[number]
  /** How many are made up where all are. */
  readonly catchUpMost: number
}

/**
 * How far a schedule has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  readonly paused: boolean
  /** The last moment that was dealt with, in epoch milliseconds. */
  readonly after: number
  /** Moments that wait for their predecessors to end. */
  readonly waiting: ReadonlyArray<number>
  readonly fired: number
  /** Moments that passed while nobody looked and were not made up. */
  readonly missed: number
  /** Moments dropped because a predecessor had not ended. */
  readonly skipped: number
  /** The last firing. */
  readonly last: { readonly at: number; readonly jobId: string } | undefined
}

/**
 * What is to be done now.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  /** The moments to submit, in their order. */
  readonly fire: ReadonlyArray<number>
  /** What holds once they are submitted, but for `fired` and `last`. */
  readonly progress: Progress
  /** When to look again, in epoch milliseconds; `undefined`: nothing is to come. */
  readonly lookAt: number | undefined
}

/** What is later than this was missed, and not merely looked at a little late. */
const lateAfter = 60_000

/** How many moments wait at most; what comes beyond is skipped. */
const waitingAtMost = 100

/** How often a schedule with moments that wait looks whether their predecessor has ended. */
const lookEvery = 1000

/** So many moments are gone through one by one; of more, those in the middle are not counted. */
const countedAtMost = 1000

/**
 * A schedule that was just made.
 *
 * @category constructors
 * @since 0.1.0
 */
export const begin = (now: number): Progress => ({
  paused: false,
  after: now,
  waiting: [],
  fired: 0,
  missed: 0,
  skipped: 0,
  last: undefined
})

/**
 * Decides.
 *
 * @category decisions
 * @since 0.1.0
 */
export const decide = (
  timing: Timing,
  rules: FiringRules,
  progress: Progress,
  { now, isRunning }: { readonly now: number; readonly isRunning: boolean }
): Decision => {
  if (progress.paused) return { fire: [], progress, lookAt: undefined }
  const due = dueBy(timing, progress.after, now)
  const made = madeUp(timing, rules, due, now)
  const missed = progress.missed + due.length - made.length
  const after = due.at(-1) ?? progress.after
  const { fire, skipped, waiting } = overlapping(rules, [...progress.waiting, ...made], {
    isRunning,
    waits: progress.waiting.length
  })
  const settled = { ...progress, after, missed, waiting, skipped: progress.skipped + skipped }
  return { fire, progress: settled, lookAt: lookAt(timing, settled, now) }
}

/**
 * When there is something to do, in epoch milliseconds.
 *
 * @category reckoning
 * @since 0.1.0
 */
export const lookAt = (timing: Timing, { after, paused, waiting }: Progress, now: number): number | undefined => {
  if (paused) return undefined
  const moment = timing.next(after)
  const due = moment === undefined ? Infinity : timing.due(moment)
  const look = waiting.length > 0 ? Math.min(due, now + lookEvery) : due
  return look === Infinity ? undefined : look
}

/**
 * Goes on after a pause: what was due in it is not made up.
 *
 * @category verbs
 * @since 0.1.0
 */
export const resume = (self: Progress, now: number): Progress =>
  self.paused ? { ...self, paused: false, after: Math.max(self.after, now) } : self

/**
 * Pauses: nothing is fired until it is resumed, and what waits is dropped.
 *
 * @category verbs
 * @since 0.1.0
 */
export const pause = (self: Progress): Progress => ({
  ...self,
  paused: true,
  skipped: self.skipped + self.waiting.length,
  waiting: []
})

const dueBy = (timing: Timing, after: number, now: number): ReadonlyArray<number> => {
  const due: Array<number> = []
  let moment = timing.next(after)
  while (moment !== undefined && timing.due(moment) <= now) {
    due.push(moment)
    // the newest are wanted whatever is left out
    const span = due.length === countedAtMost ? moment - (due[0] ?? moment) : 0
    moment = timing.next(span > 0 ? Math.max(moment, now - span) : moment)
    if (due.length >= 3 * countedAtMost) due.splice(0, countedAtMost)
  }
  return due
}

const madeUp = (
  timing: Timing,
  { catchUp, catchUpMost }: FiringRules,
  due: ReadonlyArray<number>,
  now: number
): ReadonlyArray<number> => {
  const isLate = (moment: number) => now - timing.due(moment) > lateAfter
  const late = due.filter(isLate)
  const timely = due.filter((moment) => !isLate(moment))
  switch (catchUp) {
    case "none":
      return timely
    case "last":
      return timely.length > 0 ? timely : late.slice(-1)
    case "all":
      return [...late.slice(-catchUpMost), ...timely]
  }
}

const overlapping = (
  { overlap }: FiringRules,
  moments: ReadonlyArray<number>,
  { isRunning, waits }: { readonly isRunning: boolean; readonly waits: number }
) => {
  if (overlap === "parallel") return { fire: moments, waiting: [], skipped: 0 }
  const first = isRunning ? 0 : 1
  const fire = moments.slice(0, first)
  const rest = moments.slice(first)
  if (overlap === "skip") return { fire, waiting: [], skipped: rest.length }
  const waiting = rest.slice(0, Math.max(waitingAtMost, waits))
  return { fire, waiting, skipped: rest.length - waiting.length }
}
