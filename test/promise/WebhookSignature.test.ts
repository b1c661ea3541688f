import { createHmac } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import {
  tryVerifyWithSecrets,
  verifyWebhookSignature,
  verifyWebhookSignatureStrict,
  WebhookVerificationError
} from "../../src/promise.ts"

const body = '{"job_id":"job-1","status":"success"}'
const primary = "whk_primary_0123456789"
const secondary = "whk_secondary_0123456789"
// these functions read the clock of the machine; the margins below are minutes
const now = Math.floor(Date.now() / 1000)
const sign = (secret: string, t: number | string = now, content: string | Uint8Array = body) =>
  `t=${t},v1=${createHmac("sha256", secret).update(`${t}.`).update(content).digest("hex")}`

const good = { verified: true, reason: "valid" }
const bad = (reason: string) => ({ verified: false, reason })

describe("verifyWebhookSignature", () => {
  it("answers at once, not with a promise", () => {
    assert.deepStrictEqual(verifyWebhookSignature(body, sign(primary), primary), good)
  })

  it("takes bytes and text alike", () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0x7b)
    assert.deepStrictEqual(verifyWebhookSignature(Buffer.from(bytes), sign(primary, now, bytes), primary), good)
    assert.deepStrictEqual(verifyWebhookSignature(Buffer.from(body), sign(primary), primary), good)
  })

  it.each<[name: string, header: string | undefined, reason: string]>([
    ["no header", undefined, "no_signature_header"],
    ["an empty header", "", "no_signature_header"],
    ["no v1", `t=${now},v2=abc`, "missing_v1_signature"],
    ["another secret", sign("whk_unrelated_0123456789"), "signature_mismatch"],
    ["a v1 of the wrong length", `t=${now},v1=abc`, "signature_mismatch"],
    ["a header that is none", "nonsense", "verification_error: MalformedHeader"],
    [
      "t=abc, which the official SDK never compares with the clock",
      sign(primary, "abc"),
      "verification_error: MalformedTimestamp"
    ]
  ])("refuses %s", (_name, header, reason) => {
    assert.deepStrictEqual(verifyWebhookSignature(body, header, primary), bad(reason))
  })

  it("refuses what is older or newer than the tolerance, 300 seconds unless told otherwise", () => {
    const old = verifyWebhookSignature(body, sign(primary, now - 1000), primary)
    assert.isFalse(old.verified)
    assert.match(old.reason, /^timestamp_expired \(diff=100\ds, tolerance=300s\)$/)
    const early = verifyWebhookSignature(body, sign(primary, now + 1000), primary, 60)
    assert.match(
      early.reason,
      /^timestamp_expired \(diff=9\d\ds, tolerance=60s\)$|^timestamp_expired \(diff=1000s, tolerance=60s\)$/
    )
    assert.deepStrictEqual(verifyWebhookSignature(body, sign(primary, now - 1000), primary, 5000), good)
  })

  it("takes secrets of any length, as the official function does, but never an empty one", () => {
    assert.deepStrictEqual(verifyWebhookSignature(body, sign("short"), "short"), good)
    assert.deepStrictEqual(verifyWebhookSignature(body, sign("x"), ""), bad("verification_error: WeakSecret"))
  })
})

describe("verifyWebhookSignatureStrict", () => {
  it("returns nothing when it holds and throws WebhookVerificationError when not", () => {
    assert.isUndefined(verifyWebhookSignatureStrict(body, sign(primary), primary))
    assert.throws(() => verifyWebhookSignatureStrict("{}", sign(primary), primary), WebhookVerificationError)
    try {
      verifyWebhookSignatureStrict("{}", sign(primary), primary)
    } catch (error) {
      assert.instanceOf(error, WebhookVerificationError)
      assert.strictEqual(error.message, "Webhook signature verification failed: signature_mismatch")
      assert.strictEqual(error.name, "WebhookVerificationError")
    }
  })
})

describe("tryVerifyWithSecrets", () => {
  it.each<[name: string, header: string, second: string | undefined | null, expected: object]>([
    ["the primary", sign(primary), secondary, { verified: true, reason: "valid_primary" }],
    ["the secondary", sign(secondary), secondary, { verified: true, reason: "valid_secondary" }],
    ["neither", sign("x"), secondary, bad("both_secrets_failed (primary: signature_mismatch)")],
    ["no secondary", sign(secondary), undefined, bad("both_secrets_failed (primary: signature_mismatch)")],
    ["a null secondary", sign(secondary), null, bad("both_secrets_failed (primary: signature_mismatch)")],
    ["an empty secondary, which is none", sign(primary), "", { verified: true, reason: "valid_primary" }]
  ])("knows which secret signed: %s", (_name, header, second, expected) => {
    assert.deepStrictEqual(tryVerifyWithSecrets(body, header, primary, second), expected)
  })

  it("keeps to the tolerance given", () => {
    const header = sign(secondary, now - 1000)
    assert.isFalse(tryVerifyWithSecrets(body, header, primary, secondary).verified)
    assert.isTrue(tryVerifyWithSecrets(body, header, primary, secondary, 5000).verified)
  })
})
