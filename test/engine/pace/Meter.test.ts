import { assert, describe, it } from "@effect/vitest"
import * as Meter from "../../../src/engine/pace/Meter.ts"

const setting = (rps: number): Meter.Setting => ({ pace: { rps, maxConcurrent: 2 }, finds: false, bursts: false })

describe("Meter.maker", () => {
  it("shares a meter among those that are set alike, and no other", () => {
    const meters = Meter.maker(3)
    const first = meters(setting(2))
    assert.strictEqual(meters(setting(2)), first)
    assert.deepStrictEqual(meters(setting(5)), Meter.make(setting(5), 3))
    assert.deepStrictEqual(meters(setting(2)), Meter.make(setting(2), 3))
    assert.deepStrictEqual(meters({ ...setting(2), finds: true }), Meter.make({ ...setting(2), finds: true }, 3))
  })
})
