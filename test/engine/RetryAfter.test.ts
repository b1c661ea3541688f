import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as RetryAfter from "../../src/engine/RetryAfter.ts"

const now = Date.UTC(2026, 9, 21, 7, 27, 0)

const millis = (value: string, at = now): number | undefined => {
  const pause = RetryAfter.parse({ "retry-after": value }, at)
  return pause === undefined ? undefined : Duration.toMillis(pause)
}

describe("RetryAfter", () => {
  it("reads whole seconds", () => {
    assert.strictEqual(millis("120"), 120_000)
    assert.strictEqual(millis(" 7 "), 7_000)
    assert.strictEqual(millis("0"), 0)
  })

  it.each([
    ["the date form in use today", "Wed, 21 Oct 2026 07:28:00 GMT"],
    ["the form of RFC 850", "Wednesday, 21-Oct-26 07:28:00 GMT"],
    ["the form of asctime", "Wed Oct 21 07:28:00 2026"]
  ])("reads %s as the time left until then, not as its first number", (_, value) => {
    assert.strictEqual(millis(value), 60_000)
  })

  it("asks for no pause when the date has passed", () => {
    assert.strictEqual(millis("Wed, 21 Oct 2026 07:28:00 GMT", now + 61_000), 0)
  })

  it.each(["86401", "99999999999", "9".repeat(400), "Thu, 22 Oct 2026 07:27:01 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])(
    "believes %s for no more than a day",
    (value) => {
      assert.strictEqual(millis(value), 86_400_000)
    }
  )

  it("keeps a day that is exactly a day", () => {
    assert.strictEqual(millis("86400"), 86_400_000)
    assert.strictEqual(millis("86399"), 86_399_000)
  })

  it.each([
    "-5",
    "+5",
    "1.5.5",
    "1,5",
    "NaN",
    "Infinity",
    "12, 13",
    "",
    "  ",
    "1e9",
    "0x10",
    "soon",
    "31 Feb 2026",
    ", ",
    "12,"
  ])("ignores %j", (value) => {
    assert.isUndefined(millis(value))
  })

  it("ignores a date that does not exist", () => {
    assert.isUndefined(millis("Tue, 31 Feb 2026 07:28:00 GMT"))
  })

  it("reads a value that was sent twice as the one value it is", () => {
    assert.strictEqual(millis("12, 12"), 12_000)
    assert.strictEqual(millis("Wed, 21 Oct 2026 07:28:00 GMT, Wed, 21 Oct 2026 07:28:00 GMT"), 60_000)
  })

  it.each([
    ["a decimal", "0.9", 900],
    ["a fraction of a millisecond, which is waited for", "59.3571", 59_358],
    ["seconds that say so", "2s", 2000],
    ["a length of time", "1m30s", 90_000],
    ["a moment", "2026-10-21T07:28:00Z", 60_000],
    ["a date in UTC", "Wed, 21 Oct 2026 07:28:00 UTC", 60_000],
    ["three times the same", "12, 12, 12", 12_000]
  ])("reads %s", (_, value, expected) => {
    assert.strictEqual(millis(value), expected)
  })

  it.each([
    ["milliseconds first", { "retry-after": "20", "retry-after-ms": "19840" }, 19_840],
    ["milliseconds of another name", { "x-ms-retry-after-ms": "4210.5" }, 4211],
    ["whole seconds where the milliseconds make no sense", { "retry-after": "20", "retry-after-ms": "soon" }, 20_000],
    ["x-rate-limit-retry-after-seconds", { "x-rate-limit-retry-after-seconds": "7" }, 7000],
    ["x-ratelimit-after", { "x-ratelimit-after": "11" }, 11_000],
    ["the longest of several named limits", { "retry-after-short": "3", "retry-after-long": "60" }, 60_000]
  ])("reads %s", (_, headers, expected) => {
    const pause = RetryAfter.parse(headers, now)
    assert.strictEqual(pause && Duration.toMillis(pause), expected)
    assert.isFalse(RetryAfter.isUnclear(headers, now))
  })

  it("tells a wait that nobody can understand from none", () => {
    assert.isTrue(RetryAfter.isUnclear({ "retry-after": "soon" }, now))
    assert.isTrue(RetryAfter.isUnclear({ "retry-after-ms": "-1" }, now))
    assert.isTrue(RetryAfter.isUnclear({ "retry-after-short": "soon" }, now))
    assert.isFalse(RetryAfter.isUnclear({ "retry-after": "5" }, now))
    assert.isFalse(RetryAfter.isUnclear({ "content-type": "text/plain" }, now))
  })

  it("knows nothing when the header is not there", () => {
    assert.isUndefined(RetryAfter.parse({ "x-retry-after": "3" }, now))
  })
})
