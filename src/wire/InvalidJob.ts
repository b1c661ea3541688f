import * as Schema from "effect/Schema"

/**
 * A job that cannot be read: where and why.
 *
 * **Details** — `field` is the path in the protocol's spelling, such as `on_success.retry_policy.max_retries`; for an
 * unknown or doubled key its last part is spelt as it came. `nearest` is the known name that an unknown one resembles
 * most. The offending value is never part of the message, because it may be a secret.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidJob extends Schema.TaggedError<InvalidJob>()("InvalidJob", {
  code: Schema.Literals([
    "unknown_field",
    "duplicate_key",
    "invalid_field",
    "invalid_header",
    "duplicate_header",
    "too_deep"
  ]),
  field: Schema.String,
  problem: Schema.String,
  nearest: Schema.UndefinedOr(Schema.String)
}) {
  override get message() {
    return `${this.field}: ${this.problem}`
  }
}
