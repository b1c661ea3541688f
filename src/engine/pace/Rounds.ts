/**
 * The window of a quota whose end is not told: found by the moments at which its amount jumps up, since windows have
 * round lengths.
 *
 * @since 0.1.0
 */
import type { Interval } from "./Said.ts"

/**
 * What renewals have shown.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rounds {
  /** When the last renewal was; `undefined` before the first. */
  readonly renewed: Interval | undefined
  /** The length of a window; 0 while it is not known. */
  readonly window: number
}

/**
 * Before anything was seen.
 *
 * @category constants
 * @since 0.1.0
 */
export const none: Rounds = { renewed: undefined, window: 0 }

const lengths = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400].map(
  (seconds) => seconds * 1000
)

/** A found end is passed by this much before it is believed. */
const grace = 20

/**
 * Takes in a renewal: it was after `from`, when a call was sent that found the old amount, and before `by`.
 *
 * @category verbs
 * @since 0.1.0
 */
export const renewed = (
  { renewed: last, window }: Rounds,
  { by, from, sentAt }: Interval & { readonly sentAt: number }
): Rounds => {
  if (last === undefined) return { renewed: { from, by }, window }
  const turns = window > 0 ? Math.max(1, Math.round((sentAt - last.by) / window)) : 1
  const fits = (length: number): boolean => last.from + turns * length <= by && last.by + turns * length >= from
  if (window > 0 && fits(window)) {
    const at = turns * window
    return { window, renewed: { from: Math.max(from, last.from + at), by: Math.min(by, last.by + at) } }
  }
  return { window: lengths.find(fits) ?? 0, renewed: { from, by } }
}

/**
 * When the next renewal will be, as far as it is known.
 *
 * @category accessors
 * @since 0.1.0
 */
export const next = ({ renewed: last, window }: Rounds, now: number): Interval | undefined => {
  if (last === undefined || window === 0) return undefined
  const at = Math.max(0, Math.ceil((now - last.by) / window)) * window
  return { from: last.from + at, by: last.by + at + grace }
}
