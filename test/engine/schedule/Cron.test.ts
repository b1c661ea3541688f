import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import cases from "../../fixtures/cron.json" with { type: "json" }
import * as Cron from "../../../src/engine/schedule/Cron.ts"
import { firings, walk } from "./WalkedClock.ts"

const five = (expression: string, timezone: string, from: string): ReadonlyArray<string> | { readonly error: string } =>
  Result.match(Cron.parse(expression, timezone), {
    onFailure: ({ reason }) => ({ error: reason }),
    onSuccess: (cron) => {
      const found: Array<number> = []
      let at = Date.parse(from)
      while (found.length < 5) {
        at = Cron.next(cron, at)!
        found.push(at)
      }
      return found.map((moment) => new Date(moment).toISOString().replace(".000Z", "Z"))
    }
  })

describe("Cron: the agreed cases", () => {
  for (const { expect, expression, from, note, timezone } of cases) {
    it(`${expression} in ${timezone} from ${from}: ${note}`, () => {
      assert.deepStrictEqual(five(expression, timezone, from), expect)
    })
  }
})

describe("Cron: what is refused", () => {
  const refusal = (expression: string, zone = "UTC") => Result.getOrThrow(Result.flip(Cron.parse(expression, zone)))

  it("names the field and what to write instead", () => {
    assert.deepStrictEqual(refusal("0 22-2 * * *"), {
      field: "hour",
      reason: "range goes backwards",
      remedy: "write 22-23,0-2"
    })
    assert.strictEqual(refusal("0 0 * jan-foo *").field, "month")
    assert.strictEqual(refusal("0 0 15W * *").field, "day of month")
    assert.strictEqual(refusal("0 0 * * 1#6").field, "weekday")
    assert.strictEqual(refusal("* * * * * * *").reason, "five or six fields")
    assert.strictEqual(refusal("").reason, "five or six fields")
    assert.strictEqual(refusal("0 0 * * *", "+02:00").field, "zone")
  })

  it("takes a leap day that falls on a weekday once in decades", () => {
    const cron = Result.getOrThrow(Cron.parse("0 0 29 2 ?", "UTC"))
    assert.strictEqual(Cron.next(cron, Date.UTC(2096, 2, 1)), Date.UTC(2104, 1, 29))
    assert.strictEqual(
      Cron.next(Result.getOrThrow(Cron.parse("0 0 29 2 */7", "UTC")), Date.UTC(2088, 2, 1)),
      Date.UTC(2128, 1, 29)
    )
  })
})

describe("Cron: beside a clock that is walked", () => {
  // the zones whose clocks do what no other's do, around the days on which they do it
  const days: ReadonlyArray<readonly [zone: string, day: string]> = [
    ["Europe/Berlin", "2026-10-25"],
    ["Australia/Lord_Howe", "2026-10-04"],
    ["Pacific/Chatham", "2026-09-27"],
    ["Antarctica/Troll", "2026-03-29"],
    ["Africa/Cairo", "2026-10-30"],
    ["Africa/Casablanca", "2027-02-07"]
  ]
  const minutes = ["30", "*/15", "15-20", "*"]
  const hours = ["*", "0", "*/2", "1-3"]
  const numbers = (text: string, most: number) =>
    Array.from({ length: most + 1 }, (_, number) => number).filter((number) =>
      text.split(",").some((item) => {
        const [range = "", step = "1"] = item.split("/")
        const [from = "0", to = range === "*" ? String(most) : from] = range === "*" ? ["0"] : range.split("-")
        return number >= Number(from) && number <= Number(to) && (number - Number(from)) % Number(step) === 0
      })
    )

  for (const [zone, day] of days) {
    it(`agrees in ${zone} around ${day}`, () => {
      const from = Date.parse(`${day}T00:00:00Z`) - 86_400_000
      const to = from + 3 * 86_400_000
      const walked = walk(zone, from, to)
      for (const minute of minutes) {
        for (const hour of hours) {
          const fixed = !minute.startsWith("*") && !hour.startsWith("*")
          const expected = firings(walked, { minutes: numbers(minute, 59), hours: numbers(hour, 23), fixed })
          const cron = Result.getOrThrow(Cron.parse(`${minute} ${hour} * * *`, zone))
          const found: Array<number> = []
          for (let at = Cron.next(cron, from - 1)!; at < to; at = Cron.next(cron, at)!) found.push(at)
          assert.deepStrictEqual(found, expected, `${minute} ${hour} * * *`)
        }
      }
    })
  }
})
