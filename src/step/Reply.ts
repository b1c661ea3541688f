/**
 * What a transport brings back: the `Response` of a target, or the `Receipt` of a service that took the step over.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Schema from "effect/Schema"
import * as JsonTextSchema from "./JsonTextSchema.ts"
import { type Response, text } from "./ReplyModel.ts"

export * from "./ReplyModel.ts"

/**
 * Reads the body as JSON, and as what a schema says where one is given. Fails with `SchemaError` when it is not.
 *
 * @category accessors
 * @since 0.1.0
 */
export const json: {
  <S extends Schema.Constraint>(
    schema: S
  ): (self: Response) => Effect.Effect<S["Type"], Schema.SchemaError, S["DecodingServices"]>
  <S extends Schema.Constraint>(
    self: Response,
    schema: S
  ): Effect.Effect<S["Type"], Schema.SchemaError, S["DecodingServices"]>
  (self: Response): Effect.Effect<Schema.Json, Schema.SchemaError>
} = /* @__PURE__ */ dual(
  (args) => isResponse(args[0]),
  (self: Response, schema?: Schema.Constraint) =>
    schema === undefined ? decodeJson(text(self)) : decodeAs(self, schema)
)

const isResponse = (given: object): boolean => "_tag" in given && given._tag === "Response"

const decodeAs = (self: Response, schema: Schema.Constraint) =>
  Schema.decodeUnknownEffect(JsonTextSchema.schema(schema))(text(self))

/**
 * A response as JSON: the body as text, or as base64 when it is not UTF-8.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ResponseJson = Schema.Struct({
  _tag: Schema.tag("Response"),
  status: Schema.Number,
  headers: Schema.Record(Schema.String, Schema.String),
  body: Schema.Uint8ArrayFromBase64
})

// marked pure, so that a bundle that reads no JSON leaves it out
const decodeJson = /* @__PURE__ */ (() => Schema.decodeUnknownEffect(JsonTextSchema.schema(Schema.Json)))()
