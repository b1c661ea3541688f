import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { backup, ok, refusal, setUp, url } from "../support.ts"

it.effect("a hold of the primary's host does not hold a job that calls its fallback", () =>
  Effect.gen(function* () {
    const unready: Script.Input = { status: 503, headers: { "Retry-After": "5" } }
    const dam = yield* setUp({
      target: Script.all(Script.on(url, refusal(3600)), Script.on(backup, Script.inTurn(unready, ok)))
    })
    const primary = Step.retryPolicy(Step.get(url), { retryCodes: [503] })
    yield* dam.submit(Step.fallback(primary, Step.get(backup), { onError: [429] }))
    yield* TestClock.adjust("2 hours")
    assert.deepStrictEqual(yield* dam.sent, ["api 0", "backup 0", "backup 5000"])
  })
)

it.effect("a parked job stands in the lane of the host it calls next, and is counted there", () =>
  Effect.gen(function* () {
    const unready: Script.Input = { status: 503, headers: { "Retry-After": "5" } }
    const dam = yield* setUp({
      target: Script.all(Script.on(url, refusal(3600)), Script.on(backup, Script.inTurn(unready, ok)))
    })
    const primary = Step.retryPolicy(Step.get(url), { retryCodes: [503] })
    const id = yield* dam.submit(Step.fallback(primary, Step.get(backup), { onError: [429] }))
    yield* TestClock.adjust("1 second")
    const countsOf = (lane: string) =>
      Effect.map(dam.engine.steering.get(lane), ({ parked, running }) => ({ parked, running }))
    assert.deepStrictEqual(yield* countsOf("api.example:443"), { parked: 0, running: 0 })
    assert.deepStrictEqual(yield* countsOf("backup.example:443"), { parked: 1, running: 0 })
    assert.strictEqual((yield* dam.get(id)).lane, "backup.example:443")
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(yield* countsOf("backup.example:443"), { parked: 0, running: 0 })
  })
)
