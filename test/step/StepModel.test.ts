import { assert, describe, it } from "@effect/vitest"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Step from "../../src/step/Step.ts"
import { makeStep } from "../../src/step/StepValue.ts"

const at = (name: string) => Step.get(`https://${name}.example/`)

const line = (step: Step.Step): ReadonlyArray<string> => step.fallbacks.map((fallback) => fallback.step.request.url)

describe("the line of fallbacks", () => {
  it("puts a fallback's own fallbacks before its next sibling", () => {
    const step = at("a").pipe(
      Step.fallback(at("b").pipe(Step.fallback(at("b1").pipe(Step.fallback(at("b11")))), Step.fallback(at("b2")))),
      Step.fallback(at("c"))
    )
    assert.deepStrictEqual(
      line(step),
      ["b", "b1", "b11", "b2", "c"].map((name) => at(name).request.url)
    )
  })

  it("has no fallback with fallbacks of its own", () => {
    const step = at("a").pipe(Step.fallback(at("b").pipe(Step.fallback(at("c")))))
    assert.isTrue(step.fallbacks.every((fallback) => fallback.step.fallbacks.length === 0))
  })

  it("is the same whether fallbacks were nested or listed, which the wire cannot tell apart", () => {
    const nested = at("a").pipe(
      Step.fallback(at("b").pipe(Step.fallback(at("c"), { onError: [500] })), { onTimeout: 5 })
    )
    const listed = at("a").pipe(Step.fallback(at("b"), { onTimeout: 5 }), Step.fallback(at("c"), { onError: [500] }))
    assert.isTrue(Equal.equals(nested, listed))
  })

  it("keeps each fallback's trigger and everything else it says", () => {
    const backup = at("b").pipe(Step.frugal(), Step.onSuccess(at("s")))
    const step = at("a").pipe(Step.fallback(backup.pipe(Step.fallback(at("c"))), { onError: [503] }))
    assert.deepStrictEqual(step.fallbacks[0], { step: backup, trigger: { _tag: "OnError", codes: [503] } })
    assert.deepStrictEqual(step.fallbacks[1]?.trigger, { _tag: "Any" })
  })

  it("leaves the fallbacks of chained steps where they are", () => {
    const next = at("n").pipe(Step.fallback(at("m")))
    const step = at("a").pipe(Step.onSuccess(next), Step.onFailure(next))
    assert.deepStrictEqual(line(step), [])
    assert.isTrue(Equal.equals(step.onSuccess, next))
    assert.isTrue(Equal.equals(step.onFailure, next))
  })
})

describe("a step", () => {
  const full = () =>
    Step.put("https://a.example/?q=1", { headers: { A: "1" }, body: new Uint8Array([1, 2]) }).pipe(
      Step.localTimeout("2 seconds"),
      Step.retryPolicy({ retryCodes: [429], base: "1 second" }),
      Step.webhooks([{ url: "https://h.example/" }]),
      Step.metadata({ a: [{ b: 1 }] }),
      Step.fallback(at("b"), { onTimeout: "1 second" }),
      Step.onSuccess(at("c"))
    )

  it("equals another that says the same, bytes, durations and chained steps included", () => {
    assert.isTrue(Equal.equals(full(), full()))
    assert.strictEqual(Hash.hash(full()), Hash.hash(full()))
  })

  it("does not equal one that differs deep inside", () => {
    const other = full().pipe(Step.onSuccess(at("c").pipe(Step.onFailure(at("d")))))
    assert.isFalse(Equal.equals(full(), other))
    assert.isFalse(Equal.equals(full(), Step.body(full(), new Uint8Array([1, 3]))))
    assert.isFalse(Equal.equals(full(), Step.localTimeout(full(), "3 seconds")))
  })

  it("has every field, whatever was said, so that steps are of one shape", () => {
    assert.deepStrictEqual(Object.keys(makeStep({ request: at("a").request })), Object.keys(full()))
  })

  it("says all of itself in any order of saying", () => {
    const one = at("a").pipe(Step.regions(["iad"]), Step.regionPolicy("strict"))
    const other = at("a").pipe(Step.regionPolicy("strict"), Step.regions(["iad"]))
    assert.isTrue(Equal.equals(one, other))
  })

  it("equals one that draws on the same limits, whatever was said first, the last word for each counting", () => {
    const one = at("a").pipe(
      Step.limit("tokens", { cost: 5 }),
      Step.limit("calls", { key: "b" }),
      Step.limit("calls", { key: "a" }),
      Step.limit("tokens")
    )
    const other = at("a").pipe(
      Step.limit("calls", { key: "a", cost: 1 }),
      Step.limit("tokens", { key: "" }),
      Step.limit("calls", { key: "b" })
    )
    assert.isTrue(Equal.equals(one, other))
    const read = makeStep({ request: at("a").request, limits: [...one.limits].reverse() })
    assert.isTrue(Equal.equals(read, one))
    assert.deepStrictEqual(
      one.limits.map(({ cost, key, name }) => `${name} ${key} ${cost}`),
      ["calls a 1", "calls b 1", "tokens  1"]
    )
  })
})
