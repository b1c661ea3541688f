import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Interpreter from "../../src/run/Interpreter.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
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

  it.effect("is handed over whole where it is PERFORMANCE, and after a FRUGAL one that draws on none", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(answering)
      accepted(yield* execute(drawing))
      assert.deepStrictEqual((yield* fake.delegations)[0]?.asked.step.limits, drawing.limits)
      assert.strictEqual(completed(yield* execute(Step.frugal(Step.onSuccess(Step.get(url), drawing)))).path, 0)
      assert.lengthOf(yield* fake.delegations, 2)
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
