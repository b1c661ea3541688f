import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as HttpDate from "../../src/engine/HttpDate.ts"
import * as Pacing from "../../src/engine/Pacing.ts"
import * as RateLimitHeaders from "../../src/engine/RateLimitHeaders.ts"
import * as RetryAfter from "../../src/engine/RetryAfter.ts"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Now = int(0, 4_102_444_800_000)
const Digits = Schema.Union([int(0, 200), int(0, 200_000), int(1_700_000_000, 1_900_000_000), int(0, 1e15)])

// text put together, well and badly, from what these headers are made of
const Piece = Schema.Union([
  Schema.Literals(["r=", "t=", "q=", "w=", "limit=", "remaining=", "reset=", '"', "\\", ",", ";", "=", " ", "-", "."]),
  Schema.Literals(["NaN", "1e9", "enabled", '"a";', "Wed, 21 Oct 2026 07:28:00 GMT", "%", "é", "\u0000"]),
  Digits,
  Schema.String
])
const Text = Arbitrary.map(Arbitrary.array(Arbitrary.schema(Piece), { maxLength: 8 }), (pieces) => pieces.join(""))

const names = [
  "retry-after",
  "ratelimit",
  "ratelimit-policy",
  ...["ratelimit-", "x-ratelimit-", "x-rate-limit-"].flatMap((p) => [`${p}limit`, `${p}remaining`, `${p}reset`]),
  ...Pacing.namespaces.flatMap((p) => [`${p}rps`, `${p}max-concurrent`, `${p}account-queue`])
]
const Named = Arbitrary.map(
  Arbitrary.array(Arbitrary.all([Arbitrary.schema(Schema.Literals(names)), Text]), { maxLength: 10 }),
  (entries): Readonly<Record<string, string>> => Object.fromEntries(entries)
)
const Unnamed = Schema.Record(Schema.String, Schema.String)

const many = { arbitrary: { runs: 1000 } }
const isUpToADay = Duration.between({ minimum: Duration.zero, maximum: Duration.days(1) })

const two = (from: number, to: number) => Arbitrary.map(Arbitrary.schema(int(from, to)), (n) => `${n}`.padStart(2, "0"))
const Day = Schema.Literals(["Mon", "tue", "Wed", "Thursday", "Saturday", "SUNDAY", "Day"])
const Month = Schema.Literals(["Jan", "Feb", "feb", "MAR", "Apr", "Jun", "Sep", "Dec", "Moon"])
const Year = Schema.Literals([
  "1994",
  "2000",
  "1900",
  "2024",
  "2023",
  "0000",
  "0004",
  "0099",
  "9999",
  "94",
  "69",
  "70",
  "00"
])

// dates in the three forms, and what is nearly one
const AnyDate = Arbitrary.map(
  Arbitrary.all([
    Arbitrary.all([Arbitrary.schema(Day), Arbitrary.schema(Month), Arbitrary.schema(Year)]),
    Arbitrary.all([two(0, 32), two(0, 24), two(0, 60), two(0, 61)]),
    Arbitrary.schema(Schema.Literals([0, 1, 2])),
    Arbitrary.schema(Schema.Literals(["", " ", "x", " GMT"]))
  ]),
  ([[day, month, year], [date, hour, minute, second], form, end]) => {
    const time = `${hour}:${minute}:${second}`
    const forms = [
      `${day}, ${date} ${month} ${year} ${time} GMT`,
      `${day}, ${date}-${month}-${year} ${time} GMT`,
      `${day} ${month} ${date.replace(/^0/, " ")} ${time} ${year}`
    ]
    return `${forms[form]}${end}`
  }
)

describe("laws of dates", () => {
  it.prop(
    "are read as Effect reads them, and so is what is none",
    [AnyDate],
    ([text]) => {
      const expected = Result.getOrUndefined(Result.map(Headers.parseHttpDate(text), DateTime.toEpochMillis))
      assert.strictEqual(HttpDate.parse(text), expected)
    },
    { arbitrary: { runs: 20_000 } }
  )

  it.prop("come back from how HTTP writes them", [int(-62_167_219_200, 253_402_300_799)], ([seconds]) => {
    assert.strictEqual(HttpDate.parse(new Date(seconds * 1000).toUTCString()), seconds * 1000)
  })
})

