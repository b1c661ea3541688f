import { createHash, generateKeyPairSync, sign as nodeSign, verify as nodeVerify } from "node:crypto"
import { assert, describe, it, layer } from "@effect/vitest"
import type { Signature } from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Ed25519 from "../../src/wire/Ed25519.ts"
import * as L8 from "../../src/wire/L8.ts"
import * as L8Delivery from "../../src/wire/L8Delivery.ts"
import * as L8Handshake from "../../src/wire/L8Handshake.ts"

const now = 1_760_000_000
const deliveryId = "0198b2a0-0000-7000-8000-000000000001"
const challengeId = "0198b2a0-0000-7000-8000-0000000000AA"
const nonce = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
const body = new TextEncoder().encode('{"job_id":"job_01"}')

// a peer that shares nothing with ours
const peer = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519")
  const raw = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url")
  const seed = Buffer.from(String(privateKey.export({ format: "jwk" }).d), "base64url")
  return {
    secret: Buffer.concat([seed, raw]).toString("base64"),
    raw: new Uint8Array(raw),
    sign: (text: string) => nodeSign(null, Buffer.from(text), privateKey).toString("base64"),
    accepts: (signature: string, text: string) =>
      nodeVerify(null, Buffer.from(text), publicKey, Buffer.from(signature, "base64"))
  }
}
const ours = peer()
const theirs = peer()
const deliveryText = `${deliveryId}.${now}.${createHash("sha256").update(body).digest("base64")}`

const decoders = [
  (text: string) => Result.isSuccess(L8Handshake.decodeDocument(text)),
  (text: string) => Result.isSuccess(L8Handshake.decodeChallenge(text)),
  (text: string) => Result.isSuccess(L8Handshake.decodeAnswer(text))
]

describe("the texts that are signed", () => {
  it("are those of the protocol, and a challenge is never a delivery", () => {
    const text = (purpose: L8.Purpose) => new TextDecoder().decode(Result.getOrThrow(L8.textOf(purpose)))
    assert.strictEqual(text({ _tag: "Delivery", deliveryId, timestamp: now, body }), deliveryText)
    assert.strictEqual(text({ _tag: "Challenge", challengeId, nonce }), `${challengeId}:${nonce}`)
  })

  it.each(["", "x", `${nonce} `, `${nonce}\n`, `{${nonce}}`, `${deliveryText}`, nonce.replaceAll("-", "")])(
    "are refused for what is no UUID: %j",
    (strange) => {
      assert.isTrue(Result.isFailure(L8.textOf({ _tag: "Challenge", challengeId, nonce: strange })))
      assert.isTrue(Result.isFailure(L8.textOf({ _tag: "Challenge", challengeId: strange, nonce })))
      assert.isTrue(Result.isFailure(L8.textOf({ _tag: "Delivery", deliveryId: strange, timestamp: now, body })))
    }
  )

  it.prop("never throw", [Schema.String, Schema.Number], ([text, timestamp]) => {
    assert.isFalse(Result.isSuccess(L8.textOf({ _tag: "Delivery", deliveryId: text, timestamp, body })))
    assert.isFalse(Result.isSuccess(L8.publicKey(text)))
    for (const decode of decoders) {
      assert.isFalse(decode(text))
    }
  })
})

