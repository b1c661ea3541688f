/**
 * When a schedule fires: by a cron expression in a zone, or every so long.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Cron from "./Cron.ts"
import type { Refusal } from "./CronFields.ts"

/**
 * The moments of a schedule, as they are written down.
 *
 * @category models
 * @since 0.1.0
 */
export interface TimingOptions {
  /** One of `cron` and `every`. */
  readonly cron?: string | undefined
  /** The time zone of `cron`. Defaults to `UTC`. */
  readonly zone?: string | undefined
  /** Milliseconds from one moment to the next, counted from `anchor`. */
  readonly every?: number | undefined
  /** Epoch milliseconds before which nothing fires. Defaults to no bound. */
  readonly start?: number | undefined
  /** Epoch milliseconds after which nothing fires. Defaults to no bound. */
  readonly end?: number | undefined
  /** The longest that a firing is put off, in milliseconds; by how much is its own. Defaults to 0. */
  readonly jitter?: number | undefined
}

/**
 * Moments that can be reckoned.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timing {
  /** The first moment after this one, in epoch milliseconds. */
  readonly next: (after: number) => number | undefined
  /** When the firing of a moment is due. */
  readonly due: (moment: number) => number
}

/**
 * Makes the moments of a schedule; `anchor` is the moment from which every so long is counted where it has no start.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (name: string, options: TimingOptions, anchor: number): Result.Result<Timing, Refusal> => {
  const { cron, end = Infinity, every, jitter = 0, start = -Infinity, zone = "UTC" } = options
  const bounded = (next: Timing["next"]): Timing => ({
    next: (after) => {
      const moment = next(Math.max(after, start - 1))
      return moment === undefined || moment > end ? undefined : moment
    },
    due: (moment) => {
      if (jitter === 0) return moment
      // no later than the next moment, so that firings are due in the order of their moments
      const most = Math.min(jitter, (next(moment) ?? Infinity) - moment)
      return moment + Math.floor(share(`${name} ${moment}`) * most)
    }
  })
  if (every === undefined)
    return Result.map(Cron.parse(cron ?? "", zone), (read) => bounded((at) => Cron.next(read, at)))
  const first = Number.isFinite(start) ? start : anchor + every
  return Result.succeed(
    bounded((after) => (after < first ? first : first + (Math.floor((after - first) / every) + 1) * every))
  )
}

/**
 * The next moments, at most so many.
 *
 * @category reckoning
 * @since 0.1.0
 */
export const upcoming = ({ next }: Timing, after: number, count: number): ReadonlyArray<number> => {
  const moments: Array<number> = []
  let at = next(after)
  while (at !== undefined && moments.length < count) {
    moments.push(at)
    at = next(at)
  }
  return moments
}

/** A part of 1 that a text always comes to, and that neighbours do not share. */
const share = (text: string): number => {
  let state = 0x811c9dc5
  for (const character of text) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193)
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return ((state ^ (state >>> 16)) >>> 0) / 2 ** 32
}
