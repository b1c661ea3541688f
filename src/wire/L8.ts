/**
 * L8 v0.1, spoken safely: what two services sign to each other, and the only way of signing it.
 *
 * A key signs for a {@link Purpose}, never a text: the text is made here, of parts whose shape was checked first.
 *
 * - `Delivery` is `{delivery_id}.{timestamp}.{base64(sha256(body))}`, the id a UUID;
 * - `Challenge` is `{challenge_id}:{nonce}`, both UUIDs. It holds no full stop, so it can never be the text of a
 *   delivery, and whoever answers challenges cannot be made to sign one.
 *
 * UUIDs are 32 hexadecimal digits of either case in their five groups, and nothing around them. Keys are base64 in its
 * only spelling: 32 raw bytes in public, a seed and its public key in private. Use a key for L8 and for nothing else.
 */
import { sha256 } from "@noble/hashes/sha2.js"
import type { Signature } from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Ed25519 from "./Ed25519.ts"
import type { Secret } from "./SignatureModel.ts"
import * as SignedMessage from "./SignedMessage.ts"

/**
 * What a key may sign for.
 *
 * @category models
 * @since 0.1.0
 */
export type Purpose =
  | {
      readonly _tag: "Delivery"
      readonly deliveryId: string
      /** Unix time in whole seconds. */
      readonly timestamp: number
      /** The body exactly as it is sent. */
      readonly body: Uint8Array
    }
  | { readonly _tag: "Challenge"; readonly challengeId: string; readonly nonce: string }

/**
 * Something of L8 that cannot be used: where it is wrong and how. Keys are never part of the message.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidL8 extends Schema.TaggedError<InvalidL8>()("InvalidL8", {
  path: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `L8, at ${this.path}: ${this.problem}`
  }
}

/**
 * Reads a private key: the base64 of a seed followed by its public key.
 *
 * @category keys
 * @since 0.1.0
 */
export const signingKey = (secret: Secret): Effect.Effect<Ed25519.SigningKey, InvalidL8, Signature> => {
  const bytes = Ed25519.fromBase64(SignedMessage.revealed(secret) ?? "")
  return Effect.mapError(
    bytes?.length === 64 ? Ed25519.signingKey(bytes) : Effect.fail("is not the base64 of 64 bytes"),
    (problem) => new InvalidL8({ path: "private_key", problem })
  )
}

/**
 * Reads a public key; one of small order, which would accept what nobody signed, is refused.
 *
 * @category keys
 * @since 0.1.0
 */
export const publicKey = (text: string, path = "public_key"): Result.Result<Uint8Array, InvalidL8> => {
  const bytes = Ed25519.fromBase64(text)
  return Result.mapError(
    bytes === undefined ? Result.fail("is not base64") : Ed25519.publicKey(bytes),
    (problem) => new InvalidL8({ path, problem })
  )
}

/**
 * A public key as it is published.
 *
 * @category keys
 * @since 0.1.0
 */
export const publicKeyText = (publicKey: Uint8Array): string => Base64.encode(publicKey)

/**
 * The name of a public key in a delivery: the base64 of its first 8 bytes.
 *
 * **Gotchas** — it says where to look, and proves nothing.
 *
 * @category keys
 * @since 0.1.0
 */
export const keyId = (publicKey: Uint8Array): string => Base64.encode(publicKey.subarray(0, 8))

/**
 * The bytes that are signed for a purpose; fails when one of its parts has the wrong shape.
 *
 * @category signing
 * @since 0.1.0
 */
export const textOf = (purpose: Purpose): Result.Result<Uint8Array, InvalidL8> => {
  switch (purpose._tag) {
    case "Delivery": {
      const { body, deliveryId, timestamp } = purpose
      if (!isUuid(deliveryId)) return notUuid("delivery_id")
      if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
        return Result.fail(new InvalidL8({ path: "timestamp", problem: "is not a whole number of Unix seconds" }))
      }
      return Result.succeed(utf8.encode(`${deliveryId}.${timestamp}.${Base64.encode(sha256(body))}`))
    }
    case "Challenge": {
      const { challengeId, nonce } = purpose
      if (!isUuid(challengeId)) return notUuid("challenge_id")
      if (!isUuid(nonce)) return notUuid("nonce")
      return Result.succeed(utf8.encode(`${challengeId}:${nonce}`))
    }
  }
}

/**
 * Signs for a purpose and answers the base64 of the signature.
 *
 * @category signing
 * @since 0.1.0
 */
export const sign = (key: Ed25519.SigningKey, purpose: Purpose): Effect.Effect<string, InvalidL8, Signature> =>
  Effect.flatMap(Effect.fromResult(textOf(purpose)), (text) =>
    Effect.mapBoth(Ed25519.sign(key, text), {
      onSuccess: Base64.encode,
      onFailure: (problem) => new InvalidL8({ path: "private_key", problem })
    })
  )

/**
 * Tells whether a key signed for a purpose. `undefined`: this runtime has no Ed25519; it never fails.
 *
 * **Details** — give a key that {@link publicKey} has read. A purpose of the wrong shape was signed by nobody.
 *
 * @category verifying
 * @since 0.1.0
 */
export const verify = (
  key: Uint8Array,
  signature: string,
  purpose: Purpose
): Effect.Effect<boolean | undefined, never, Signature> => {
  const text = textOf(purpose)
  const bytes = Ed25519.fromBase64(signature)
  return Result.isFailure(text) || bytes?.length !== Ed25519.signatureLength || Result.isFailure(Ed25519.publicKey(key))
    ? Effect.succeed(false)
    : Ed25519.verify(key, bytes, text.success)
}

/**
 * Tells whether a text is a UUID and nothing else.
 *
 * @category guards
 * @since 0.1.0
 */
export const isUuid = (text: string): boolean => uuid.test(text)

const notUuid = (path: string) => Result.fail(new InvalidL8({ path, problem: "is not a UUID" }))

const uuid = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/
const utf8 = new TextEncoder()
