import { assert, describe, it } from "@effect/vitest"
import * as Base64 from "effect/encoding/Base64"
import * as Schema from "effect/Schema"
import { encode } from "../../src/step/Base64Text.ts"

describe("bytes as base64", () => {
  it.prop("are what Effect makes of them", [Schema.Uint8Array], ([bytes]) => {
    assert.strictEqual(encode(bytes), Base64.encode(bytes))
  })

  it("may be more than a function takes arguments", () => {
    const bytes = Uint8Array.from({ length: 300_001 }, (_, at) => at)
    assert.strictEqual(encode(bytes), Base64.encode(bytes))
    assert.strictEqual(encode(new Uint8Array()), "")
  })
})
