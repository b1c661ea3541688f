import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { setUp, url } from "../support.ts"

const post = Step.post(url).pipe(Step.hedge({ after: "2 seconds" }))
const target = Script.always(Script.inTurn(Script.hang, { status: 200 }))

describe("a job that hedges", () => {
  it.effect("makes its second call under a permit of its own, with the same key, and gives both back", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target, pacing: { pace: { rps: 1000, maxConcurrent: 2 } } })
      const job = yield* dam.runToEnd(post)
      assert.deepStrictEqual(
        job.history.map(({ ending, kind, latency, racer }) => [kind, racer, ending._tag, Math.round(latency)]),
        [
          ["hedge", 1, "Answered", 0],
          ["start", 0, "Interrupted", 2000]
        ]
      )
      assert.strictEqual(job.result?.response?.status, 200)
      const [first, second] = (yield* dam.exchanges).map(({ asked }) => asked.request.headers["Idempotency-Key"])
      assert.isDefined(first)
      assert.strictEqual(first, second)
      const again = yield* Effect.all([dam.runToEnd(Step.get(url)), dam.runToEnd(Step.put(url))])
      assert.deepStrictEqual(
        again.map(({ state }) => state),
        ["succeeded", "succeeded"]
      )
    })
  )

  it.effect("makes none where the lane lets no second call through, and goes on with its first", () =>
    Effect.gen(function* () {
      const slow = Script.always(Script.later("10 seconds", { status: 200 }))
      const dam = yield* setUp({ target: slow, pacing: { pace: { rps: 1000, maxConcurrent: 1 } } })
      const job = yield* dam.runToEnd(post)
      assert.strictEqual(job.state, "succeeded")
      assert.lengthOf(yield* dam.sent, 1)
      assert.deepStrictEqual(
        job.history.map(({ kind }) => kind),
        ["start"]
      )
    })
  )

  it.effect("goes on after a pause as others do, with what its hedges have left in the history", () =>
    Effect.gen(function* () {
      const failing = Script.later("3 seconds", { status: 500 })
      const dam = yield* setUp({
        target: Script.always(Script.inTurn(failing, failing, { status: 200 }))
      })
      const job = yield* dam.runToEnd(post)
      assert.strictEqual(job.state, "succeeded")
      assert.deepStrictEqual(
        job.history.map(({ ending, kind }) => [kind, ending._tag === "Answered" ? ending.status : ending._tag]),
        [
          ["start", 500],
          ["hedge", 500],
          ["retry", 200]
        ]
      )
    })
  )
})
