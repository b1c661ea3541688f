import { createHmac } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { CannotSign } from "../../src/wire/Signature.ts"
import { authenticate, sign, verify } from "../../src/wire/StandardWebhooks.ts"

const now = 1_760_000_000
const id = "msg_01"
const body = '{"job_id":"job_01"}'
const key = (fill: number, length = 32) => Buffer.alloc(length, fill)
const secretOf = (bytes: Buffer) => `whsec_${bytes.toString("base64")}`
const primary = secretOf(key(1))
const secondary = secretOf(key(2))

// an implementation that shares nothing with ours
const mac = (bytes: Buffer, signedId = id, time = `${now}`, content: string | Uint8Array = body) =>
  createHmac("sha256", bytes).update(`${signedId}.${time}.`).update(content).digest("base64")
const good = mac(key(1))
const other = mac(key(9))

const received = { id, timestamp: `${now}`, signature: `v1,${good}`, body, secrets: primary }
const delivery = { ...received, now }
const tag = (changes: Partial<Parameters<typeof verify>[0]>) => verify({ ...delivery, ...changes })._tag

describe("the headers", () => {
  it("name the one that is missing", () => {
    for (const [field, header] of [
      ["id", "webhook-id"],
      ["timestamp", "webhook-timestamp"],
      ["signature", "webhook-signature"]
    ] as const) {
      for (const absent of [undefined, null, "", " ", []]) {
        assert.deepStrictEqual(verify({ ...delivery, [field]: absent }), { _tag: "NoSignature", header })
      }
    }
  })

  it.each<[name: string, signature: string | ReadonlyArray<string>, expected: string]>([
    ["only an asymmetric signature", `v1a,${good}`, "MissingV1"],
    ["an asymmetric signature beside the right one", `v1a,${other} v1,${good}`, "Valid"],
    ["the right one first", `v1,${good} v1,${other}`, "Valid"],
    ["several spaces", `  v1,${other}   v1,${good} `, "Valid"],
    ["sent twice, the right one first", [`v1,${good}`, `v1,${other}`], "Valid"],
    ["sent twice, the right one last", [`v1,${other}`, `v1,${good}`], "Valid"],
    ["an item without a comma", `v1,${good} junk`, "MalformedHeader"],
    ["no version", good, "MalformedHeader"],
    ["a malformed one beside the right one", `v1,x v1,${good}`, "Valid"],
    ["a malformed one beside a wrong one", `v1,x v1,${other}`, "SignatureMismatch"],
    ["an empty signature", "v1,", "MalformedSignature"],
    ["padding left out", `v1,${good.slice(0, -1)}`, "MalformedSignature"],
    ["hexadecimal instead of base64", `v1,${Buffer.from(good, "base64").toString("hex")}`, "MalformedSignature"],
    ["a signature of 31 bytes", `v1,${Buffer.alloc(31).toString("base64")}`, "MalformedSignature"],
    ["a signature of 33 bytes", `v1,${Buffer.alloc(33).toString("base64")}`, "MalformedSignature"],
    ["2,049 characters", `v1,${good}`.padEnd(2049), "MalformedHeader"]
  ])("%s", (_name, signature, expected) => assert.strictEqual(tag({ signature }), expected))

  it("refuse another spelling of the right bytes", () => {
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    const last = digits.indexOf(good.charAt(42))
    const respelt = `${good.slice(0, 42)}${digits.charAt(last + 1)}=`
    assert.deepStrictEqual(Buffer.from(respelt, "base64"), Buffer.from(good, "base64"))
    assert.strictEqual(tag({ signature: `v1,${respelt}` }), "MalformedSignature")
  })

  it.each(["a.b", "a,b", "a b", "ä", `${id}, ${id}`])("refuse an id that is not one word: %s", (strange) => {
    const signature = `v1,${mac(key(1), strange)}`
    assert.strictEqual(tag({ id: strange, signature }), "MalformedHeader")
  })

  it("refuse an id that was sent twice", () => assert.strictEqual(tag({ id: [id, id] }), "MalformedHeader"))
})

