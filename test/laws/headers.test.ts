import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
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
