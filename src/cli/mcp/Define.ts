/** How a tool of an agent is described: its arguments, what may be left out of them, and whether it changes anything. */
import * as Tool from "effect/ai/Tool"
import * as Schema from "effect/Schema"
import * as Fields from "../../step/Fields.ts"
import * as HeaderFields from "../../step/HeaderFields.ts"
import { CallFailed } from "./Call.ts"

export const described = <S extends Schema.Top>(schema: S, description: string): S["Rebuild"] =>
  schema.annotate({ description })

/** What may be left out; many models write `null` for that. */
export const optional = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.optionalKey(described(Schema.NullOr(schema), description))

type Given<A> = { readonly [Name in keyof A]: Exclude<A[Name], null> }

/** The arguments that say something. */
export const given = <A extends object>(values: A): Given<A> =>
  // it has lost its nulls and nothing else, which the type of `fromEntries` cannot tell
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as Given<A>

// a text first and a URL second: JSON Schema has no word for the check, and its description would be lost with it
export const url = (description: string) =>
  Schema.String.annotate({ description }).check(
    Schema.makeFilter(Schema.is(Fields.Url), { expected: "an absolute http:// or https:// URL" })
  )

export const tool = <const Name extends string, Parameters extends Schema.Struct.Fields>(
  name: Name,
  description: string,
  parameters: Parameters
) =>
  Tool.make(name, {
    description,
    parameters: Schema.Struct(parameters),
    success: Schema.JsonObject,
    failure: CallFailed
    // an argument that nobody reads is a mistake of whoever wrote it
  }).annotate(Tool.Strict, true)

export const reading = <const Name extends string, Parameters extends Schema.Struct.Fields>(
  name: Name,
  description: string,
  parameters: Parameters
) => tool(name, description, parameters).annotate(Tool.Readonly, true).annotate(Tool.Destructive, false)

/** What a call is, whoever makes it and when. */
export const jobFields = {
  url: url("Absolute http or https URL to call"),
  method: optional(Fields.Method, "HTTP method; GET when left out"),
  headers: optional(HeaderFields.Headers, "Request headers by name"),
  body: optional(Schema.String, "Request body as text"),
  limits: optional(
    Schema.Array(
      Schema.Struct({
        name: described(Schema.NonEmptyString, "A limit, as list_limits names it"),
        key: optional(Schema.String, "Whose share of it; all calls share one when left out"),
        cost: optional(Schema.Finite, "Units that the call takes; 1 when left out")
      })
    ),
    "What the call draws on beside the pace of its host"
  ),
  priority: optional(Fields.Priority, "How soon it has its turn; normal when left out"),
  in_order: optional(
    Schema.Struct({
      key: described(Fields.OrderKey, "Jobs of one key run one at a time, first in, first out"),
      on_failure: optional(Fields.OrderEnd, "Whether a final failure lets the next go or stops the key; continue")
    }),
    "The line that the call stands in"
  ),
  debounce: optional(
    Schema.Struct({
      key: described(Fields.OrderKey, "A newer job of this key takes the place of one that waits"),
      wait_ms: described(Fields.Millis, "How long it waits for newer ones"),
      at_most_ms: optional(Fields.Millis, "How long the first may be put off; as long as others come when left out")
    }),
    "Of jobs that come soon after each other only the newest runs"
  ),
  coalesce: optional(Schema.Boolean, "Whether a GET or HEAD shares the answer of an identical one in flight"),
  metadata: optional(Schema.Record(Schema.String, Schema.Json), "Anything to find the job by later"),
  delay_ms: optional(Fields.Millis, "Not before so many milliseconds after it was taken up"),
  webhooks: optional(
    Schema.Array(Schema.Struct({ url: url("Absolute http or https URL of the receiver") })),
    "Where the result is delivered to besides"
  )
}

/** The job that the arguments say. */
export const jobOf = <
  A extends {
    readonly limits?: ReadonlyArray<object> | null | undefined
    readonly in_order?: object | null | undefined
    readonly debounce?: object | null | undefined
  }
>({
  debounce,
  in_order: order,
  limits,
  ...job
}: A) =>
  given({
    ...job,
    limits: limits?.map((draw) => given(draw)) ?? null,
    in_order: order ? given(order) : null,
    debounce: debounce ? given(debounce) : null
  })
