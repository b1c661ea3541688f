import { assert, describe, it } from "@effect/vitest"
import * as Step from "../../src/step/Step.ts"

const sound = Step.get("https://a.example/")
const hook = { url: "https://h.example/" }
const greedy = sound.pipe(Step.webhooks([hook, { ...hook, hasQuorumVote: false }]), Step.webhookQuorum(2))
const homeless = Step.regionPolicy(sound, "strict")

const place = (step: Step.Step): string | undefined => Step.check(step)?.field

describe("a rule between fields", () => {
  it("is not broken by a step that says little, or enough", () => {
    assert.strictEqual(Step.check(sound), undefined)
    assert.strictEqual(Step.check(homeless.pipe(Step.regions(["iad"]))), undefined)
    assert.strictEqual(Step.check(greedy.pipe(Step.webhookQuorum(1))), undefined)
  })

  it("asks for as many votes as the quorum, and says how many there are", () => {
    const broken = Step.check(greedy)
    assert.strictEqual(broken?.field, "webhookQuorum")
    assert.include(broken?.message, "at most 1")
  })

  it("asks for a vote when no webhook has one", () => {
    assert.strictEqual(place(sound.pipe(Step.webhooks([{ ...hook, hasQuorumVote: false }]))), "webhookQuorum")
  })

  it("judges a quorum of 1 as it judges one that was left out", () => {
    const silent = sound.pipe(Step.webhooks([{ ...hook, hasQuorumVote: false }]))
    const said = Step.webhookQuorum(silent, 1)
    assert.deepStrictEqual(Step.toJson(said), Step.toJson(silent))
    assert.deepStrictEqual(Step.check(said), Step.check(silent))
    // whoever said no quorum is not asked to lower it
    assert.notInclude(Step.check(silent)?.message, "lower")
  })

  it("lets a quorum without webhooks be: there is nothing to count", () => {
    assert.strictEqual(place(sound.pipe(Step.webhookQuorum(5))), undefined)
  })

  it("asks for regions under the strict policy", () => {
    const broken = Step.check(homeless)
    assert.strictEqual(broken?.field, "regionPolicy")
    assert.include(broken?.message, "add regions")
  })

  it.each([
    ["a fallback", Step.fallback(sound, homeless), "fallbacks[0].step.regionPolicy"],
    ["the second fallback", sound.pipe(Step.fallback(sound), Step.fallback(greedy)), "fallbacks[1].step.webhookQuorum"],
    ["a fallback's fallback", Step.fallback(sound, Step.fallback(sound, homeless)), "fallbacks[1].step.regionPolicy"],
    ["what follows success", Step.onSuccess(sound, greedy), "onSuccess.webhookQuorum"],
    ["what follows failure", Step.onFailure(sound, homeless), "onFailure.regionPolicy"],
    [
      "what follows the failure of a fallback of what follows success",
      Step.onSuccess(sound, Step.fallback(sound, Step.onFailure(sound, homeless))),
      "onSuccess.fallbacks[0].step.onFailure.regionPolicy"
    ]
  ] as const)("is found in %s", (_, step, field) => {
    assert.strictEqual(place(step), field)
  })

  it("is found whatever the order of verbs", () => {
    const verbs = [
      Step.webhooks([hook]),
      Step.webhookQuorum(3),
      Step.fallback(sound),
      Step.onSuccess(sound),
      Step.regions([])
    ]
    for (const [index] of verbs.entries()) {
      const turned = [...verbs.slice(index), ...verbs.slice(0, index)]
      const step = turned.reduce((self, verb) => verb(self), sound)
      assert.strictEqual(place(step), "webhookQuorum")
    }
  })

  it("names the step's own trouble before its children's", () => {
    assert.strictEqual(place(Step.onSuccess(homeless, greedy)), "regionPolicy")
  })
})
