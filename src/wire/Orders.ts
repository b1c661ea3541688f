/** Orders as a dam shows them. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MalformedAnswer } from "../step/Failure.ts"
import { parse } from "./Proxy.ts"

const Wire = Schema.Struct({
  key: Schema.String,
  jobs: Schema.Number,
  first: Schema.NullOr(Schema.String),
  stopped_by: Schema.NullOr(Schema.String),
  stopped_at: Schema.NullOr(Schema.Number)
})

/** Reads an order. */
export const read = (body: string) => reading(body, decodeOne, shown)

/** Reads orders. */
export const readAll = (body: string) => reading(body, decodeAll, ({ orders }) => orders.map(shown))

const reading = <W, A>(
  body: string,
  decode: (json: unknown) => Result.Result<W, unknown>,
  show: (wire: W) => A
): Result.Result<A, MalformedAnswer> =>
  Result.mapBoth(decode(parse(body)), {
    onSuccess: show,
    onFailure: () => new MalformedAnswer({ problem: "expected orders as JSON", received: excerpt(body) })
  })

const shown = ({ first, jobs, key, stopped_at: at, stopped_by: by }: typeof Wire.Type) => ({
  key,
  jobs,
  first: first ?? undefined,
  stopped: by === null || at === null ? undefined : { jobId: by, at }
})

const decodeOne = Schema.decodeUnknownResult(Wire)
const decodeAll = Schema.decodeUnknownResult(Schema.Struct({ orders: Schema.Array(Wire) }))
