import { assert, describe, it } from "@effect/vitest"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Collected } from "../../src/transport/ResponseBody.ts"

/** Chunks as a client hands them out: each a window into a large buffer of its own. */
const windows = (sizes: ReadonlyArray<number>) =>
  sizes.map((size, place) => new Uint8Array(65_536).fill(place % 251, 0, size).subarray(0, size))

const collected = (chunks: ReadonlyArray<Uint8Array>) => {
  const body = new Collected()
  for (const chunk of chunks) body.add(chunk)
  return body
}

describe("a body in chunks", () => {
  it.each([
    { name: "none", sizes: [] },
    { name: "one", sizes: [10] },
    { name: "an empty one first", sizes: [0, 3] },
    { name: "many small ones", sizes: Array.from({ length: 5000 }, () => 1) },
    { name: "small ones after a large one", sizes: [65_536, 1, 2, 3] }
  ])("is what was sent: $name", ({ sizes }) => {
    const chunks = windows(sizes)
    const body = collected(chunks)
    const bytes = body.bytes()
    assert.strictEqual(body.length, bytes.length)
    assert.deepStrictEqual(Buffer.from(bytes), Buffer.concat(chunks))
  })

  it("holds on to nothing but itself", () => {
    const bytes = collected(windows([1, 1, 1])).bytes()
    assert.strictEqual(bytes.buffer.byteLength, 3)
  })

  it("is not changed by whoever uses the window again", () => {
    const [window = new Uint8Array()] = windows([4])
    const body = collected([window])
    window.fill(99)
    assert.deepStrictEqual([...body.bytes()], [0, 0, 0, 0])
  })

  it("lets the windows go while it still grows", async () => {
    setFlagsFromString("--expose-gc")
    const collectGarbage: () => void = runInNewContext("gc")
    const body = new Collected()
    const buffers = Array.from({ length: 50 }, () => {
      const [window = new Uint8Array()] = windows([1])
      body.add(window)
      return new WeakRef(window.buffer)
    })
    // a reference made in this turn lasts as long as the turn
    await new Promise(setImmediate)
    collectGarbage()
    // what the last turns left on the stack may live a little longer
    assert.isBelow(buffers.filter((buffer) => buffer.deref() !== undefined).length, 5)
    assert.strictEqual(body.length, 50)
  })
})
