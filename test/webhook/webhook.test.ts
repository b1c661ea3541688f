import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as Webhook from "../../src/webhook.ts"
import { sign } from "../../src/wire/EzthrottleSignature.ts"
import * as StandardWebhooks from "../../src/wire/StandardWebhooks.ts"

const secrets = "whk_primary_0123456789"
const body = '{"job_id":"job_01","status":"success","response":{"status_code":200,"headers":{},"body":"ok"}}'

describe("ezthrottle-effect/webhook", () => {
  it("offers receiving, verifying and reading, and no signing", () => {
    assert.deepStrictEqual(Object.keys(Webhook).sort(), [
      "EventStore",
      "Inbox",
      "InvalidWebhookEvent",
      "MemoryEventStore",
      "Receiver",
      "Rejection",
      "SignatureRejected",
      "SqlEventStore",
      "authenticate",
      "authenticateStandardWebhook",
      "authenticateStandardWebhookKeys",
      "decodeEvent",
      "ed25519",
      "explain",
      "fetchHandler",
      "headerName",
      "l8PublicKey",
      "nodeListener",
      "route",
      "verify",
      "verifyL8Delivery",
      "verifyStandardWebhook",
      "verifyStandardWebhookKeys"
    ])
  })

  it.effect("takes a delivery from its request to its event", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_760_000_000_000)
      const headers = { [Webhook.headerName]: sign({ body, secrets, timestamp: 1_760_000_000 }) }
      const request = new Request("https://receiver.example", { method: "POST", body, headers })
      const raw = new Uint8Array(yield* Effect.promise(() => request.arrayBuffer()))
      yield* Webhook.authenticate({ header: request.headers.get(Webhook.headerName), body: raw, secrets })
      const event = yield* Effect.fromResult(Webhook.decodeEvent(raw))
      assert.deepStrictEqual([event.jobId, event.status, event.response?.status], ["job_01", "success", 200])
    })
  )

  it.effect("lets a program act on the reason of a refusal", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_760_000_400_000)
      const header = sign({ body, secrets, timestamp: 1_760_000_000 })
      const late = yield* Webhook.authenticate({ header, body, secrets }).pipe(
        Effect.as(0),
        Effect.catchReason("SignatureRejected", "TimestampTooOld", (reason) => Effect.succeed(reason.diff))
      )
      assert.strictEqual(late, 400)
    })
  )

  it("verifies Standard Webhooks too, without an effect", () => {
    const standard = { id: "msg_1", body, secrets: `whsec_${"A".repeat(32)}` }
    const headers = StandardWebhooks.sign({ ...standard, timestamp: 1_760_000_000 })
    const verification = Webhook.verifyStandardWebhook({
      ...standard,
      timestamp: headers["webhook-timestamp"],
      signature: headers["webhook-signature"],
      now: 1_760_000_010
    })
    assert.strictEqual(Webhook.explain(verification), "the signature is valid")
    assert.isTrue(Result.isSuccess(Webhook.decodeEvent(body)))
  })
})
