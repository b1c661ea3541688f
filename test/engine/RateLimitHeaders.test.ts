import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as RateLimitHeaders from "../../src/engine/RateLimitHeaders.ts"

const now = Date.UTC(2026, 9, 21, 7, 27, 0)

// durations as seconds, so that a difference is readable
const read = (headers: Readonly<Record<string, string>>) => {
  const found = RateLimitHeaders.parse(headers, now)
  return (
    found &&
    Object.fromEntries(
      Object.entries(found).map(([key, value]) => [key, Duration.isDuration(value) ? Duration.toSeconds(value) : value])
    )
  )
}

describe("RateLimitHeaders: the IETF fields", () => {
  it("joins a quota with the policy of the same name", () => {
    assert.deepStrictEqual(
      read({ ratelimit: '"default";r=50;t=30', "ratelimit-policy": '"other";q=5;w=1, "default";q=100;w=60' }),
      { limit: 100, remaining: 50, resetAfter: 30, window: 60, source: "ratelimit" }
    )
  })

  it("does not borrow the policy of another name", () => {
    assert.deepStrictEqual(read({ ratelimit: '"day";r=50;t=30', "ratelimit-policy": '"minute";q=100;w=60' }), {
      remaining: 50,
      resetAfter: 30,
      source: "ratelimit"
    })
  })

  it("reads the older dictionary form, with its policy", () => {
    assert.deepStrictEqual(
      read({ ratelimit: "limit=100, remaining=50, reset=50", "ratelimit-policy": "5000;w=86400, 100;w=60" }),
      { limit: 100, remaining: 50, resetAfter: 50, window: 60, source: "ratelimit" }
    )
    assert.deepStrictEqual(read({ ratelimit: "remaining=0, reset=5", "ratelimit-policy": "10;w=60" }), {
      limit: 10,
      remaining: 0,
      resetAfter: 5,
      window: 60,
      source: "ratelimit"
    })
  })

  it("reads the oldest form, three fields with the policies behind the limit", () => {
    assert.deepStrictEqual(
      read({
        "ratelimit-limit": "100, 5000;w=86400, 100;w=60",
        "ratelimit-remaining": "12",
        "ratelimit-reset": "34"
      }),
      { limit: 100, remaining: 12, resetAfter: 34, window: 60, source: "ratelimit-*" }
    )
  })

  it("goes by the quota with the fewest requests left, among equals by the one renewed last", () => {
    assert.deepStrictEqual(read({ ratelimit: '"day";r=900;t=3600, "burst";r=1;t=2' }), {
      remaining: 1,
      resetAfter: 2,
      source: "ratelimit"
    })
    assert.deepStrictEqual(read({ ratelimit: '"burst";r=0;t=2, "day";r=0;t=3600, "week";t=9999' }), {
      remaining: 0,
      resetAfter: 3600,
      source: "ratelimit"
    })
  })

  it("goes by the slowest policy where there are only policies", () => {
    assert.deepStrictEqual(
      read({ "ratelimit-policy": '"plain";q=1, "burst";q=10;w=1, "day";q=1000;w=86400, "broken";q=-1;w=60' }),
      { limit: 1000, window: 86_400, source: "ratelimit-policy" }
    )
    for (const policy of ['"plain";q=7', '"no time";q=7;w=0', '"nonsense";q=7;w=-1']) {
      assert.deepStrictEqual(read({ "ratelimit-policy": policy }), { limit: 7, source: "ratelimit-policy" })
    }
  })

  it("is not confused by separators, quotes and other parameters in a policy", () => {
    assert.deepStrictEqual(
      read({
        ratelimit: '"a,b;r=9\\"" ; r=3;t=4;pk=:c2VjcmV0:',
        "ratelimit-policy": '"a,b;r=9\\"";q=20;qu="requests";w=10'
      }),
      { limit: 20, remaining: 3, resetAfter: 4, window: 10, source: "ratelimit" }
    )
  })

  it("is preferred to the invented fields, as long as it says something", () => {
    const invented = { "x-ratelimit-limit": "9", "ratelimit-remaining": "8" }
    assert.strictEqual(read({ ratelimit: '"a";r=1', ...invented })?.["source"], "ratelimit")
    assert.strictEqual(read({ ratelimit: '"a";r=x', ...invented })?.["source"], "ratelimit-*")
    assert.strictEqual(read({ ratelimit: '"open;r=1', "x-ratelimit-limit": "9" })?.["source"], "x-ratelimit-*")
  })
})

