/**
 * The handshake of L8: the document either side publishes, the challenge, and its answer.
 *
 * Codecs only. Who may be asked, how often, and which nonces were seen is decided by whoever speaks; that the key which
 * answers is the key that was published is checked here, in {@link proves}.
 */
import type { Signature } from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { SigningKey } from "./Ed25519.ts"
import * as Ed25519 from "./Ed25519.ts"
import * as L8 from "./L8.ts"

/**
 * Where the document is published.
 *
 * @category constants
 * @since 0.1.0
 */
export const documentPath = "/.well-known/l8"

/**
 * Where ours takes challenges.
 *
 * @category constants
 * @since 0.1.0
 */
export const challengePath = "/l8/challenge"

/**
 * How far a challenge may be away from now, in seconds and in both directions.
 *
 * @category constants
 * @since 0.1.0
 */
export const toleranceSeconds = 300

/**
 * What a service publishes about itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Document {
  readonly serviceName: string
  /** The raw public key. */
  readonly publicKey: Uint8Array
  /** A path, or a URL of the same origin; which of the two is not checked here. */
  readonly challengeEndpoint: string
}

/**
 * What an initiator asks.
 *
 * @category models
 * @since 0.1.0
 */
export interface Challenge {
  readonly challengeId: string
  readonly nonce: string
  /** Unix time in seconds. */
  readonly timestamp: number
  readonly senderPublicKey: Uint8Array
  /** The base64 of the sender's signature over the challenge. */
  readonly signature: string
}

/**
 * What a responder answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChallengeAnswer {
  readonly challengeId: string
  readonly nonce: string
  readonly receiverPublicKey: Uint8Array
  /** The base64 of the receiver's signature over the same challenge. */
  readonly receiverSignature: string
}

/**
 * Writes the document.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeDocument = ({ challengeEndpoint, publicKey, serviceName }: Document): string =>
  JSON.stringify({
    protocol_version: "0.1",
    service_name: serviceName,
    public_key: L8.publicKeyText(publicKey),
    challenge_endpoint: challengeEndpoint,
    supported_algorithms: ["ed25519"],
    capabilities: ["signed_payloads"]
  })

/**
 * Reads a document: version 0.1, Ed25519 among its algorithms, a usable key.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeDocument = (text: string): Result.Result<Document, L8.InvalidL8> =>
  Result.gen(function* () {
    const wire = yield* parse(readDocument, text)
    if (!wire.supported_algorithms.includes("ed25519")) {
      return yield* invalid("supported_algorithms", "does not list ed25519")
    }
    const publicKey = yield* L8.publicKey(wire.public_key)
    return { serviceName: wire.service_name ?? "", publicKey, challengeEndpoint: wire.challenge_endpoint }
  })

/**
 * Makes a challenge and signs it.
 *
 * @category signing
 * @since 0.1.0
 */
export const challenge = (
  key: SigningKey,
  { challengeId, nonce, timestamp }: Pick<Challenge, "challengeId" | "nonce" | "timestamp">
): Effect.Effect<Challenge, L8.InvalidL8, Signature> =>
  Effect.map(L8.sign(key, { _tag: "Challenge", challengeId, nonce }), (signature) => ({
    challengeId,
    nonce,
    timestamp,
    senderPublicKey: key.publicKey,
    signature
  }))

/**
 * Writes a challenge.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeChallenge = (self: Challenge): string =>
  JSON.stringify({
    challenge_id: self.challengeId,
    nonce: self.nonce,
    timestamp: self.timestamp,
    sender_public_key: L8.publicKeyText(self.senderPublicKey),
    signature: self.signature
  })

/**
 * Reads a challenge: ids and nonce must be UUIDs, the key a usable one. Neither age nor signature is checked.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeChallenge = (text: string): Result.Result<Challenge, L8.InvalidL8> =>
  Result.gen(function* () {
    const wire = yield* parse(readChallenge, text)
    const senderPublicKey = yield* L8.publicKey(wire.sender_public_key, "sender_public_key")
    yield* L8.textOf({ _tag: "Challenge", challengeId: wire.challenge_id, nonce: wire.nonce })
    return {
      challengeId: wire.challenge_id,
      nonce: wire.nonce,
      timestamp: wire.timestamp,
      senderPublicKey,
      signature: wire.signature
    }
  })

/**
 * Answers a challenge, once it has proved itself: fresh, signed by the key it names, and not by our own.
 *
 * **Gotchas** — whether the nonce was seen before is for the caller to know, before this is asked.
 *
 * @category signing
 * @since 0.1.0
 */
