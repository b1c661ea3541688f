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
    "1.5",
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

  it("knows nothing when the header is not there", () => {
    assert.isUndefined(RetryAfter.parse({ "x-retry-after": "3" }, now))
  })
})
