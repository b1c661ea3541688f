/**
 * The L8 headers of a delivery: who signed which body, when.
 *
 * They prove who sent a body, to receivers that have proved the sender's key in a handshake before. What they do not
 * prove is where it was sent: a delivery names no receiver, so a receiver of one endpoint could show it to another that
 * trusts the same sender, as long as it is fresh. Deduplicate on the job, as with every delivery.
 */
import type { Signature } from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { SigningKey } from "./Ed25519.ts"
import * as Ed25519 from "./Ed25519.ts"
import * as L8 from "./L8.ts"
import type { Freshness, HeaderValue, RawBody, Rejection, Verification } from "./SignatureModel.ts"
import * as SignedMessage from "./SignedMessage.ts"

/**
 * The names of the headers, in the spelling of the protocol.
 *
 * @category models
 * @since 0.1.0
 */
export const headerNames = {
  deliveryId: "X-L8-Delivery-Id",
  timestamp: "X-L8-Timestamp",
  keyId: "X-L8-Key-Id",
  signature: "X-L8-Signature"
} as const

/**
 * The headers of a signed delivery.
 *
 * @category models
 * @since 0.1.0
 */
export interface DeliveryHeaders {
  readonly "X-L8-Delivery-Id": string
  readonly "X-L8-Timestamp": string
  readonly "X-L8-Key-Id": string
  readonly "X-L8-Signature": string
}

/**
 * A delivery as it arrived, and the keys that were proved in a handshake.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delivery {
  readonly deliveryId: HeaderValue
  readonly timestamp: HeaderValue
  readonly keyId: HeaderValue
  readonly signature: HeaderValue
  /** The body exactly as received. */
  readonly body: RawBody
  /** The raw public keys trusted, each read by `L8.publicKey`. */
  readonly trusted: ReadonlyArray<Uint8Array>
}

/**
 * Signs a body and returns the headers to send with it.
 *
 * **Details** — fails with `InvalidL8` when the id is no UUID or the timestamp no whole number of seconds.
 *
 * @category signing
 * @since 0.1.0
 */
export const sign = (
  key: SigningKey,
  { body, deliveryId, timestamp }: { readonly deliveryId: string; readonly timestamp: number; readonly body: RawBody }
): Effect.Effect<DeliveryHeaders, L8.InvalidL8, Signature> =>
  Effect.gen(function* () {
    const bytes = yield* Effect.mapError(
      Effect.fromResult(SignedMessage.bodyBytes(body)),
      () => new L8.InvalidL8({ path: "body", problem: "is text without a UTF-8 form" })
    )
    const signature = yield* L8.sign(key, { _tag: "Delivery", deliveryId, timestamp, body: bytes })
    return {
      [headerNames.deliveryId]: deliveryId,
      [headerNames.timestamp]: String(timestamp),
      [headerNames.keyId]: L8.keyId(key.publicKey),
      [headerNames.signature]: signature
    }
  })

/**
 * Checks the signature of a delivery at a given time and answers a verdict; it never fails.
 *
 * **Details** — `UnknownKey` says that none of the trusted keys has the id that the delivery names; `secretIndex` of
 * `Valid` is the position of the key that matches.
 *
 * @category verifying
 * @since 0.1.0
 */
export const verify = (delivery: Delivery & Freshness): Effect.Effect<Verification, never, Signature> =>
  Result.match(read(delivery), {
    onFailure: (rejection) => Effect.succeed<Verification>(rejection),
    onSuccess: ({ named, purpose, signature }) => match(delivery.trusted, named, signature, purpose)
  })

interface Read {
  readonly named: string
  readonly signature: string
  readonly purpose: Extract<L8.Purpose, { readonly _tag: "Delivery" }>
}

const read = (delivery: Delivery & Freshness): SignedMessage.Checked<Read> =>
  Result.gen(function* () {
    const deliveryId = yield* SignedMessage.headerText(headerNames.deliveryId, delivery.deliveryId)
    const time = yield* SignedMessage.headerText(headerNames.timestamp, delivery.timestamp)
    const named = yield* SignedMessage.headerText(headerNames.keyId, delivery.keyId)
    const signature = yield* SignedMessage.headerText(headerNames.signature, delivery.signature)
    if (!L8.isUuid(deliveryId)) return yield* SignedMessage.malformed(headerNames.deliveryId, "is not a UUID")
    const timestamp = yield* SignedMessage.timestampOf(time)
    yield* SignedMessage.withinTolerance(timestamp, delivery)
    const body = yield* SignedMessage.bodyBytes(delivery.body)
    if (Ed25519.fromBase64(signature)?.length !== Ed25519.signatureLength) {
      return yield* Result.fail<Rejection>({ _tag: "MalformedSignature" })
    }
    return { named, signature, purpose: { _tag: "Delivery", deliveryId, timestamp, body } }
  })

const match = Effect.fnUntraced(function* (
  trusted: ReadonlyArray<Uint8Array>,
  named: string,
  signature: string,
  purpose: Read["purpose"]
): Effect.fn.Return<Verification, never, Signature> {
  let isKnown = false
  for (const [secretIndex, key] of trusted.entries()) {
    if (L8.keyId(key) !== named) continue
    isKnown = true
    const isMade = yield* L8.verify(key, signature, purpose)
    if (isMade === undefined) return { _tag: "Unsupported" }
    if (isMade) return { _tag: "Valid", secretIndex, timestamp: purpose.timestamp }
  }
  return { _tag: isKnown ? "SignatureMismatch" : "UnknownKey" }
})
