import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import { beforeReroute, beforeRetry, draw } from "../../src/engine/Pause.ts"
import { defaults } from "../../src/step/RetryPolicy.ts"
import { between, optional } from "../../src/testing/Generators.ts"

const Millis = between(0, 86_400_000)
const Retries = between(0, 5000)
const Drawn = Arbitrary.map(between(0, 999_999), (n) => n / 1_000_000)
const AnyPolicy = Arbitrary.map(Arbitrary.all([Millis, Millis]), ([base, cap]) => ({
  ...defaults,
  base: Duration.millis(base),
  cap: Duration.millis(cap)
}))
const runs = { arbitrary: { runs: 1000 } }

describe("laws of the pause", () => {
  it.prop(
    "a pause is never below Retry-After, and never above the longer of Retry-After and the cap",
    [AnyPolicy, Retries, optional(Millis), Drawn],
    ([policy, retries, retryAfter, drawn]) => {
      const pause = draw(beforeRetry(policy, retries, retryAfter), drawn)
      const asked = retryAfter ?? 0
      assert.isAtLeast(pause, asked)
      assert.isAtMost(pause, Math.max(asked, Duration.toMillis(policy.cap)))
      assert.isTrue(Number.isFinite(pause))
    },
    runs
  )

  it.prop(
    "the ceiling never sinks with the number of retries, and at most doubles",
    [AnyPolicy, Retries],
    ([policy, retries]) => {
      const now = beforeRetry(policy, retries, undefined).spread
      const next = beforeRetry(policy, retries + 1, undefined).spread
      assert.isAtLeast(next, now)
      assert.isAtMost(next, now * 2)
    },
    runs
  )

  it.prop(
    "a longer draw is a longer pause",
    [AnyPolicy, Retries, optional(Millis), Drawn, Drawn],
    ([policy, retries, retryAfter, a, b]) => {
      const pause = beforeRetry(policy, retries, retryAfter)
      assert.isAtMost(draw(pause, Math.min(a, b)), draw(pause, Math.max(a, b)))
    }
  )

  it.prop(
    "a reroute waits as long as it was asked to, not a moment more",
    [optional(Millis), Drawn],
    ([retryAfter, drawn]) => {
      assert.strictEqual(draw(beforeReroute(retryAfter), drawn), retryAfter ?? 0)
    }
  )
})