layer(Ed25519.layer)("L8", (it) => {
  const received = {
    deliveryId,
    timestamp: `${now}`,
    keyId: Buffer.from(theirs.raw.subarray(0, 8)).toString("base64"),
    signature: theirs.sign(deliveryText),
    body,
    trusted: [theirs.raw],
    now
  }

  it.effect("signs deliveries that another implementation accepts", () =>
    Effect.gen(function* () {
      const key = yield* L8.signingKey(ours.secret)
      const headers = yield* L8Delivery.sign(key, { deliveryId, timestamp: now, body })
      assert.strictEqual(headers["X-L8-Delivery-Id"], deliveryId)
      assert.strictEqual(headers["X-L8-Timestamp"], `${now}`)
      assert.strictEqual(headers["X-L8-Key-Id"], Buffer.from(ours.raw.subarray(0, 8)).toString("base64"))
      assert.isTrue(ours.accepts(headers["X-L8-Signature"], deliveryText))
    })
  )

  for (const [name, changes, expected] of [
    ["as it was signed", {}, "Valid"],
    ["300 s later", { now: now + 300 }, "Valid"],
    ["301 s later", { now: now + 301 }, "TimestampTooOld"],
    ["301 s before", { now: now - 301 }, "TimestampTooNew"],
    ["another body", { body: Uint8Array.of(...body, 10) }, "SignatureMismatch"],
    ["another time", { timestamp: `${now + 1}` }, "SignatureMismatch"],
    ["another delivery", { deliveryId: nonce }, "SignatureMismatch"],
    ["a stranger's key", { trusted: [ours.raw] }, "UnknownKey"],
    ["nobody trusted", { trusted: [] }, "UnknownKey"],
    ["no headers", { signature: undefined }, "NoSignature"],
    ["no key id", { keyId: "" }, "NoSignature"],
    ["an id that is none", { deliveryId: "1" }, "MalformedHeader"],
    ["a time that is none", { timestamp: "1e9" }, "MalformedTimestamp"],
    ["a signature of 63 bytes", { signature: Buffer.alloc(63).toString("base64") }, "MalformedSignature"]
  ] as const) {
    it.effect(`verifies a delivery, ${name}: ${expected}`, () =>
      Effect.map(L8Delivery.verify({ ...received, ...changes }), ({ _tag }) => assert.strictEqual(_tag, expected))
    )
  }

  it.effect("shakes hands: challenge, answer, proof, all through the wire", () =>
    Effect.gen(function* () {
      const [initiator, responder] = [yield* L8.signingKey(ours.secret), yield* L8.signingKey(theirs.secret)]
      const published = L8Handshake.encodeDocument({
        serviceName: "theirs",
        publicKey: theirs.raw,
        challengeEndpoint: "/l8/challenge"
      })
      assert.deepStrictEqual(JSON.parse(published), {
        protocol_version: "0.1",
        service_name: "theirs",
        public_key: Buffer.from(theirs.raw).toString("base64"),
        challenge_endpoint: "/l8/challenge",
        supported_algorithms: ["ed25519"],
        capabilities: ["signed_payloads"]
      })
      const document = Result.getOrThrow(L8Handshake.decodeDocument(published))
      const sent = yield* L8Handshake.challenge(initiator, { challengeId, nonce, timestamp: now })
      assert.isTrue(ours.accepts(sent.signature, `${challengeId}:${nonce}`))
      const asked = Result.getOrThrow(L8Handshake.decodeChallenge(L8Handshake.encodeChallenge(sent)))
      const answer = L8Handshake.encodeAnswer(yield* L8Handshake.answer(responder, asked, now))
      assert.deepStrictEqual(Object.keys(JSON.parse(answer)), [
        "challenge_id",
        "nonce",
        "receiver_signature",
        "receiver_public_key"
      ])
      const answered = Result.getOrThrow(L8Handshake.decodeAnswer(answer))
      assert.isTrue(theirs.accepts(answered.receiverSignature, `${challengeId}:${nonce}`))
      yield* L8Handshake.proves(document, sent, answered)

      // the key that answers must be the key that was published
      const path = (proof: Effect.Effect<void, L8.InvalidL8, Signature>) =>
        Effect.map(Effect.flip(proof), (error) => error.path)
      const stranger = { ...document, publicKey: peer().raw }
      assert.strictEqual(yield* path(L8Handshake.proves(stranger, sent, answered)), "receiver_public_key")
      const otherNonce = { ...answered, nonce: deliveryId }
      assert.strictEqual(yield* path(L8Handshake.proves(document, sent, otherNonce)), "nonce")
      const unsigned = { ...answered, receiverSignature: ours.sign(`${challengeId}:${nonce}`) }
      assert.strictEqual(yield* path(L8Handshake.proves(document, sent, unsigned)), "receiver_signature")
      // our own answer, thrown back at us
      const mirrored = { ...answered, receiverPublicKey: ours.raw, receiverSignature: sent.signature }
      const mirror = { ...document, publicKey: ours.raw }
      assert.strictEqual(yield* path(L8Handshake.proves(mirror, sent, mirrored)), "receiver_public_key")
    })
  )

  it.effect("answers no challenge that is old, unsigned, or its own", () =>
    Effect.gen(function* () {
      const [initiator, responder] = [yield* L8.signingKey(ours.secret), yield* L8.signingKey(theirs.secret)]
      const asked = yield* L8Handshake.challenge(initiator, { challengeId, nonce, timestamp: now })
      const refusal = (challenge: L8Handshake.Challenge, at = now) =>
        Effect.map(Effect.flip(L8Handshake.answer(responder, challenge, at)), (error) => error.path)
      yield* L8Handshake.answer(responder, asked, now + 300)
      assert.strictEqual(yield* refusal(asked, now + 301), "timestamp")
      assert.strictEqual(yield* refusal(asked, Number.NaN), "timestamp")
      assert.strictEqual(yield* refusal({ ...asked, nonce: deliveryId }), "signature")
      assert.strictEqual(yield* refusal({ ...asked, signature: "" }), "signature")
      assert.strictEqual(yield* refusal({ ...asked, senderPublicKey: theirs.raw }), "sender_public_key")
      assert.strictEqual(yield* refusal({ ...asked, nonce: deliveryText, signature: ours.sign("") }), "signature")
    })
  )

  it.effect("refuses private keys that are none, without repeating them", () =>
    Effect.gen(function* () {
      const mixed = Buffer.concat([Buffer.from(ours.secret, "base64").subarray(0, 32), theirs.raw]).toString("base64")
      for (const secret of ["", "AAAA", ours.secret.slice(0, 44), `${ours.secret} `, mixed]) {
        const error = yield* Effect.flip(L8.signingKey(secret))
        assert.strictEqual(error.path, "private_key")
        assert.isFalse(secret !== "" && error.message.includes(secret))
      }
    })
  )
})

