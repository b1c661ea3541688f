/** The webhook secrets of a customer, as the wire spells them. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MalformedAnswer } from "../step/Failure.ts"
import { kindOf, parse } from "./Proxy.ts"

/**
 * The secrets to set. Nothing but the request body may hold this text.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (primary: string, secondary: string | undefined): string =>
  JSON.stringify({ primary_secret: primary, ...(secondary === undefined ? {} : { secondary_secret: secondary }) })

/**
 * Secrets as the service shows them: masked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Masked {
  readonly customerId: string
  readonly primarySecret: string
  readonly secondarySecret: string | undefined
  readonly hasSecondary: boolean
}

/**
 * Reads the masked secrets.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readMasked = (body: string): Result.Result<Masked, MalformedAnswer> =>
  Result.map(read(decodeMasked, "expected the masked secrets", body), (wire) => ({
    customerId: wire.customer_id,
    primarySecret: wire.primary_secret,
    secondarySecret: wire.secondary_secret ?? undefined,
    hasSecondary: wire.has_secondary ?? typeof wire.secondary_secret === "string"
  }))

/**
 * Reads the answer to setting or deleting secrets.
 *
 * @category decoding
 * @since 0.1.0
 */
export const readDone = (
  body: string
): Result.Result<{ readonly status: string; readonly message: string }, MalformedAnswer> =>
  Result.map(read(decodeDone, "expected a status", body), ({ message = "", status }) => ({ status, message }))

const read = <A, E>(
  decode: (json: unknown) => Result.Result<A, E>,
  problem: string,
  body: string
): Result.Result<A, MalformedAnswer> => {
  const json = parse(body)
  const received = excerpt(body)
  if (json === undefined) {
    return Result.fail(new MalformedAnswer({ problem: `expected JSON, got ${kindOf(body)}`, received }))
  }
  return Result.mapError(decode(json), () => new MalformedAnswer({ problem, received }))
}

const decodeMasked = Schema.decodeUnknownResult(
  Schema.Struct({
    customer_id: Schema.String,
    primary_secret: Schema.String,
    secondary_secret: Schema.optionalKey(Schema.NullOr(Schema.String)),
    has_secondary: Schema.optionalKey(Schema.Boolean)
  })
)

const decodeDone = Schema.decodeUnknownResult(
  Schema.Struct({ status: Schema.String, message: Schema.optionalKey(Schema.String) })
)
