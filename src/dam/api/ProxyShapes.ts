/**
 * The envelope of the official clients, as it is opened here.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Answer } from "./CallShapes.ts"
import { nullable, optional, word } from "./Parts.ts"

/**
 * The envelope.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Envelope = Schema.Struct({
  scope: optional(Schema.String),
  metric_name: optional(Schema.String),
  target_url: Schema.String,
  method: Schema.String,
  headers: nullable(Schema.Record(Schema.String, Schema.String)),
  body: nullable(Schema.String)
}).annotate({ identifier: "Envelope" })

/**
 * What it is answered.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Proxied = Schema.Struct({
  status: word(["allowed", "denied"]),
  error: optional(Schema.String),
  forwarded_response: optional(Answer)
}).annotate({ identifier: "Proxied" })

/** The call was made, and this is what it was answered. */
export const allowed = (answer: typeof Answer.Encoded): typeof Proxied.Encoded => ({
  status: "allowed",
  forwarded_response: answer
})

/** The caller is not let in. */
export const denied = (error: string): typeof Proxied.Encoded => ({ status: "denied", error })
