/** The recorded deliveries of `test/fixtures/signatures.json`, both schemes, one test for each. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as EzthrottleSignature from "../../src/wire/EzthrottleSignature.ts"
import type { Verification } from "../../src/wire/Signature.ts"
import * as StandardWebhooks from "../../src/wire/StandardWebhooks.ts"

const Case = Schema.Struct({
  name: Schema.String,
  scheme: Schema.Literals(["ezthrottle", "standard-webhooks"]),
  headers: Schema.Record(Schema.String, Schema.NullOr(Schema.Union([Schema.String, Schema.Array(Schema.String)]))),
  body: Schema.Uint8ArrayFromBase64,
  secrets: Schema.Array(Schema.String),
  now: Schema.Number,
  expected: Schema.String
})

const { cases } = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({ cases: Schema.Array(Case) })))(
  readFileSync(new URL("../fixtures/signatures.json", import.meta.url), "utf8")
)

const verdictOf = ({ scheme, headers, body, secrets, now }: typeof Case.Type): Verification =>
  scheme === "ezthrottle"
    ? EzthrottleSignature.verify({ header: headers["x-ezthrottle-signature"], body, secrets, now })
    : StandardWebhooks.verify({
        id: headers["webhook-id"],
        timestamp: headers["webhook-timestamp"],
        signature: headers["webhook-signature"],
        body,
        secrets,
        now
      })

describe("recorded signatures", () => {
  it("holds cases of both schemes", () => {
    assert.isAbove(cases.filter((one) => one.scheme === "ezthrottle").length, 20)
    assert.isAbove(cases.filter((one) => one.scheme === "standard-webhooks").length, 5)
  })

  for (const one of cases) {
    it(`${one.name}: ${one.expected}`, () => assert.strictEqual(verdictOf(one)._tag, one.expected))
  }
})
