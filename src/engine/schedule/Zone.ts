/**
 * What the clocks of a time zone show, and when they are set.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import { dayMillis } from "./Calendar.ts"

/** A time zone of the IANA database. */
export interface Zone {
  readonly name: string
  /** How far its clocks are ahead of UTC at a moment, in milliseconds. */
  readonly offset: (at: number) => number
}

/** The zone of this name; `undefined`: there is none. An offset such as `+02:00` is no zone, since it knows no summer. */
export const zone = (name: string): Zone | undefined => {
  const found = /^[A-Za-z]/.test(name) ? Option.getOrUndefined(DateTime.zoneMakeNamed(name)) : undefined
  return (
    found && {
      name,
      offset: (at) => DateTime.zonedOffset(DateTime.makeZonedUnsafe(Math.floor(at / 1000) * 1000, { timeZone: found }))
    }
  )
}

/** A gap of more than this is a country that drops a day, and is not made up. */
const widestGap = 3 * 3_600_000

/**
 * The moment at which the clocks first show a wall time; for one that they skip, the end of the gap. `undefined`: a day
 * that the zone has not had.
 */
export const firstMoment = ({ offset }: Zone, wall: number): number | undefined => {
  const before = offset(wall - dayMillis)
  const after = offset(wall + dayMillis)
  // clocks that are set back show it twice, the first time by what they were set before
  const early = wall - before
  if (offset(early) === before) return early
  const late = wall - after
  if (offset(late) === after) return late
  if (after - before > widestGap) return undefined
  return changeIn({ offset }, before, wall - 1.5 * dayMillis, wall + 1.5 * dayMillis)
}

/** The first moment after `from` at which the offset is no longer `before`, if it is another one at `to`. */
export const changeIn = ({ offset }: Pick<Zone, "offset">, before: number, from: number, to: number): number => {
  let low = Math.floor(from / 1000)
  let high = Math.floor(to / 1000)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offset(middle * 1000) === before) low = middle
    else high = middle
  }
  return high * 1000
}
