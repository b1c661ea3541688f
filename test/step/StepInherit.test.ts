import { assert, describe, it } from "@effect/vitest"
import * as Equal from "effect/Equal"
import * as Step from "../../src/step/Step.ts"

const next = Step.get("https://next.example/")
const parent = Step.get("https://a.example/").pipe(
  Step.frugal(),
  Step.webhooks([{ url: "https://h.example/" }, { url: "https://i.example/" }]),
  Step.webhookQuorum(2),
  Step.onSuccess(next),
  Step.onFailure(next, { timeout: "1 minute" }),
  Step.regions(["iad"]),
  Step.retryPolicy({ maxRetries: 1 }),
  Step.metadata({ a: 1 }),
  Step.idempotentKey("parent"),
  Step.limit("tokens")
)
const fallback = Step.get("https://b.example/")

describe("what a fallback inherits", () => {
  it("is type, webhooks with their quorum, and chain", () => {
    const inherited = Step.inherit(fallback, parent)
    assert.strictEqual(inherited.type, "FRUGAL")
    assert.deepStrictEqual(inherited.webhooks, parent.webhooks)
    assert.strictEqual(inherited.webhookQuorum, 2)
    assert.isTrue(Equal.equals(inherited.onSuccess, next))
    assert.isTrue(Equal.equals(inherited.onFailure, next))
  })

  it("is nothing else", () => {
    const { idempotency, limits, metadata, onFailureTimeout, regions, request, retryPolicy } = Step.inherit(
      fallback,
      parent
    )
    assert.deepStrictEqual(
      { idempotency, limits, metadata, onFailureTimeout, regions, request, retryPolicy },
      {
        idempotency: fallback.idempotency,
        limits: [],
        metadata: {},
        onFailureTimeout: undefined,
        regions: [],
        request: fallback.request,
        retryPolicy: undefined
      }
    )
  })

  it("is none of what it says itself", () => {
    const own = fallback.pipe(
      Step.performance(),
      Step.webhooks([{ url: "https://own.example/" }]),
      Step.onSuccess(fallback),
      Step.onFailure(fallback)
    )
    assert.isTrue(Equal.equals(Step.inherit(own, parent), own))
  })

  it("keeps the quorum with the webhooks it belongs to", () => {
    const own = fallback.pipe(Step.webhooks([{ url: "https://own.example/" }]))
    assert.strictEqual(Step.inherit(own, parent).webhookQuorum, 1)
  })
})
