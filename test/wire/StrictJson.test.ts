import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { findFault } from "../../src/wire/JsonFault.ts"
import * as StrictJson from "../../src/wire/StrictJson.ts"
import * as JsonText from "../../src/step/JsonText.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const read = (input: string | Uint8Array, limits?: StrictJson.JsonLimits) =>
  StrictJson.parse(typeof input === "string" ? bytesOf(input) : input, limits)

const refusal = (input: string | Uint8Array): StrictJson.StrictJsonError => {
  const result = read(input)
  if (Result.isSuccess(result)) return assert.fail(`was read as ${JSON.stringify(result.success)}`)
  return result.failure
}
const verdict = (input: string | Uint8Array) => {
  const { code, field, position } = refusal(input)
  return { code, field, position }
}

describe("StrictJson", () => {
  it("reads, and finds fault with, what is nested deeper than functions can call themselves", () => {
    const depth = 20_000
    const limits = { maxDepth: 3 * depth, maxKeys: 3 * depth }
    const nested = (inner: string) => `${'{"a":['.repeat(depth)}${inner}${"]}".repeat(depth)}`
    assert.isTrue(Result.isSuccess(read(nested("1"), limits)))
    const codes = ['{"a":1,"a":2}', "1e999", '"\\ud800"', "01", "[1 2]"].map((inner) => {
      const result = read(nested(inner), limits)
      return Result.isSuccess(result) ? "none" : result.failure.code
    })
    assert.deepStrictEqual(codes, [
      "duplicate_key",
      "invalid_number",
      "invalid_unicode",
      "invalid_json",
      "invalid_json"
    ])
  })

  it("reads every kind of value", () => {
    const text = ' {"a":[1,-2.5e3,0,true,false,null,"\\u0041\\n\u00e9\ud83d\ude00\\ud83d\\ude00"],"":{},"b":[]}\r\n\t'
    assert.deepStrictEqual(Result.getOrThrow(read(text)), JSON.parse(text))
    for (const root of ["null", "[]", '"x"', "1", "true"]) {
      assert.deepStrictEqual(Result.getOrThrow(read(root)), JSON.parse(root))
    }
  })

  it.each([
    ["a byte that begins nothing", [0x22, 0xff, 0x22], 1],
    ["a continuation byte alone", [0x22, 0x61, 0x80, 0x22], 2],
    ["an overlong form", [0x22, 0xc0, 0xaf, 0x22], 1],
    ["an overlong form of three bytes", [0x22, 0xe0, 0x9f, 0xbf, 0x22], 1],
    ["an overlong form of four bytes", [0x22, 0xf0, 0x8f, 0xbf, 0xbf, 0x22], 1],
    ["an encoded surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22], 1],
    ["a code point past the last", [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 1],
    ["a sequence cut short by the end", [0x22, 0xc3, 0xa9, 0xe2, 0x82], 3],
    ["a sequence cut short by a quote", [0x22, 0xf0, 0x9f, 0x98, 0x22], 1]
  ])("refuses %s, telling the byte", (_, bytes, position) => {
    assert.deepStrictEqual(verdict(Uint8Array.from(bytes)), { code: "invalid_utf8", field: undefined, position })
  })

  it.each([
    ["", 0],
    ["  ", 2],
    ["{} {}", 3],
    ["[1,]", 3],
    ['{"a":1,}', 7],
    ["{'a':1}", 1],
    ["{a:1}", 1],
    ['{"a" 1}', 5],
    ['{"a":1 "b":2}', 7],
    ["[1 2]", 3],
    ["NaN", 0],
    ["-Infinity", 0],
    ["[01]", 2],
    ["[1.]", 2],
    ["[.5]", 1],
    ["[+1]", 1],
    ["[1e]", 2],
    ["[0x10]", 2],
    ["/* x */ 1", 0],
    ["1 // x", 2],
    ["undefined", 0],
    ["True", 0],
    ['"abc', 4],
    ['"a\tb"', 2],
    ['"\\x41"', 1],
    ['"\\u12g4"', 1],
    ['["\u00e9\u00e9" 1]', 8],
    ["\ufeff{}", 0],
    ["{}\u00a0", 2],
    ["]", 0],
    ['{"a":1', 6]
  ])("refuses %j, which is not JSON, at byte %i", (text, position) => {
    assert.deepStrictEqual(verdict(text), { code: "invalid_json", field: undefined, position })
  })

  it.each([
    ['{"url":"a","url":"b"}', "url", 11],
    ['{"url":"a","\\u0075rl":"b"}', "url", 11],
    ['{"__proto__":1,"__proto__":2}', "__proto__", 15],
    ['{"a":{"b":[{},{"c":1,"d":2,"c":1}]}}', "a.b[1].c", 27],
    ['[[{"":0,"":1}]]', "[0][0].", 8],
    ['{"1":0,"1":0}', "1", 7]
  ])("refuses %j, whose key stands twice, at %s", (text, field, position) => {
    assert.deepStrictEqual(verdict(text), { code: "duplicate_key", field, position })
  })

  it("lets the same key stand in different objects", () => {
    const text = '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}],"A":"{\\"a\\":1,\\"a\\":2}"}'
    assert.deepStrictEqual(Result.getOrThrow(read(text)), JSON.parse(text))
  })

  it.each([
    ["1e999", undefined, 0],
    ["[0,-1e999]", "[1]", 3],
    ['{"a":{"retry_at":1E+400}}', "a.retry_at", 17],
    [`{"n":${"9".repeat(400)}}`, "n", 5]
  ])("refuses %s, which no number holds", (text, field, position) => {
    assert.deepStrictEqual(verdict(text), { code: "invalid_number", field, position })
  })

  it("keeps numbers that only lose digits", () => {
    assert.deepStrictEqual(Result.getOrThrow(read("[1e-999,1.7976931348623157e308]")), [0, Number.MAX_VALUE])
  })

  it.each([
    ['"\\ud800"', undefined, 0],
    ['{"a":["x\\uDC00"]}', "a[0]", 6],
    ['{"a":"\\ude00\\ud83d"}', "a", 5],
    ['{"\\ud800":1}', "\ufffd", 1]
  ])("refuses %s, half a surrogate pair", (text, field, position) => {
    assert.deepStrictEqual(verdict(text), { code: "invalid_unicode", field, position })
  })

  it("keeps an escaped backslash before what would be half a pair", () => {
    assert.strictEqual(Result.getOrThrow(read('"\\\\ud800"')), "\\ud800")
  })

  it("reads 64 levels and refuses the 65th, wherever the text would end", () => {
    const nested = (levels: number) => '[{"a":'.repeat(levels / 2) + "1" + "}]".repeat(levels / 2)
    assert.isTrue(Result.isSuccess(read(nested(64))))
    assert.deepStrictEqual(verdict(`[${nested(64)}]`), {
      code: "too_deep",
      field: undefined,
      position: 194 - 2 - 3 - 1
    })
    assert.strictEqual(refusal("[".repeat(1_000_000)).code, "too_deep")
    assert.strictEqual(refusal(`${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`).position, 64)
    assert.isTrue(Result.isSuccess(read(JSON.stringify("[".repeat(100)))))
  })

  it("reads 10,000 keys and refuses one more, however they are spread", () => {
    const flat = (count: number) => `{${Array.from({ length: count }, (_, index) => `"${index}":":"`).join(",")}}`
    assert.strictEqual(Object.keys(Object(Result.getOrThrow(read(flat(10_000))))).length, 10_000)
    assert.strictEqual(refusal(flat(10_001)).code, "too_many_keys")
    assert.strictEqual(refusal(`[${flat(5_000)},${flat(5_001)}]`).code, "too_many_keys")
  })

  it("obeys other limits", () => {
    const limits = { maxDepth: 1, maxKeys: 1 }
    assert.isTrue(Result.isSuccess(read('{"a":1}', limits)))
    assert.isTrue(Result.isFailure(read('{"a":[]}', limits)))
    assert.isTrue(Result.isFailure(read('{"a":1,"b":2}', limits)))
  })

  it("takes names of prototypes for plain keys", () => {
    const text = '{"metadata":{"__proto__":{"polluted":1},"constructor":{"prototype":2},"prototype":3}}'
    const { metadata } = Object(Result.getOrThrow(read(text)))
    assert.deepStrictEqual(Object.keys(metadata), ["__proto__", "constructor", "prototype"])
    assert.strictEqual(Object.getPrototypeOf(metadata), Object.prototype)
    assert.isUndefined(metadata.polluted)
    assert.isUndefined(Object(Object.prototype).polluted)
  })

  it("calls what is not JSON that first, whatever else is wrong with it", () => {
    assert.strictEqual(refusal('{"a":1e999,"a":"\\ud800"').code, "invalid_json")
    assert.strictEqual(refusal("1e999 true").code, "invalid_json")
  })

  it("says what is wrong without repeating a value", () => {
    assert.strictEqual(
      refusal('{"a":"secret",}').message,
      "the body: not JSON, expected a key in double quotes (byte 14)"
    )
    assert.strictEqual(refusal('{"a":"secret","a":0}').message, "a: the key stands twice in one object (byte 14)")
    assert.isBelow(refusal(`{"${"k".repeat(5000)}":1e999}`).message.length, 200)
  })
})

const Piece = Schema.Union([
  Schema.Literals([
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    "\\",
    '"a":',
    '"b"',
    "\\u0061",
    "\\ud83d",
    "\\ude00",
    "\\n",
    " ",
    "\n"
  ]),
  Schema.Literals(["0", "-1", "1.5", "1e9", "1e999", "01", "true", "null", "nul", "\u00e9", "\u0001", "{}", "[]"]),
  Schema.Literals(['{"a":1}', '{"a":1,"a":2}', '["\\ud800"]', '{"a":[{"b":1e999}]}'])
])
const Soup = Arbitrary.map(Arbitrary.array(Arbitrary.schema(Piece), { maxLength: 12 }), (pieces) => pieces.join(""))
const Byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const many = { arbitrary: { runs: 2000 } }

const isJson = (text: string) => Result.isSuccess(Result.try((): unknown => JSON.parse(text)))

describe("laws of StrictJson", () => {
  it.prop("what JSON.stringify writes is read back", [Schema.Json], ([value]) => {
    const text = JSON.stringify(value)
    if (!/\\u[dD][89a-fA-F]/.test(text)) assert.deepStrictEqual(Result.getOrThrow(read(text)), JsonText.parse(text))
    assert.notStrictEqual(findFault(text)?.code, "invalid_json")
  })

  it.prop(
    "what is not JSON, and only that, is refused as such",
    [Soup],
    ([text]) => {
      const result = read(text)
      const code = Result.isSuccess(result) ? undefined : result.failure.code
      if (!isJson(text)) return assert.strictEqual(code, "invalid_json")
      assert.notStrictEqual(code, "invalid_json")
      if (Result.isSuccess(result)) assert.deepStrictEqual(result.success, JsonText.parse(text))
    },
    many
  )

  it.prop(
    "the quick look and the close one agree",
    [Soup],
    ([text]) => {
      assert.strictEqual(Result.isSuccess(read(text)), findFault(text) === undefined)
    },
    many
  )

  it.prop(
    "no bytes make it throw, and a position lies within them",
    [Schema.Array(Byte)],
    ([bytes]) => {
      const result = read(Uint8Array.from(bytes))
      if (Result.isSuccess(result)) return
      assert.isAtLeast(result.failure.position, 0)
      assert.isAtMost(result.failure.position, bytes.length)
    },
    many
  )

  it.prop("texts of any length, escapes included, hide what they hold", [Schema.String, Byte], ([text, length]) => {
    const value = {
      ["k".repeat(length)]: `${"\\".repeat(length)}${text.toWellFormed()}"${"{:".repeat(200)}`,
      b: [text.length]
    }
    assert.deepStrictEqual(Result.getOrThrow(read(JSON.stringify(value), { maxDepth: 2, maxKeys: 2 })), value)
  })
})
