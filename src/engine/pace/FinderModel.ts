/**
 * What a finder knows: the value that each event makes anew.
 *
 * @since 0.1.0
 */
import type { Levels } from "./Levels.ts"
import type { Quota } from "./Quota.ts"
import type { Search } from "./Search.ts"

/**
 * What a finder never exceeds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ceiling {
  /** Calls per second. */
  readonly rps: number
  /** Calls in flight at once. */
  readonly maxConcurrent: number
}

/**
 * What is known of an upstream's pace.
 *
 * @category models
 * @since 0.1.0
 */
export interface Finder {
  readonly ceiling: Ceiling
  /** Whether what is left of a told quota is spread over its window, or spent at once. */
  readonly isSpread: boolean
  /** Whether the ceiling is a pace that somebody has told: answers that take longer then let no fewer calls out. */
  readonly isKnown: boolean
  readonly search: Search
  readonly levels: Levels
  readonly quotas: ReadonlyArray<Quota>
  /** Calls per second that policies allow; `Infinity` where none was told. */
  readonly policy: number
  /** When the call was sent whose answer told it. */
  readonly policyAt: number
  /** When the next call is due by the pace. */
  readonly dueAt: number
  /** When the last call was sent. */
  readonly sentAt: number
  readonly heldUntil: number
  /** A refusal of a call sent before this is no news. */
  readonly heldFrom: number
  /** By how much a told wait was too short lately. */
  readonly waitMargin: number
  /** Accepted calls since the last refusal. */
  readonly good: number
  /** The longest time to an end that was told. */
  readonly longestTold: number
  readonly open: ReadonlyArray<Call>
  /** Calls that were sent. */
  readonly count: number
}

/**
 * A call in flight.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly id: number
  /** When it was sent, or let through while it is on its way out. */
  readonly at: number
  /** Whether it was sent. */
  readonly isOut: boolean
  /** How many were in flight with it, itself included. */
  readonly level: number
  /** Whether the pace held it back. */
  readonly isBound: boolean
  /** Its place in the order of sending. */
  readonly seq: number
  /** By how many milliseconds it has put the next one off. */
  readonly interval: number
}

/**
 * Calls per second, at most, whatever was found.
 *
 * @category accessors
 * @since 0.1.0
 */
export const mostOf = ({ ceiling, policy }: Finder): number => Math.min(ceiling.rps, policy)

/**
 * Lets nothing through before a moment; an earlier hold never shortens a later one.
 *
 * @category verbs
 * @since 0.1.0
 */
export const hold = (self: Finder, until: number): Finder =>
  until > self.heldUntil ? { ...self, heldUntil: until } : self
