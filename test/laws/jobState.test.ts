import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as JobState from "../../src/engine/JobState.ts"

const State = Schema.Literals(JobState.states)
const Delivery = Schema.Literals(JobState.deliveryStates)

const next = (state: JobState.JobState) => JobState.states.filter((to) => JobState.canBecome(state, to))

const reachableFrom = (start: JobState.JobState): ReadonlySet<JobState.JobState> => {
  const seen = new Set([start])
  for (const state of seen) for (const to of next(state)) seen.add(to)
  return seen
}

describe("laws of the job states", () => {
  it.prop("a final state has no way out, and every other has one to each bad end", [State], ([state]) => {
    assert.strictEqual(next(state).length === 0, JobState.isTerminal(state))
    if (!JobState.isTerminal(state)) assert.includeMembers(next(state), ["failed", "cancelled"])
  })

  it("every state can be reached from scheduled", () => {
    assert.deepStrictEqual(reachableFrom("scheduled"), new Set(JobState.states))
  })

  it.prop("from every state a final one can be reached", [State], ([state]) => {
    assert.isTrue([...reachableFrom(state)].some(JobState.isTerminal))
  })

  it.prop("staying is not a move, and nothing succeeds without having run", [State], ([state]) => {
    assert.isFalse(JobState.canBecome(state, state))
    assert.strictEqual(JobState.canBecome(state, "succeeded"), state === "running")
  })

  it.prop("any walk along the edges ends in a final state and stays there", [Schema.Array(Schema.Int)], ([turns]) => {
    let state: JobState.JobState = "scheduled"
    for (const turn of turns) {
      const ways = next(state)
      const to = ways[Math.abs(turn) % ways.length]
      assert.strictEqual(to === undefined, JobState.isTerminal(state))
      state = to ?? state
    }
  })

  it.prop(
    "only what has ended is named in a webhook or completed in the flat dialect",
    [State, Schema.Int],
    ([state, status]) => {
      assert.strictEqual(JobState.toWebhook(state) !== undefined, JobState.isTerminal(state))
      assert.strictEqual(["completed", "failed"].includes(JobState.toFlat(state, status)), JobState.isTerminal(state))
    }
  )
})

describe("laws of the delivery states", () => {
  it.prop("every delivery goes through pending, and none goes back to none", [Delivery, Delivery], ([from, to]) => {
    assert.isTrue(!JobState.deliveryCanBecome(from, to) || from === "pending" || to === "pending")
    assert.isFalse(JobState.deliveryCanBecome(from, "none"))
  })
})
