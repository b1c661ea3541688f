/**
 * Reads the small bodies of requests that choose: which lane's pace, which dead letters, which secrets.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { invalid } from "../../../step/StepIssue.ts"
import { isObject, readJson } from "../../intake/Body.ts"
import type { Limits } from "../../intake/Limits.ts"
import { type Refused, badField } from "../../intake/Refusal.ts"

/** A choice by its fields. */
type Choice = Schema.ConstraintDecoder<unknown> & { readonly fields: Schema.Struct.Fields }

/** Reads a choice. A body of nothing chooses nothing. */
export const readChoice = <S extends Choice>(
  schema: S,
  body: Uint8Array,
  limits: Limits
): Effect.Effect<S["Type"], Refused> =>
  Effect.fromResult(
    Result.flatMap(body.length === 0 ? Result.succeed({}) : readJson(body, limits), (given) => {
      if (!isObject(given)) return Result.fail(badField("body", "Expected object"))
      // asked here, because a schema without fields takes any
      const unknown = Object.keys(given).find((name) => !Object.hasOwn(schema.fields, name))
      if (unknown !== undefined) {
        return Result.fail(badField(unknown.slice(0, 64), unknownAmong(Object.keys(schema.fields)), "unknown_field"))
      }
      return Result.mapError(Schema.decodeUnknownResult(schema)(given), ({ issue }) => {
        const { field, problem } = invalid("", issue)
        return badField(field, problem)
      })
    })
  )

const unknownAmong = (known: ReadonlyArray<string>): string =>
  known.length === 0 ? "takes no fields" : `is not one of ${known.join(", ")}`
