import { assert, describe, it } from "@effect/vitest"
import * as JobState from "../../src/engine/JobState.ts"

describe("JobState", () => {
  it("moves along these edges and no others", () => {
    const moves = JobState.states.map((from) => [from, JobState.states.filter((to) => JobState.canBecome(from, to))])
    assert.deepStrictEqual(moves, [
      ["scheduled", ["queued", "failed", "cancelled"]],
      ["queued", ["scheduled", "running", "failed", "cancelled"]],
      ["running", ["queued", "parked", "succeeded", "failed", "cancelled"]],
      ["parked", ["queued", "failed", "cancelled"]],
      ["succeeded", []],
      ["failed", []],
      ["cancelled", []]
    ])
  })

  it("calls exactly the three ends final", () => {
    assert.deepStrictEqual(JobState.states.filter(JobState.isTerminal), ["succeeded", "failed", "cancelled"])
  })

  it("is known to the self-hosted dialect by its four words", () => {
    assert.deepStrictEqual(
      JobState.states.map((state) => [state, JobState.toFlat(state)]),
      [
        ["scheduled", "queued"],
        ["queued", "queued"],
        ["running", "in_flight"],
        ["parked", "queued"],
        ["succeeded", "completed"],
        ["failed", "failed"],
        ["cancelled", "failed"]
      ]
    )
  })

  it.each([
    [404, "completed"],
    [499, "completed"],
    [200, "completed"],
    [500, "failed"],
    [503, "failed"],
    [0, "failed"]
  ] as const)("is, failed on a last answer of %i, called %s there", (status, name) => {
    assert.strictEqual(JobState.toFlat("failed", status), name)
  })

  it("lets the last answer rename no other state", () => {
    for (const state of JobState.states.filter((state) => state !== "failed")) {
      assert.strictEqual(JobState.toFlat(state, 404), JobState.toFlat(state))
    }
  })

  it("is named in a webhook only once it is final", () => {
    assert.deepStrictEqual(
      JobState.states.map((state) => JobState.toWebhook(state)),
      [undefined, undefined, undefined, undefined, "success", "failed", "failed"]
    )
  })

  it("draws every edge of its table, where jobs begin and where they end", () => {
    assert.strictEqual(
      JobState.diagram(),
      `stateDiagram-v2
    [*] --> scheduled
    [*] --> queued
    scheduled --> queued
    scheduled --> failed
    scheduled --> cancelled
    queued --> running
    queued --> scheduled
    queued --> failed
    queued --> cancelled
    running --> parked
    running --> succeeded
    running --> failed
    running --> queued
    running --> cancelled
    parked --> queued
    parked --> failed
    parked --> cancelled
    succeeded --> [*]
    failed --> [*]
    cancelled --> [*]`
    )
  })
})

describe("DeliveryState", () => {
  it("settles once, and again for every replay", () => {
    const moves = JobState.deliveryStates.map((from) => [
      from,
      JobState.deliveryStates.filter((to) => JobState.deliveryCanBecome(from, to))
    ])
    assert.deepStrictEqual(moves, [
      ["none", ["pending"]],
      ["pending", ["delivered", "undelivered"]],
      ["delivered", ["pending"]],
      ["undelivered", ["pending"]]
    ])
  })

  it("draws every edge of its table", () => {
    assert.strictEqual(
      JobState.deliveryDiagram(),
      `stateDiagram-v2
    [*] --> none
    [*] --> pending
    none --> pending
    pending --> delivered
    pending --> undelivered
    delivered --> pending
    undelivered --> pending`
    )
  })
})
