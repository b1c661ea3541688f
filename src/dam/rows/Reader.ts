/** Reads what the database answered. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { invalid } from "../../step/StepIssue.ts"
import { StorageFailed } from "../store/StoreError.ts"

/** Reads a row, or rows, by a schema; one that makes no sense is the store's failure, not the caller's. */
export const reader = <S extends Schema.ConstraintDecoder<unknown>, A>(schema: S, convert: (row: S["Type"]) => A) => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (row: unknown): Effect.Effect<A, StorageFailed> =>
    decode(row).pipe(
      Effect.mapError(
        ({ issue }) => new StorageFailed({ detail: `a row cannot be read at ${invalid("", issue).field}` })
      ),
      Effect.map(convert)
    )
}

/** The row behind which a cursor goes on; `undefined` for one of nobody's making. */
export const placeOf = (cursor: string | undefined, start: number): number | undefined => {
  const place = cursor === undefined ? start : Number(cursor)
  return Number.isSafeInteger(place) ? place : undefined
}
