/**
 * Ed25519 keys and signatures, as the schemes of this floor need them.
 *
 * Signing and checking are effects, because the platform's WebCrypto is asynchronous; {@link layer} provides what they
 * ask for on every runtime that has it. Reading keys is synchronous and strict:
 *
 * - a private key is a seed of 32 bytes, or the seed followed by its public key; the two must belong together;
 * - a public key is 32 bytes. One of the few points of small order is refused: it accepts signatures that nobody made.
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Signature from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"

/**
 * A private key at hand and the public key that belongs to it. It prints without its bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SigningKey {
  readonly privateKey: Signature.PrivateKey<Signature.Ed25519>
  /** The raw public key, 32 bytes. */
  readonly publicKey: Uint8Array
}

/**
 * Ed25519 of the platform's WebCrypto.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Signature.Signature> = Layer.provide(
  Signature.layerWebCrypto,
  SecureRandom.layerWebCrypto
)

/** The key of a seed, or of a seed and its public key; fails with what is wrong with the bytes. */
export const signingKey = Effect.fnUntraced(function* (
  bytes: Uint8Array
): Effect.fn.Return<SigningKey, string, Signature.Signature> {
  if (bytes.length !== 32 && bytes.length !== 64) return yield* Effect.fail("is not a seed of 32 bytes, nor 64 bytes")
  const service = yield* Signature.Signature
  const derived = Effect.gen(function* () {
    const privateKey = yield* Signature.privateKey(Signature.ed25519, bytes.subarray(0, 32))
    return { privateKey, publicKey: yield* Signature.toBytes(yield* service.publicKeyOf(privateKey)) }
  })
  const key = yield* Effect.mapError(derived, () => "cannot be used by this runtime, which has no Ed25519")
  return bytes.length === 64 && !same(key.publicKey, bytes.subarray(32))
    ? yield* Effect.fail("holds a public key that belongs to another seed")
    : key
})

/** A public key that may be trusted to tell signatures apart; fails with what is wrong with the bytes. */
export const publicKey = (bytes: Uint8Array): Result.Result<Uint8Array, string> => {
  if (bytes.length !== 32) return Result.fail("is not 32 bytes")
  const point = Uint8Array.from(bytes)
  // the topmost bit is a sign, and of no matter here
  point[31] = (point[31] ?? 0) & 0x7f
  return smallOrder.includes(Hex.encode(point)) ? Result.fail("is a point of small order") : Result.succeed(bytes)
}

/** Base64 in its only spelling: the standard alphabet, padded, no bits to spare. */
export const fromBase64 = (text: string): Uint8Array | undefined => {
  const bytes = Result.getOrUndefined(Base64.decode(text))
  return bytes !== undefined && Base64.encode(bytes) === text ? bytes : undefined
}

export const sign = (key: SigningKey, message: Uint8Array): Effect.Effect<Uint8Array, string, Signature.Signature> =>
  Effect.flatMap(Signature.Signature, (service) =>
    Effect.mapError(service.sign(key.privateKey, message), () => "cannot be used by this runtime, which has no Ed25519")
  )

/** Whether a key, read by {@link publicKey}, made the signature; `undefined` when this runtime cannot tell. */
export const verify = (
  key: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array
): Effect.Effect<boolean | undefined, never, Signature.Signature> =>
  Effect.flatMap(Signature.Signature, (service) =>
    Signature.publicKey(Signature.ed25519, key).pipe(
      Effect.flatMap((imported) => service.verify(imported, signature, message)),
      // bytes that are no point of the curve have signed nothing
      Effect.catch(({ reason }) => Effect.succeed(reason._tag === "InvalidKey" ? false : undefined)),
      // a page that was not loaded safely has no WebCrypto
      Effect.catchDefect(() => Effect.succeed(undefined))
    )
  )

export const same = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.reduce((seen, byte, at) => seen | (byte ^ (right[at] ?? 0)), 0) === 0

export const signatureLength = 64

// the points of order 1, 2, 4 and 8, the spellings beyond the field's size among them
const smallOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
]
