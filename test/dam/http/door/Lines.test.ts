/** Bodies are cut into the same lines, however they come. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Readable } from "node:stream"
import * as Lines from "../../../../src/dam/http/door/Lines.ts"

const limits = { bodyBytes: 20, requestTimeout: 1000 }

/** Everything that is read of a text that comes in pieces of so many bytes; `undefined` for a line without text. */
const readOf = Effect.fnUntraced(function* (text: string, form: "lines" | "list", size: number) {
  const bytes = Buffer.from(text)
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size)
  )
  const read = Lines.lines(Readable.from(pieces, { objectMode: false }), { form, limits })
  const found: Array<string | undefined> = []
  while (true) {
    const texts = yield* read
    if (texts === undefined) return found
    for (const one of texts) found.push(one && Buffer.from(one).toString())
  }
})

const cut = (text: string, form: "lines" | "list") =>
  Effect.gen(function* () {
    const whole = yield* readOf(text, form, text.length)
    for (const size of [1, 2, 3, 7]) assert.deepStrictEqual(yield* readOf(text, form, size), whole, `by ${size} bytes`)
    return whole
  })

describe("what a body begins with", () => {
  it.live("is looked for behind spaces that came alone, and is still to be read", () =>
    Effect.gen(function* () {
      // no piece is asked for before the one before it was read
      const inPieces = (...pieces: ReadonlyArray<string>) =>
        Readable.from(pieces.map(Buffer.from), { objectMode: false, highWaterMark: 1 })
      const source = inPieces("\n", " \n", "[1]")
      assert.strictEqual(yield* Lines.beginningOf(source, limits), "[".charCodeAt(0))
      const texts = yield* Lines.lines(source, { form: "list", limits })
      assert.deepStrictEqual(texts?.map(String), ["1"])
      assert.isUndefined(yield* Lines.beginningOf(inPieces("\n", "\t"), limits))
    })
  )
})

describe("the lines of a body", () => {
  it.live("are what stands between its breaks, and one that is too long has no text", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* cut(`{"a":1}\n\n${"x".repeat(21)}\nlast`, "lines"), [
        '{"a":1}',
        "",
        undefined,
        "last"
      ])
      assert.deepStrictEqual(yield* cut("one\n", "lines"), ["one"])
    })
  )

  it.live("are the members of its list, whatever stands in them", () =>
    Effect.gen(function* () {
      const list = ` [{"a":"],\\"}"},[1,2] , ${"9".repeat(21)},"ü"] `
      assert.deepStrictEqual(yield* cut(list, "list"), ['{"a":"],\\"}"}', "[1,2] ", undefined, '"ü"'])
      assert.deepStrictEqual(yield* cut("[ ]", "list"), [])
    })
  )

  for (const text of ["{}", "[1", "[1]]", "[1] 2", "[}", '[{"a":1}}', ""]) {
    it.live(`are none where it is ${JSON.stringify(text)}, which is no list`, () =>
      Effect.gen(function* () {
        for (const size of [1, 100]) {
          assert.deepInclude(yield* Effect.flip(readOf(text, "list", size)), { code: "invalid_json", status: 400 })
        }
      })
    )
  }
})
