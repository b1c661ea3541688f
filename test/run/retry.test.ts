import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Unsendable } from "../../src/step/Failure.ts"
import * as Step from "../../src/step/Step.ts"
import { defaults } from "../../src/step/RetryPolicy.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, client, completed, failed, lines, url } from "./support.ts"

const get = Step.get(url).pipe(Step.frugal(), Step.fallbackOnError([]))

describe("an attempt", () => {
  it.effect("ends after 30 seconds, and the hanging call is given up", () =>
    Effect.gen(function* () {
      const { execute, local } = yield* client(Script.always(Script.hang))
      const end = accepted(yield* execute(get))
      assert.deepStrictEqual(lines(end.history), ["0 start AttemptTimedOut", "0 forward 201"])
      assert.deepInclude((yield* local.exchanges)[0]?.ending, { _tag: "Interrupted", at: 30_000 })
    })
  )

  it.effect("ends after localTimeout, each attempt by itself", () =>
    Effect.gen(function* () {
      const { execute, local, sent } = yield* client(Script.always(Script.hang))
      yield* execute(get.pipe(Step.localTimeout("2 seconds"), Step.retryPolicy({ maxRetries: 1 })))
      assert.deepStrictEqual(yield* sent, ["api 0", "api 2100"])
      assert.strictEqual((yield* local.exchanges)[0]?.asked.timeoutMillis, 2000)
    })
  )

  it.effect("may take as long as its limit, and not a millisecond more", () =>
    Effect.gen(function* () {
      const answering = (delay: number) => client(Script.always(Script.later(delay, { status: 200 })))
      const step = Step.localTimeout(get, "2 seconds")
      completed(yield* (yield* answering(1999)).execute(step))
      accepted(yield* (yield* answering(2001)).execute(step))
    })
  )

  it.effect("is made once where the step names no policy, and FRUGAL forwards instead of retrying", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 503 }), { regions: ["iad", "lax"] })
      const end = accepted(yield* execute(Step.get(url).pipe(Step.frugal())))
      assert.deepStrictEqual(yield* sent, ["api@iad 0"])
      assert.deepStrictEqual(lines(end.history), ["0 start@iad 503", "0 forward 201"])
    })
  )

  it.effect("follows the host's policy where the step names none", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 503 }))
      yield* execute(get, { unsetPolicy: defaults })
      assert.deepStrictEqual(yield* sent, ["api 0", "api 100", "api 300", "api 700"])
    })
  )
})

describe("a retry", () => {
  it.effect("follows the policy of a FRUGAL step, three times by default, with doubling pauses", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 503 }))
      const end = failed(yield* execute(Step.retryPolicy(get)), "Rejected")
      assert.deepStrictEqual(yield* sent, ["api 0", "api 100", "api 300", "api 700"])
      assert.deepStrictEqual(
        end.history.map(({ kind, pause }) => [kind, pause]),
        [
          ["start", 0],
          ["retry", 100],
          ["retry", 200],
          ["retry", 400]
        ]
      )
    })
  )

  it.effect("stops at the first success", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(Script.always(Script.failTimes(2, { status: 429 }, { status: 201 })))
      const end = completed(yield* execute(Step.retryPolicy(get)))
      assert.strictEqual(end.response.status, 201)
      assert.deepStrictEqual(lines(end.history), ["0 start 429", "0 retry 429", "0 retry 201"])
    })
  )

  it.effect("stays in the region", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 503 }), { regions: ["iad", "lax"] })
      yield* execute(Step.retryPolicy(get, { maxRetries: 1 }))
      assert.deepStrictEqual(yield* sent, ["api@iad 0", "api@iad 100"])
    })
  )

  it.effect("is not made for an unlisted status", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 404 }))
      assert.strictEqual(failed(yield* execute(Step.retryPolicy(get)), "Rejected").reason.status, 404)
      assert.lengthOf(yield* sent, 1)
    })
  )

  it.effect("is made where it is for a status that would be rerouted and has nowhere to go, with back-off", () =>
    Effect.gen(function* () {
      for (const status of [500, 502, 504]) {
        const { execute } = yield* client(Script.always(Script.failTimes(2, { status }, { status: 200 })))
        const end = completed(yield* execute(Step.retryPolicy(get)))
        assert.deepStrictEqual(
          end.history.map(({ kind, pause }) => [kind, pause]),
          [
            ["start", 0],
            ["retry", 100],
            ["retry", 200]
          ]
        )
      }
    })
  )

  it.effect("is never made of itself: without a policy each of these is tried once", () =>
    Effect.gen(function* () {
      for (const status of [408, 500, 502, 503, 504]) {
        const { execute, sent } = yield* client(Script.always({ status }))
        yield* execute(Step.post(url).pipe(Step.frugal(), Step.fallbackOnError([])))
        assert.lengthOf(yield* sent, 1)
      }
    })
  )

  it.effect("comes after no answer when there is no other region", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(Script.always(Script.inTurn(Script.reset, Script.refuse, { status: 200 })))
      const end = completed(yield* execute(Step.retryPolicy(get)))
      assert.deepStrictEqual(lines(end.history), [
        "0 start ConnectionFailed",
        "0 retry ConnectionFailed",
        "0 retry 200"
      ])
    })
  )
})

