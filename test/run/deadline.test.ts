import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { backup, client, completed, failed, lines, third, url } from "./support.ts"

const child = Step.get(third).pipe(Step.frugal())
const step = Step.get(url).pipe(Step.frugal(), Step.onFailure(child, { timeout: "10 seconds" }))
const on = (api: Script.Input, second: Script.Input = { status: 200 }) =>
  Script.all(Script.on(url, api), Script.on(backup, second), Script.on(third, { status: 200 }))

describe("onFailureTimeout", () => {
  it.effect("interrupts what is running, fails the step without forwarding it, and runs onFailure", () =>
    Effect.gen(function* () {
      const { execute, fake, local, sent } = yield* client(on(Script.hang))
      const error = failed(yield* execute(step), "DeadlineExceeded")
      assert.strictEqual(error.reason.afterMillis, 10_000)
      assert.deepInclude((yield* local.exchanges)[0]?.ending, { _tag: "Interrupted", at: 10_000 })
      assert.deepStrictEqual(lines(error.history), ["0 start interrupted"])
      assert.deepStrictEqual(yield* sent, ["api 0", "third 10000"])
      assert.strictEqual(error.chained?._tag, "Ended")
      assert.lengthOf(yield* fake.delegations, 0)
    })
  )

  it.effect("is one over attempts, pauses, reroutes and fallbacks", () =>
    Effect.gen(function* () {
      const slow = Script.later("3 seconds", { status: 503, headers: { "Retry-After": "2" } })
      const { execute, sent } = yield* client(on(slow, Script.later("6 seconds", { status: 200 })))
      const line = step.pipe(Step.retryPolicy({ maxRetries: 1 }), Step.fallback(Step.get(backup)))
      failed(yield* execute(line), "DeadlineExceeded")
      assert.deepStrictEqual(yield* sent, ["api 0", "api 5000", "backup 8000", "third 10000"])
    })
  )

  it.effect("ends a pause, and what would have come after it", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on({ status: 429, headers: { "Retry-After": "29" } }))
      failed(yield* execute(Step.retryPolicy(step)), "DeadlineExceeded")
      assert.deepStrictEqual(yield* sent, ["api 0", "third 10000"])
    })
  )

  it.effect("that has passed when a fallback's turn comes lets it send nothing", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on({ status: 500 }))
      const error = failed(
        yield* execute(Step.fallback(step, Step.get(backup).pipe(Step.retryAt(20_000)))),
        "DeadlineExceeded"
      )
      assert.deepStrictEqual(lines(error.history), ["0 start 500"])
      assert.deepStrictEqual(yield* sent, ["api 0", "third 10000"])
    })
  )

  it.effect("does not matter to a step that ends sooner", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(on(Script.later("9999 millis", { status: 200 })))
      completed(yield* execute(step))
    })
  )

  it.effect("does not limit the child", () =>
    Effect.gen(function* () {
      const script = Script.all(
        Script.on(url, { status: 404 }),
        Script.always(Script.later("20 seconds", { status: 200 }))
      )
      const error = failed(yield* (yield* client(script)).execute(step), "Rejected")
      assert.strictEqual(error.chained?._tag, "Ended")
    })
  )

  it.effect("is counted from retryAt where the step has one", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on(Script.hang))
      failed(yield* execute(Step.retryAt(step, 60_000)), "DeadlineExceeded")
      assert.deepStrictEqual(yield* sent, ["api 60000", "third 70000"])
    })
  )

  it.effect("is counted from acceptance where the host knows when that was", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("8 seconds")
      const { execute, sent } = yield* client(on(Script.hang))
      failed(yield* execute(step, { acceptedAt: 1000 }), "DeadlineExceeded")
      assert.deepStrictEqual(yield* sent, ["api 8000", "third 11000"])
    })
  )

  it.effect("that passed before the run started sends nothing but the child", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 minute")
      const { execute, sent } = yield* client(on({ status: 200 }))
      failed(yield* execute(step, { acceptedAt: 0 }), "DeadlineExceeded")
      assert.deepStrictEqual(yield* sent, ["third 60000"])
    })
  )

  it.effect("comes before a later onTimeout, and after a sooner one", () =>
    Effect.gen(function* () {
      const later = yield* client(on(Script.hang))
      failed(
        yield* later.execute(Step.fallback(step, Step.get(backup), { onTimeout: "11 seconds" })),
        "DeadlineExceeded"
      )
      assert.notInclude((yield* later.sent).join(), "backup")
      const sooner = yield* client(on(Script.hang))
      completed(yield* sooner.execute(Step.fallback(step, Step.get(backup), { onTimeout: "9 seconds" })))
    })
  )
})
