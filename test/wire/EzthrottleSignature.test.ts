import { createHmac } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { authenticate, sign, verify } from "../../src/wire/EzthrottleSignature.ts"
import { CannotSign } from "../../src/wire/Signature.ts"
import type { HeaderValue, RawBody, Secrets } from "../../src/wire/Signature.ts"

const now = 1_760_000_000
const primary = "whk_primary_0123456789"
const secondary = "whk_secondary_0123456789"
const body = '{"job_id":"job_01"}'

// an implementation that shares nothing with ours
const hmac = (secret: string, time: string, content: string | Uint8Array = body) =>
  createHmac("sha256", secret).update(`${time}.`).update(content).digest("hex")
const good = hmac(primary, `${now}`)
const other = hmac("an unrelated secret", `${now}`)

const verdict = (
  header: HeaderValue,
  options: { body?: RawBody; secrets?: Secrets; now?: number; minSecretBytes?: number } = {}
) => verify({ header, body, secrets: primary, now, ...options })
const tag = (...args: Parameters<typeof verdict>) => verdict(...args)._tag

const Seconds = Arbitrary.map(Arbitrary.schema(Schema.Int), (n) => Math.abs(n) % 4_000_000_000)
const Secret = Arbitrary.map(Arbitrary.schema(Schema.String), (text) => `0123456789abcdef${text}`)
const Bytes = Arbitrary.schema(Schema.Uint8Array)
const Index = Arbitrary.map(Arbitrary.schema(Schema.Int), Math.abs)

describe("the shape of the header", () => {
  it.each<[name: string, header: HeaderValue, expected: string]>([
    ["absent", undefined, "NoSignature"],
    ["null", null, "NoSignature"],
    ["an empty list", [], "NoSignature"],
    ["only white space", " \t ", "NoSignature"],
    ["only a timestamp", `t=${now}`, "MissingV1"],
    ["only an unknown version", `t=${now},v2=${good}`, "MissingV1"],
    ["an upper-case name is another name", `t=${now},V1=${good}`, "MissingV1"],
    ["the signature before the timestamp", `v1=${good},t=${now}`, "Valid"],
    ["white space around the items", `  t=${now} ,\tv1=${good}  `, "Valid"],
    ["white space around the equals sign", `t = ${now},v1=${good}`, "MalformedHeader"],
    ["a list of one", [`t=${now},v1=${good}`], "Valid"],
    ["a list of two halves", [`t=${now}`, `v1=${good}`], "Valid"],
    ["sent twice, as a list", [`t=${now},v1=${good}`, `t=${now},v1=${good}`], "MalformedTimestamp"],
    ["two different timestamps", `t=${now},t=${now + 1},v1=${good}`, "MalformedTimestamp"],
    ["a trailing comma", `t=${now},v1=${good},`, "MalformedHeader"],
    ["an item without a name", `t=${now},v1=${good},=x`, "MalformedHeader"],
    ["items parted by semicolons", `t=${now};v1=${good}`, "MissingV1"],
    ["unknown items, an empty value among them", `t=${now},x=,v1=${good},y=a=b`, "Valid"],
    ["2,048 characters", `t=${now},v1=${good},x=`.padEnd(2048, "a"), "Valid"],
    ["2,049 characters", `t=${now},v1=${good},x=`.padEnd(2049, "a"), "MalformedHeader"],
    ["2,049 characters, all but a few white space", `t=${now},v1=${good}`.padEnd(2049), "MalformedHeader"],
    ["text in quotes", `"t=${now},v1=${good}"`, "MalformedHeader"]
  ])("%s", (_name, header, expected) => assert.strictEqual(tag(header), expected))
})

