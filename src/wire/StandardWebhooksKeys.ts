/**
 * The signature of the Standard Webhooks convention with a key pair: `v1a`, Ed25519.
 *
 * A signature is `v1a,` and the base64 of the Ed25519 signature of the bytes `{id}.{timestamp}.{raw body}`. The sender
 * keeps a private key, `whsk_` and the base64 of the seed followed by the public key (or of the seed alone); receivers
 * get the public key, `whpk_` and the base64 of its 32 bytes. Whoever can verify cannot sign.
 *
 * Ed25519 is asynchronous on every platform, so these are effects, while `v1` in `StandardWebhooks.ts` stays
 * synchronous. The rules of the three headers are written down in `StandardMessage.ts`.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import type { Signature } from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Ed25519 from "./Ed25519.ts"
import type { Freshness, RawBody, Secret, SignatureRejected, Valid, Verification } from "./SignatureModel.ts"
import { accept, CannotSign } from "./SignatureModel.ts"
import * as SignedMessage from "./SignedMessage.ts"
import type { ReceivedHeaders, SignatureHeaders } from "./StandardMessage.ts"
import * as StandardMessage from "./StandardMessage.ts"

/**
 * A delivery as it arrived, and the public keys of those who may have sent it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delivery extends ReceivedHeaders {
  /** The body exactly as received; parsing and printing it again changes its bytes. */
  readonly body: RawBody
  /** The public keys accepted, the current one first, each `whpk_` and base64 of 32 bytes. */
  readonly publicKeys: string | ReadonlyArray<string>
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
  /** The private keys to sign with, the current one first, each read by {@link signingKey}. */
  readonly keys: Ed25519.SigningKey | ReadonlyArray<Ed25519.SigningKey>
  /** Unix time in whole seconds. */
  readonly timestamp: number
}

/**
 * Reads a private key: `whsk_` and the base64 of a seed and its public key, or of a seed alone.
 *
 * **Details** — fails with `CannotSign` when the text is no key; the text is never part of the message.
 *
 * @category keys
 * @since 0.1.0
 */
export const signingKey = (secret: Secret): Effect.Effect<Ed25519.SigningKey, CannotSign, Signature> => {
  const text = SignedMessage.revealed(secret)
  const bytes = text?.startsWith(privatePrefix) ? Ed25519.fromBase64(text.slice(privatePrefix.length)) : undefined
  return Effect.mapError(
    bytes === undefined ? Effect.fail(`is not ${privatePrefix} and base64`) : Ed25519.signingKey(bytes),
    (detail) => new CannotSign({ reason: { _tag: "WeakSecret", secretIndex: undefined, detail } })
  )
}

/**
 * The public key to give to receivers: `whpk_` and base64.
 *
 * @category keys
 * @since 0.1.0
 */
export const publicKeyOf = (key: Ed25519.SigningKey): string => `${publicPrefix}${Base64.encode(key.publicKey)}`

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
): Effect.Effect<Valid, SignatureRejected, Signature> =>
  Effect.flatMap(Clock.currentTimeMillis, (millis) =>
    Effect.flatMap(verify({ ...delivery, now: millis / 1000 }), accept)
  )

/**
 * Checks the signature of a delivery at a given time and answers a verdict; it never fails.
 *
 * **Details** — any of the public keys may match any `v1a` signature; `secretIndex` of `Valid` says which key did.
 * **Gotchas** — give the raw body. Text decoded from bytes that were not UTF-8 does not verify, on purpose.
 *
 * @category verifying
 * @since 0.1.0
 */
