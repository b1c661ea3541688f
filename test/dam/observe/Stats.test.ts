import { assert, describe, it } from "@effect/vitest"
import * as Stats from "../../../src/dam/observe/Stats.ts"

describe("Stats", () => {
  it("counts in spans of ten seconds and tells how long most took, within a tenth", () => {
    const stats = Stats.make()
    for (let n = 1; n <= 100; n++) {
      stats.accepted(5000)
      stats.started(5000, 0)
      stats.ended(15_000, n > 90 ? "failed" : "succeeded", n * 10)
    }
    const [first, second, ...more] = stats.read(20_000)
    assert.deepStrictEqual(first, {
      at: 0,
      accepted: 100,
      succeeded: 0,
      failed: 0,
      cancelled: 0,
      wait: { count: 100, p50: 0, p95: 0, p99: 0 },
      total: { count: 0, p50: null, p95: null, p99: null }
    })
    assert.deepInclude(second, { at: 10_000, succeeded: 90, failed: 10 })
    assert.approximately(second?.total.p50 ?? 0, 500, 50)
    assert.approximately(second?.total.p95 ?? 0, 950, 95)
    assert.approximately(second?.total.p99 ?? 0, 990, 99)
    assert.deepStrictEqual(more, [])
  })

  it("keeps an hour, however long it runs", () => {
    const stats = Stats.make()
    const day = 24 * 3_600_000
    for (let now = 0; now < day; now += 10_000) stats.accepted(now)
    const spans = stats.read(day - 1)
    assert.lengthOf(spans, 360)
    assert.deepStrictEqual([spans[0]?.at, spans.at(-1)?.at], [day - 3_600_000, day - 10_000])
    assert.deepStrictEqual(stats.read(2 * day), [])
  })

  it("takes a month as well as nothing", () => {
    const stats = Stats.make()
    stats.ended(1, "succeeded", 30 * 24 * 3_600_000)
    stats.ended(1, "succeeded", -1)
    assert.approximately(stats.read(1)[0]?.total.p99 ?? 0, 30 * 24 * 3_600_000, 3 * 24 * 3_600_000)
  })
})
