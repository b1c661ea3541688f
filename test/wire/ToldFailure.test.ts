import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Failure from "../../src/step/Failure.ts"
import * as ToldFailure from "../../src/wire/ToldFailure.ts"

const told = (failure: Failure.Failure) => ToldFailure.heard(ToldFailure.tell(failure), "no more", 1500)

describe("a failure that a dam tells another", () => {
  const same: ReadonlyArray<Failure.Failure> = [
    new Failure.AttemptTimedOut({ afterMillis: 1500 }),
    new Failure.Unsendable({ problem: "a header name holds a blank" }),
    new Failure.HeadersTooLarge(),
    new Failure.InvalidResponse({ received: "HTTP/9" }),
    new Failure.InvalidEncoding({ received: "gzip ends early" }),
    new Failure.ResponseTooLarge({ status: 206, limitBytes: 5_000_000_000 })
  ]
  for (const failure of same) {
    it(`is the same there and here: ${failure._tag}`, () => assert.deepStrictEqual(told(failure), failure))
  }

  for (const kind of Failure.connectionKinds) {
    it(`keeps its kind and says where it happened: no connection, ${kind}`, () =>
      assert.deepStrictEqual(
        told(new Failure.ConnectionFailed({ kind, detail: "so said the network" })),
        new Failure.ConnectionFailed({ kind, detail: "from there: so said the network" })
      ))
  }

  for (const kind of Failure.tlsKinds) {
    it(`keeps its kind and says where it happened: no TLS, ${kind}`, () =>
      assert.deepStrictEqual(
        told(new Failure.TlsError({ kind, detail: "not after 2020" })),
        new Failure.TlsError({ kind, detail: "from there: not after 2020" })
      ))
  }

  it("is read from its fields, whatever its sentence says", () =>
    assert.deepStrictEqual(
      ToldFailure.heard(
        {
          error: "no connection (refused): lies",
          error_tag: "ConnectionFailed",
          error_kind: "reset",
          error_detail: "truth"
        },
        "no more",
        1500
      ),
      new Failure.ConnectionFailed({ kind: "reset", detail: "from there: truth" })
    ))

  it("is a connection that failed where an older dam tells a sentence only, or nothing", () => {
    const other = (detail: string) => new Failure.ConnectionFailed({ kind: "other", detail: `from there: ${detail}` })
    const sentence = { error: "no connection (refused): x", error_tag: "ConnectionFailed" }
    assert.deepStrictEqual(ToldFailure.heard(sentence, "no more", 1500), other("no connection (refused): x"))
    assert.deepStrictEqual(ToldFailure.heard({}, "no more", 1500), other("no more"))
  })

  it("is told in JSON", () => {
    for (const failure of same) {
      const json: unknown = JSON.parse(JSON.stringify(ToldFailure.tell(failure)))
      assert.deepStrictEqual(Schema.decodeUnknownSync(ToldFailure.schema)(json), ToldFailure.tell(failure))
    }
  })
})
