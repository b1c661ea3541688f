import { assert, describe, it } from "@effect/vitest"
import type { Figures, Weather } from "./Model.ts"
import { policies, run } from "./Model.ts"

const callers = 1000
const outage: Weather = { from: 60_000, to: 120_000, share: 1 }
const rain: Weather = { ...outage, share: 0.2 }
type Name = keyof typeof policies
const each = (weather: Weather): { readonly [Policy in Name]: Figures } => ({
  bare: run(policies.bare, callers, weather),
  retries: run(policies.retries, callers, weather),
  pRetry: run(policies.pRetry, callers, weather),
  polly: run(policies.polly, callers, weather),
  budget: run(policies.budget, callers, weather),
  both: run(policies.both, callers, weather)
})

describe("many callers of a target", () => {
  it("that is down are at most 1.3 times the load with a budget, and three to five times without", () => {
    const { bare, both, budget, pRetry, polly, retries } = each(outage)
    assert.approximately(bare.load, 1, 0.01)
    assert.isAtMost(budget.load, 1.3)
    assert.isAtMost(both.load, 0.5)
    for (const other of [retries, pRetry, polly]) assert.isAtLeast(other.load, 3)
    // and what was put off is no second outage
    assert.isAtMost(budget.peak, 1.2)
    assert.isAtMost(budget.recovery, 2)
    assert.isAtLeast(polly.peak, 3)
    assert.isAtMost(both.peak, 1.1)
    assert.isAtMost(both.recovery, 60)
  })

  it("that fails now and then lose little by a budget: what it pays for is what they need", () => {
    const { bare, both, budget, retries } = each(rain)
    assert.approximately(bare.goodput, 0.8, 0.02)
    assert.isAtLeast(budget.goodput, 0.97)
    assert.isAtLeast(both.goodput, 0.97)
    assert.isAtMost(retries.goodput - budget.goodput, 0.03)
    assert.isAtMost(budget.load, 1.3)
  })
})
