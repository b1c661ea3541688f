/** What the form of limits makes of what is typed, and of a limit as it is. */
import { assert, describe, it } from "@effect/vitest"
import { choiceOf, empty, fieldOf, type Limit, typedOf } from "../../src/page/LimitTyped.ts"

const limit: Limit = {
  name: "tokens",
  rate: 90_000,
  per_ms: 1500,
  burst: 4000,
  concurrency: 20,
  settle: { json: "usage.total_tokens" },
  weights: { acme: 3, b: 0.5 },
  source: "configured",
  since: null,
  by: null,
  levels: []
}

const { burst, concurrency, per_ms, rate, settle, weights } = limit

describe("the form of limits", () => {
  it("sends what it shows as it was", () => {
    assert.deepStrictEqual<unknown>(choiceOf(typedOf(limit)), { rate, per_ms, burst, concurrency, settle, weights })
    assert.strictEqual(typedOf(limit).weights, "acme 3\nb 0.5")
    const header = { header: "x-cost" }
    assert.deepStrictEqual(choiceOf(typedOf({ ...limit, settle: header })).settle, header)
  })

  it("leaves to the dam what is empty, and a burst that is what it would be anyway", () => {
    const nothing = { rate: null, per_ms: null, burst: null, concurrency: null, settle: null, weights: {} }
    assert.deepStrictEqual(choiceOf({ ...empty, name: "tokens", weights: " \n" }), nothing)
    assert.strictEqual(typedOf({ ...limit, burst: rate }).burst, "")
    const without = typedOf({ ...limit, rate: null, burst: null, concurrency: null, settle: null, weights: {} })
    assert.deepStrictEqual(without, { ...empty, name: "tokens", per_ms: "1.5" })
  })

  it("sends what is no number as none, for the dam to refuse, and finds the field of the refusal", () => {
    const typed = choiceOf({ ...empty, concurrency: "x", weights: "acme" })
    assert.strictEqual(JSON.stringify(typed.weights), '{"acme":null}')
    assert.isNaN(typed.concurrency)
    assert.deepStrictEqual(["weights.acme", "per_ms", "settle"].map(fieldOf), ["weights", "per_ms", "settle"])
  })
})
