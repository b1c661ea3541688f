import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { cleaned } from "../../src/transport/RemoteAnswer.ts"

describe("a message without secrets", () => {
  it("hides a key wherever it is quoted, in JSON in JSON as well", () => {
    const key = Redacted.make('key-"of"-acme')
    const quoted = JSON.stringify({ body: JSON.stringify({ error: "no such key: " + Redacted.value(key) }) })
    assert.notInclude(cleaned(quoted, [key]), "of")
    assert.strictEqual(cleaned("abcd", [Redacted.make("abcd")]), "<redacted>")
  })

  it("stays readable where a key has a letter or three", () => {
    for (const key of ["a", "no", "the", ""]) {
      assert.strictEqual(cleaned("the dam takes no key", [Redacted.make(key)]), "the dam takes no key")
    }
  })
})
