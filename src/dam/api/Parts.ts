/**
 * What the shapes of the API are made of.
 *
 * Whoever reads an answer takes more than whoever writes it may say: a newer dam knows words and fields that an older
 * reader does not. Makers are held to the encoded side of a shape, readers to the other.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"

/** A key that may be left out. */
export const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(schema)
/** A key that may be left out or be null. */
export const nullable = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** A whole number within bounds; what needs more than 32 bits says so to whoever generates a client. */
export const between = (minimum: number, maximum: number) =>
  Schema.Int.check(
    Schema.isBetween(
      { minimum, maximum },
      { toJsonSchema: () => ({ minimum, maximum, ...(maximum > 0x7fff_ffff ? { format: "int64" } : {}) }) }
    )
  )
/** A text of so many characters. JSON Schema counts a character beyond 16 bits once, the dam twice: what is told is right for all others. */
export const length = (minimum: number, maximum: number) =>
  Schema.String.check(
    Schema.isMinLength(minimum, { toJsonSchema: () => ({ minLength: minimum }) }),
    Schema.isMaxLength(maximum, { toJsonSchema: () => ({ maxLength: maximum }) })
  )
/** How many: a whole number from 0. */
export const Count = between(0, Number.MAX_SAFE_INTEGER)
/** The status of an HTTP answer. */
export const Status = between(100, 999)
/** How long or how much: a number from 0 that may have a fraction. */
export const Amount = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
/** A moment as whole epoch milliseconds. */
export const Moment = Fields.EpochMillis

/** One of these words in an answer. Makers write no other; readers take any, because a newer dam may know more. */
export const word = <const Words extends ReadonlyArray<string>>(words: Words): Schema.Codec<string, Words[number]> => {
  const text: Schema.Codec<string, string> = Schema.String.check(
    Schema.makeFilter(() => true, { toJsonSchema: () => ({ enum: [...words] }) })
  )
  // what may be written is narrower than what is read: no schema says so, and nothing is encoded through this one
  return text as Schema.Codec<string, Words[number]>
}
