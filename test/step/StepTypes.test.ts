/** What the compiler says about a step that is written wrong, and where it says it: every line below is its place. */
import { assert, describe, it } from "@effect/vitest"
import { Step as Builder } from "../../src/promise.ts"
import * as Step from "../../src/step/Step.ts"

const step = Step.get("https://a.example/")
const builder = new Builder()

describe("a misspelt option", () => {
  it("is reported where it stands, piped or data-first, and refused by name when it runs", () => {
    const piped = () =>
      Step.retryPolicy({
        maxRetries: 2,
        // @ts-expect-error there is no such name
        maxRetrys: 3
      })(step)
    const dataFirst = () =>
      Step.retryPolicy(step, {
        maxRetries: 2,
        // @ts-expect-error there is no such name
        maxRetrys: 3
      })
    const ofFallback = () =>
      Step.fallback(step, step, {
        // @ts-expect-error there is no such name
        onEror: [500]
      })
    const ofPipedFallback = () =>
      step.pipe(
        Step.fallback(step, {
          // @ts-expect-error there is no such name
          onEror: [500]
        })
      )
    const ofFailure = () =>
      Step.onFailure(step, step, {
        // @ts-expect-error there is no such name
        timout: "1 second"
      })
    assert.throws(piped, /retryPolicy\.maxRetrys/)
    assert.throws(dataFirst, /retryPolicy\.maxRetrys/)
    assert.throws(ofFallback, /fallback\.onEror/)
    assert.throws(ofPipedFallback, /onEror|Expected/)
    assert.throws(ofFailure, /onFailure\.timout/)
  })

  it("is reported where it stands in the facade", () => {
    const policy = () =>
      builder.retryPolicy({
        maxRetries: 2,
        // @ts-expect-error there is no such name
        maxRetrys: 3
      })
    assert.throws(policy, /maxRetrys/)
  })

  it("leaves what is spelt right alone, in both forms", () => {
    assert.deepStrictEqual(Step.retryPolicy(step), Step.retryPolicy()(step))
    assert.deepStrictEqual(
      Step.fallback(step, step, { onError: [500] }),
      step.pipe(Step.fallback(step, { onError: [500], onTimeout: undefined }))
    )
  })
})

describe("a trigger", () => {
  it("names statuses or a time, and does not compile with both", () => {
    const both = { onError: [500], onTimeout: "1 second" } as const
    // @ts-expect-error one or the other
    assert.throws(() => Step.fallback(step, step, both), /not both/)
    const official = { triggerOnError: [500], triggerOnTimeout: 5 }
    // @ts-expect-error one or the other
    assert.throws(() => builder.fallback(new Builder(), official), /not both/)
  })
})