describe("a reroute", () => {
  const regions = ["iad", "lax", "ord", "fra"]

  it.effect("goes to the next healthy region at once, twice by default", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 500 }), { regions })
      yield* execute(Step.retryPolicy(get, { maxRetries: 1 }))
      assert.deepStrictEqual(yield* sent, ["api@iad 0", "api@lax 0", "api@ord 0", "api@ord 100"])
    })
  )

  it.effect("comes after no answer while a region is left, then retries where it is", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always(Script.refuse), { regions: ["iad", "lax"] })
      yield* execute(Step.retryPolicy(get, { maxRetries: 1 }))
      assert.deepStrictEqual(yield* sent, ["api@iad 0", "api@lax 0", "api@lax 100"])
    })
  )

  it.effect("of a status in both lists comes first, and the retries after it", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 503 }), { regions: ["iad", "lax"] })
      yield* execute(Step.retryPolicy(get, { maxRetries: 1, retryCodes: [503], rerouteCodes: [503] }))
      assert.deepStrictEqual(yield* sent, ["api@iad 0", "api@lax 0", "api@lax 100"])
    })
  )

  it.effect("never leaves the step's own regions under strict", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 500 }), { regions })
      yield* execute(get.pipe(Step.regions(["lax"]), Step.regionPolicy("strict"), Step.retryPolicy({ maxRetries: 0 })))
      assert.deepStrictEqual(yield* sent, ["api@lax 0"])
    })
  )

  it.effect("may add the transport's other regions under fallback", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 502 }), { regions })
      yield* execute(get.pipe(Step.regions(["lax"]), Step.retryPolicy({ maxRetries: 0 })))
      assert.deepStrictEqual(yield* sent, ["api@lax 0", "api@iad 0", "api@ord 0"])
    })
  )

  it.effect("skips names that leave from a place where the call was already", () =>
    Effect.gen(function* () {
      const egress = (region: string) => (region === "lax" ? "iad" : region)
      const { execute, sent } = yield* client(Script.always({ status: 500 }), { regions, egress })
      yield* execute(Step.retryPolicy(get, { maxRetries: 0 }))
      assert.deepStrictEqual(yield* sent, ["api@iad 0", "api@ord 0", "api@fra 0"])
    })
  )

  it.effect("names the region that answered", () =>
    Effect.gen(function* () {
      const script = Script.all(Script.inRegion("lax", Script.always({ status: 200 })), Script.always({ status: 500 }))
      const { execute } = yield* client(script, { regions })
      const end = completed(yield* execute(Step.retryPolicy(get)))
      assert.strictEqual(end.region, "lax")
    })
  )
})

describe("a step", () => {
  it.effect("waits for its retryAt before the first attempt, and for that only", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always(Script.failTimes(1, { status: 503 }, { status: 200 })))
      yield* execute(get.pipe(Step.retryAt(5000), Step.retryPolicy()))
      assert.deepStrictEqual(yield* sent, ["api 5000", "api 5100"])
    })
  )

  it.effect("whose retryAt has passed starts at once", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 200 }))
      yield* execute(Step.retryAt(get, 0))
      assert.deepStrictEqual(yield* sent, ["api 0"])
    })
  )

  it.effect("that breaks a rule between fields is refused before anything is sent", () =>
    Effect.gen(function* () {
      const { execute, fake, sent } = yield* client(Script.always({ status: 200 }))
      const step = get.pipe(Step.regionPolicy("strict"), Step.onFailure(get))
      const error = failed(yield* execute(step), "InvalidStep")
      assert.strictEqual(error.reason.field, "regionPolicy")
      assert.isUndefined(error.chained)
      assert.lengthOf(yield* sent, 0)
      assert.lengthOf(yield* fake.delegations, 0)
    })
  )

  it.effect("that the transport cannot send fails naming the problem, unrepeated and not forwarded", () =>
    Effect.gen(function* () {
      const script = Script.always(Script.fail(new Unsendable({ problem: "GET with a body" })))
      const { execute, fake, sent } = yield* client(script, { regions: ["iad", "lax"] })
      const error = failed(yield* execute(Step.retryPolicy(Step.get(url).pipe(Step.frugal()))), "Unsendable")
      assert.include(error.message, "GET with a body")
      assert.lengthOf(yield* sent, 1)
      assert.lengthOf(yield* fake.delegations, 0)
    })
  )
})
