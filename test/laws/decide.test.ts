import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import type { Ended } from "../../src/engine/Decide.ts"
import { decide, endsPath } from "../../src/engine/Decide.ts"
import type { RetryPolicy } from "../../src/step/RetryPolicy.ts"
import { defaults, resolve } from "../../src/step/RetryPolicy.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import { between, bool, oneOf, optional } from "../../src/testing/Generators.ts"

const AnyPolicy = Arbitrary.map(Arbitraries.retryPolicy, (policy) => resolve(policy))
const AnyEnded: Arbitrary.Arbitrary<Ended> = Arbitrary.flatMap(bool, (isAnswer): Arbitrary.Arbitrary<Ended> =>
  isAnswer
    ? Arbitrary.map(
        Arbitrary.all([oneOf([200, 204, 301, 400, 404, 429, 500, 502, 503, 504]), optional(between(0, 60_000))]),
        ([status, retryAfter]): Ended => ({ _tag: "Answered", status, retryAfter })
      )
    : Arbitrary.map(Arbitraries.failure, (failure): Ended => ({ _tag: "Failed", failure }))
)
const Endings = Arbitrary.array(AnyEnded, { maxLength: 24 })
const Count = between(0, 8)
const runs = { arbitrary: { runs: 1000 } }

/** How many attempts a policy makes against a row of endings, the last one repeated, with so many regions to spare. */
const attempts = (policy: Parameters<typeof decide>[0], endings: ReadonlyArray<Ended>, spare: number): number => {
  let made = 0
  let [retries, reroutes, left] = [0, 0, spare]
  while (true) {
    const ended = endings[Math.min(made, endings.length - 1)]
    made++
    if (ended === undefined) return made
    const decision = decide(policy, ended, { spent: { retries, reroutes }, regionLeft: left > 0, patience: 30_000 })
    if (decision._tag === "Stop") return made
    if (decision._tag === "Retry") retries++
    else {
      reroutes++
      left--
    }
  }
}

describe("laws of the decision", () => {
  it.prop("a policy of zeros sends once", [AnyPolicy, Endings, Count], ([policy, endings, spare]) => {
    assert.strictEqual(attempts({ ...policy, maxRetries: 0, maxReroutes: 0 }, endings, spare), 1)
  })

  it.prop("no retries is no retry", [AnyPolicy, AnyEnded, Count, bool], ([policy, ended, reroutes, regionLeft]) => {
    const situation = { spent: { retries: 0, reroutes }, regionLeft, patience: Number.POSITIVE_INFINITY }
    assert.notStrictEqual(decide({ ...policy, maxRetries: 0 }, ended, situation)._tag, "Retry")
  })

  it.prop(
    "a policy never sends more than one attempt, its retries and its reroutes",
    [AnyPolicy, Endings, Count],
    ([policy, endings, spare]) => {
      const bound = 1 + policy.maxRetries + Math.min(policy.maxReroutes, spare)
      assert.isAtMost(attempts(policy, endings, spare), bound)
    },
    runs
  )

  it.prop(
    "more retries never mean fewer attempts",
    [AnyPolicy, Endings, Count, Count],
    ([policy, endings, spare, more]) => {
      const generous = { ...policy, maxRetries: policy.maxRetries + more }
      assert.isAtLeast(attempts(generous, endings, spare), attempts(policy, endings, spare))
    },
    runs
  )

  it.prop(
    "against one ending for ever, more reroutes never mean fewer attempts",
    [AnyPolicy, AnyEnded, Count, Count],
    ([policy, ended, spare, more]) => {
      const generous = { ...policy, maxReroutes: policy.maxReroutes + more }
      assert.isAtLeast(attempts(generous, [ended], spare), attempts(policy, [ended], spare))
    },
    runs
  )

  it.prop(
    "a success stops whatever the lists say",
    [AnyPolicy, between(200, 299), bool],
    ([policy, status, regionLeft]) => {
      const greedy = { ...policy, maxRetries: 9, maxReroutes: 9, retryCodes: [status], rerouteCodes: [status] }
      const situation = { spent: { retries: 0, reroutes: 0 }, regionLeft, patience: 30_000 }
      assert.strictEqual(decide(greedy, { _tag: "Answered", status, retryAfter: undefined }, situation)._tag, "Stop")
    }
  )

  it.prop("what would be rerouted is retried where no region is left", [AnyPolicy, AnyEnded], ([policy, ended]) => {
    const plenty = { ...policy, maxRetries: 1, maxReroutes: 1 }
    const situation = { spent: { retries: 0, reroutes: 0 }, patience: Number.POSITIVE_INFINITY }
    const isRerouted = decide(plenty, ended, { ...situation, regionLeft: true })._tag === "Reroute"
    if (isRerouted) assert.strictEqual(decide(plenty, ended, { ...situation, regionLeft: false })._tag, "Retry")
  })

  it.prop("no region left is no reroute", [AnyPolicy, AnyEnded], ([policy, ended]) => {
    const situation = { spent: { retries: 0, reroutes: 0 }, regionLeft: false, patience: 30_000 }
    assert.notStrictEqual(decide(policy, ended, situation)._tag, "Reroute")
  })

  it.prop(
    "an ending that ends the path stops, and any other goes on while budget, regions and patience last",
    [AnyPolicy, AnyEnded],
    ([policy, ended]) => {
      const plenty = { ...policy, maxRetries: 1, maxReroutes: 1 }
      const situation = { spent: { retries: 0, reroutes: 0 }, regionLeft: true, patience: 60_000 }
      assert.strictEqual(decide(plenty, ended, situation)._tag === "Stop", endsPath(policy, ended))
    },
    runs
  )

  it.prop(
    "a Retry-After beyond patience stops",
    [AnyPolicy, between(0, 60_000), bool],
    ([policy, patience, regionLeft]) => {
      const plenty = { ...policy, maxRetries: 9, maxReroutes: 9, retryCodes: [429], rerouteCodes: [429] }
      const ended = (retryAfter: number): Ended => ({ _tag: "Answered", status: 429, retryAfter })
      const situation = { spent: { retries: 0, reroutes: 0 }, regionLeft, patience }
      assert.strictEqual(decide(plenty, ended(patience + 1), situation)._tag, "Stop")
      assert.notStrictEqual(decide(plenty, ended(patience), situation)._tag, "Stop")
    }
  )

  it.prop("what a policy leaves out is the protocol's default", [Arbitraries.retryPolicy], ([policy]) => {
    const resolved = resolve(policy)
    for (const field of ["maxRetries", "maxReroutes", "retryCodes", "rerouteCodes", "base"] as const) {
      assert.deepStrictEqual(resolved[field], policy[field] ?? defaults[field])
    }
    assert.deepStrictEqual(resolved.cap, policy.cap ?? Duration.max(defaults.cap, resolved.base))
    const nothing: RetryPolicy = {
      maxRetries: undefined,
      maxReroutes: undefined,
      retryCodes: undefined,
      rerouteCodes: undefined,
      base: undefined,
      cap: undefined
    }
    assert.deepStrictEqual(resolve(nothing), defaults)
  })
})
