/** The rules of the fields of a step as schemas: JSON and the wire are decoded with them. */
import * as Schema from "effect/Schema"
import * as Draws from "./Draws.ts"
import * as Rules from "./FieldRules.ts"

/** `shown` is what of the rule JSON Schema can say. */
/** Text that keeps a rule, described by its length. */
export const text = (
  { expected, holds }: Rules.Rule<string>,
  shown: { readonly minLength?: number; readonly maxLength?: number } = { minLength: 1 }
) => Schema.String.check(Schema.makeFilter(holds, { expected, toJsonSchema: () => [{ ...shown }, true] }))

/** An absolute `http:` or `https:` URL, kept as it was written. */
export const Url = text(Rules.url)

/** An upper-case HTTP method. */
export const Method = text(Rules.method)

/** Region names such as `iad`. */
export const Regions = Schema.Array(text(Rules.region))

/** The name of a limit, which may stand in a URL as it is. */
export const LimitName = text(Rules.limitName, { minLength: 1, maxLength: 64 })

/** Whose share of a limit it is. */
export const LimitKey = text(Rules.limitKey, { maxLength: 256 })

/** Units of a limit. */
export const LimitCost = Schema.Number.check(
  Schema.isFinite({ expected: Rules.limitCost.expected }),
  Schema.makeFilter(Rules.limitCost.holds, {
    expected: Rules.limitCost.expected,
    toJsonSchema: () => ({ exclusiveMinimum: 0 })
  })
)

/** What each call of a step draws on: a limit once for each key. */
export const Limits = Schema.Array(
  Schema.Struct({
    name: LimitName,
    key: Schema.optionalKey(LimitKey),
    cost: Schema.optionalKey(LimitCost)
  })
).check(
  Schema.makeFilter((draws) => {
    const twice = Draws.repeated(draws)
    return twice < 0 ? undefined : { path: [twice], issue: "Expected each limit once for each key" }
  })
)

/** A place in a call. */
export const FillInto = text(Rules.fillInto, { minLength: 1, maxLength: 512 })

/** A place in the answer before it. */
export const FillFrom = text(Rules.fillFrom, { minLength: 1, maxLength: 512 })

/** What a chained step takes from the answer before it: each place is filled once. */
export const Fills = Schema.Array(
  Schema.Struct({
    into: FillInto,
    from: FillFrom
  })
).check(
  Schema.makeFilter((fills) => {
    const twice = fills.findIndex(({ into }, place) => fills.slice(0, place).some((before) => before.into === into))
    return twice < 0 ? undefined : { path: [twice], issue: "Expected each place to be filled once" }
  })
)

/** A whole number within bounds; what needs more than 32 bits says so to whoever generates a client. */
const whole = ({ expected, holds, maximum, minimum }: Rules.Whole) =>
  Schema.Number.check(
    Schema.isInt({ expected }),
    Schema.makeFilter(holds, {
      expected,
      toJsonSchema: () => ({ minimum, maximum, ...(maximum > 0x7fff_ffff ? { format: "int64" } : {}) })
    })
  )

/** So many of a hundred calls: 50 to 99.9. */
export const Percentile = Schema.Number.check(
  Schema.isFinite({ expected: Rules.percentile.expected }),
  Schema.isBetween({ minimum: 50, maximum: 99.9 }, { expected: Rules.percentile.expected })
)

/** Further calls of one that is slow: 1 to 3. */
export const Hedges = whole(Rules.hedges)

/** HTTP status codes, 100 to 599. */
export const Codes = Schema.Array(whole(Rules.code))

/** How many retries or reroutes: a whole number, `0` for none. */
export const Count = whole(Rules.retries)

/** How many voting webhooks must answer 2xx: a whole number from 1. */
export const Quorum = whole(Rules.quorum)

/** A moment as epoch milliseconds. */
export const EpochMillis = whole(Rules.epochMillis)

/** A key of 1 to 255 bytes without control characters. */
export const IdempotentKey = text(Rules.idempotentKey, { minLength: 1, maxLength: 255 })

/** How soon a job has its turn. */
export const Priority = Schema.Literals(["high", "normal", "low"])

/** The name of a line of jobs. */
export const OrderKey = text(Rules.orderKey, { minLength: 1, maxLength: 128 })

/** What becomes of a line when one of its jobs has failed for good. */
export const OrderEnd = Schema.Literals(["continue", "stop"])

/** Free data of the caller that comes back with the result. */
export const Metadata = Schema.Record(Schema.String, Schema.Json)

/** A length of time in whole, positive milliseconds. */
export const Millis = whole(Rules.millis)
