/** The reasons why a transport brings nothing back as JSON: their tag and their fields, as they stand. */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Failures from "./FailureModel.ts"
import * as Withheld from "./Withheld.ts"

const reason = <Tag extends string, const Fields extends Schema.Struct.Fields, A extends TaggedWith<Tag, Fields>>(
  tag: Tag,
  make: new (fields: Schema.TaggedStruct<Tag, Fields>["Type"]) => A,
  fields: Fields
) =>
  Schema.TaggedStruct(tag, fields).pipe(
    Schema.decodeTo(
      Schema.instanceOf(make),
      SchemaTransformation.transform({
        decode: (given: Schema.TaggedStruct<Tag, Fields>["Type"]) => new make(given),
        encode: (error: A): Schema.TaggedStruct<Tag, Fields>["Type"] => error
      })
    )
  )

type TaggedWith<Tag extends string, Fields extends Schema.Struct.Fields> = Schema.TaggedStruct<Tag, Fields>["Type"]

const { Boolean, Literals, Number, String } = Schema

/**
 * Every reason for which a transport brings no reply.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailureFromJson: Schema.Codec<Failures.Failure, unknown> = Schema.Union([
  reason("ConnectionFailed", Failures.ConnectionFailed, { kind: Literals(Failures.connectionKinds), detail: String }),
  reason("TlsError", Failures.TlsError, { kind: Literals(Failures.tlsKinds), detail: String }),
  reason("AttemptTimedOut", Failures.AttemptTimedOut, { afterMillis: Number }),
  reason("InvalidResponse", Failures.InvalidResponse, { received: String }),
  reason("HeadersTooLarge", Failures.HeadersTooLarge, {}),
  reason("TooManyInterim", Failures.TooManyInterim, { limit: Number }),
  reason("UnsupportedEncoding", Failures.UnsupportedEncoding, { status: Number, layers: Number }),
  reason("InvalidEncoding", Failures.InvalidEncoding, { received: String }),
  reason("ResponseTooLarge", Failures.ResponseTooLarge, { status: Number, limitBytes: Number }),
  reason("Unsendable", Failures.Unsendable, { problem: String }),
  reason("SecretRefused", Failures.SecretRefused, {
    secret: String,
    kind: Literals(Failures.secretKinds),
    detail: String
  }),
  reason("TokenUnavailable", Failures.TokenUnavailable, { secret: String, detail: String }),
  reason("MissingApiKey", Failures.MissingApiKey, { variable: String, after: Schema.optionalKey(String) }),
  reason("ServiceUnreachable", Failures.ServiceUnreachable, { detail: String, maybeAccepted: Boolean }),
  reason("ServiceDenied", Failures.ServiceDenied, { detail: String }),
  reason("ServiceRateLimited", Failures.ServiceRateLimited, { detail: String, retryAt: Schema.UndefinedOr(Number) }),
  reason("ServiceFailed", Failures.ServiceFailed, { status: Number, received: String }),
  reason("JobRefused", Failures.JobRefused, { status: Number, received: String }),
  reason("MalformedAnswer", Failures.MalformedAnswer, { problem: String, received: String }),
  reason("BudgetExhausted", Withheld.BudgetExhausted, {
    target: String,
    status: Schema.UndefinedOr(Number),
    afterMillis: Schema.UndefinedOr(Number)
  }),
  reason("BreakerOpen", Withheld.BreakerOpen, {
    target: String,
    why: String,
    afterMillis: Schema.UndefinedOr(Number)
  })
])
