/**
 * What the descriptions of the API's routes are made of.
 *
 * @since 0.1.0
 */
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as Schema from "effect/Schema"

/** A key that may be left out. */
export const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)
/** A key that may be left out or be null. */
export const nullable = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))
/** A whole number within bounds. */
export const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/**
 * The body of an error.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ApiError = Schema.Struct({
  error: Schema.String,
  code: Schema.String,
  field: optional(Schema.String),
  reason: optional(Schema.String),
  job_id: optional(Schema.String),
  limit_reason: optional(Schema.String),
  limit: optional(Schema.Number),
  current: optional(Schema.Number)
}).annotate({ identifier: "Error" })

/** Errors of these statuses. */
export const errors = (...statuses: ReadonlyArray<number>) =>
  statuses.map((status) => ApiError.pipe(HttpApiSchema.status(status)))
