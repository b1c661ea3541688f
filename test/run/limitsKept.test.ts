import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Interpreter from "../../src/run/Interpreter.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { TestTransport } from "../../src/testing/TestTransport.ts"
import * as RegionalTransport from "../../src/transport/RegionalTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import { accepted, backup, client, completed, ending, failed, toEnd, url } from "./support.ts"

const answering = Script.always({ status: 200 })
const drawing = Step.limit(Step.post(url), "tokens", { cost: 1200 })

describe("a step that draws on limits", () => {
  const refused: ReadonlyArray<readonly [string, Step.Step]> = [
    ["a FRUGAL step", Step.frugal(drawing)],
    ["a fallback", Step.frugal(Step.fallback(Step.get(url), Step.limit(Step.get(backup), "tokens")))],
    ["what follows on success", Step.frugal(Step.onSuccess(Step.get(url), Step.frugal(drawing)))],
    ["what follows on failure", Step.frugal(Step.onFailure(Step.get(url), Step.frugal(drawing)))]
  ]
  for (const [what, step] of refused) {
    it.effect(`is refused before anything is sent where nobody keeps them: ${what}`, () =>
      Effect.gen(function* () {
        const { execute, fake, sent } = yield* client(answering)
        const { message, reason } = failed(yield* execute(step), "LimitsNotKept")
        assert.strictEqual(reason.limit, "tokens")
        assert.match(message, /draws on the limit tokens.*submit it to a dam/)
        assert.deepStrictEqual([yield* sent, yield* fake.delegations], [[], []])
      })
    )
  }

  it.effect("is no step for the cloud, which has no limits, and its refusal names the field", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(answering)
      assert.match(failed(yield* execute(drawing), "Unsendable").message, /the step says limits, .*use a dam/)
      assert.lengthOf(yield* fake.jobs, 0)
    })
  )

  it.effect("is handed over whole where it is PERFORMANCE, and after a FRUGAL one that draws on none", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport.make({ delegations: "met" })
      const local = yield* Script.make(answering)
      const strategies = Strategies.client(local, wire.delegating)
      const taken = Effect.fnUntraced(function* (step: Step.Step) {
        const end = yield* Effect.forkChild(ending(Interpreter.run(step, strategies)))
        const { delegation, reply } = yield* wire.nextDelegation
        yield* reply({ jobId: "job-1" })
        return { end: yield* toEnd(Fiber.join(end)), delegation }
      })
      const alone = yield* taken(drawing)
      accepted(alone.end)
      assert.deepStrictEqual(alone.delegation.step.limits, drawing.limits)
      const chained = yield* taken(Step.frugal(Step.onSuccess(Step.get(url), drawing)))
      assert.strictEqual(completed(chained.end).path, 0)
      assert.deepStrictEqual(chained.delegation.step.limits, drawing.limits)
    })
  )

  it.effect("is called from here over a transport that keeps them", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(answering, { keepsLimits: true })
      assert.strictEqual(completed(yield* execute(Step.frugal(drawing))).response.status, 200)
    })
  )

  it.effect("is called over regions that all keep them, and only over such", () =>
    Effect.gen(function* () {
      const keeping = yield* Script.make(answering, { keepsLimits: true })
      const plain = yield* Script.make(answering)
      const over = Effect.fnUntraced(function* (other: typeof plain) {
        const transport = yield* RegionalTransport.make({ iad: keeping, lax: other })
        return yield* toEnd(ending(Interpreter.run(drawing, Strategies.only(transport))))
      })
      assert.strictEqual(completed(yield* over(keeping)).region, "iad")
      failed(yield* over(plain), "LimitsNotKept")
    })
  )
})
