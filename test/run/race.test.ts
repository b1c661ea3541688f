import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { TestTransport } from "../../src/testing/TestTransport.ts"
import { client, completed, failed, lines, url } from "./support.ts"

const regions = ["iad", "lax", "ord"]
const race = Step.get(url).pipe(
  Step.frugal(),
  Step.fallbackOnError([]),
  Step.regions(regions),
  Step.regionPolicy("strict")
)
const once = Step.retryPolicy(race, { maxRetries: 0, maxReroutes: 0 })

const answers = (of: Readonly<Record<string, Script.Input>>) =>
  Script.all(...Object.entries(of).map(([region, answer]) => Script.inRegion(region, Script.always(answer))))

describe("a race", () => {
  it.effect("starts in all regions at once, and the first 2xx wins", () =>
    Effect.gen(function* () {
      const script = answers({
        iad: Script.later(300, { status: 200 }),
        lax: Script.later(200, { status: 204 }),
        ord: Script.hang
      })
      const { execute, local, sent } = yield* client(script, { regions })
      const end = completed(yield* execute(race))
      assert.deepStrictEqual(yield* sent, ["api@iad 0", "api@lax 0", "api@ord 0"])
      assert.strictEqual(end.region, "lax")
      assert.strictEqual(end.response.status, 204)
      assert.lengthOf(end.responses, 0)
      assert.deepStrictEqual(
        (yield* local.exchanges).map(({ ending }) => ending._tag),
        ["Interrupted", "Answered", "Interrupted"]
      )
    })
  )

  it.effect("keeps the losers in the history, interrupted when the winner answered", () =>
    Effect.gen(function* () {
      const script = answers({ iad: Script.hang, lax: Script.later(200, { status: 200 }), ord: Script.hang })
      const { execute } = yield* client(script, { regions })
      const end = completed(yield* execute(race))
      assert.sameMembers(
        [...lines(end.history)],
        ["0 start@lax 200", "0 start@iad interrupted", "0 start@ord interrupted"]
      )
      assert.deepStrictEqual(
        end.history.map(({ latency }) => latency),
        [200, 200, 200]
      )
    })
  )

  it.effect("ends at the first answer in neither list, though another region might succeed", () =>
    Effect.gen(function* () {
      const script = answers({
        iad: Script.later(100, { status: 404 }),
        lax: Script.later(200, { status: 200 }),
        ord: Script.hang
      })
      const { execute, local } = yield* client(script, { regions })
      const error = failed(yield* execute(race), "Rejected")
      assert.strictEqual(error.reason.status, 404)
      assert.strictEqual(error.reason.region, "iad")
      assert.deepInclude((yield* local.exchanges)[1]?.ending, { _tag: "Interrupted", at: 100 })
    })
  )

  it.effect("goes by the policy's own lists", () =>
    Effect.gen(function* () {
      const script = answers({
        iad: { status: 404 },
        lax: Script.later(100, { status: 503 }),
        ord: Script.later(200, { status: 200 })
      })
      const step = Step.retryPolicy(race, { maxRetries: 0, maxReroutes: 0, retryCodes: [404], rerouteCodes: [] })
      const error = failed(yield* (yield* client(script, { regions })).execute(step), "Rejected")
      assert.strictEqual(error.reason.status, 503)
    })
  )

  it.effect("is not ended by an answer in a list, nor by no answer: these end their own racer only", () =>
    Effect.gen(function* () {
      const script = answers({ iad: { status: 503 }, lax: Script.refuse, ord: Script.later(500, { status: 200 }) })
      for (const step of [race, once]) {
        const end = completed(yield* (yield* client(script, { regions })).execute(step))
        assert.strictEqual(end.region, "ord")
      }
    })
  )

  it.effect("that is lost is decided by the status that arrived last, and every status is in the history", () =>
    Effect.gen(function* () {
      const script = answers({
        iad: Script.later(300, { status: 503 }),
        lax: Script.later(100, { status: 500 }),
        ord: Script.later(200, { status: 429 })
      })
      const error = failed(yield* (yield* client(script, { regions })).execute(once), "Rejected")
      assert.strictEqual(error.reason.status, 503)
      assert.deepStrictEqual(lines(error.history), ["0 start@lax 500", "0 start@ord 429", "0 start@iad 503"])
    })
  )

  it.effect("that is lost is decided by a status, though the last racer had no answer at all", () =>
    Effect.gen(function* () {
      const script = answers({ iad: { status: 500 }, lax: { status: 502 }, ord: Script.later(900, Script.reset) })
      const error = failed(yield* (yield* client(script, { regions })).execute(once), "Rejected")
      assert.strictEqual(error.reason.status, 502)
    })
  )

  it.effect("without any answer fails with the last failure", () =>
    Effect.gen(function* () {
      const script = answers({ iad: Script.refuse, lax: Script.hang, ord: Script.refuse })
      const { execute, fake } = yield* client(script, { regions })
      yield* fake.deny()
      const denied = failed(yield* execute(once), "ServiceDenied")
      assert.deepStrictEqual(lines(denied.history).slice(0, 3), [
        "0 start@iad ConnectionFailed",
        "0 start@ord ConnectionFailed",
        "0 start@lax AttemptTimedOut"
      ])
    })
  )

  it.effect("shares its retries and reroutes between the racers", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 503 }), { regions: [...regions, "fra", "sin"] })
      yield* execute(Step.retryPolicy(Step.regionPolicy(race, "fallback"), { maxRetries: 2, maxReroutes: 1 }))
      assert.lengthOf(yield* sent, 3 + 2)
      const both = yield* client(Script.always(Script.later(1, { status: 500 })), {
        regions: [...regions, "fra", "sin"]
      })
      yield* both.execute(Step.retryPolicy(Step.regionPolicy(race, "fallback"), { maxRetries: 0, maxReroutes: 1 }))
      assert.deepStrictEqual(
        (yield* both.sent).map((line) => line.split(" ")[0]),
        ["api@iad", "api@lax", "api@ord", "api@fra"]
      )
    })
  )

  it.effect("lets a racer retry while the others go on", () =>
    Effect.gen(function* () {
      const script = answers({
        iad: Script.inTurn({ status: 503 }, { status: 200 }),
        lax: Script.hang,
        ord: Script.hang
      })
      const { execute, local } = yield* client(script, { regions })
      const end = completed(yield* execute(Step.retryPolicy(race)))
      assert.strictEqual(end.region, "iad")
      assert.deepInclude((yield* local.exchanges)[1]?.ending, { _tag: "Interrupted", at: 100 })
    })
  )

  it.effect("stops a loser's pause: it never sends again", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const fiber = yield* Effect.forkChild(EZThrottle.execute(Step.retryPolicy(race)))
      yield* (yield* wire.nextIn("iad")).reply({ status: 429, headers: { "retry-after": "20" } })
      yield* (yield* wire.nextIn("lax")).reply({ status: 200 })
      completed(yield* Fiber.join(fiber))
      yield* TestClock.adjust("1 day")
      assert.lengthOf(yield* wire.exchanges, 3)
      assert.isTrue(yield* wire.idle)
    }).pipe(Effect.provide(TestTransport.layerWith({ regions })))
  )

  it.effect("starts once for names that leave from one place", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 200 }), { egress: () => "here" })
      completed(yield* execute(race))
      assert.deepStrictEqual(yield* sent, ["api@iad 0"])
    })
  )
})
