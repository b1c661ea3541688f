/** A schema over JSON text. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { parse } from "./JsonText.ts"

/** A schema over JSON text, as `Schema.fromJsonString` makes it. */
export const schema = <S extends Schema.Constraint>(of: S) => Schema.String.pipe(Schema.decodeTo(of, fromText()))

// made when it is asked for, so that a bundle that asks for none leaves it out
const fromText = () =>
  new SchemaTransformation.Transformation<unknown, string>(
    SchemaGetter.transformEffect((text: string, options) =>
      Effect.try({
        try: () => parse(text),
        catch: () => new SchemaIssue.InvalidValue({ expected: "a valid JSON string" }, text, options)
      })
    ),
    SchemaGetter.stringifyJson()
  )
