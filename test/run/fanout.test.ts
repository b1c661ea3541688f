import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { backup, client, completed, failed, lines, url } from "./support.ts"

const regions = ["iad", "lax", "ord"]
const fanout = Step.get(url).pipe(
  Step.frugal(),
  Step.fallbackOnError([]),
  Step.regions(regions),
  Step.executionMode("fanout")
)
const strict = Step.regionPolicy(fanout, "strict")

const answers = (iad: Script.Input, lax: Script.Input, ord: Script.Input) =>
  Script.all(
    ...Object.entries({ iad, lax, ord }).map(([region, answer]) => Script.inRegion(region, Script.always(answer)))
  )

describe("a fanout", () => {
  it.effect("runs all regions to their end and keeps every response", () =>
    Effect.gen(function* () {
      const script = answers(Script.later(300, { status: 200 }), { status: 201 }, Script.later(100, { status: 202 }))
      const { execute, sent } = yield* client(script, { regions })
      for (const step of [fanout, strict]) {
        const end = completed(yield* execute(step))
        assert.deepStrictEqual(
          end.responses.map(({ region, response }) => [region, response.status]),
          [
            ["iad", 200],
            ["lax", 201],
            ["ord", 202]
          ]
        )
        assert.lengthOf(end.history, 3)
      }
      assert.lengthOf(yield* sent, 6)
    })
  )

  it.effect("under fallback succeeds with one success, and the others' answers are kept", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(answers({ status: 404 }, Script.refuse, Script.later(900, { status: 200 })), {
        regions
      })
      const end = completed(yield* execute(fanout))
      assert.strictEqual(end.region, "ord")
      assert.deepStrictEqual(
        end.responses.map(({ region, response }) => [region, response.status]),
        [
          ["iad", 404],
          ["ord", 200]
        ]
      )
    })
  )

  it.effect("under strict fails when one region does, and names it", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(answers({ status: 200 }, { status: 503 }, Script.refuse), { regions })
      const error = failed(yield* execute(strict), "FanoutIncomplete")
      assert.deepStrictEqual(error.reason.failed, ["lax", "ord"])
      assert.lengthOf(error.reason.responses, 2)
      assert.include(error.message, "lax, ord")
      assert.lengthOf(yield* fake.delegations, 0)
    })
  )

  it.effect("that failed everywhere is decided by the status that arrived last", () =>
    Effect.gen(function* () {
      const script = answers(Script.later(300, { status: 503 }), { status: 404 }, Script.later(900, Script.reset))
      for (const step of [fanout, strict]) {
        const error = failed(yield* (yield* client(script, { regions })).execute(step), "Rejected")
        assert.strictEqual(error.reason.status, 503)
        assert.lengthOf(error.history, 3)
      }
    })
  )

  it.effect("shares its retries between the regions", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 503 }), { regions })
      yield* execute(Step.retryPolicy(strict, { maxRetries: 2 }))
      assert.lengthOf(yield* sent, 3 + 2)
    })
  )

  it.effect("that is incomplete goes to a fallback", () =>
    Effect.gen(function* () {
      const script = Script.all(
        Script.on(backup, { status: 200 }),
        answers({ status: 200 }, { status: 503 }, { status: 200 })
      )
      const { execute } = yield* client(script, { regions })
      const end = completed(yield* execute(Step.fallback(strict, Step.get(backup))))
      assert.strictEqual(end.path, 1)
      assert.strictEqual(lines(end.history).at(-1), "1 start@iad 200")
    })
  )
})
