/**
 * What of a finder is worth keeping over a restart: what was found, not what is under way. No moment is in it, since the
 * clock of the next process is another one.
 *
 * @since 0.1.0
 */
import * as Finder from "./Finder.ts"
import * as Levels from "./Levels.ts"

/**
 * What was found. Everything but `peak`, `climbed`, `longRefused` and `waitMargin` is above zero.
 *
 * @category models
 * @since 0.1.0
 */
export interface Kept {
  /** Under which ceiling it was found, and whether that was told or set as the pace. */
  readonly ceiling: Finder.Ceiling
  readonly known: boolean
  /** Calls per second. */
  readonly rate: number
  readonly peak: number
  readonly climbed: number
  readonly climb: number
  readonly starting: boolean
  readonly penalty: boolean
  /** Milliseconds. */
  readonly longRefused: number
  readonly waitMargin: number
  /** Calls in flight. */
  readonly cap: number
  readonly top: number
  readonly tryAfter: number
}

/**
 * Takes what is worth keeping; `undefined` where nothing was found that a finder made anew would not do itself.
 *
 * @category conversions
 * @since 0.1.0
 */
export const keep = ({ ceiling, isKnown, levels, search, waitMargin }: Finder.Finder): Kept | undefined => {
  const isPlain = isKnown && search.rate >= ceiling.rps && Levels.capOf(levels) >= ceiling.maxConcurrent
  return isPlain
    ? undefined
    : {
        ceiling,
        known: isKnown,
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
 * Goes on from what was kept, under the ceiling that holds now. What was found by searching says nothing of a pace that is
 * set, and the other way round.
 *
 * @category constructors
 * @since 0.1.0
 */
export const recall = (self: Finder.Finder, kept: Kept): Finder.Finder => {
  const { ceiling, isKnown, levels, search } = self
  if (kept.known !== isKnown) return self
  const before: Finder.Finder = {
    ...self,
    ceiling: kept.ceiling,
    waitMargin: kept.waitMargin,
    search: {
      ...search,
      rate: kept.rate,
      peak: kept.peak,
      climbed: kept.climbed,
      climb: kept.climb,
      isStarting: kept.starting,
      isPenalty: kept.penalty,
      longRefused: kept.longRefused,
      cycle: { ...search.cycle, topRate: kept.rate }
    },
    levels: { ...levels, cap: kept.cap, top: kept.top, tryAfter: kept.tryAfter }
  }
  return Finder.limit(before, ceiling)
}
