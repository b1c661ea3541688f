/**
 * What of a finder is worth keeping over a restart: what was found, not what is under way. No moment is in it, since the
 * clock of the next process is another one.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as Finder from "./Finder.ts"
import * as Levels from "./Levels.ts"
import * as Search from "./Search.ts"

/**
 * What was found.
 *
 * @category models
 * @since 0.1.0
 */
export const Kept = Schema.Struct({
  /** Calls per second. */
  rate: Schema.Finite,
  peak: Schema.Finite,
  climbed: Schema.Finite,
  climb: Schema.Finite,
  starting: Schema.Boolean,
  penalty: Schema.Boolean,
  /** Milliseconds. */
  longRefused: Schema.Finite,
  waitMargin: Schema.Finite,
  /** Calls in flight. */
  cap: Schema.Finite,
  top: Schema.Finite,
  tryAfter: Schema.Finite
})

/**
 * What was found.
 *
 * @category models
 * @since 0.1.0
 */
export type Kept = typeof Kept.Type

/**
 * Takes what is worth keeping; `undefined` where nothing was found that a finder made anew would not do itself.
 *
 * @category conversions
 * @since 0.1.0
 */
export const keep = ({ ceiling, levels, search, waitMargin }: Finder.Finder): Kept | undefined => {
  const isPlain = search.rate >= ceiling.rps && Levels.capOf(levels) >= ceiling.maxConcurrent
  return isPlain && !search.isStarting
    ? undefined
    : {
        rate: search.rate,
        peak: search.peak,
        climbed: search.climbed,
        climb: search.climb,
        starting: search.isStarting,
        penalty: search.isPenalty,
        longRefused: search.longRefused,
        waitMargin,
        cap: levels.cap,
        top: levels.top,
        tryAfter: levels.tryAfter
      }
}

/**
 * Goes on from what was kept, under the ceiling that holds now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const recall = (self: Finder.Finder, kept: Kept): Finder.Finder => {
  const { ceiling, levels, search } = self
  const rate = Math.min(kept.rate, ceiling.rps)
  return {
    ...self,
    waitMargin: kept.waitMargin,
    search: Search.clamp(
      {
        ...search,
        rate,
        peak: kept.peak,
        climbed: kept.climbed,
        climb: kept.climb,
        isStarting: kept.starting,
        isPenalty: kept.penalty,
        longRefused: kept.longRefused,
        cycle: { ...search.cycle, topRate: rate }
      },
      ceiling.rps
    ),
    levels: {
      ...levels,
      cap: Math.max(1, Math.min(kept.cap, ceiling.maxConcurrent)),
      top: Math.max(1, Math.min(kept.top, ceiling.maxConcurrent)),
      tryAfter: kept.tryAfter
    }
  }
}
