import { assert, describe, it } from "@effect/vitest"
import * as Stopwatch from "../../src/run/Stopwatch.ts"

describe("Stopwatch", () => {
  it("counts the time in which somebody waits and nobody sends", () => {
    const watch = Stopwatch.make()
    assert.strictEqual(Stopwatch.waited(watch, 50), 0)
    Stopwatch.turn(watch, 100, { waiting: 1, sending: 0 })
    assert.strictEqual(Stopwatch.waited(watch, 130), 30)
    Stopwatch.turn(watch, 150, { waiting: -1, sending: 1 })
    assert.strictEqual(Stopwatch.waited(watch, 900), 50)
    Stopwatch.turn(watch, 200, { waiting: 1, sending: 0 })
    assert.strictEqual(Stopwatch.waited(watch, 300), 50)
    Stopwatch.turn(watch, 300, { waiting: 0, sending: -1 })
    assert.strictEqual(Stopwatch.waited(watch, 310), 60)
    Stopwatch.turn(watch, 400, { waiting: -1, sending: 0 })
    assert.strictEqual(Stopwatch.waited(watch, 9999), 150)
  })
})
