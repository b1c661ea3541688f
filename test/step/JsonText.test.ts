import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as JsonText from "../../src/step/JsonText.ts"
import * as JsonTextSchema from "../../src/step/JsonTextSchema.ts"

// an object of this shape makes V8 expect the second key after the first one: unusual first keys keep the cases apart
const seen = (first: string, expected: string) => Object.keys(JSON.parse(JSON.stringify({ [first]: 0, [expected]: 1 })))

describe("JSON text", () => {
  it.each([
    ["a control character where a backslash is expected", "one", "\\", '"\\u0000"', "\0"],
    ["a line break where a backslash is expected", "two", "\\", '"\\n"', "\n"],
    ["a line break inside a name", "three", "a\\n", '"a\\nb"', "a\nb"],
    ["a letter written as an escape", "four", "\\u", '"\\u0061b"', "ab"],
    ["a quote where a backslash and an n are expected", "five", "\\n", '"\\n\\""', '\n"'],
    ["the backslash that is expected", "six", "\\", '"\\\\"', "\\"]
  ])("keeps %s, whatever was read before", (_, first, expected, written, key) => {
    const held = seen(first, expected)
    const text = `[{"${first}":{"__proto__":[{}],"b:{}":-0},${written}:[1,{"x":"}:{\\\\\\""}]}]`
    const inner = Object.fromEntries<unknown>([
      ["__proto__", [{}]],
      ["b:{}", -0]
    ])
    const read: unknown = JsonText.parse(text)
    assert.deepStrictEqual(read, [{ [first]: inner, [key]: [1, { x: '}:{\\"' }] }])
    assert.lengthOf(held, 2)
  })

  it("keeps the order of keys, and the last of those that stand twice", () => {
    const read = JsonText.parse('{"\\\\":1,"b":2,"a":3,"b":4}')
    assert.strictEqual(JSON.stringify(read), '{"\\\\":1,"b":4,"a":3}')
  })

  it("throws what JSON.parse throws", () => {
    for (const text of ["", '{"\\\\":1', '{"\\\\" 1}', "{\\}"]) assert.throws(() => JsonText.parse(text), SyntaxError)
  })

  it("reads text that is nested deeper than functions can call themselves", () => {
    const depth = 200_000
    assert.lengthOf(JsonText.parse(`${"[".repeat(depth)}"\\n"${"]".repeat(depth)}`) as ReadonlyArray<unknown>, 1)
  })

  it("reads it so deep where a key gives doubt, too", () => {
    const depth = 200_000
    let read: unknown = JsonText.parse(`${'{"\\\\":['.repeat(depth)}"\\n"${"]}".repeat(depth)}`)
    let levels = 0
    for (; typeof read === "object" && read !== null; levels++) {
      const [inner]: ReadonlyArray<unknown> = Object.values(read)
      if (!Array.isArray(read)) assert.strictEqual(Object.keys(read)[0], "\\")
      read = inner
    }
    assert.deepStrictEqual([levels, read], [2 * depth, "\n"])
  })

  it("is refused by a schema without being repeated", () => {
    const exit = Schema.decodeUnknownExit(JsonTextSchema.schema(Schema.Json))('{"token":')
    assert.isTrue(Exit.isFailure(exit))
    assert.notInclude(String(exit), "token")
    assert.strictEqual(Schema.encodeSync(JsonTextSchema.schema(Schema.Json))({ a: [1] }), '{"a":[1]}')
  })

  const key = Arbitrary.map(
    Arbitrary.array(Arbitrary.schema(Schema.Literals(["\\", "\n", "u", "0", '"', "é", "\ud800"])), { maxLength: 4 }),
    (parts) => parts.join("")
  )
  const objects = Arbitrary.map(Arbitrary.array(Arbitrary.array(key, { maxLength: 3 }), { maxLength: 8 }), (all) =>
    all.map((keys) => Object.fromEntries(keys.map((name, at) => [name, at])))
  )

  it.prop("brings back what was written, key by key", [objects], ([given]) => {
    for (const object of given) {
      const text = JSON.stringify(object)
      assert.deepStrictEqual(Object.entries(Object(JsonText.parse(text))), Object.entries(object))
    }
  })
})
