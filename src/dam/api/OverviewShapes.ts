/**
 * The whole dam at once: what happens in it, how much, and how fast.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { states } from "../../engine/JobState.ts"
import { type Span, spanMillis } from "../observe/Stats.ts"
import { Lane } from "./LaneShapes.ts"
import { Amount, Count, Moment, word } from "./Parts.ts"

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
