import { generateKeyPairSync, sign as nodeSign, verify as nodeVerify } from "node:crypto"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Ed25519 from "../../src/wire/Ed25519.ts"
import * as StandardWebhooks from "../../src/wire/StandardWebhooks.ts"
import { authenticate, publicKeyOf, sign, signingKey, verify } from "../../src/wire/StandardWebhooksKeys.ts"

const now = 1_760_000_000
const id = "msg_01"
const body = '{"job_id":"job_01"}'

// keys and signatures made by another implementation
const pairOf = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519")
  const seed = Buffer.from(String(privateKey.export({ format: "jwk" }).d), "base64url")
  const raw = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url")
  return {
    secret: `whsk_${Buffer.concat([seed, raw]).toString("base64")}`,
    seedOnly: `whsk_${seed.toString("base64")}`,
    public: `whpk_${raw.toString("base64")}`,
    raw,
    seed,
    sign: (content: string | Uint8Array = body, signedId = id, time = `${now}`) =>
      nodeSign(null, Buffer.concat([Buffer.from(`${signedId}.${time}.`), Buffer.from(content)]), privateKey).toString(
        "base64"
      ),
    accepts: (signature: string, content: string) =>
      nodeVerify(null, Buffer.from(content), publicKey, Buffer.from(signature, "base64"))
  }
}
const current = pairOf()
const former = pairOf()
const stranger = pairOf()

const received = { id, timestamp: `${now}`, signature: `v1a,${current.sign()}`, body, publicKeys: current.public }
const tag = (changes: Partial<Parameters<typeof verify>[0]>) =>
  Effect.map(verify({ ...received, now, ...changes }), ({ _tag }) => _tag)

// a page that was not loaded safely has no `subtle`
const noCrypto = { getRandomValues: crypto.getRandomValues.bind(crypto) } as Crypto

