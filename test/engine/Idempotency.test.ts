import { assert, describe, it } from "@effect/vitest"
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { createHash } from "node:crypto"
import * as Idempotency from "../../src/engine/Idempotency.ts"

const uuidV4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe("Idempotency.hash", () => {
  it("takes in the credentials of a call that answers its caller, after the body", () => {
    const call = { method: "GET", url: "https://a.example/", body: undefined }
    const headers = { "X-Api-Key": "k", accept: "a", Authorization: "me" }
    const expected = createHash("sha256")
      .update("3:GET18:https://a.example/0:13:authorization2:me9:x-api-key1:k")
      .digest("hex")
    assert.strictEqual(Idempotency.hash({ ...call, headers }), expected)
    assert.strictEqual(Idempotency.hash({ ...call, headers: { accept: "a" } }), Idempotency.hash(call))
    for (const method of ["HEAD", "OPTIONS"]) {
      assert.notStrictEqual(Idempotency.hash({ ...call, method, headers }), Idempotency.hash({ ...call, method }))
    }
    for (const method of ["POST", "PUT", "DELETE"]) {
      assert.strictEqual(Idempotency.hash({ ...call, method, headers }), Idempotency.hash({ ...call, method }))
    }
  })

  it.each(Idempotency.credentials)("knows %s for a credential", (name) => {
    const hashOf = (value: string) =>
      Idempotency.hash({ method: "GET", url: "https://a.example/", body: undefined, headers: { [name]: value } })
    assert.notStrictEqual(hashOf("a"), hashOf("b"))
  })

  it("hashes each field behind its length in bytes, as documented", () => {
    const expected = createHash("sha256").update("4:POST18:https://a.example/2:hi").digest("hex")
    assert.strictEqual(Idempotency.hash({ method: "POST", url: "https://a.example/", body: "hi" }), expected)
  })

  it("counts bytes, not characters", () => {
    const expected = createHash("sha256").update("4:POST18:https://a.example/4:a€").digest("hex")
    assert.strictEqual(Idempotency.hash({ method: "POST", url: "https://a.example/", body: "a€" }), expected)
  })

  it("takes text and its UTF-8 bytes for the same body", () => {
    const call = { method: "POST", url: "https://a.example/" }
    assert.strictEqual(
      Idempotency.hash({ ...call, body: "grüße" }),
      Idempotency.hash({ ...call, body: new TextEncoder().encode("grüße") })
    )
  })

  it("hashes bytes that are not text as they are", () => {
    const body = Uint8Array.of(0xff, 0x00, 0xfe)
    const expected = createHash("sha256").update("3:PUT18:https://a.example/3:").update(body).digest("hex")
    assert.strictEqual(Idempotency.hash({ method: "PUT", url: "https://a.example/", body }), expected)
  })

  it("takes no body and an empty body for the same call", () => {
    const call = { method: "POST", url: "https://a.example/" }
    const none = Idempotency.hash({ ...call, body: undefined })
    assert.strictEqual(none, Idempotency.hash({ ...call, body: "" }))
    assert.strictEqual(none, Idempotency.hash({ ...call, body: new Uint8Array(0) }))
    assert.notStrictEqual(none, Idempotency.hash({ ...call, body: "0:" }))
  })

  it("tells methods apart, their case included", () => {
    const hashOf = (method: string) => Idempotency.hash({ method, url: "https://a.example/", body: undefined })
    assert.strictEqual(new Set(["GET", "get", "POST", "PUT"].map(hashOf)).size, 4)
  })
})

describe("Idempotency.freshKey", () => {
  it.effect("draws a version 4 UUID, another one each time", () =>
    Effect.gen(function* () {
      const keys = yield* Effect.all(Array.from({ length: 500 }, () => Idempotency.freshKey))
      for (const key of keys) assert.match(key, uuidV4)
      assert.strictEqual(new Set(keys).size, 500)
    })
  )

  it("can be drawn synchronously", () => {
    assert.match(Effect.runSync(Idempotency.freshKey), uuidV4)
  })

  it.effect("draws the same keys from the same seed, and other keys from another", () =>
    Effect.gen(function* () {
      const three = Effect.all([Idempotency.freshKey, Idempotency.freshKey, Idempotency.freshKey])
      const first = yield* Random.withSeed(three, "seed")
      assert.deepStrictEqual(yield* Random.withSeed(three, "seed"), first)
      assert.notDeepEqual(yield* Random.withSeed(three, "other"), first)
      assert.strictEqual(new Set(first).size, 3)
      for (const key of first) assert.match(key, uuidV4)
    })
  )

  it.effect("draws from the platform's secure source unless seeded", () =>
    Effect.gen(function* () {
      const sevens = {
        ...globalThis.crypto,
        getRandomValues: <A extends ArrayBufferView | null>(bytes: A): A =>
          bytes instanceof Uint8Array ? (bytes.fill(0x77), bytes) : bytes
      }
      const key = Effect.provideService(Idempotency.freshKey, WebCrypto.WebCrypto, sevens)
      assert.strictEqual(yield* key, "77777777-7777-4777-b777-777777777777")
      assert.notStrictEqual(yield* Random.withSeed(key, "seed"), "77777777-7777-4777-b777-777777777777")
    })
  )

  it.effect("keeps to the version and variant bits whatever is drawn", () =>
    Effect.gen(function* () {
      const constant = (draw: number) => ({ nextIntUnsafe: () => 0, nextDoubleUnsafe: () => draw })
      const drawn = (draw: number) => Effect.provideService(Idempotency.freshKey, Random.Random, constant(draw))
      assert.strictEqual(yield* drawn(0), "00000000-0000-4000-8000-000000000000")
      assert.strictEqual(yield* drawn(1 - 2 ** -53), "ffffffff-ffff-4fff-bfff-ffffffffffff")
    })
  )
})

describe("Idempotency.isUnsafe", () => {
  it.each(["POST", "PUT", "PATCH", "DELETE", "post", "PURGE"])("wants a key for %s", (method) => {
    assert.isTrue(Idempotency.isUnsafe(method))
  })

  it.each(["GET", "HEAD", "OPTIONS", "TRACE", "get"])("wants none for %s", (method) => {
    assert.isFalse(Idempotency.isUnsafe(method))
  })
})
