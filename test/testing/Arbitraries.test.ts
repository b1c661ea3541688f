import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import * as Step from "../../src/step/Step.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import * as Script from "../../src/testing/Script.ts"

const sample = <A>(of: Arbitrary.Arbitrary<A>) => Arbitrary.sampleEffect(of, { count: 400, seed: "steps" })

const children = (step: Step.Step): ReadonlyArray<Step.Step> => [
  ...step.fallbacks.map((fallback) => fallback.step),
  ...[step.onSuccess, step.onFailure].filter((child) => child !== undefined)
]

const depth = (step: Step.Step): number => Math.max(-1, ...children(step).map(depth)) + 1

const size = (step: Step.Step): number => children(step).reduce((sum, child) => sum + size(child), 1)

describe("random steps", () => {
  it.effect("reach the depth asked for and no further, and stay affordable", () =>
    Effect.gen(function* () {
      for (const limit of [0, 1, 3, 5]) {
        const steps = yield* sample(Arbitraries.step({ depth: limit }))
        assert.strictEqual(Math.max(...steps.map(depth)), limit)
        assert.isBelow(Math.max(...steps.map(size)), 100)
      }
    })
  )

  it.effect("say everything a step can say, and leave everything out", () =>
    Effect.gen(function* () {
      const steps = yield* sample(Arbitraries.step({ draws: true, times: true }))
      const said = new Set(steps.flatMap((step) => Object.keys(Step.toJson(step))))
      assert.deepStrictEqual(
        [...said].sort(),
        (
          "attemptTimeout body bodyBase64 delay description executionMode fallbackOnError fallbacks headers hedge idempotentKey " +
          "idempotentStrategy inOrder limits localTimeout metadata method onFailure onFailureTimeout onSuccess priority " +
          "regionPolicy regions responseDescription retryAt retryPolicy retryUnsafe sendIdempotencyKey startBefore " +
          "timeoutHeader totalTimeout type url webhookQuorum webhooks"
        ).split(" ")
      )
      for (const key of [...said].filter((name) => name !== "method" && name !== "url")) {
        assert.isTrue(
          steps.some((step) => !(key in Step.toJson(step))),
          `${key} is always there`
        )
      }
    })
  )

  it.effect("keep to the types and regions they were given", () =>
    Effect.gen(function* () {
      const steps = yield* sample(Arbitraries.step({ depth: 0, types: ["FRUGAL"], regions: ["here"] }))
      assert.isTrue(steps.every(({ type }) => type === "FRUGAL"))
      assert.isTrue(steps.every(({ regions }) => regions.every((region) => region === "here")))
    })
  )

  it.prop("break no rule", [Arbitraries.step()], ([step]) => {
    assert.strictEqual(Step.check(step), undefined)
  })
})

describe("random answers", () => {
  it.effect("are of every kind", () =>
    Effect.gen(function* () {
      const answers = yield* sample(Arbitraries.answer)
      assert.deepStrictEqual(new Set(answers.map(({ _tag }) => _tag)), new Set(["Fail", "Hang", "Later", "Reply"]))
    })
  )

  it.effect.prop(
    "and random steps end: with an outcome or a StepError, and no call left open",
    [Arbitraries.step({ depth: 2 }), Arbitraries.answers],
    ([step, answers]) =>
      Effect.gen(function* () {
        const wire = yield* Script.Scripted
        const fiber = yield* Effect.forkChild(Effect.result(EZThrottle.execute(step)))
        yield* TestClock.adjust("30 days")
        const result = yield* Fiber.join(fiber)
        assert.include(
          ["Completed", "Accepted", "StepError"],
          result._tag === "Success" ? result.success._tag : result.failure._tag
        )
        assert.notInclude(
          (yield* wire.exchanges).map(({ ending }) => ending._tag),
          "Waiting"
        )
      }).pipe(
        Effect.provide(Script.layer(Script.always(answers), { regions: ["iad", "lax"] })),
        // a clock of its own for each run
        Effect.provide(TestClock.layer())
      ),
    { arbitrary: { runs: 200 } }
  )
})