describe("the timestamp", () => {
  it.each<[text: string, expected: string]>([
    ["", "MalformedTimestamp"],
    ["+1760000000", "MalformedTimestamp"],
    ["01760000000", "MalformedTimestamp"],
    ["1.76e9", "MalformedTimestamp"],
    ["0x68e77800", "MalformedTimestamp"],
    ["1_760_000_000", "MalformedTimestamp"],
    ["1760000000n", "MalformedTimestamp"],
    ["１７６０００００００", "MalformedTimestamp"],
    ["NaN", "MalformedTimestamp"],
    ["Infinity", "MalformedTimestamp"],
    ["9007199254740993", "MalformedTimestamp"],
    ["99999999999999999999999", "MalformedTimestamp"],
    ["9007199254740991", "TimestampTooNew"],
    ["1760000000000", "TimestampTooNew"],
    ["0", "TimestampTooOld"]
  ])("%s, correctly signed", (text, expected) =>
    assert.strictEqual(tag(`t=${text},v1=${hmac(primary, text)}`), expected)
  )

  it.each([
    [300, "Valid"],
    [300.9, "Valid"],
    [301, "TimestampTooOld"],
    [-300, "Valid"],
    [-301, "TimestampTooNew"]
  ])("read %d s after signing", (age, expected) =>
    assert.strictEqual(tag(`t=${now},v1=${good}`, { now: now + age }), expected)
  )

  it("says how far away it was and how far it may be", () => {
    const header = `t=${now},v1=${good}`
    assert.deepStrictEqual(verify({ header, body, secrets: primary, now: now + 11, toleranceSeconds: 10 }), {
      _tag: "TimestampTooOld",
      diff: 11,
      tolerance: 10
    })
    assert.deepStrictEqual(verify({ header, body, secrets: primary, now: now - 1, toleranceSeconds: 0 }), {
      _tag: "TimestampTooNew",
      diff: 1,
      tolerance: 0
    })
  })

  it("is judged before the signature, as the official verifiers do", () => {
    assert.strictEqual(tag(`t=${now - 301},v1=${other}`), "TimestampTooOld")
  })

  it.each([
    [Number.NaN, 300],
    [Number.POSITIVE_INFINITY, 300],
    [Number.NEGATIVE_INFINITY, 300],
    [now, Number.NaN],
    [now, -1]
  ])("is not compared with an unusable clock: now %d, tolerance %d", (at, toleranceSeconds) => {
    const header = `t=${now},v1=${good}`
    assert.strictEqual(verify({ header, body, secrets: primary, now: at, toleranceSeconds })._tag, "InvalidClock")
  })
})

describe("the signatures", () => {
  it.each<[name: string, signatures: string, expected: string]>([
    ["upper-case digits", `v1=${good.toUpperCase()}`, "Valid"],
    ["the right one first", `v1=${good},v1=${other}`, "Valid"],
    ["the right one last", `v1=${other},v1=${good}`, "Valid"],
    ["a malformed one beside the right one", `v1=zz,v1=${good}`, "Valid"],
    ["a malformed one beside a wrong one", `v1=zz,v1=${other}`, "SignatureMismatch"],
    ["all malformed", "v1=zz,v1=", "MalformedSignature"],
    ["65 digits", `v1=${good}0`, "MalformedSignature"],
    ["66 digits that begin right", `v1=${good}00`, "MalformedSignature"],
    ["white space inside", `v1=${good.slice(0, 32)} ${good.slice(32)}`, "MalformedSignature"],
    ["white space in front", `v1= ${good}`, "MalformedSignature"],
    ["base64 instead of hexadecimal", `v1=${Buffer.from(good, "hex").toString("base64")}`, "MalformedSignature"],
    ["the signature of another moment", `v1=${hmac(primary, `${now + 1}`)}`, "SignatureMismatch"],
    ["zeros", `v1=${"0".repeat(64)}`, "SignatureMismatch"]
  ])("%s", (_name, signatures, expected) => assert.strictEqual(tag(`t=${now},${signatures}`), expected))
})

describe("the secrets", () => {
  const header = `t=${now},v1=${good}`

  it("may be one or several, plain or redacted; the first that matches is named", () => {
    const valid = (secretIndex: number) => ({ _tag: "Valid", secretIndex, timestamp: now }) as const
    assert.deepStrictEqual(verdict(header, { secrets: Redacted.make(primary) }), valid(0))
    assert.deepStrictEqual(verdict(header, { secrets: [secondary, Redacted.make(primary)] }), valid(1))
    assert.deepStrictEqual(verdict(header, { secrets: [primary, primary] }), valid(0))
  })

  it.each<[name: string, secrets: Secrets, index: number | undefined]>([
    ["none", [], undefined],
    ["empty", "", 0],
    ["15 bytes", "0123456789abcde", 0],
    ["a weak one beside the right one", [primary, ""], 1],
    ["a redacted empty one", [Redacted.make("")], 0]
  ])("are refused when weak: %s", (_name, secrets, index) => {
    const found = verdict(header, { secrets })
    assert.isTrue(found._tag === "WeakSecret" && found.secretIndex === index)
  })

  it("may be shorter where the receiver says so, yet never empty", () => {
    const short = (secret: string) =>
      tag(`t=${now},v1=${hmac(secret, `${now}`)}`, { secrets: secret, minSecretBytes: 0 })
    assert.strictEqual(short("s"), "Valid")
    assert.strictEqual(short(""), "WeakSecret")
  })

  it("are refused when a redacted one was wiped", () => {
    const secret = Redacted.make(primary)
    Redacted.wipeUnsafe(secret)
    assert.strictEqual(tag(header, { secrets: secret }), "WeakSecret")
  })

  it("count in bytes: 16 are enough", () => {
    const secret = "éééééééé"
    assert.strictEqual(tag(`t=${now},v1=${hmac(secret, `${now}`)}`, { secrets: secret }), "Valid")
  })

  it("are taken as they are, white space included", () => {
    assert.strictEqual(tag(header, { secrets: `${primary}\n` }), "SignatureMismatch")
  })
})

