/** What became of checking a webhook's signature, with what reads a refusal from JSON. */
import * as Schema from "effect/Schema"
import type * as Model from "./SignatureModel.ts"

export * from "./SignatureModel.ts"

/**
 * Every way in which a signature can fail to prove anything.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Rejection = Schema.TaggedUnion({
  NoSignature: { header: Schema.String },
  MissingV1: {},
  MissingV1a: {},
  MalformedHeader: { header: Schema.String, detail: Schema.String },
  MalformedTimestamp: {},
  MalformedSignature: {},
  TimestampTooOld: { diff: Schema.Number, tolerance: Schema.Number },
  TimestampTooNew: { diff: Schema.Number, tolerance: Schema.Number },
  SignatureMismatch: {},
  UnknownKey: {},
  WeakSecret: { secretIndex: Schema.UndefinedOr(Schema.Int), detail: Schema.String },
  UnreadableBody: {},
  InvalidClock: {},
  Unsupported: {}
})

/**
 * Every way in which a signature can fail to prove anything.
 *
 * @category models
 * @since 0.1.0
 */
export type Rejection = Model.Rejection