export const answer = Effect.fnUntraced(function* (
  key: SigningKey,
  asked: Challenge,
  nowSeconds: number
): Effect.fn.Return<ChallengeAnswer, L8.InvalidL8, Signature> {
  const { challengeId, nonce } = asked
  if (Ed25519.same(asked.senderPublicKey, key.publicKey)) {
    return yield* refuse("sender_public_key", "is the key of this service itself")
  }
  if (!(Math.abs(Math.floor(nowSeconds) - asked.timestamp) <= toleranceSeconds)) {
    return yield* refuse("timestamp", `is more than ${toleranceSeconds} s away`)
  }
  const isProved = yield* L8.verify(asked.senderPublicKey, asked.signature, { _tag: "Challenge", challengeId, nonce })
  if (isProved !== true) return yield* refuse("signature", "was not made by sender_public_key for this challenge")
  const receiverSignature = yield* L8.sign(key, { _tag: "Challenge", challengeId, nonce })
  return { challengeId, nonce, receiverPublicKey: key.publicKey, receiverSignature }
})

/**
 * Writes the answer to a challenge.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeAnswer = (self: ChallengeAnswer): string =>
  JSON.stringify({
    challenge_id: self.challengeId,
    nonce: self.nonce,
    receiver_signature: self.receiverSignature,
    receiver_public_key: L8.publicKeyText(self.receiverPublicKey)
  })

/**
 * Reads the answer to a challenge. What it is worth says {@link proves}.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeAnswer = (text: string): Result.Result<ChallengeAnswer, L8.InvalidL8> =>
  Result.gen(function* () {
    const wire = yield* parse(readAnswer, text)
    const receiverPublicKey = yield* L8.publicKey(wire.receiver_public_key, "receiver_public_key")
    return {
      challengeId: wire.challenge_id,
      nonce: wire.nonce,
      receiverPublicKey,
      receiverSignature: wire.receiver_signature
    }
  })

/**
 * Checks that an answer proves the published key: same challenge, same key, not our own, signed.
 *
 * @category verifying
 * @since 0.1.0
 */
export const proves = Effect.fnUntraced(function* (
  published: Document,
  asked: Challenge,
  answered: ChallengeAnswer
): Effect.fn.Return<void, L8.InvalidL8, Signature> {
  const { challengeId, nonce, senderPublicKey } = asked
  if (answered.challengeId !== challengeId) return yield* refuse("challenge_id", "is of another challenge")
  if (answered.nonce !== nonce) return yield* refuse("nonce", "is of another challenge")
  if (!Ed25519.same(answered.receiverPublicKey, published.publicKey)) {
    return yield* refuse("receiver_public_key", "is not the key that was published")
  }
  if (Ed25519.same(answered.receiverPublicKey, senderPublicKey)) {
    return yield* refuse("receiver_public_key", "is the key of this service itself")
  }
  const purpose = { _tag: "Challenge", challengeId, nonce } as const
  if ((yield* L8.verify(answered.receiverPublicKey, answered.receiverSignature, purpose)) !== true) {
    return yield* refuse("receiver_signature", "was not made by the published key for this challenge")
  }
})

const readDocument = Schema.decodeUnknownResult(
  Schema.Struct({
    protocol_version: Schema.Literal("0.1"),
    service_name: Schema.optionalKey(Schema.String),
    public_key: Schema.String,
    challenge_endpoint: Schema.NonEmptyString,
    supported_algorithms: Schema.Array(Schema.String)
  })
)

const readChallenge = Schema.decodeUnknownResult(
  Schema.Struct({
    challenge_id: Schema.String,
    nonce: Schema.String,
    timestamp: Schema.Int,
    sender_public_key: Schema.String,
    signature: Schema.String
  })
)

const readAnswer = Schema.decodeUnknownResult(
  Schema.Struct({
    challenge_id: Schema.String,
    nonce: Schema.String,
    receiver_signature: Schema.String,
    receiver_public_key: Schema.String
  })
)

const parse = <A>(
  read: (json: unknown) => Result.Result<A, Schema.SchemaError>,
  text: string
): Result.Result<A, L8.InvalidL8> =>
  Result.gen(function* () {
    const json = yield* Result.try({
      try: (): unknown => JSON.parse(text),
      catch: () => new L8.InvalidL8({ path: "body", problem: "is not JSON" })
    })
    return yield* Result.mapError(read(json), ({ issue }) => {
      const first = issuesOf(issue).issues[0]
      const path = (first?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".")
      return new L8.InvalidL8({ path: path === "" ? "body" : path, problem: "is missing or of the wrong type" })
    })
  })

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const invalid = (path: string, problem: string): Result.Result<never, L8.InvalidL8> =>
  Result.fail(new L8.InvalidL8({ path, problem }))

const refuse = (path: string, problem: string): Effect.Effect<never, L8.InvalidL8> =>
  Effect.fail(new L8.InvalidL8({ path, problem }))
