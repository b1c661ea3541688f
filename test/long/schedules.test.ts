import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Cron from "../../src/engine/schedule/Cron.ts"
import { firings, walk, zonesThatChange } from "../engine/schedule/WalkedClock.ts"

const from = Date.UTC(2026, 0, 1)
const to = Date.UTC(2027, 0, 1)

const every = (most: number, step = 1) =>
  Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step)

/** The shapes that schedules have, at times that depend on the number of the schedule. */
const shapes = [
  (n: number) => ({ text: `${n % 60} ${n % 4} * * *`, minutes: [n % 60], hours: [n % 4], fixed: true }),
  (n: number) => ({ text: `*/15 * * * *`, minutes: every(59, 15), hours: every(23), fixed: false, n }),
  (n: number) => ({ text: `${n % 60} * * * *`, minutes: [n % 60], hours: every(23), fixed: false }),
  (n: number) => ({ text: `0 */${1 + (n % 5)} * * *`, minutes: [0], hours: every(23, 1 + (n % 5)), fixed: false }),
  (n: number) => ({
    text: `${n % 60} 0-3 * * 0`,
    minutes: [n % 60],
    hours: [0, 1, 2, 3],
    weekdays: [0],
    fixed: true
  }),
  (n: number) => ({
    text: `45 2 1-${1 + (n % 31)} * *`,
    minutes: [45],
    hours: [2],
    days: every(n % 31).map((day) => day + 1),
    fixed: true
  })
]

describe("a year of schedules", () => {
  it("fires 500 of them once at each moment that the walked clocks of all zones with a changing clock name", () => {
    const zones = zonesThatChange(from, to)
    assert.isAbove(zones.length, 100)
    let schedules = 0
    let fired = 0
    const each = Math.ceil(500 / zones.length)
    for (const [place, zone] of zones.entries()) {
      const walked = walk(zone, from, to)
      for (let more = 0; more < each; more++) {
        const number = place * each + more
        const { text, ...wanted } = shapes[number % shapes.length]!(number)
        const cron = Result.getOrThrow(Cron.parse(text, zone))
        const found: Array<number> = []
        for (let at = Cron.next(cron, from - 1)!; at < to; at = Cron.next(cron, at)!) found.push(at)
        // as texts: a deep comparison of so many numbers takes longer than all the rest
        assert.isTrue(found.join() === firings(walked, wanted).join(), `${text} in ${zone}`)
        schedules++
        fired += found.length
      }
    }
    assert.isAtLeast(schedules, 500)
    assert.isAbove(fired, 500_000)
  })
})