describe("what a peer publishes or asks", () => {
  const document = {
    protocol_version: "0.1",
    service_name: "theirs",
    public_key: Buffer.from(theirs.raw).toString("base64"),
    challenge_endpoint: "/l8/challenge",
    supported_algorithms: ["ed25519"],
    capabilities: ["signed_payloads"]
  }
  const challenge = {
    challenge_id: challengeId,
    nonce,
    timestamp: now,
    sender_public_key: document.public_key,
    signature: theirs.sign(`${challengeId}:${nonce}`)
  }
  const smallOrder = Buffer.alloc(32).toString("base64")

  it.each([
    [{ protocol_version: "0.2" }, "protocol_version"],
    [{ public_key: "AAAA" }, "public_key"],
    [{ public_key: smallOrder }, "public_key"],
    [{ public_key: 1 }, "public_key"],
    [{ challenge_endpoint: "" }, "challenge_endpoint"],
    [{ supported_algorithms: ["rsa"] }, "supported_algorithms"]
  ])("a document with %j is refused at %s", (changes, path) => {
    const decoded = L8Handshake.decodeDocument(JSON.stringify({ ...document, ...changes }))
    assert.strictEqual(Result.isFailure(decoded) ? decoded.failure.path : "accepted", path)
  })

  it("a document may say more than we know, and need not name itself", () => {
    const { service_name: _, ...unnamed } = document
    const decoded = L8Handshake.decodeDocument(JSON.stringify({ ...unnamed, more: 1 }))
    assert.isTrue(Result.isSuccess(decoded) && decoded.success.serviceName === "")
  })

  it.each([
    [{ challenge_id: "1" }, "challenge_id"],
    [{ nonce: deliveryText }, "nonce"],
    [{ nonce: 1 }, "nonce"],
    [{ timestamp: `${now}` }, "timestamp"],
    [{ timestamp: 1.5 }, "timestamp"],
    [{ sender_public_key: smallOrder }, "sender_public_key"],
    [{ signature: null }, "signature"]
  ])("a challenge with %j is refused at %s", (changes, path) => {
    const decoded = L8Handshake.decodeChallenge(JSON.stringify({ ...challenge, ...changes }))
    assert.strictEqual(Result.isFailure(decoded) ? decoded.failure.path : "accepted", path)
  })
})