describe("laws of Retry-After", () => {
  it.prop(
    "a pause is never negative and never longer than a day",
    [Text, Now],
    ([value, now]) => {
      const pause = RetryAfter.parse({ "retry-after": value }, now)
      assert.isTrue(pause === undefined || isUpToADay(pause))
    },
    many
  )

  it.prop("whole seconds are kept up to a day and cut there", [Digits, Now], ([seconds, now]) => {
    const pause = RetryAfter.parse({ "retry-after": String(seconds) }, now)
    assert.deepStrictEqual(pause, Duration.seconds(Math.min(seconds, 86_400)))
  })

  it.prop(
    "a date means the same however it is written down, and its pause ends then",
    [int(0, 2_000_000_000), int(-100_000, 100_000)],
    ([seconds, ahead]) => {
      const [, day, month, year, time] = new Date(seconds * 1000).toUTCString().split(" ")
      const now = (seconds - ahead) * 1000
      const expected = Duration.seconds(Math.min(Math.max(ahead, 0), 86_400))
      for (const date of [
        `Mon, ${day} ${month} ${year} ${time} GMT`,
        `Monday, ${day}-${month}-${year?.slice(2)} ${time} GMT`,
        `Mon ${month} ${day?.replace(/^0/, " ")} ${time} ${year}`
      ]) {
        assert.deepStrictEqual(RetryAfter.parse({ "retry-after": date }, now), expected, date)
      }
    }
  )

  it.prop("two values that differ cancel out", [int(0, 1e6), int(0, 1e6)], ([one, other]) => {
    const pause = RetryAfter.parse({ "retry-after": `${one}, ${other}` }, 0)
    assert.strictEqual(pause === undefined, one !== other)
  })
})

describe("laws of the rate-limit headers", () => {
  it.prop(
    "whatever the headers, numbers are counts and times are in bounds",
    [Named, Now],
    ([headers, now]) => {
      const { limit = 0, remaining = 0, resetAfter, window } = RateLimitHeaders.parse(headers, now) ?? {}
      for (const number of [limit, remaining]) assert.isTrue(Number.isSafeInteger(number) && number >= 0)
      assert.isTrue(resetAfter === undefined || isUpToADay(resetAfter))
      assert.isTrue(window === undefined || (Duration.isPositive(window) && Duration.isFinite(window)))
    },
    many
  )

  it.prop(
    "what is said in one dialect is heard like what is said in another",
    [int(0, 1e9), int(0, 1e9), int(0, 86_400), int(1_600_000_000, 1_900_000_000)],
    ([limit, remaining, seconds, nowSeconds]) => {
      const now = nowSeconds * 1000
      const said = { limit, remaining, resetAfter: Duration.seconds(seconds) }
      const triple = (prefix: string, reset: number) => ({
        [`${prefix}limit`]: String(limit),
        [`${prefix}remaining`]: String(remaining),
        [`${prefix}reset`]: String(reset)
      })
      for (const headers of [
        { ratelimit: `"a";r=${remaining};t=${seconds}`, "ratelimit-policy": `"b";q=1;w=1, "a";q=${limit}` },
        { ratelimit: `limit=${limit}, remaining=${remaining}, reset=${seconds}` },
        triple("ratelimit-", seconds),
        triple("x-ratelimit-", nowSeconds + seconds),
        triple("x-rate-limit-", now + seconds * 1000)
      ]) {
        const { source: _, ...heard } = RateLimitHeaders.parse(headers, now) ?? { source: undefined }
        assert.deepStrictEqual(heard, said)
      }
    }
  )
})

describe("laws of the pacing headers", () => {
  it.prop(
    "whatever the headers, a pace is within its bounds, and every header of its namespace is used or named",
    [Named],
    ([headers]) => {
      const pacing = Pacing.parse(headers)
      const namespace = Pacing.namespaces.find((prefix) => Object.keys(headers).some((name) => name.startsWith(prefix)))
      if (pacing === undefined || namespace === undefined) {
        assert.isTrue(pacing === undefined && namespace === undefined)
        return
      }
      const { rps = 1, maxConcurrent = 1, ignored, ...rest } = pacing
      assert.isTrue(rps >= 0.01 && rps <= 1000)
      assert.isTrue(Number.isInteger(maxConcurrent) && maxConcurrent >= 1 && maxConcurrent <= 100)
      assert.isTrue(ignored.every((name) => name.startsWith(namespace)))
      const used = [pacing.rps, pacing.maxConcurrent, rest.accountQueue].filter((value) => value !== undefined)
      const present = Object.keys(headers).filter((name) => name.startsWith(namespace))
      assert.strictEqual(used.length + ignored.length, present.length)
    },
    many
  )

  it.prop("a concurrency is clamped to the bounds, and faster never comes out slower", [Digits, Digits], ([a, b]) => {
    const read = (value: number) => Pacing.parse({ "x-aquifer-max-concurrent": String(value) })?.maxConcurrent
    assert.strictEqual(read(a), a === 0 ? undefined : Math.min(a, 100))
    if (a > 0 && a <= b) assert.isAtMost(read(a) ?? Infinity, read(b) ?? 0)
  })
})

describe("laws of all of them", () => {
  it.prop("headers of any other name say nothing", [Unnamed, Now], ([headers, now]) => {
    assert.isUndefined(RetryAfter.parse(headers, now))
    assert.isUndefined(RateLimitHeaders.parse(headers, now))
    assert.isUndefined(Pacing.parse(headers))
  })
})
