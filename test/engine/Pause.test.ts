import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import { beforeReroute, beforeRetry, draw, none } from "../../src/engine/Pause.ts"
import { defaults } from "../../src/step/RetryPolicy.ts"

describe("the pause before a retry", () => {
  it("begins at 200 ms, doubles and stays below 30 s", () => {
    const ceilings = [0, 1, 2, 7, 8, 9].map((retries) => beforeRetry(defaults, retries, undefined).spread)
    assert.deepStrictEqual(ceilings, [200, 400, 800, 25_600, 30_000, 30_000])
  })

  it("is jittered over its whole ceiling, from nothing up", () => {
    const pause = beforeRetry(defaults, 1, undefined)
    assert.strictEqual(draw(pause, 0), 0)
    assert.strictEqual(draw(pause, 0.5), 200)
    assert.isBelow(draw(pause, 1 - 2 ** -53), 400.000001)
  })

  it("starts at Retry-After and ends at the ceiling or at Retry-After, never at their sum", () => {
    assert.deepStrictEqual(beforeRetry(defaults, 2, 300), { atLeast: 300, spread: 500 })
    assert.deepStrictEqual(beforeRetry(defaults, 2, 800), { atLeast: 800, spread: 0 })
    assert.deepStrictEqual(beforeRetry(defaults, 2, 5000), { atLeast: 5000, spread: 0 })
  })

  it("takes a Retry-After of zero as no lower bound", () => {
    assert.deepStrictEqual(beforeRetry(defaults, 0, 0), { atLeast: 0, spread: 200 })
  })

  it.each([64, 1023, 1024, 5000, Number.MAX_SAFE_INTEGER])("stays finite after %d retries", (retries) => {
    assert.deepStrictEqual(beforeRetry(defaults, retries, undefined), { atLeast: 0, spread: 30_000 })
  })

  it("stays a number when the base is zero", () => {
    const still = { ...defaults, base: Duration.zero }
    assert.deepStrictEqual(beforeRetry(still, 2000, undefined), { atLeast: 0, spread: 0 })
  })
})

describe("the pause before a reroute", () => {
  it("is none, unless the answer asked for one", () => {
    assert.deepStrictEqual(beforeReroute(undefined), none)
    assert.deepStrictEqual(beforeReroute(1500), { atLeast: 1500, spread: 0 })
  })
})