describe("RateLimitHeaders: the invented fields", () => {
  it.each([
    ["a length of time", "6m0s", 360],
    ["a length with a fraction", "16m17.764s", 977.764],
    ["milliseconds that say so", "120ms", 0.12],
    ["hours, minutes and seconds", "1h2m3s", 3723],
    ["seconds with a fraction", "1.5", 1.5],
    ["a moment", "2026-10-21T07:28:00Z", 60],
    ["a moment without seconds", "2026-10-21T07:28Z", 60],
    ["a moment of another zone", "2026-10-21T09:28:00.5+02:00", 60.5],
    ["a date in UTC", "Wed, 21 Oct 2026 07:28:00 UTC", 60],
    ["seconds since 1970 with a fraction", `${now / 1000 + 1}.470`, 1.47],
    ["one value sent twice", "60, 60", 60]
  ])("reads a reset that is %s", (_, value, seconds) => {
    assert.strictEqual(read({ "x-ratelimit-reset": value })?.["resetAfter"], seconds)
  })

  it.each(["2026-10-21T07:28:00", "2026-10-21", "1m2h", "6 m", "s", "ms", "1.2.3s"])(
    "does not guess at %j",
    (value) => {
      assert.isUndefined(read({ "x-ratelimit-reset": value }))
    }
  )

  it("prefers the reset whose name says that it is time left", () => {
    const reset = { "x-ratelimit-reset": String(now / 1000 + 90), "x-ratelimit-reset-after": "64.57" }
    assert.strictEqual(read(reset)?.["resetAfter"], 64.57)
    assert.strictEqual(read({ ...reset, "x-ratelimit-reset-after": "soon" })?.["resetAfter"], 90)
  })

  it("goes by the scarcest of several named limits, whether their name stands in front or behind", () => {
    assert.deepStrictEqual(
      read({
        "x-ratelimit-limit-long": "100",
        "x-ratelimit-remaining-long": "95",
        "x-ratelimit-reset-long": "599",
        "x-ratelimit-limit-short": "5",
        "x-ratelimit-remaining-short": "0",
        "x-ratelimit-reset-short": "59"
      }),
      { limit: 5, remaining: 0, resetAfter: 59, source: "x-ratelimit-*" }
    )
    assert.deepStrictEqual(
      read({
        "anthropic-ratelimit-requests-limit": "1000",
        "anthropic-ratelimit-requests-remaining": "999",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-10-21T07:27:41Z"
      }),
      { remaining: 0, resetAfter: 41, source: "*-ratelimit-*" }
    )
  })

  it("counts what is below zero as nothing, and a fraction of a request as none", () => {
    assert.deepStrictEqual(read({ "x-ratelimit-remaining-tokens": "-1250", "x-ratelimit-reset-tokens": "64" }), {
      remaining: 0,
      resetAfter: 64,
      source: "x-ratelimit-*"
    })
    assert.strictEqual(read({ "x-ratelimit-remaining": "598.0" })?.["remaining"], 598)
    assert.strictEqual(read({ "x-ratelimit-remaining": "0.7" })?.["remaining"], 0)
    assert.isUndefined(read({ "x-ratelimit-limit": "-1", "x-ratelimit-remaining": "-1" }))
  })

  it("takes a window that is appended to an amount", () => {
    assert.deepStrictEqual(read({ "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "20;w=21600" }), {
      limit: 100,
      remaining: 20,
      window: 21_600,
      source: "ratelimit-*"
    })
  })

  it.each([
    ["seconds from now", "60"],
    ["seconds since 1970", String(now / 1000 + 60)],
    ["milliseconds since 1970", String(now + 60_000)],
    ["an HTTP date", "Wed, 21 Oct 2026 07:28:00 GMT"],
    ["an obsolete HTTP date", "Wednesday, 21-Oct-26 07:28:00 GMT"]
  ])("reads a reset in %s", (_, reset) => {
    assert.deepStrictEqual(
      read({ "x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }),
      { limit: 60, remaining: 0, resetAfter: 60, source: "x-ratelimit-*" }
    )
  })

  it("reads what GitHub sends", () => {
    assert.deepStrictEqual(
      read({
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "4987",
        "x-ratelimit-reset": String(now / 1000 + 1800),
        "x-ratelimit-used": "13",
        "x-ratelimit-resource": "core"
      }),
      { limit: 5000, remaining: 4987, resetAfter: 1800, source: "x-ratelimit-*" }
    )
  })

  it("reads what Twitter sends", () => {
    assert.deepStrictEqual(
      read({
        "x-rate-limit-limit": "15",
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": String(now / 1000 + 900)
      }),
      { limit: 15, remaining: 0, resetAfter: 900, source: "x-rate-limit-*" }
    )
  })

  it("tells the notations of a number apart by its size", () => {
    const resetAfter = (reset: string) => read({ "x-ratelimit-reset": reset })?.["resetAfter"]
    assert.strictEqual(resetAfter("999999999"), 86_400) // 31 years from now
    assert.strictEqual(resetAfter("1000000000"), 0) // a second of 2001
    assert.strictEqual(resetAfter("999999999999"), 86_400) // a second in 30,000 years
    assert.strictEqual(resetAfter("1000000000000"), 0) // a millisecond of 2001
  })

  it("waits for nothing when the reset has passed", () => {
    assert.strictEqual(read({ "x-ratelimit-reset": String(now / 1000 - 5) })?.["resetAfter"], 0)
    assert.strictEqual(read({ "x-ratelimit-reset": "Wed, 21 Oct 2026 07:26:00 GMT" })?.["resetAfter"], 0)
  })

  it.each(["86401", "4102444800", "99999999999", "999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])(
    "believes a reset of %s for no more than a day",
    (reset) => {
      assert.strictEqual(read({ "x-ratelimit-reset": reset })?.["resetAfter"], 86_400)
    }
  )

  it.each(["-5", "1.5.5", "1e9", "NaN", "", " ", "12, 13", "60;x", "9999999999999999", "tomorrow"])(
    "leaves out what it cannot read, such as %j",
    (value) => {
      const fields = { "x-ratelimit-limit": value, "x-ratelimit-remaining": value, "x-ratelimit-reset": value }
      assert.isUndefined(read(fields))
      assert.deepStrictEqual(read({ ...fields, "x-ratelimit-remaining": "3" }), {
        remaining: 3,
        source: "x-ratelimit-*"
      })
    }
  )

  it("knows nothing where there are no such headers", () => {
    assert.isUndefined(read({}))
    assert.isUndefined(read({ "retry-after": "5", "ratelimit-policy": "", ratelimit: "" }))
  })
})
