import type * as Effect from "effect/Effect"

/**
 * A right to one exchange. It is given back once, when the exchange has ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Permit {
  /**
   * Waits until the exchange may begin, which is at once unless writing before it took longer than the pace allows for.
   * To be run right before it.
   */
  readonly depart: Effect.Effect<void>
  readonly release: Effect.Effect<void>
}

/**
 * Places for running jobs, shared by all lanes. Whoever starts a job takes one; it is given back by others, who say so
 * with `roomLeft`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Room {
  readonly left: () => number
  readonly take: () => void
}
