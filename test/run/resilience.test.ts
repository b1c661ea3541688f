import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as Interpreter from "../../src/run/Interpreter.ts"
import * as Resilience from "../../src/run/Resilience.ts"
import type { Outcome, StepError } from "../../src/step/Outcome.ts"
import * as Step from "../../src/step/Step.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, backup, client, completed, ending, failed, lines, toEnd, url } from "./support.ts"

const get = Step.get(url).pipe(Step.frugal(), Step.fallbackOnError([]))
const plain = Step.get(url).pipe(Step.frugal())
const down: Script.Input = { status: 503 }
const ok: Script.Input = { status: 200 }
/** Closes by its third call, and asks once every ten seconds. */
const breaker = { minimum: 2, coolDown: "10 seconds", ramp: [0.5], step: "4 seconds" } as const

/** Runs steps in turn over one script; nothing passes but what is said to. */
const world = Effect.fnUntraced(function* (script: Script.Script, options: Resilience.Options) {
  const { fake, local, sent, strategies } = yield* client(script)
  const context = yield* Layer.build(Resilience.layer(options))
  const run = (step: StepValue) => Effect.provide(ending(Interpreter.run(step, strategies)), context)
  return {
    self: Context.get(context, Resilience.Resilience),
    fake,
    local,
    sent,
    run: (step: StepValue) => toEnd(run(step), "30 seconds"),
    now: run
  }
})

/** Why its first call was not made. */
const withheld = ({ history: [first] }: Outcome | StepError) =>
  first?.ending._tag === "Failed" ? first.ending.failure.message : undefined

const retrying = (maxRetries: number) => Step.retryPolicy(get, { maxRetries, base: "1 millis", cap: "1 millis" })
const draws = () => true

describe("a budget", () => {
  it.effect("that is empty ends a path, which says so; what the target answered stands in the history", () =>
    Effect.gen(function* () {
      const { run, sent } = yield* world(Script.always(down), { budget: { perMinute: 2, share: 0, draws } })
      const error = failed(yield* run(retrying(5)), "BudgetExhausted")
      assert.deepStrictEqual(lines(error.history).slice(0, 4), [
        "0 start 503",
        "0 retry 503",
        "0 retry 503",
        "0 retry BudgetExhausted"
      ])
      assert.strictEqual(error.reason.target, new URL(url).origin)
      assert.lengthOf(yield* sent, 3)
    })
  )

  it.effect("is one for all that call the target, and comes back with time", () =>
    Effect.gen(function* () {
      const { now, sent } = yield* world(Script.always(down), {
        breaker: false,
        budget: { perMinute: 1, share: 0, draws }
      })
      const ends = yield* toEnd(
        Effect.forEach([1, 2, 3], () => now(retrying(1)), { concurrency: "unbounded" }),
        "1 second"
      )
      assert.sameMembers(
        ends.map((end) => (end._tag === "StepError" ? end.reason._tag : end._tag)),
        ["Rejected", "BudgetExhausted", "BudgetExhausted"]
      )
      assert.lengthOf(yield* sent, 4)
      yield* TestClock.adjust("1 minute")
      failed(yield* toEnd(now(retrying(1)), "1 second"), "Rejected")
    })
  )

  it.effect("leads to the fallback", () =>
    Effect.gen(function* () {
      const script = Script.all(Script.on(url, down), Script.on(backup, ok))
      const { run } = yield* world(script, { budget: { perMinute: 0, share: 0, draws } })
      const step = Step.fallback(retrying(3), Step.get(backup))
      assert.deepStrictEqual(lines(completed(yield* run(step)).history), [
        "0 start 503",
        "0 retry BudgetExhausted",
        "1 start 200"
      ])
    })
  )

  it.effect("yields to a policy that is spelt out, to a 429, and to a target that says when to come back", () =>
    Effect.gen(function* () {
      const empty = { perMinute: 0, share: 0 }
      const own = yield* world(Script.always(down), { budget: empty })
      failed(yield* own.run(retrying(5)), "Rejected")
      assert.lengthOf(yield* own.sent, 6)
      for (const invited of [{ status: 429 }, { status: 503, headers: { "Retry-After": "1" } }]) {
        const asked = yield* world(Script.always(invited), { budget: { ...empty, draws } })
        failed(yield* asked.run(retrying(2)), "Rejected")
        assert.lengthOf(yield* asked.sent, 3)
      }
    })
  )

  it.effect("keeps a hedge from being made, and its call goes on", () =>
    Effect.gen(function* () {
      const script = Script.always(Script.later("20 seconds", ok))
      const { run, sent } = yield* world(script, { budget: { perMinute: 0, share: 0 } })
      completed(yield* run(Step.hedge(get, { after: "1 second" })))
      assert.lengthOf(yield* sent, 1)
    })
  )
})