describe("the body", () => {
  it("may be empty", () => {
    const header = `t=${now},v1=${hmac(primary, `${now}`, "")}`
    assert.strictEqual(tag(header, { body: "" }), "Valid")
    assert.strictEqual(tag(header, { body: new Uint8Array() }), "Valid")
  })

  it("is not decoded: bytes that are not UTF-8 verify as bytes and fail as the text they look like", () => {
    const bytes = Uint8Array.of(0xff, 0xfe, 0x00)
    const header = `t=${now},v1=${hmac(primary, `${now}`, bytes)}`
    assert.strictEqual(tag(header, { body: bytes }), "Valid")
    assert.strictEqual(tag(header, { body: new TextDecoder().decode(bytes) }), "SignatureMismatch")
  })

  it("keeps its byte order mark", () => {
    const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)
    const header = `t=${now},v1=${hmac(primary, `${now}`, bytes)}`
    assert.strictEqual(tag(header, { body: bytes }), "Valid")
    assert.strictEqual(tag(header, { body: "{}" }), "SignatureMismatch")
  })

  it("may be a view into a larger buffer", () => {
    const view = new TextEncoder().encode(`xx${body}yy`).subarray(2, 2 + body.length)
    assert.strictEqual(tag(`t=${now},v1=${good}`, { body: view }), "Valid")
  })

  it("is never the replacement character that an unpaired surrogate would be sent as", () => {
    const header = `t=${now},v1=${hmac(primary, `${now}`, "\ufffd")}`
    assert.strictEqual(tag(header, { body: "\ufffd" }), "Valid")
    assert.strictEqual(tag(header, { body: "\ud800" }), "UnreadableBody")
  })

  it.each([undefined, null, 1, { job_id: "job_01" }, [1, 2]])("is not something parsed: %j", (parsed) => {
    assert.strictEqual(tag(`t=${now},v1=${good}`, { body: parsed as unknown as RawBody }), "UnreadableBody")
  })
})

describe("sign", () => {
  it("writes what another implementation computes, the primary's signature last", () => {
    const header = sign({ body, secrets: [primary, secondary], timestamp: now })
    assert.strictEqual(header, `t=${now},v1=${hmac(secondary, `${now}`)},v1=${good}`)
    assert.strictEqual(sign({ body, secrets: primary, timestamp: now }), `t=${now},v1=${good}`)
  })

  it.each([
    ["no secret", { secrets: [] }, "WeakSecret"],
    ["a weak secret", { secrets: [primary, "short"] }, "WeakSecret"],
    ["a fraction of a second", { timestamp: now + 0.5 }, "MalformedTimestamp"],
    ["a time before 1970", { timestamp: -1 }, "MalformedTimestamp"],
    ["no time", { timestamp: Number.NaN }, "MalformedTimestamp"],
    ["text without a UTF-8 form", { body: "\udc00" }, "UnreadableBody"]
  ])("refuses to make what nobody would accept: %s", (_name, wrong, reason) => {
    const refused = () => sign({ body, secrets: primary, timestamp: now, ...wrong })
    assert.throws(refused, CannotSign)
    try {
      refused()
    } catch (error) {
      assert.isTrue(error instanceof CannotSign && error.reason._tag === reason)
    }
  })
})

