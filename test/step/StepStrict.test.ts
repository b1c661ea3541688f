import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { InvalidStep } from "../../src/step/InvalidStep.ts"
import { Rejected, stepError } from "../../src/step/Outcome.ts"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"

const step = Step.get("https://api.example/orders")

const refusal = (act: () => unknown): InvalidStep => {
  try {
    act()
  } catch (error) {
    return error as InvalidStep
  }
  return assert.fail("nothing was refused")
}

describe("what a verb would otherwise lose in silence is refused by name", () => {
  const misspelt: ReadonlyArray<readonly [field: string, act: () => unknown]> = [
    ["request.json", () => Step.post("https://api.example", { json: {} } as never)],
    ["retryPolicy.maxRetry", () => Step.retryPolicy(step, { maxRetry: 3 } as never)],
    ["fallback.onErrors", () => Step.fallback(step, step, { onErrors: [500] } as never)],
    ["onFailure.timeoutMs", () => Step.onFailure(step, step, { timeoutMs: 5 } as never)],
    ["webhooks[0].has_quorum", () => Step.webhooks(step, [{ url: "https://a.example", has_quorum: false } as never])],
    ["headers", () => Step.headers(step, new Headers({ authorization: "Bearer s3cret" }) as never)],
    ["metadata", () => Step.metadata(step, new Map([["a", 1]]) as never)]
  ]
  it.each(misspelt)("%s", (field, act) => {
    const error = refusal(act)
    assert.strictEqual(error._tag, "InvalidStep")
    assert.strictEqual(error.field, field)
    assert.notInclude(error.message, "s3cret")
  })
})

it.effect("a step nested beyond reason is refused, not a stack overflow", () =>
  Effect.gen(function* () {
    let json: object = { url: "https://api.example" }
    for (let depth = 0; depth < 5000; depth++) json = { url: "https://api.example", onSuccess: json }
    const error = yield* Effect.flip(Step.decode(json))
    assert.include(error.message, "levels of nesting")
  })
)

it("an error printed as JSON shows the size of an answer, not its headers and body", () => {
  const response = Reply.response(500, { "set-cookie": "canary-cookie" }, "canary-body")
  const attempt = {
    path: 0,
    racer: 0,
    kind: "start",
    region: undefined,
    at: 0,
    pause: 0,
    latency: 1,
    ending: { _tag: "Answered", status: 500, retryAfter: undefined },
    response
  } as const
  const reason = new Rejected({ status: 500, region: undefined, retryAfter: undefined, response })
  const text = JSON.stringify(stepError(step, reason, [attempt]))
  assert.notInclude(text, "canary")
  assert.notInclude(text, String("canary-body".charCodeAt(0)))
  assert.include(text, '"bytes":11')
})
