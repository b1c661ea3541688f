import { inspect } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as EzthrottleSignature from "../../src/wire/EzthrottleSignature.ts"
import {
  accept,
  CannotSign,
  explain,
  legacyReason,
  legacyReasonOfTwo,
  Rejection,
  SignatureRejected
} from "../../src/wire/Signature.ts"
import type { Verification } from "../../src/wire/Signature.ts"
import * as StandardWebhooks from "../../src/wire/StandardWebhooks.ts"

const valid: Verification = { _tag: "Valid", secretIndex: 0, timestamp: 1 }
const old: Verification = { _tag: "TimestampTooOld", diff: 301, tolerance: 300 }
const mismatch: Verification = { _tag: "SignatureMismatch" }

describe("legacyReason", () => {
  it.each<[Verification, string]>([
    [valid, "valid"],
    [{ _tag: "NoSignature", header: "X-EZThrottle-Signature" }, "no_signature_header"],
    [{ _tag: "MissingV1" }, "missing_v1_signature"],
    [old, "timestamp_expired (diff=301s, tolerance=300s)"],
    [{ _tag: "TimestampTooNew", diff: 12, tolerance: 5 }, "timestamp_expired (diff=12s, tolerance=5s)"],
    [mismatch, "signature_mismatch"],
    [{ _tag: "MalformedSignature" }, "signature_mismatch"],
    [{ _tag: "MalformedHeader", header: "x", detail: "y" }, "verification_error: MalformedHeader"],
    [{ _tag: "MalformedTimestamp" }, "verification_error: MalformedTimestamp"],
    [{ _tag: "WeakSecret", secretIndex: undefined, detail: "z" }, "verification_error: WeakSecret"],
    [{ _tag: "UnreadableBody" }, "verification_error: UnreadableBody"],
    [{ _tag: "InvalidClock" }, "verification_error: InvalidClock"]
  ])("of $_tag", (verification, reason) => assert.strictEqual(legacyReason(verification), reason))

  it.each<[Verification, Verification | undefined, string]>([
    [valid, undefined, "valid_primary"],
    [valid, mismatch, "valid_primary"],
    [mismatch, valid, "valid_secondary"],
    [mismatch, undefined, "both_secrets_failed (primary: signature_mismatch)"],
    [old, mismatch, "both_secrets_failed (primary: timestamp_expired (diff=301s, tolerance=300s))"]
  ])("of two verdicts", (primary, secondary, reason) =>
    assert.strictEqual(legacyReasonOfTwo(primary, secondary), reason)
  )
})

describe("a verdict", () => {
  it.prop("has a sentence, survives JSON, and only Valid is accepted", [Rejection], ([rejection]) => {
    assert.isAbove(explain(rejection).length, 10)
    const again = Schema.decodeUnknownSync(Schema.toCodecJson(Rejection))(
      JSON.parse(JSON.stringify(Schema.encodeSync(Schema.toCodecJson(Rejection))(rejection)))
    )
    // `Equal`, because JSON writes -0 as 0
    assert.isTrue(Equal.equals(again, rejection))
    const rejected = Effect.runSync(Effect.flip(accept(rejection)))
    assert.instanceOf(rejected, SignatureRejected)
    assert.deepStrictEqual(rejected.reason, rejection)
    assert.include(rejected.message, explain(rejection))
  })

  it.effect("that is Valid passes through accept", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* accept(valid), valid)
    })
  )

  const Marked = Arbitrary.map(Arbitrary.schema(Schema.Uint8Array), (bytes) => Buffer.from(bytes).toString("hex"))

  it.prop("never shows a secret, a header or a body, nor does its error", [Marked, Marked], ([a, b]) => {
    const secret = `sEcReT${a}`
    const header = `t=1,v1=${"0".repeat(64)},hEaDeR${b}=1`
    const body = `bOdY${b}`
    const secrets = [secret, `${secret}sEcReT0123456789`]
    const id = `hEaDeR${a}`
    const verdicts = [header, `${header},bad hEaDeR`].flatMap((one) => [
      EzthrottleSignature.verify({ header: one, body, secrets, now: 1 }),
      EzthrottleSignature.verify({ header: one, body, secrets: secret.slice(0, 9), now: 1 }),
      StandardWebhooks.verify({ id, timestamp: "1", signature: one, body, secrets, now: 1 }),
      StandardWebhooks.verify({ id: `${id}.`, timestamp: one, signature: one, body, secrets: "A".repeat(32), now: 1 })
    ])
    for (const verdict of verdicts) {
      assert.notStrictEqual(verdict._tag, "Valid")
      if (verdict._tag === "Valid") continue
      const errors = [new SignatureRejected({ reason: verdict }), new CannotSign({ reason: verdict })]
      for (const shown of [verdict, ...errors]) {
        assert.notMatch(`${JSON.stringify(shown)} ${inspect(shown)} ${String(shown)}`, /sEcReT|hEaDeR|bOdY/)
      }
    }
  })
})