describe("laws", () => {
  it.prop("what was signed is valid at that moment", [Bytes, Secret, Seconds], ([content, secret, timestamp]) => {
    const header = sign({ body: content, secrets: secret, timestamp })
    const expected = { _tag: "Valid", secretIndex: 0, timestamp } as const
    assert.deepStrictEqual(verify({ header, body: content, secrets: secret, now: timestamp }), expected)
  })

  it.prop("text and its bytes have one signature", [Bytes, Secret], ([content, secret]) => {
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(content)
    const bytes = new TextEncoder().encode(text)
    const signed = (what: RawBody) => sign({ body: what, secrets: secret, timestamp: now })
    assert.strictEqual(signed(text), signed(bytes))
  })

  it.prop("one changed bit of the body is a mismatch", [Bytes, Secret, Index], ([content, secret, at]) => {
    const header = sign({ body: content, secrets: secret, timestamp: now })
    const changed = content.length === 0 ? Uint8Array.of(at) : content.slice()
    changed.set([(changed[at % changed.length] ?? 0) ^ (1 << (at % 8))], at % changed.length)
    assert.strictEqual(verify({ header, body: changed, secrets: secret, now })._tag, "SignatureMismatch")
  })

  it.prop("one changed character of the header is not accepted", [Secret, Index], ([secret, at]) => {
    const header = sign({ body, secrets: secret, timestamp: now })
    const place = at % header.length
    const changed = header.slice(0, place) + (header[place] === "1" ? "2" : "1") + header.slice(place + 1)
    assert.notStrictEqual(verify({ header: changed, body, secrets: secret, now })._tag, "Valid")
  })

  it.prop("during a rotation old and new receivers accept old and new signers", [Secret, Secret], ([a, b]) => {
    const renewed = `${a}new`
    for (const signers of [a, [renewed, a]]) {
      for (const receivers of [a, [renewed, a], [a, b]]) {
        const header = sign({ body, secrets: signers, timestamp: now })
        assert.strictEqual(verify({ header, body, secrets: receivers, now })._tag, "Valid")
      }
    }
    const stranger = verify({ header: sign({ body, secrets: renewed, timestamp: now }), body, secrets: a, now })
    assert.strictEqual(stranger._tag, "SignatureMismatch")
  })

  it.prop("the verdict flips exactly at the tolerance", [Seconds, Seconds, Seconds], ([timestamp, at, tolerance]) => {
    const header = sign({ body, secrets: primary, timestamp })
    const found = verify({ header, body, secrets: primary, now: at, toleranceSeconds: tolerance })
    assert.strictEqual(found._tag === "Valid", Math.abs(at - timestamp) <= tolerance)
  })

  it.prop(
    "no header, secret or time makes it throw, and none of them is accepted by chance",
    [Schema.String, Schema.String, Schema.Array(Schema.String), Schema.Number],
    ([noise, more, secrets, at]) => {
      for (const header of [
        noise,
        [noise, more],
        `t=${noise},v1=${more}`,
        `t=${now},v1=${noise}`,
        `v1=${noise},${more}`
      ]) {
        assert.notStrictEqual(verify({ header, body: noise, secrets: primary, now })._tag, "Valid")
        assert.notStrictEqual(verify({ header, body: more, secrets, now: at })._tag, "Valid")
      }
    }
  )

  it("does not throw on values of the wrong type", () => {
    for (const wrong of [undefined, null, 0, 1n, true, {}, [], [null], Symbol.iterator, () => 1]) {
      for (const field of ["header", "body", "secrets", "now", "toleranceSeconds"]) {
        const header = `t=${now},v1=${good}`
        const found = verify({ header, body, secrets: primary, now, [field]: wrong } as Parameters<typeof verify>[0])
        const harmless = field === "toleranceSeconds" && (wrong === undefined || wrong === 0)
        assert.strictEqual(found._tag === "Valid", harmless)
      }
    }
  })
})

describe("authenticate", () => {
  const delivery = { header: `t=${now},v1=${good}`, body, secrets: primary }

  it.effect("goes on while the message is fresh by the program's clock", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime((now + 300) * 1000 + 999)
      assert.strictEqual((yield* authenticate(delivery)).timestamp, now)
    })
  )

  it.effect("fails with the verdict and a sentence once it is stale", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime((now + 301) * 1000)
      const rejected = yield* Effect.flip(authenticate(delivery))
      assert.deepStrictEqual(rejected.reason, { _tag: "TimestampTooOld", diff: 301, tolerance: 300 })
      assert.include(rejected.message, "301 s ago")
      const lenient = yield* authenticate({ ...delivery, toleranceSeconds: 301 })
      assert.strictEqual(lenient._tag, "Valid")
    })
  )
})
