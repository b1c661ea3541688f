/**
 * The signature of the Standard Webhooks convention, with a shared secret: the headers `webhook-id`,
 * `webhook-timestamp` and `webhook-signature`.
 *
 * A signature is `v1,` and the base64 of the HMAC-SHA256 of the bytes `{id}.{timestamp}.{raw body}`. Base64 is the
 * standard alphabet, padded, and the only spelling of its bytes. Other versions, the asymmetric `v1a` of
 * `StandardWebhooksKeys.ts` among them, are passed over.
 *
 * A secret is base64, usually behind `whsec_`, of at least 24 bytes. The rules of the three headers are written down in
 * `StandardMessage.ts`, what holds beyond this convention in `SignedMessage.ts`.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import { accept } from "./SignatureModel.ts"
import type { Freshness, RawBody, Secrets, SignatureRejected, Valid, Verification } from "./SignatureModel.ts"
import * as SignedMessage from "./SignedMessage.ts"
import type { ReceivedHeaders, SignatureHeaders } from "./StandardMessage.ts"
import * as StandardMessage from "./StandardMessage.ts"

/**
 * A delivery as it arrived, and the secrets it may be signed with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delivery extends ReceivedHeaders {
  /** The body exactly as received; parsing and printing it again changes its bytes. */
  readonly body: RawBody
  /** The secrets this receiver accepts, the primary first, each base64 of at least 24 bytes, `whsec_` optional. */
  readonly secrets: Secrets
}

/**
 * What {@link sign} needs to know.
 *
 * @category models
 * @since 0.1.0
 */
export interface SignOptions {
  /** Stays the same when the same delivery is sent again; one word without a comma or a full stop. */
  readonly id: string
  /** The body exactly as it will be sent. */
  readonly body: RawBody
  /** The secrets to sign with, the primary first, each base64 of at least 24 bytes, `whsec_` optional. */
  readonly secrets: Secrets
  /** Unix time in whole seconds. */
  readonly timestamp: number
}

/**
 * Checks the signature of a delivery against the clock of the running program.
 *
 * **When to use** — in an Effect program; the time comes from `Clock`, so a test can turn it.
 * **Details** — fails with `SignatureRejected`, whose `reason` is the verdict of {@link verify}.
 *
 * @category verifying
 * @since 0.1.0
 */
export const authenticate = (
  delivery: Delivery & Pick<Freshness, "toleranceSeconds">
): Effect.Effect<Valid, SignatureRejected> =>
  Effect.flatMap(Clock.currentTimeMillis, (millis) => accept(verify({ ...delivery, now: millis / 1000 })))

/**
 * Checks the signature of a delivery at a given time, synchronously, and answers a verdict.
 *
 * **When to use** — outside of Effect, or where the time of a recorded delivery is known.
 * **Details** — any of the secrets may match any `v1` signature; `secretIndex` of `Valid` says which secret did.
 * **Gotchas** — give the raw body. Text decoded from bytes that were not UTF-8 does not verify, on purpose.
 *
 * @category verifying
 * @since 0.1.0
 */
export const verify = ({ body, secrets, ...received }: Delivery & Freshness): Verification =>
  SignedMessage.verdict(
    Result.gen(function* () {
      const scheme = { version: "v1", missing, keys: () => SignedMessage.keysOf(secrets, keyOf) }
      const { keys, prefix, signatures, timestamp } = yield* StandardMessage.read(received, scheme, received)
      return yield* SignedMessage.match({
        keys,
        timestamp,
        prefix,
        body: yield* SignedMessage.bodyBytes(body),
        candidates: signatures.flatMap(macsIn)
      })
    })
  )

/**
 * Signs a body and returns the three headers to send with it.
 *
 * **Details** — one `v1` for each secret, the primary's last, as in the other scheme.
 * **Gotchas** — throws `CannotSign` on what no receiver would accept: no secret, one that is not base64 of at least 24
 * bytes, an id that is not one word, a timestamp that is not a whole number of seconds, text without a UTF-8 form.
 *
 * @category signing
 * @since 0.1.0
 */
export const sign = ({ id, body, secrets, timestamp }: SignOptions): SignatureHeaders => {
  const keys = SignedMessage.orCannotSign(SignedMessage.keysOf(secrets, keyOf))
  const word = SignedMessage.orCannotSign(StandardMessage.oneWord(id))
  const seconds = SignedMessage.orCannotSign(SignedMessage.timestampOf(String(timestamp)))
  const bytes = SignedMessage.orCannotSign(SignedMessage.bodyBytes(body))
  const signatures = keys.map((key) => `v1,${Base64.encode(SignedMessage.mac(key, `${word}.${seconds}.`, bytes))}`)
  return {
    "webhook-id": word,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signatures.toReversed().join(" ")
  }
}

const macsIn = (value: string): ReadonlyArray<Uint8Array> => {
  const decoded = base64Mac.test(value) ? Result.getOrUndefined(Base64.decode(value)) : undefined
  // the last digit has two bits to spare: only one of its four spellings is the one a signer writes
  return decoded !== undefined && Base64.encode(decoded) === value ? [decoded] : []
}

const keyOf: SignedMessage.KeyOf = (text) => {
  const decoded = Base64.decode(text.startsWith(secretPrefix) ? text.slice(secretPrefix.length) : text)
  if (Result.isFailure(decoded)) return Result.fail("is not base64")
  return decoded.success.length < minSecretBytes
    ? Result.fail(`is shorter than ${minSecretBytes} bytes`)
    : Result.succeed(decoded.success)
}

const secretPrefix = "whsec_"
const minSecretBytes = 24
const missing = { _tag: "MissingV1" } as const
const base64Mac = /^[A-Za-z0-9+/]{43}=$/