describe("a breaker", () => {
  it.effect("that is open sends a step on to its fallback, or to the service, at once", () =>
    Effect.gen(function* () {
      const script = Script.all(Script.on(url, down), Script.on(backup, ok))
      const { fake, now, sent } = yield* world(script, { breaker })
      for (const _ of [1, 2]) failed(yield* now(get), "Rejected")
      accepted(yield* now(plain))
      const saved = completed(yield* now(Step.fallback(get, Step.get(backup))))
      assert.deepStrictEqual(lines(saved.history), ["0 start BreakerOpen", "1 start 200"])
      assert.deepStrictEqual(yield* sent, ["api 0", "api 0", "backup 0"])
      assert.lengthOf(yield* fake.jobs, 1)
    })
  )

  it.effect("lets one call go after its cool-down, then a share, then all", () =>
    Effect.gen(function* () {
      const { local, now, self } = yield* world(Script.always(Script.inTurn(down, down, ok)), { breaker })
      const origin = new URL(url).origin
      const state = Effect.map(self.targets, ([target]) => [target?.target, target?.breaker, target?.share])
      const count = Effect.map(local.exchanges, (calls) => calls.length)
      for (const _ of [1, 2]) yield* now(get)
      assert.deepStrictEqual(yield* state, [origin, "open", 0])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* state, [origin, "half_open", 0])
      completed(yield* now(get))
      assert.deepStrictEqual(yield* state, [origin, "ramping", 0.5])
      const before = yield* count
      for (let call = 0; call < 10; call++) yield* now(get)
      assert.strictEqual((yield* count) - before, 5)
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(yield* state, [origin, "closed", 1])
    })
  )

  it.effect("keeps what a policy promises: its retries wait, and are made", () =>
    Effect.gen(function* () {
      const { run, sent } = yield* world(Script.always(Script.inTurn(down, down, down, ok)), { breaker })
      assert.deepStrictEqual(lines(completed(yield* run(retrying(5))).history), [
        "0 start 503",
        "0 retry 503",
        "0 retry 503",
        "0 retry 200"
      ])
      // cool-downs less the half of a quarter that was drawn of them
      assert.deepStrictEqual(yield* sent, ["api 0", "api 0.5", "api 8750.5", "api 26250.5"])
    })
  )

  it.effect("gives back a probe that was interrupted", () =>
    Effect.gen(function* () {
      const { now, run } = yield* world(Script.always(Script.inTurn(down, down, Script.hang, ok)), { breaker })
      for (const _ of [1, 2]) yield* now(get)
      yield* TestClock.adjust("10 seconds")
      assert.isTrue(Option.isNone(yield* toEnd(Effect.timeoutOption(now(get), "1 second"), "1 second")))
      completed(yield* run(get))
    })
  )

  it.effect("is opened, closed and isolated by hand, though none opens by itself", () =>
    Effect.gen(function* () {
      const { now, self } = yield* world(Script.always(ok), { breaker: false })
      yield* self.isolate(url, "maintenance")
      yield* TestClock.adjust("1 day")
      assert.strictEqual(
        withheld(yield* now(get)),
        "not called: the breaker of https://api.example is open (maintenance)"
      )
      yield* self.close(url)
      completed(yield* now(get))
      yield* self.open(url)
      assert.isDefined(withheld(yield* now(get)))
      yield* TestClock.adjust("5 seconds")
      completed(yield* now(get))
    })
  )

  it.effect("takes no note of a target that answers, whatever it says", () =>
    Effect.gen(function* () {
      const { now } = yield* world(
        Script.always(Script.inTurn({ status: 404 }, { status: 429 }, { status: 400 }, ok)),
        { breaker }
      )
      for (const _ of [1, 2, 3]) failed(yield* now(get), "Rejected")
      completed(yield* now(get))
    })
  )

  it.effect.each([
    { breaker: { failureRate: 0 } },
    { breaker: { ramp: [2] } },
    { breaker: { minimum: 0 } },
    { budget: { share: -1 } }
  ])("that cannot be is a defect: %j", (options) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.exit(Layer.build(Resilience.layer(options))))._tag, "Failure")
    })
  )
})
