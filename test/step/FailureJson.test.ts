import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Failure from "../../src/step/Failure.ts"

const every: { readonly [Tag in Failure.Failure["_tag"]]: Extract<Failure.Failure, { readonly _tag: Tag }> } = {
  ConnectionFailed: new Failure.ConnectionFailed({ kind: "reset", detail: "cut" }),
  TlsError: new Failure.TlsError({ kind: "name", detail: "another host" }),
  AttemptTimedOut: new Failure.AttemptTimedOut({ afterMillis: 30_000 }),
  InvalidResponse: new Failure.InvalidResponse({ received: "noise" }),
  HeadersTooLarge: new Failure.HeadersTooLarge(),
  TooManyInterim: new Failure.TooManyInterim({ limit: 10 }),
  UnsupportedEncoding: new Failure.UnsupportedEncoding({ status: 200, layers: 6 }),
  InvalidEncoding: new Failure.InvalidEncoding({ received: "half" }),
  ResponseTooLarge: new Failure.ResponseTooLarge({ status: 200, limitBytes: 4 }),
  Unsendable: new Failure.Unsendable({ problem: "a body" }),
  SecretRefused: new Failure.SecretRefused({ secret: "stripe", kind: "elsewhere", detail: "not there" }),
  TokenUnavailable: new Failure.TokenUnavailable({ secret: "crm", detail: "answered 503" }),
  MissingApiKey: new Failure.MissingApiKey({ variable: "KEY", after: "answered 500" }),
  ServiceUnreachable: new Failure.ServiceUnreachable({ detail: "silent", maybeAccepted: true }),
  ServiceDenied: new Failure.ServiceDenied({ detail: "no plan" }),
  ServiceRateLimited: new Failure.ServiceRateLimited({ detail: "slower", retryAt: undefined }),
  ServiceFailed: new Failure.ServiceFailed({ status: 500, received: "broken" }),
  JobRefused: new Failure.JobRefused({ status: 400, received: "no url" }),
  MalformedAnswer: new Failure.MalformedAnswer({ problem: "expected JSON", received: "<html>" }),
  BudgetExhausted: new Failure.BudgetExhausted({ target: "https://api.example", status: 503, afterMillis: 6000 }),
  BreakerOpen: new Failure.BreakerOpen({ target: "https://api.example", why: "all failed", afterMillis: undefined })
}

describe("a failure as JSON", () => {
  const codec = Schema.toCodecJson(Failure.Failure)

  for (const [tag, failure] of Object.entries(every)) {
    it.effect(`comes back as what it was: ${tag}`, () =>
      Effect.gen(function* () {
        const stored = JSON.stringify(yield* Schema.encodeEffect(codec)(failure))
        const read = yield* Schema.decodeUnknownEffect(codec)(JSON.parse(stored))
        assert.deepStrictEqual(read, failure)
        assert.strictEqual(read.message, failure.message)
        assert.strictEqual(JSON.stringify(read), JSON.stringify(failure))
        assert.isTrue(JSON.stringify(failure).startsWith(`{"_tag":"${tag}"`))
        assert.strictEqual(Object.keys(failure)[0], "_tag")
        assert.strictEqual(failure.name, tag)
      })
    )
  }

  it.effect("is refused by the path of its bad field", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Schema.decodeUnknownEffect(codec)({ _tag: "TlsError", kind: "odd", detail: "" }))
      assert.include(error.message, 'at ["kind"]')
    })
  )
})