describe("the timestamp", () => {
  it.each(["-1", "+1", "1760000000.5", "01760000000", "1.76e9", "abc", "1760000000, 1760000000"])(
    "is refused as %s, correctly signed",
    (timestamp) => {
      const signature = `v1,${mac(key(1), id, timestamp)}`
      assert.strictEqual(tag({ timestamp, signature }), "MalformedTimestamp")
    }
  )

  it.each([
    [300, "Valid"],
    [301, "TimestampTooOld"],
    [-300, "Valid"],
    [-301, "TimestampTooNew"],
    [Number.NaN, "InvalidClock"]
  ])("read %d s after signing", (age, expected) => assert.strictEqual(tag({ now: now + age }), expected))
})

describe("the secrets", () => {
  it("may go without the prefix", () => {
    assert.strictEqual(tag({ secrets: key(1).toString("base64") }), "Valid")
  })

  it("are tried in order and the one that matches is named", () => {
    assert.deepStrictEqual(verify({ ...delivery, secrets: [secondary, primary] }), {
      _tag: "Valid",
      secretIndex: 1,
      timestamp: now
    })
    assert.strictEqual(tag({ secrets: secondary }), "SignatureMismatch")
  })

  it.each([
    ["none", []],
    ["empty", ""],
    ["nothing behind the prefix", "whsec_"],
    ["not base64", "whsec_not base64!"],
    ["the base64url alphabet", `whsec_${"_".repeat(32)}`],
    ["23 bytes", secretOf(key(1, 23))],
    ["a weak one beside the right one", [primary, "whsec_"]]
  ])("are refused when weak: %s", (_name, secrets) => assert.strictEqual(tag({ secrets }), "WeakSecret"))

  it("may have 24 bytes", () => {
    assert.strictEqual(tag({ secrets: secretOf(key(1, 24)), signature: `v1,${mac(key(1, 24))}` }), "Valid")
  })
})

describe("sign", () => {
  it("writes what another implementation computes, the primary's signature last", () => {
    assert.deepStrictEqual(sign({ id, body, secrets: [primary, secondary], timestamp: now }), {
      "webhook-id": id,
      "webhook-timestamp": `${now}`,
      "webhook-signature": `v1,${mac(key(2))} v1,${good}`
    })
  })

  it.each([
    ["no secret", { secrets: [] }],
    ["an id with a full stop", { id: "a.b" }],
    ["no id", { id: "" }],
    ["a fraction of a second", { timestamp: 0.5 }],
    ["text without a UTF-8 form", { body: "\ud800" }]
  ])("refuses to make what nobody would accept: %s", (_name, wrong) =>
    assert.throws(() => sign({ id, body, secrets: primary, timestamp: now, ...wrong }), CannotSign)
  )
})

describe("laws", () => {
  const Bytes = Arbitrary.schema(Schema.Uint8Array)
  const Seed = Arbitrary.map(Arbitrary.schema(Schema.Int), (n) => Math.abs(n))

  it.prop("what was signed is valid, one changed bit is a mismatch", [Bytes, Seed], ([content, seed]) => {
    const secrets = secretOf(key(seed % 256, 24 + (seed % 41)))
    const timestamp = seed % 4_000_000_000
    const headers = sign({ id: `msg_${seed}`, body: content, secrets, timestamp })
    const signed = {
      id: headers["webhook-id"],
      timestamp: headers["webhook-timestamp"],
      signature: headers["webhook-signature"],
      secrets,
      now: timestamp
    }
    assert.deepStrictEqual(verify({ ...signed, body: content }), { _tag: "Valid", secretIndex: 0, timestamp })
    const changed = Uint8Array.of(...content, 0)
    assert.strictEqual(verify({ ...signed, body: changed })._tag, "SignatureMismatch")
    assert.strictEqual(verify({ ...signed, id: `${signed.id}x`, body: content })._tag, "SignatureMismatch")
  })

  it.prop("no header or secret makes it throw", [Schema.String, Schema.String, Schema.String], ([a, b, c]) => {
    for (const signature of [a, `v1,${b}`, [a, `v1,${c}`]]) {
      assert.notStrictEqual(verify({ ...delivery, signature })._tag, "Valid")
      assert.notStrictEqual(verify({ ...delivery, id: b, timestamp: c, signature, secrets: [a, b] })._tag, "Valid")
    }
  })
})

describe("authenticate", () => {
  it.effect("reads the program's clock", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now * 1000)
      assert.strictEqual((yield* authenticate(received)).secretIndex, 0)
      yield* TestClock.adjust("301 seconds")
      assert.strictEqual((yield* Effect.flip(authenticate(received))).reason._tag, "TimestampTooOld")
    })
  )
})
