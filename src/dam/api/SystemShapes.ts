/**
 * What the dam says of itself.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Count, Moment, optional, word } from "./Parts.ts"

/** What every dam tells on `/health`. */
export const healthFields = {
  /** `degraded`: some calls cannot be made, and their jobs wait; `shortage` says why. */
  status: word(["ok", "degraded"]),
  shortage: optional(Schema.Struct({ problem: Schema.String, since: Moment, lanes: Count })),
  version: optional(Schema.String),
  /** The file is a copy from then, and nothing is sent or taken. */
  is_copy_of: optional(Moment),
  authentication: word(["none", "keys"]),
  egress: Schema.String,
  /** Jobs by state, what waits and is stored, and the marks beyond which jobs are answered 429. */
  admission: Schema.Record(Schema.String, Count),
  limits: Schema.Record(Schema.String, Count),
  /** Event streams that are open. */
  streams: Count
}

/** Whether it runs, whom it lets in, how full it is; with L8 and observability it tells more. */
export const Health = Schema.StructWithRest(Schema.Struct(healthFields), [Schema.JsonObject]).annotate({
  identifier: "Health"
})

/** A copy that was made: its name beneath the folder for backups, and the moment that it shows. */
export const Backup = Schema.Struct({
  file: Schema.String,
  bytes: Count,
  copied_at: Moment,
  took_ms: Count
}).annotate({ identifier: "Backup" })

/** Who has signed in to the page; null where it has to ask for a key. */
export const Session = Schema.Struct({ customer: Schema.NullOr(Schema.String) })

/** Shows who has signed in. */
export const session = (customer: string | undefined): typeof Session.Encoded => ({ customer: customer ?? null })
