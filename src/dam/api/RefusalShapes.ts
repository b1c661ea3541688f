/**
 * What is said when something is not done.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type { Refused } from "../intake/Refusal.ts"
import { batchStates } from "../store/BatchRecords.ts"
import { states } from "../../engine/JobState.ts"
import { Count, Moment, optional, word } from "./Parts.ts"

const said = <S extends Schema.Top>(schema: S, description: string) => optional(schema.annotate({ description }))

/**
 * The body of an error.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ApiError = Schema.Struct({
  error: Schema.String.annotate({ description: "What is wrong, for people" }),
  code: Schema.String.annotate({ description: "What is wrong, for programs; a code never changes its meaning" }),
  field: said(Schema.String, "The path of what is wrong in the body, or the name of a parameter or header"),
  position: said(Count, "Where the body stops being JSON, in characters from its beginning"),
  nearest: said(Schema.String, "The known key that is spelt most like the one that is not"),
  reason: said(Schema.String, "Why a URL is denied, or the times of a schedule"),
  state: said(
    word([...states, ...batchStates, "unknown"]),
    "Where the job or batch is that something else is wanted of"
  ),
  line: said(Count, "The line of a batch that is wrong, or missing"),
  job_id: said(Schema.String, "The job that has the idempotency key already"),
  limit_reason: said(Schema.String, "Which limit is reached"),
  limit: said(Count, "How much that limit allows"),
  current: said(Count, "How much there is now"),
  copied_at: said(Moment, "When the copy was made that the database is"),
  retry_after_ms: said(Count, "After how many milliseconds it is worth asking again")
}).annotate({ identifier: "Error" })

/**
 * The body of a refusal.
 *
 * @category encoding
 * @since 0.1.0
 */
export const refusal = ({ code, extra, field, problem }: Refused): typeof ApiError.Encoded => ({
  error: problem,
  code,
  ...(field === undefined ? {} : { field }),
  ...extra
})
