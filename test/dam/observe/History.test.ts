import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { ok, refusal, setUp, url } from "../support.ts"

const lane = "api.example:443"

describe("what went through a lane", () => {
  it.effect("counts jobs, calls, refusals, the time it was held and how long calls took", () =>
    Effect.gen(function* () {
      const slow = Script.later("100 millis", ok)
      const dam = yield* setUp({
        target: Script.all(
          Script.on(`${url}bad`, { status: 404 }),
          Script.always(Script.inTurn(refusal(30), slow, slow))
        )
      })
      yield* dam.submit(Step.get(url))
      yield* TestClock.adjust("40 seconds")
      yield* dam.submit(Step.get(`${url}bad`))
      yield* TestClock.adjust("10 seconds")
      const { from, spanMillis, spans } = yield* dam.engine.history(lane, 24)
      assert.deepStrictEqual([spanMillis, from], [300_000, 50_000 - 86_400_000])
      const [{ latency, ...counts } = assert.fail("there is no span")] = spans
      assert.deepStrictEqual(counts, {
        at: 0,
        accepted: 2,
        succeeded: 1,
        failed: 1,
        cancelled: 0,
        calls: 3,
        refused: 1,
        heldMillis: 30_000
      })
      assert.strictEqual(latency.count, 3)
      assert.approximately(latency.p99 ?? 0, 100, 15)
      assert.deepStrictEqual((yield* dam.engine.history(undefined, 24)).spans, spans)
    })
  )

  it.effect("is stored once a minute and when the dam stops, and outlives it", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.submit(Step.get(url))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* dam.store.history("", 3_600_000, 0), [])
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.store.history("", 3_600_000, 0))[0]?.succeeded, 1)
      yield* dam.submit(Step.get(`${url}again`))
      yield* TestClock.adjust("1 second")
      yield* dam.stop
      const next = yield* dam.begin()
      const { spanMillis, spans } = yield* next.engine.history(lane, 168)
      assert.strictEqual(spanMillis, 3_600_000)
      assert.deepStrictEqual(
        spans.map(({ accepted, calls, succeeded }) => [accepted, calls, succeeded]),
        [[2, 2, 2]]
      )
      yield* next.stop
    })
  )
})
