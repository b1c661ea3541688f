/**
 * What may be changed of a job that waits.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"
import { nullable, optional } from "./Parts.ts"

/** What is left out stays as it is; `null` takes it away. */
export const JobChange = Schema.Struct({
  priority: nullable(Fields.Priority),
  retry_at: nullable(Fields.EpochMillis),
  /** Counted from now, in place of `retry_at`. */
  delay_ms: optional(Fields.Millis),
  start_before: nullable(Fields.EpochMillis),
  body: nullable(Schema.String),
  body_base64: optional(Schema.String.check(Schema.isBase64())),
  /** By name; what is not named stays. */
  headers: optional(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))
}).annotate({ identifier: "JobChange" })

/** Which revision is meant: the `ETag` of the job, or `*` for whichever it is. */
export const IfMatch = { "if-match": optional(Schema.String) }
