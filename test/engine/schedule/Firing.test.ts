import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Firing from "../../../src/engine/schedule/Firing.ts"
import * as Timing from "../../../src/engine/schedule/Timing.ts"

const minute = 60_000
const timing = (options: Timing.TimingOptions = { every: minute }) => Result.getOrThrow(Timing.make("one", options, 0))
const rules: Firing.FiringRules = { overlap: "parallel", catchUp: "last", catchUpMost: 100 }
const idle = (now: number) => ({ now, isRunning: false })

describe("Timing", () => {
  it("counts from its start, and fires nothing outside of its bounds", () => {
    const bounded = timing({ every: minute, start: 30_000, end: 150_000 })
    assert.deepStrictEqual(Timing.upcoming(bounded, 0, 5), [30_000, 90_000, 150_000])
    assert.deepStrictEqual(Timing.upcoming(timing(), 0, 2), [minute, 2 * minute])
    const daily = timing({ cron: "0 9 * * *", zone: "Europe/Berlin", start: Date.UTC(2026, 6, 1) })
    assert.strictEqual(daily.next(0), Date.UTC(2026, 6, 1, 7))
  })

  it("puts each firing off by its own share of the jitter, the same every time", () => {
    const some = timing({ every: minute, jitter: 10_000 })
    const put = Timing.upcoming(some, 0, 200).map((moment) => some.due(moment) - moment)
    assert.isTrue(put.every((by) => by >= 0 && by < 10_000))
    assert.isAbove(new Set(put).size, 150)
    assert.closeTo(put.reduce((sum, by) => sum + by) / put.length, 5000, 800)
    assert.deepStrictEqual(
      put.slice(0, 3),
      Timing.upcoming(some, 0, 3).map((moment) => timing({ every: minute, jitter: 10_000 }).due(moment) - moment)
    )
  })
})

describe("Firing", () => {
  for (const catchUp of ["last", "all"] as const)
    it(`fires every moment once where the jitter is longer than the interval (${catchUp})`, () => {
      const wide = timing({ every: minute, jitter: 10 * minute })
      const fired: Array<number> = []
      let progress = Firing.begin(0)
      for (let now = 0; now <= 300 * minute; now += 1000) {
        const decision = Firing.decide(wide, { ...rules, catchUp }, progress, idle(now))
        fired.push(...decision.fire)
        progress = decision.progress
      }
      assert.deepStrictEqual(fired.slice(0, 299), Timing.upcoming(wide, 0, 299))
      assert.strictEqual(progress.missed, 0)
    })

  it("fires what is due once, and says when to look again", () => {
    const early = Firing.decide(timing(), rules, Firing.begin(0), idle(59_999))
    assert.deepStrictEqual([early.fire, early.lookAt], [[], minute])
    const now = Firing.decide(timing(), rules, early.progress, idle(minute))
    assert.deepStrictEqual([now.fire, now.lookAt], [[minute], 2 * minute])
    assert.deepStrictEqual(Firing.decide(timing(), rules, now.progress, idle(minute)).fire, [])
  })

  it("makes up after downtime what it is told to, and counts the rest as missed", () => {
    const after = (catchUp: Firing.FiringRules["catchUp"], catchUpMost = 100) => {
      const { fire, progress } = Firing.decide(
        timing({ every: 10 * minute }),
        { ...rules, catchUp, catchUpMost },
        Firing.begin(0),
        idle(65 * minute)
      )
      return [fire.map((moment) => moment / minute), progress.missed]
    }
    assert.deepStrictEqual(after("none"), [[], 6])
    assert.deepStrictEqual(after("last"), [[60], 5])
    assert.deepStrictEqual(after("all"), [[10, 20, 30, 40, 50, 60], 0])
    assert.deepStrictEqual(after("all", 2), [[50, 60], 4])
  })

  it("makes up the latest moment after years, however many there were", () => {
    const now = 5 * 365 * 24 * 60 * minute
    const { fire, progress } = Firing.decide(
      timing({ every: 1000 }),
      { ...rules, catchUp: "last" },
      Firing.begin(0),
      idle(now)
    )
    assert.strictEqual(fire.at(-1), now)
    assert.strictEqual(progress.after, now)
    assert.isAtMost(fire.length, 61)
  })

  it("keeps to its overlap rule while the last job goes on", () => {
    const busy = (overlap: Firing.FiringRules["overlap"], progress = Firing.begin(0)) =>
      Firing.decide(timing(), { ...rules, overlap }, progress, { now: minute, isRunning: true })
    assert.deepStrictEqual(busy("parallel").fire, [minute])
    const skipped = busy("skip")
    assert.deepStrictEqual([skipped.fire, skipped.progress.skipped, skipped.lookAt], [[], 1, 2 * minute])
    const queued = busy("queue")
    assert.deepStrictEqual([queued.fire, queued.progress.waiting, queued.lookAt], [[], [minute], minute + 1000])
    const later = Firing.decide(timing(), { ...rules, overlap: "queue" }, queued.progress, idle(2 * minute))
    assert.deepStrictEqual([later.fire, later.progress.waiting], [[minute], [2 * minute]])
  })

  it("fires nothing while it is paused, and makes nothing of it up", () => {
    const paused = Firing.pause({ ...Firing.begin(0), waiting: [1] })
    assert.deepStrictEqual(Firing.decide(timing(), rules, paused, idle(5 * minute)), {
      fire: [],
      progress: { ...paused, skipped: 1, waiting: [] },
      lookAt: undefined
    })
    const resumed = Firing.resume(paused, 5.5 * minute)
    assert.deepStrictEqual(Firing.decide(timing(), { ...rules, catchUp: "all" }, resumed, idle(6 * minute)).fire, [
      6 * minute
    ])
  })
})
