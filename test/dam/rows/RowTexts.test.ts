import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as RowTexts from "../../../src/dam/rows/RowTexts.ts"
import type { Attempt } from "../../../src/step/History.ts"
import * as Arbitraries from "../../../src/testing/Arbitraries.ts"
import { between, headers, oneOf, optional, text } from "../../../src/testing/Generators.ts"

const number = oneOf([0, -0, 1.5, 1_764_345_600_000, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])

const ending = Arbitrary.flatMap(between(0, 3), (choice): Arbitrary.Arbitrary<Attempt["ending"]> => {
  const answered = { _tag: Arbitrary.Constant("Answered" as const), status: number, retryAfter: optional(number) }
  if (choice === 0) return Arbitrary.all(answered)
  if (choice === 1) return Arbitrary.all({ ...answered, says: oneOf(["too_many", "used_up"]) })
  if (choice === 2) return Arbitrary.Constant({ _tag: "Interrupted" })
  return Arbitrary.map(Arbitraries.failure, (failure) => ({ _tag: "Failed", failure }))
})

const attempt = Arbitrary.all({
  path: number,
  racer: number,
  kind: oneOf(["start", "retry", "reroute", "forward", "repeat"]),
  region: optional(text),
  at: number,
  pause: number,
  latency: number,
  ending
})

const head = Arbitrary.all({ status: number, headers, size: number })

const error = Arbitrary.all({ tag: text, message: text })

const result = Arbitrary.all({
  response: optional(head),
  responses: Arbitrary.array(Arbitrary.all({ region: optional(text), response: head }), { maxLength: 3 }),
  region: optional(text),
  path: number,
  error: optional(
    Arbitrary.flatMap(oneOf([error, Arbitrary.all({ tag: text, message: text, kind: text })]), (one) => one)
  )
})

const told = {
  at: number,
  latency: number,
  status: optional(number),
  error: optional(text),
  excerpt: optional(text)
}

const toDeliver = Arbitrary.flatMap(
  oneOf([Arbitrary.all(told), Arbitrary.all({ ...told, unsigned: optional(text) })]),
  (one) => one
)

const byAttempt = Schema.encodeSync(RowTexts.StoredAttempt)
const byResult = Schema.encodeSync(RowTexts.StoredResult)
const byDelivery = Schema.encodeSync(Schema.fromJsonString(Schema.toCodecJson(RowTexts.DeliveryAttempt)))

describe("what rows keep as JSON is written as the schemas have it that read it", () => {
  it.prop("an attempt", [attempt], ([one]) => assert.strictEqual(RowTexts.encodeAttempt(one), byAttempt(one)))

  it.prop("a result", [result], ([one]) => assert.strictEqual(RowTexts.encodeResult(one), byResult(one)))

  it.prop("an attempt to deliver", [toDeliver], ([one]) =>
    assert.strictEqual(RowTexts.encodeDeliveryAttempt(one), byDelivery(one))
  )
})
