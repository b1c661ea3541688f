/**
 * What went through each lane, hour by hour, as it is stored.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { StoreError } from "./StoreError.ts"

/**
 * How long the spans of history are, in milliseconds, and for how long each is kept: five minutes for a day, an hour for a
 * week.
 *
 * @category constants
 * @since 0.1.0
 */
export const resolutions = [
  { span: 300_000, keeps: 24 * 3_600_000 },
  { span: 3_600_000, keeps: 7 * 24 * 3_600_000 }
] as const

/**
 * What happened in a lane in a while.
 *
 * @category models
 * @since 0.1.0
 */
export interface HistoryEntry {
  /** `""` for all lanes together, `*` for those beyond the most that are kept apart. */
  readonly lane: string
  /** Epoch milliseconds: a moment in it when it is noted, its beginning when it is read. */
  readonly at: number
  readonly accepted: number
  readonly succeeded: number
  readonly failed: number
  readonly cancelled: number
  /** Calls that were answered. */
  readonly calls: number
  /** Of these, how many the upstream refused for now. */
  readonly refused: number
  /** Milliseconds for which answers made the lane wait. */
  readonly heldMillis: number
  /** How many calls took how long: counts by bin, where `bin` n reaches up to `factor ** n` milliseconds. */
  readonly latency: ReadonlyArray<readonly [bin: number, calls: number]>
}

/**
 * By how much one bin of latencies is longer than the one before.
 *
 * @category constants
 * @since 0.1.0
 */
export const factor = 1.3

/**
 * What went through lanes over days, in a bounded number of rows.
 *
 * @category ports
 * @since 0.1.0
 */
export interface HistoryPort {
  /** Adds to what is noted of the spans these moments lie in, and forgets what is older than is kept. */
  readonly noteHistory: (entries: ReadonlyArray<HistoryEntry>) => Effect.Effect<void, StoreError>
  /** The spans of one length from a moment on, of one lane, oldest first; those in which nothing happened are left out. */
  readonly history: (
    lane: string,
    span: (typeof resolutions)[number]["span"],
    from: number
  ) => Effect.Effect<ReadonlyArray<HistoryEntry>, StoreError>
}