layer(Ed25519.layer)("v1a", (it) => {
  it.effect("accepts what another implementation signed and names the key", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* verify({ ...received, now, publicKeys: [stranger.public, current.public] }), {
        _tag: "Valid",
        secretIndex: 1,
        timestamp: now
      })
    })
  )

  it.effect("is accepted by another implementation, every key's, the current one last", () =>
    Effect.gen(function* () {
      const keys = yield* Effect.forEach([current.secret, former.seedOnly], (secret) => signingKey(secret))
      const headers = yield* sign({ id, body, keys, timestamp: now })
      const [first, last] = headers["webhook-signature"].split(" ").map((item) => item.slice("v1a,".length))
      assert.isTrue(former.accepts(String(first), `${id}.${now}.${body}`))
      assert.isTrue(current.accepts(String(last), `${id}.${now}.${body}`))
      assert.strictEqual(headers["webhook-id"], id)
      assert.strictEqual(headers["webhook-timestamp"], `${now}`)
    })
  )

  it.effect("stands beside v1, and each receiver takes its own", () =>
    Effect.gen(function* () {
      const secrets = `whsec_${Buffer.alloc(32, 1).toString("base64")}`
      const shared = StandardWebhooks.sign({ id, body, secrets, timestamp: now })
      const headers = yield* sign({ id, body, keys: yield* signingKey(current.secret), timestamp: now }, shared)
      const both = { ...received, signature: headers["webhook-signature"], now }
      assert.strictEqual((yield* verify(both))._tag, "Valid")
      assert.strictEqual(StandardWebhooks.verify({ ...both, secrets })._tag, "Valid")
      const other = StandardWebhooks.sign({ id: "msg_02", body, secrets, timestamp: now })
      const failed = yield* Effect.flip(
        sign({ id, body, keys: yield* signingKey(current.secret), timestamp: now }, other)
      )
      assert.strictEqual(failed._tag, "CannotSign")
    })
  )

  for (const [name, changes, expected] of [
    ["another key", { publicKeys: stranger.public }, "SignatureMismatch"],
    ["another body", { body: `${body}\n` }, "SignatureMismatch"],
    ["another id", { id: "msg_02" }, "SignatureMismatch"],
    ["only a v1", { signature: `v1,${current.sign()}` }, "MissingV1a"],
    ["a wrong one first", { signature: `v1a,${stranger.sign()} v1a,${current.sign()}` }, "Valid"],
    ["63 bytes", { signature: `v1a,${Buffer.alloc(63).toString("base64")}` }, "MalformedSignature"],
    ["no base64", { signature: "v1a,%" }, "MalformedSignature"],
    ["no header", { signature: null }, "NoSignature"],
    ["300 s of age", { now: now + 300 }, "Valid"],
    ["301 s of age", { now: now + 301 }, "TimestampTooOld"],
    ["no keys", { publicKeys: [] }, "WeakSecret"],
    ["a private key for a public one", { publicKeys: current.secret }, "WeakSecret"],
    ["a key of small order", { publicKeys: `whpk_${Buffer.alloc(32).toString("base64")}` }, "WeakSecret"],
    [
      "a key that is no point of the curve",
      { publicKeys: `whpk_${Buffer.alloc(32, 2).toString("base64")}` },
      "SignatureMismatch"
    ]
  ] as const) {
    it.effect(`${name}: ${expected}`, () =>
      Effect.map(tag(changes), (verdict) => assert.strictEqual(verdict, expected))
    )
  }

  it.effect("refuses the signature that a key of small order would accept for anything", () =>
    Effect.gen(function* () {
      const identity = Buffer.from(`01${"00".repeat(31)}`, "hex")
      const forged = `v1a,${Buffer.concat([identity, Buffer.alloc(32)]).toString("base64")}`
      for (const sign of [0, 0x80]) {
        const key = Buffer.from(identity)
        key[31] = sign
        assert.strictEqual(
          yield* tag({ signature: forged, publicKeys: `whpk_${key.toString("base64")}` }),
          "WeakSecret"
        )
      }
    })
  )

  it.effect("reads private keys of both lengths, derives the public one, and never prints them", () =>
    Effect.gen(function* () {
      for (const secret of [current.secret, current.seedOnly, Redacted.make(current.secret)]) {
        const key = yield* signingKey(secret)
        assert.strictEqual(publicKeyOf(key), current.public)
        assert.notInclude(JSON.stringify(key), current.seed.toString("base64"))
      }
      const mixed = `whsk_${Buffer.concat([current.seed, former.raw]).toString("base64")}`
      for (const secret of [mixed, current.public, current.secret.slice(5), "whsk_", "whsk_AAAA"]) {
        const { message } = yield* Effect.flip(signingKey(secret))
        assert.notInclude(message, secret.slice(6) === "" ? "nothing" : secret.slice(6))
      }
    })
  )

  it.effect("authenticate reads the program's clock", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      assert.strictEqual((yield* authenticate(received)).secretIndex, 0)
      yield* TestClock.adjust("301 seconds")
      assert.strictEqual((yield* Effect.flip(authenticate(received))).reason._tag, "TimestampTooOld")
    })
  )

  it.effect("says so where the platform has no Ed25519, instead of failing", () =>
    Effect.map(
      tag({}).pipe(Effect.provide(Layer.fresh(Ed25519.layer)), Effect.provideService(WebCrypto.WebCrypto, noCrypto)),
      (verdict) => assert.strictEqual(verdict, "Unsupported")
    )
  )
})

describe("laws of v1a", () => {
  const Bytes = Arbitrary.schema(Schema.Uint8Array)
  const Seed = Arbitrary.map(Arbitrary.schema(Schema.Int), (n) => Math.abs(n))

  it.effect.prop("what was signed is valid, one changed bit is not", [Bytes, Seed], ([content, seed]) =>
    Effect.gen(function* () {
      const secret = `whsk_${Buffer.alloc(32, seed % 256).toString("base64")}`
      const key = yield* signingKey(secret)
      const timestamp = seed % 4_000_000_000
      const headers = yield* sign({ id: `msg_${seed}`, body: content, keys: key, timestamp })
      const signed = {
        id: headers["webhook-id"],
        timestamp: headers["webhook-timestamp"],
        signature: headers["webhook-signature"],
        publicKeys: publicKeyOf(key),
        now: timestamp
      }
      assert.strictEqual((yield* verify({ ...signed, body: content }))._tag, "Valid")
      const bit = seed % (8 * (content.length + 1))
      const changed = Uint8Array.of(...content, 0)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.strictEqual((yield* verify({ ...signed, body: changed }))._tag, "SignatureMismatch")
    }).pipe(Effect.provide(Ed25519.layer))
  )

  it.effect.prop("no header or key makes it fail", [Schema.String, Schema.String, Schema.String], ([a, b, c]) =>
    Effect.gen(function* () {
      for (const signature of [a, `v1a,${b}`, [a, `v1a,${c}`]]) {
        assert.notStrictEqual(yield* tag({ signature }), "Valid")
        assert.notStrictEqual(yield* tag({ id: b, timestamp: c, signature, publicKeys: [a, `whpk_${b}`] }), "Valid")
      }
    }).pipe(Effect.provide(Ed25519.layer))
  )
})
