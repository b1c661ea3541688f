/**
 * Limits that calls draw on together, whatever their lanes, in memory.
 *
 * @since 0.1.0
 */
import * as Bucket from "../engine/limits/Bucket.ts"
import type { Limit } from "../engine/limits/Limit.ts"
import type { Draw } from "../step/StepModel.ts"

/**
 * A limit's bucket for one key, and who waits for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Share<Waiting> {
  readonly id: string
  bucket: Bucket.Bucket
  /** Those that wait first in their lines, and draw on it. */
  readonly first: Set<Waiting>
  /** How many wait. */
  asked: number
}

/**
 * Shares of limits, made when they are drawn on and forgotten when they have rested.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits<Waiting> {
  readonly share: (draw: Draw, now: number) => Share<Waiting>
}

/** So many keys of limits are kept before those that rest are forgotten. */
const mostKeys = 1000

/**
 * Makes them of their definitions.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Waiting>(defined: Readonly<Record<string, Limit>>): Limits<Waiting> => {
  const shares = new Map<string, Share<Waiting>>()
  return {
    share: ({ key, name }, now) => {
      const id = JSON.stringify([name, key])
      const known = shares.get(id)
      if (known !== undefined) return known
      const limit = Object.hasOwn(defined, name) ? defined[name] : undefined
      if (limit === undefined) throw new TypeError(`draws: there is no limit ${JSON.stringify(name)}`)
      if (shares.size >= mostKeys) {
        for (const [one, { asked, bucket }] of shares) {
          if (asked === 0 && Bucket.isQuiet(bucket, now)) shares.delete(one)
        }
      }
      const made: Share<Waiting> = { id, bucket: Bucket.make(limit, now), first: new Set(), asked: 0 }
      shares.set(id, made)
      return made
    }
  }
}
