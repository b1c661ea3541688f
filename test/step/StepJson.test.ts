import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as Step from "../../src/step/Step.ts"

const decode = (json: unknown) => Effect.runSync(Step.decode(json))

const refusal = (json: unknown) => Effect.runSync(Effect.flip(Step.decode(json)))

const url = "https://a.example/"

const full = Step.post("https://a.example/orders?x=1", { headers: { A: "1" }, body: new Uint8Array([0, 255]) }).pipe(
  Step.frugal(),
  Step.description("places an order"),
  Step.responseDescription("the order"),
  Step.fallbackOnError([500]),
  Step.localTimeout("2 seconds"),
  Step.retryPolicy({ maxRetries: 1, maxReroutes: 0, retryCodes: [429], rerouteCodes: [], base: 5, cap: 10 }),
  Step.regions(["iad", "lax"]),
  Step.regionPolicy("strict"),
  Step.executionMode("fanout"),
  Step.webhooks([{ url: "https://h.example/", regions: ["iad"], hasQuorumVote: false }, { url: "https://i.example/" }]),
  Step.webhookQuorum(1),
  Step.idempotentKey("order-1"),
  Step.sendIdempotencyKey(),
  Step.retryAt(1_800_000_000_000),
  Step.metadata({ a: [null, { b: true }] }),
  Step.fallback(Step.get(url), { onError: [500] }),
  Step.fallback(Step.get(url), { onTimeout: "1 second" }),
  Step.fallback(Step.get(url)),
  Step.onSuccess(Step.get(url)),
  Step.onFailure(Step.get(url), { timeout: "1 minute" })
)

describe("a step as JSON", () => {
  it("is readable: milliseconds, base64, nothing that equals its default", () => {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(full)), {
      method: "POST",
      url: "https://a.example/orders?x=1",
      headers: { A: "1" },
      bodyBase64: "AP8=",
      type: "FRUGAL",
      description: "places an order",
      responseDescription: "the order",
      fallbackOnError: [500],
      localTimeout: 2000,
      retryPolicy: { maxRetries: 1, maxReroutes: 0, retryCodes: [429], rerouteCodes: [], base: 5, cap: 10 },
      regions: ["iad", "lax"],
      regionPolicy: "strict",
      executionMode: "fanout",
      webhooks: [{ url: "https://h.example/", regions: ["iad"], hasQuorumVote: false }, { url: "https://i.example/" }],
      idempotentKey: "order-1",
      sendIdempotencyKey: true,
      retryAt: 1_800_000_000_000,
      metadata: { a: [null, { b: true }] },
      fallbacks: [
        { step: { method: "GET", url }, onError: [500] },
        { step: { method: "GET", url }, onTimeout: 1000 },
        { step: { method: "GET", url } }
      ],
      onSuccess: { method: "GET", url },
      onFailure: { method: "GET", url },
      onFailureTimeout: 60_000
    })
  })

  it("comes back whole", () => {
    assert.isTrue(Equal.equals(decode(JSON.parse(JSON.stringify(full))), full))
  })

  it("comes back whole through the schema, both ways", () => {
    const codec = Schema.fromJsonString(Schema.toCodecJson(Step.StepFromJson))
    const text = Schema.encodeSync(codec)(full)
    assert.isTrue(Equal.equals(Schema.decodeSync(codec)(text), full))
  })

  it("needs only a URL", () => {
    assert.isTrue(Equal.equals(decode({ url }), Step.get(url)))
  })

  it("takes a method in any case, as the verb does", () => {
    assert.strictEqual(decode({ url, method: "post" }).request.method, "POST")
  })

  it("flattens fallbacks that somebody nested", () => {
    const nested = decode({ url, fallbacks: [{ step: { url, fallbacks: [{ step: { url } }] } }, { step: { url } }] })
    assert.strictEqual(nested.fallbacks.length, 3)
  })

  it.each([
    ["a value that is no object", "step", 5],
    ["nothing", "step", null],
    ["a missing URL", "url", {}],
    ["an unknown key", "retrypolicy", { url, retrypolicy: {} }],
    ["an unknown key inside a field", "retryPolicy.max_retries", { url, retryPolicy: { max_retries: 1 } }],
    ["a bad count", "retryPolicy.maxRetries", { url, retryPolicy: { maxRetries: -1 } }],
    ["a bad code", "fallbackOnError[1]", { url, fallbackOnError: [500, 5] }],
    ["a duration that is none", "localTimeout", { url, localTimeout: 0 }],
    ["a bad type", "type", { url, type: "frugal" }],
    ["bytes that are not base64", "bodyBase64", { url, bodyBase64: "%%%" }],
    ["two bodies", "step", { url, body: "a", bodyBase64: "AP8=" }],
    ["two ways to a key", "step", { url, idempotentKey: "a", idempotentStrategy: "UNIQUE" }],
    ["a header sent twice", "headers.a", { url, headers: { A: "1", a: "2" } }],
    ["a bad webhook", "webhooks[0].url", { url, webhooks: [{ url: "nowhere" }] }],
    ["an unknown key of a webhook", "webhooks[0].vote", { url, webhooks: [{ url, vote: true }] }],
    ["a bad child", "onSuccess.url", { url, onSuccess: { url: "nowhere" } }],
    ["an unknown key of a child", "onFailure.foo", { url, onFailure: { url, foo: 1 } }],
    ["two triggers", "fallbacks[0]", { url, fallbacks: [{ step: { url }, onError: [500], onTimeout: 5 }] }],
    [
      "trouble deep inside",
      "onSuccess.fallbacks[1].step.onFailure.regions[0]",
      { url, onSuccess: { url, fallbacks: [{ step: { url } }, { step: { url, onFailure: { url, regions: [""] } } }] } }
    ]
  ] as const)("refuses %s by its path", (_, field, json) => {
    assert.strictEqual(refusal(json).field, field)
  })

  it("refuses without repeating the value, because it may be a secret", () => {
    assert.notInclude(refusal({ url, headers: { Authorization: "s3cret\n" } }).message, "s3cret")
  })

  it("leaves rules between fields to the check before sending", () => {
    assert.strictEqual(Step.check(decode({ url, regionPolicy: "strict" }))?.field, "regionPolicy")
  })
})
