/** A batch as the service shows it, and what was done to many jobs. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MalformedAnswer } from "../step/Failure.ts"
import { parse } from "./Proxy.ts"

const Wire = Schema.Struct({
  batch_id: Schema.String,
  status: Schema.String,
  lines: Schema.Number,
  accepted: Schema.Number,
  duplicates: Schema.Number,
  refused: Schema.Number,
  on_complete_job: Schema.optionalKey(Schema.NullOr(Schema.String)),
  jobs: Schema.Record(Schema.String, Schema.Number),
  refused_lines: Schema.Array(
    Schema.Struct({ line: Schema.Number, code: Schema.String, error: Schema.optionalKey(Schema.String) })
  )
})

/** A batch, and the whole answer. */
export interface BatchView {
  readonly wire: typeof Wire.Type
  readonly answer: { readonly [key: string]: Schema.Json }
}

/** Reads a batch. */
export const read = (body: string): Result.Result<BatchView, MalformedAnswer> => readJson(parse(body), body)

/** Reads a batch that is JSON already. */
export const readJson = (json: unknown, body = ""): Result.Result<BatchView, MalformedAnswer> =>
  Result.mapBoth(Result.all([decodeWire(json), decodeObject(json)]), {
    onSuccess: ([wire, answer]) => ({ wire, answer }),
    onFailure: () => new MalformedAnswer({ problem: "expected a batch as JSON", received: excerpt(body) })
  })

const decodeWire = Schema.decodeUnknownResult(Wire)
const decodeObject = Schema.decodeUnknownResult(Schema.JsonObject)

const Done = Schema.Struct({
  jobs: Schema.Number,
  is_exact: Schema.Boolean,
  skipped: Schema.Number,
  examples: Schema.Array(Schema.JsonObject),
  cursor: Schema.NullOr(Schema.String)
})

/** Reads what was done to many jobs. */
export const readDone = (body: string): Result.Result<typeof Done.Type, MalformedAnswer> =>
  Result.mapError(
    decodeDone(parse(body)),
    () => new MalformedAnswer({ problem: "expected what was done to jobs, as JSON", received: excerpt(body) })
  )

const decodeDone = Schema.decodeUnknownResult(Done)