export const verify = ({
  body,
  publicKeys,
  ...received
}: Delivery & Freshness): Effect.Effect<Verification, never, Signature> => {
  const message = Result.gen(function* () {
    const scheme = {
      version: "v1a",
      missing: { _tag: "MissingV1a" } as const,
      keys: () => SignedMessage.keysOf(publicKeys, publicKey)
    }
    const { prefix, signatures, ...read } = yield* StandardMessage.read(received, scheme, received)
    const signed = SignedMessage.signedBytes(prefix, yield* SignedMessage.bodyBytes(body))
    const candidates = signatures.flatMap((value) => {
      const bytes = Ed25519.fromBase64(value)
      return bytes?.length === Ed25519.signatureLength ? [bytes] : []
    })
    return { ...read, signed, candidates }
  })
  return Result.isFailure(message) ? Effect.succeed(message.failure) : match(message.success)
}

/**
 * Signs a body and returns the three headers to send with it, one `v1a` for each key, the current key's last.
 *
 * **Details** — `also` puts the signatures of a delivery signed with shared secrets in front of its own: a receiver
 * takes the one it can check. It must be of the same id and timestamp.
 * **Gotchas** — fails with `CannotSign` on what no receiver would accept, as signing with a secret does.
 *
 * @category signing
 * @since 0.1.0
 */
export const sign = (
  { id, body, keys, timestamp }: SignOptions,
  also?: SignatureHeaders
): Effect.Effect<SignatureHeaders, CannotSign, Signature> =>
  Effect.gen(function* () {
    const word = yield* checked(StandardMessage.oneWord(id))
    const seconds = yield* checked(SignedMessage.timestampOf(String(timestamp)))
    const bytes = SignedMessage.signedBytes(`${word}.${seconds}.`, yield* checked(SignedMessage.bodyBytes(body)))
    const listed = Arr.ensure(keys)
    if (listed.length === 0) return yield* unusable("none is configured")
    if (also !== undefined && (also["webhook-id"] !== word || also["webhook-timestamp"] !== String(seconds))) {
      return yield* unusable("the other signatures are of another id or timestamp")
    }
    const signatures = yield* Effect.forEach(listed, (key) =>
      Effect.matchEffect(Ed25519.sign(key, bytes), {
        onSuccess: (made) => Effect.succeed(`v1a,${Base64.encode(made)}`),
        onFailure: unusable
      })
    )
    return {
      "webhook-id": word,
      "webhook-timestamp": String(seconds),
      "webhook-signature": [
        ...(also === undefined ? [] : [also["webhook-signature"]]),
        ...signatures.toReversed()
      ].join(" ")
    }
  })

const match = Effect.fnUntraced(function* ({
  candidates,
  keys,
  signed,
  timestamp
}: {
  readonly keys: ReadonlyArray<Uint8Array>
  readonly timestamp: number
  readonly signed: Uint8Array
  readonly candidates: ReadonlyArray<Uint8Array>
}): Effect.fn.Return<Verification, never, Signature> {
  if (candidates.length === 0) return { _tag: "MalformedSignature" }
  for (const [secretIndex, key] of keys.entries()) {
    for (const candidate of candidates) {
      const isMade = yield* Ed25519.verify(key, candidate, signed)
      if (isMade === undefined) return { _tag: "Unsupported" }
      if (isMade) return { _tag: "Valid", secretIndex, timestamp }
    }
  }
  return { _tag: "SignatureMismatch" }
})

/**
 * Reads a public key, `whpk_` and base64 of 32 bytes; fails with what is wrong with it.
 *
 * @category keys
 * @since 0.1.0
 */
export const publicKey: SignedMessage.KeyOf = (text) => {
  const bytes = text.startsWith(publicPrefix) ? Ed25519.fromBase64(text.slice(publicPrefix.length)) : undefined
  return bytes === undefined ? Result.fail(`is not ${publicPrefix} and base64`) : Ed25519.publicKey(bytes)
}

const checked = <A>(result: SignedMessage.Checked<A>): Effect.Effect<A, CannotSign> =>
  Effect.mapError(Effect.fromResult(result), (reason) => new CannotSign({ reason }))

const unusable = (detail: string): Effect.Effect<never, CannotSign> =>
  Effect.fail(new CannotSign({ reason: { _tag: "WeakSecret", secretIndex: undefined, detail } }))

const privatePrefix = "whsk_"
const publicPrefix = "whpk_"
