import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { invalid } from "../../../step/InvalidStep.ts"
import { readJson } from "../../intake/Body.ts"
import type { Limits } from "../../intake/Limits.ts"
import { type Refused, badField } from "../../intake/Refusal.ts"

/** Reads the body of a request that chooses. */
export const readChoice = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  body: Uint8Array,
  limits: Limits
): Effect.Effect<S["Type"], Refused> =>
  Effect.fromResult(
    Result.flatMap(readJson(body, limits), (given) =>
      Result.mapError(Schema.decodeUnknownResult(schema, { onExcessProperty: "error" })(given), ({ issue }) => {
        const { field, problem } = invalid("", issue)
        return problem === "Expected no excess property"
          ? badField(field.slice(0, 64), "is no field of this request", "unknown_field")
          : badField(field === "step" ? "body" : field, problem)
      })
    )
  )
