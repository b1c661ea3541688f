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

describe("a call that changes something", () => {
  const post = Step.post(url)
  const outcome = (job: Parameters<typeof lines>[0]) => [job.state, ...lines(job)]
  const broken = () => Script.always(Script.inTurn({ status: 502 }, ok))

  it.effect("is made again under the same key, unless its step forbids it", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: broken() })
      assert.deepStrictEqual(outcome(yield* dam.runToEnd(post)), ["succeeded", "0 start 502", "0 retry 200"])
      const keys = (yield* dam.exchanges).map(({ asked }) => asked.request.headers["Idempotency-Key"])
      assert.lengthOf(new Set(keys), 1)
      const forbidden = yield* setUp({ target: broken() })
      const job = yield* forbidden.runToEnd(Step.retryUnsafe(post, false))
      assert.deepStrictEqual(outcome(job), ["failed", "0 start 502"])
    })
  )

  it.effect("is not made again in a dam that forbids it, unless its step allows it", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: broken(), retryUnsafe: false })
      assert.deepStrictEqual(outcome(yield* dam.runToEnd(post)), ["failed", "0 start 502"])
      const allowing = yield* setUp({ target: broken(), retryUnsafe: false })
      const job = yield* allowing.runToEnd(Step.retryUnsafe(post, true))
      assert.deepStrictEqual(outcome(job), ["succeeded", "0 start 502", "0 retry 200"])
    })
  )

  it.effect("is made again where it was refused, and so is a call that changes nothing", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.inTurn({ status: 503 }, ok)), retryUnsafe: false })
      assert.deepStrictEqual(outcome(yield* dam.runToEnd(post)), ["succeeded", "0 start 503", "0 retry 200"])
      const get = yield* setUp({ target: broken(), retryUnsafe: false })
      assert.deepStrictEqual(outcome(yield* get.runToEnd(Step.get(url))), ["succeeded", "0 start 502", "0 retry 200"])
    })
  )
})
