import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { lines, ok, setUp, url } from "../support.ts"

const put = Step.put(url)

describe("an answer that may be another one in a moment", () => {
  it.effect.each([408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529])(
    "is asked for again in the only place there is, whether a policy counts its retries or none is given: %i",
    (status) =>
      Effect.gen(function* () {
        const dam = yield* setUp({ target: Script.always(Script.inTurn({ status }, ok, { status }, ok)) })
        for (const step of [put, Step.retryPolicy(put, { maxRetries: 3 })]) {
          const job = yield* dam.runToEnd(step, { key: `key ${step.toString()}` })
          assert.deepStrictEqual([job.state, ...lines(job)], ["succeeded", `0 start ${status}`, "0 retry 200"])
        }
      })
  )

  it.effect("spends the retries of the policy, then counts", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always({ status: 502 }) })
      const job = yield* dam.runToEnd(Step.retryPolicy(put, { maxRetries: 1 }))
      assert.deepStrictEqual([job.state, ...lines(job)], ["failed", "0 start 502", "0 retry 502"])
    })
  )

  it.effect("ends the job where its own lists leave it out", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always({ status: 502 }) })
      const job = yield* dam.runToEnd(Step.retryPolicy(put, { retryCodes: [503], rerouteCodes: [] }))
      assert.deepStrictEqual([job.state, ...lines(job)], ["failed", "0 start 502"])
    })
  )
})
