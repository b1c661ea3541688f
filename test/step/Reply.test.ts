import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"

const Order = Schema.Struct({ id: Schema.Int, at: Schema.DateFromString })
const answer = Reply.response(200, {}, '{"id":7,"at":"2030-01-01T00:00:00.000Z"}')

describe("the body of an answer as JSON", () => {
  it.effect("is what a schema says, piped or data-first", () =>
    Effect.gen(function* () {
      const order = { id: 7, at: new Date("2030-01-01T00:00:00.000Z") }
      assert.deepStrictEqual(yield* Reply.json(answer, Order), order)
      assert.deepStrictEqual(yield* Effect.flatMap(Effect.succeed(answer), Reply.json(Order)), order)
      assert.deepStrictEqual(yield* Reply.json(answer), { id: 7, at: "2030-01-01T00:00:00.000Z" })
    })
  )

  it.effect("fails where it is something else, or no JSON", () =>
    Effect.gen(function* () {
      const other = Reply.response(200, {}, '{"id":"seven"}')
      assert.include((yield* Effect.flip(Reply.json(other, Order))).message, "id")
      yield* Effect.flip(Reply.json(Reply.response(200, {}, "<html>"), Order))
    })
  )
})

describe("parameters as a body", () => {
  it("travel as a form, with its type unless the step has one", () => {
    const typed = Step.body(Step.post("https://a.example/"), new URLSearchParams({ a: "b c" }))
    assert.strictEqual(typed.request.body, "a=b+c")
    assert.deepStrictEqual(typed.request.headers, { "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8" })
    const made = Step.post("https://a.example/", {
      body: new URLSearchParams("a=b"),
      headers: { "content-type": "x/y" }
    })
    assert.deepStrictEqual(made.request.headers, { "content-type": "x/y" })
  })
})
