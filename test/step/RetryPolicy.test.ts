import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as RetryPolicy from "../../src/step/RetryPolicy.ts"
import * as Step from "../../src/step/Step.ts"

const policy = (options?: RetryPolicy.RetryPolicyOptions): RetryPolicy.RetryPolicy => {
  const given = Step.get("https://a.example/").pipe(Step.retryPolicy(options)).retryPolicy
  if (given === undefined) throw new Error("the verb set no policy")
  return given
}

describe("RetryPolicy", () => {
  it("keeps what was left out visible until it is used", () => {
    assert.deepStrictEqual(new Set(Object.values(policy())), new Set([undefined]))
  })

  it("fills in the protocol's defaults, field by field", () => {
    assert.deepStrictEqual(RetryPolicy.resolve(policy()), RetryPolicy.defaults)
    assert.deepStrictEqual(RetryPolicy.resolve(policy({ maxRetries: 0, cap: "1 minute" })), {
      ...RetryPolicy.defaults,
      maxRetries: 0,
      cap: Duration.minutes(1)
    })
  })

  it("has no ceiling below a base that comes without one", () => {
    const capOf = (options: RetryPolicy.RetryPolicyOptions) => RetryPolicy.resolve(policy(options)).cap
    assert.deepStrictEqual(capOf({ base: "1 hour" }), Duration.hours(1))
    assert.deepStrictEqual(capOf({ base: "1 second" }), RetryPolicy.defaults.cap)
    assert.deepStrictEqual(capOf({ base: "1 hour", cap: "1 minute" }), Duration.minutes(1))
  })

  it("keeps an empty list empty: it means no status, not the default", () => {
    assert.deepStrictEqual(RetryPolicy.resolve(policy({ retryCodes: [] })).retryCodes, [])
  })

  it("is one attempt where there is none, or what the host says", () => {
    assert.deepStrictEqual(RetryPolicy.resolve(undefined), RetryPolicy.once)
    assert.deepStrictEqual(RetryPolicy.resolve(undefined, RetryPolicy.defaults), RetryPolicy.defaults)
    assert.strictEqual(RetryPolicy.once.maxRetries + RetryPolicy.once.maxReroutes, 0)
  })

  it("has the documented defaults", () => {
    const { base, cap, ...counts } = RetryPolicy.defaults
    assert.deepStrictEqual(counts, {
      maxRetries: 3,
      maxReroutes: 2,
      retryCodes: [429, 503],
      rerouteCodes: [500, 502, 504]
    })
    assert.deepStrictEqual([Duration.toMillis(base), Duration.toMillis(cap)], [200, 30_000])
  })

  it.each([
    [policy(), "3 retries on 429, 503; 2 reroutes on 500, 502, 504; pauses up to 200ms doubling to 30s"],
    [policy({ maxRetries: 0, maxReroutes: 0 }), "no retries; no reroutes; pauses up to 200ms doubling to 30s"],
    [
      policy({ maxRetries: 1, maxReroutes: 1, base: "1 minute" }),
      "1 retry on 429, 503; 1 reroute on 500, 502, 504; pauses up to 1m"
    ],
    [
      policy({ retryCodes: [], rerouteCodes: [500], base: "1 second", cap: "1 minute" }),
      "3 retries on no status; 2 reroutes on 500; pauses up to 1s doubling to 1m"
    ]
  ])("prints itself: %#", (given, words) => {
    assert.strictEqual(RetryPolicy.format(given), words)
  })
})
