import { assert, describe, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Step from "../../src/step/Step.ts"

const backup = Step.get("https://backup.example/orders").pipe(Step.description("the old system"))

describe("a printed step", () => {
  it("reads like a sentence per line, chained steps indented", () => {
    const step = Step.post("https://api.example/orders").pipe(
      Step.frugal(),
      Step.description("places an order"),
      Step.responseDescription("the order"),
      Step.fallbackOnError([500, 503]),
      Step.localTimeout("2 seconds"),
      Step.retryPolicy({ maxRetries: 1 }),
      Step.limit("tokens", { key: "acme", cost: 1200 }),
      Step.limit("calls"),
      Step.regions(["iad", "lax"]),
      Step.webhooks([{ url: "https://hooks.example/done" }]),
      Step.idempotentKey("order-1"),
      Step.sendIdempotencyKey(),
      Step.retryAt(5),
      Step.metadata({ order: 1 }),
      Step.fallback(backup.pipe(Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 })), { onError: [500] }),
      Step.fallback(backup, { onTimeout: "3 seconds" }),
      Step.onSuccess(Step.post("https://mail.example/").pipe(Step.fill({ body: Step.answer }), Step.onFailure(backup))),
      Step.onFailureTimeout("1 minute")
    )
    assert.strictEqual(
      String(step),
      [
        "FRUGAL POST https://api.example/orders (places an order)",
        "  answers the order",
        "  forwards on 500, 503",
        "  each local attempt ends after 2s",
        "  1 retry on 429, 503; 2 reroutes on 500, 502, 504; pauses up to 200ms doubling to 30s",
        "  draws 1 on calls",
        "  draws 1200 on tokens for acme",
        "  race over iad, lax (fallback)",
        "  tells hooks.example, quorum 1",
        "  key order-1",
        "  sends its key to the target",
        "  not before epoch millisecond 5",
        "  metadata order",
        "  has failed after 1m",
        "  fallback on 500 or no answer: FRUGAL GET https://backup.example/orders (the old system)",
        "    no retries; no reroutes; pauses up to 200ms doubling to 30s",
        "  fallback after 3s: FRUGAL GET https://backup.example/orders (the old system)",
        "  on success: PERFORMANCE POST https://mail.example/",
        "    takes /response/body into /body",
        "    on failure: PERFORMANCE GET https://backup.example/orders (the old system)"
      ].join("\n")
    )
  })

  it("holds no query, header, body, metadata value or secret, at any depth", () => {
    const secret = "s3cret"
    const careful = Step.post(`https://user:${secret}@api.example/orders?token=${secret}#${secret}`, {
      headers: { Authorization: secret },
      body: secret
    }).pipe(
      Step.metadata({ order: secret }),
      Step.webhooks([{ url: `https://user:${secret}@hooks.example/${secret}?token=${secret}` }])
    )
    const step = careful.pipe(Step.fallback(careful), Step.onSuccess(careful), Step.onFailure(careful))
    assert.notInclude(String(step), secret)
    assert.notInclude(inspect(step), secret)
  })

  it("is what a debugger shows", () => {
    assert.strictEqual(inspect(backup), String(backup))
  })
})
