/**
 * The whole dam at once: what happens in it, how much, and how fast.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { states } from "../../engine/JobState.ts"
import type { LaneHistory } from "../observe/History.ts"
import { type Span, spanMillis } from "../observe/Stats.ts"
import { Lane } from "./LaneShapes.ts"
import { Amount, between, Count, Moment, optional, word } from "./Parts.ts"

const Percentiles = Schema.Struct({
  count: Count,
  p50: Schema.NullOr(Amount),
  p95: Schema.NullOr(Amount),
  p99: Schema.NullOr(Amount)
}).annotate({ identifier: "Percentiles" })

/** Counts and latencies of the last hour, in spans. */
export const Stats = Schema.Struct({
  span_ms: Count,
  spans: Schema.Array(
    Schema.Struct({
      at: Moment,
      accepted: Count,
      succeeded: Count,
      failed: Count,
      cancelled: Count,
      wait: Percentiles,
      total: Percentiles
    })
  )
}).annotate({ identifier: "Stats" })

/** Shows the last hour. */
export const stats = (spans: ReadonlyArray<Span>): typeof Stats.Encoded => ({
  span_ms: spanMillis,
  spans: spans.map(({ total, wait, ...counts }) => ({ ...counts, wait: { ...wait }, total: { ...total } }))
})

/** Which lane, and how many hours back. */
export const HistoryQuery = {
  lane: optional(Schema.String.check(Schema.isMaxLength(300, { message: "Expected a host or host:port" }))),
  hours: optional(between(1, 168))
}

/** What went through a lane, or through all of them, in spans; those in which nothing happened are left out. */
export const History = Schema.Struct({
  lane: Schema.NullOr(Schema.String),
  span_ms: Count,
  from: Moment,
  spans: Schema.Array(
    Schema.Struct({
      at: Moment,
      accepted: Count,
      succeeded: Count,
      failed: Count,
      cancelled: Count,
      /** Calls that were answered, and how many of them were refused for now. */
      calls: Count,
      refused: Count,
      /** For how long answers made it wait. */
      held_ms: Amount,
      latency: Percentiles
    })
  )
}).annotate({ identifier: "History" })

/** Shows what went through. */
export const history = (
  lane: string | undefined,
  { from, spanMillis, spans }: LaneHistory
): typeof History.Encoded => ({
  lane: lane ?? null,
  span_ms: spanMillis,
  from,
  spans: spans.map(({ heldMillis, latency, ...counts }) => ({
    ...counts,
    held_ms: heldMillis,
    latency: { ...latency }
  }))
})

/** What the feed says: all at first (`snapshot`), then what changed (`update`). */
export const Update = Schema.Struct({
  at: Moment,
  lanes: Schema.Array(Lane),
  removed_lanes: Schema.Array(Schema.String),
  jobs: Schema.Array(Schema.Struct({ job_id: Schema.String, status: word(states), lane: Schema.String, at: Moment })),
  more_jobs: Count,
  /** Some of what happened is not known any more: what is shown of jobs is to be read again. */
  missed: Schema.Boolean,
  counters: Schema.Record(Schema.String, Schema.Finite)
}).annotate({ identifier: "Update" })
