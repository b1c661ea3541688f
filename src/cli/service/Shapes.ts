/** What the commands read of the service's answers; what a newer service says beside it is left to `--json`. */
import * as Schema from "effect/Schema"

const nullable = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const summary = {
  job_id: Schema.String,
  status: Schema.String,
  delivery_status: Schema.String,
  idempotent_key: Schema.String,
  method: Schema.String,
  url: Schema.String,
  lane: Schema.String,
  created_at: Schema.Number,
  started_at: nullable(Schema.Number),
  finished_at: nullable(Schema.Number),
  due_at: nullable(Schema.Number),
  attempts_made: Schema.Number,
  response_status: nullable(Schema.Number),
  metadata: Schema.JsonObject,
  parent: nullable(Schema.Struct({ job_id: Schema.String, relation: Schema.String })),
  rerun_of: nullable(Schema.String)
}

export const JobSummary = Schema.Struct(summary)
export type JobSummary = typeof JobSummary.Type

export const Attempt = Schema.Struct({
  kind: Schema.String,
  path: Schema.Number,
  region: nullable(Schema.String),
  at: Schema.Number,
  pause_ms: Schema.Number,
  latency_ms: Schema.Number,
  ending: Schema.String,
  status: nullable(Schema.Number),
  error: nullable(Schema.String)
})
export type Attempt = typeof Attempt.Type

const Call = Schema.Struct({
  at: Schema.Number,
  latency_ms: Schema.Number,
  status: nullable(Schema.Number),
  error: nullable(Schema.String),
  excerpt: nullable(Schema.String)
})

export const Job = Schema.Struct({
  ...summary,
  region: nullable(Schema.String),
  response: nullable(
    Schema.Struct({ status_code: Schema.Number, body: Schema.String, body_base64: Schema.optionalKey(Schema.String) })
  ),
  error: nullable(Schema.String),
  attempts: Schema.Array(Attempt),
  deliveries: Schema.Array(
    Schema.Struct({
      delivery_id: Schema.String,
      url: Schema.String,
      status: Schema.String,
      due_at: nullable(Schema.Number),
      attempts: Schema.Array(Call)
    })
  )
})
export type Job = typeof Job.Type

export const JobPage = Schema.Struct({ jobs: Schema.Array(JobSummary), cursor: nullable(Schema.String) })

/** The answer to a submission or a rerun. */
export const Receipt = Schema.Struct({
  job_id: Schema.String,
  status: Schema.String,
  idempotent_key: nullable(Schema.String),
  duplicate: Schema.optionalKey(Schema.Boolean)
})
export type Receipt = typeof Receipt.Type

export const Done = Schema.Struct({ status: Schema.String, message: nullable(Schema.String) })

export const MaskedSecrets = Schema.Struct({
  customer_id: Schema.String,
  primary_secret: Schema.String,
  secondary_secret: nullable(Schema.String)
})

export const Lane = Schema.Struct({
  lane: Schema.String,
  queued: Schema.Number,
  parked: Schema.Number,
  running: Schema.Number,
  rps: Schema.Number,
  max_concurrent: Schema.Number,
  source: Schema.String,
  holds: Schema.Array(
    Schema.Struct({
      until: nullable(Schema.Number),
      reason: Schema.String,
      account: nullable(Schema.String)
    })
  ),
  paused: nullable(Schema.Struct({ by: Schema.String, at: Schema.Number, note: nullable(Schema.String) })),
  next_at: nullable(Schema.Number),
  waiting: Schema.optionalKey(Schema.Number)
})
export type Lane = typeof Lane.Type

export const LanePage = Schema.Struct({ lanes: Schema.Array(Lane), next_cursor: nullable(Schema.String) })

export const LaneLog = Schema.Struct({
  entries: Schema.Array(
    Schema.Struct({
      at: Schema.Number,
      by: Schema.String,
      action: Schema.String,
      detail: Schema.optionalKey(Schema.String)
    })
  )
})

export const DeadLetter = Schema.Struct({
  delivery_id: Schema.String,
  job_id: Schema.String,
  url: Schema.String,
  reason: Schema.String,
  dead_at: Schema.Number,
  attempts: Schema.Array(Call)
})
export type DeadLetter = typeof DeadLetter.Type

export const DeadPage = Schema.Struct({ dead_letters: Schema.Array(DeadLetter), next_cursor: nullable(Schema.String) })

export const Explanation = Schema.Struct({
  job_id: Schema.String,
  status: Schema.String,
  reasons: Schema.Array(Schema.Struct({ kind: Schema.String, message: Schema.String, until: nullable(Schema.Number) })),
  estimated_start: nullable(Schema.Number),
  confidence: Schema.String
})
export type Explanation = typeof Explanation.Type

export const Replayed = Schema.Struct({ replayed: Schema.Number })
export const Purged = Schema.Struct({ purged: Schema.Number })

/** `/health`, as far as it is known. */
export const Health = Schema.Struct({
  status: Schema.String,
  version: Schema.optionalKey(Schema.String),
  authentication: Schema.optionalKey(Schema.String),
  egress: Schema.optionalKey(Schema.String),
  admission: Schema.optionalKey(Schema.JsonObject)
})
