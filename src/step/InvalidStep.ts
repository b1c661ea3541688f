import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

/**
 * Says which field of a step is wrong, what was wrong with it and what to do.
 *
 * **Details** — `field` is the path from the step, for instance `retryPolicy.maxRetries` or `fallbacks[1].step.request.url`.
 * Verbs throw it for their own field; rules across fields are checked once before anything is sent and end the
 * execution with it. The offending value is never part of the message, because it may be a secret.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidStep extends Schema.TaggedError<InvalidStep>()("InvalidStep", {
  field: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `${this.field}: ${this.problem}`
  }
}

/**
 * Decodes a value of one field, or throws `InvalidStep` with the path of the bad part below `field`.
 *
 * @internal
 */
export const parseField = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  field: string
): ((input: unknown) => S["Type"]) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (input) => {
    const result = decode(input)
    if (Result.isSuccess(result)) return result.success
    throw invalid(field, result.failure.issue)
  }
}

/**
 * Reads a positive, finite duration, rounded up to whole milliseconds, or throws `InvalidStep`.
 *
 * @internal
 */
export const parseDuration =
  (field: string) =>
  (input: Duration.Input): Duration.Duration => {
    const duration = Duration.fromInput(input)
    const millis = Option.isSome(duration) ? Math.ceil(Duration.toMillis(duration.value)) : Number.NaN
    if (Number.isSafeInteger(millis) && millis > 0) return Duration.millis(millis)
    throw new InvalidStep({
      field,
      problem: 'Expected a positive, finite duration such as "30 seconds" or 500 (milliseconds)'
    })
  }

/**
 * Names the first thing wrong in a schema issue as an `InvalidStep`.
 *
 * @internal
 */
export const invalid = (field: string, issue: SchemaIssue.Issue): InvalidStep => {
  const first = describe(issue).issues[0]
  const path = (first?.path ?? []).reduce<string>((at, part) => {
    const key = typeof part === "object" ? part.key : part
    return typeof key === "number" ? `${at}[${key}]` : at === "" ? String(key) : `${at}.${String(key)}`
  }, field)
  return new InvalidStep({ field: path === "" ? "step" : path, problem: first?.message ?? "is not valid" })
}

const describe = SchemaIssue.makeFormatterStandardSchemaV1()
