import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { hash } from "../../src/engine/Idempotency.ts"

// lone surrogates have no UTF-8 form and all leave as the same replacement character
const Text = Schema.String.check(Schema.makeFilter((text: string) => !/\p{Surrogate}/u.test(text)))
const Short = Schema.Literals(["", "a", "1", ":", "1:", "0:", "a1:", "1:a", "11:", "2:a"])

describe("laws of the HASH key", () => {
  it.prop("a key is 64 hexadecimal digits, and the same call has the same key", [Text, Text, Text], ([m, u, b]) => {
    const key = hash({ method: m, url: u, body: b })
    assert.match(key, /^[0-9a-f]{64}$/)
    assert.strictEqual(hash({ method: m, url: u, body: new TextEncoder().encode(b) }), key)
  })

  it.prop("no bytes can move from one field into the next", [Text, Text, Text, Schema.Int], ([m, u, b, cut]) => {
    const all = Array.from(m + u + b)
    const at = all.length === 0 ? 0 : Math.abs(cut % all.length)
    const moved = { method: all.slice(0, at).join(""), url: all.slice(at).join(""), body: "" }
    const same = moved.method === m && moved.url === u && moved.body === b
    assert.strictEqual(hash(moved) === hash({ method: m, url: u, body: b }), same)
  })

  it.prop(
    "two calls share a key only when they are equal, even where their text imitates the framing",
    [Short, Short, Short, Short, Short, Short],
    ([m1, u1, b1, m2, u2, b2]) => {
      const same = m1 === m2 && u1 === u2 && b1 === b2
      const one = hash({ method: m1, url: u1, body: b1 })
      assert.strictEqual(one === hash({ method: m2, url: u2, body: b2 }), same)
    },
    { arbitrary: { runs: 2000 } }
  )
})
