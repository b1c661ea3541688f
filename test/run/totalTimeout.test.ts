import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Deadline from "../../src/engine/Deadline.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { accepted, backup, client, completed, failed, third, url } from "./support.ts"

const get = Step.get(url).pipe(Step.frugal())
const alarm = Step.get(third).pipe(Step.frugal())
const total = get.pipe(Step.totalTimeout("10 seconds"), Step.onFailure(alarm))
const on = (api: Script.Input) => Script.all(Script.on(url, api), Script.always({ status: 200 }))

describe("totalTimeout", () => {
  it.effect("ends what is running, says which limit it was, and runs onFailure without forwarding", () =>
    Effect.gen(function* () {
      const { execute, fake, sent } = yield* client(on(Script.hang))
      const { message, reason } = failed(yield* execute(total), "DeadlineExceeded")
      assert.deepInclude(reason, { afterMillis: 10_000, limit: "totalTimeout" })
      assert.match(message, /within totalTimeout \(10000 ms\)/)
      assert.deepStrictEqual(yield* sent, ["api 0", "third 10000"])
      assert.lengthOf(yield* fake.delegations, 0)
    })
  )

  it.effect("counts the wait for the step's moment, which onFailureTimeout does not", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on(Script.hang))
      failed(yield* execute(total.pipe(Step.retryAt(7000), Step.onFailureTimeout("9 seconds"))), "DeadlineExceeded")
      assert.deepStrictEqual(yield* sent, ["api 7000", "third 10000"])
    })
  )

  it.effect("that passes before the step's moment ends the wait, and nothing is sent", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on({ status: 200 }))
      failed(yield* execute(Step.retryAt(total, 60_000)), "DeadlineExceeded")
      assert.deepStrictEqual(yield* sent, ["third 10000"])
    })
  )

  it.effect("gives way to an onFailureTimeout that passes sooner", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(on(Script.hang))
      const { reason } = failed(yield* execute(Step.onFailureTimeout(total, "2 seconds")), "DeadlineExceeded")
      assert.deepStrictEqual([reason.afterMillis, reason.limit], [2000, undefined])
    })
  )

  it.effect("leaves a job that takes over no more than what is left of it", () =>
    Effect.gen(function* () {
      const slow = Script.later("4 seconds", { status: 503 })
      const { execute, fake } = yield* client(on(slow), { extensions: "send" })
      accepted(yield* execute(total))
      assert.strictEqual((yield* fake.jobs)[0]?.json.total_timeout_ms, 6000)
    })
  )

  it.effect("goes into a job that a fallback is handed over as", () =>
    Effect.gen(function* () {
      const slow = Script.later("4 seconds", { status: 404 })
      const { execute, fake } = yield* client(on(slow), { extensions: "send" })
      accepted(yield* execute(Step.fallback(total, Step.performance(Step.get(backup)))))
      assert.strictEqual((yield* fake.jobs)[0]?.json.total_timeout_ms, 6000)
    })
  )

  it.effect("that is over before the step may start is refused", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on({ status: 200 }))
      const { reason } = failed(yield* execute(Step.delay(total, "10 seconds")), "InvalidStep")
      assert.strictEqual(reason.field, "totalTimeout")
      assert.deepStrictEqual(yield* sent, [])
    })
  )
})

describe("attemptTimeout", () => {
  it.effect("limits each attempt, in place of localTimeout", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(on(Script.hang), { extensions: "send" })
      const step = get.pipe(Step.localTimeout("1 second"), Step.attemptTimeout("3 seconds"))
      const policy = { maxRetries: 1, base: "1 second", cap: "1 second" } as const
      const { history } = accepted(yield* execute(Step.retryPolicy(step, policy)))
      assert.deepStrictEqual(
        history.map(({ latency }) => latency),
        [3000, 3000, 0]
      )
      assert.deepStrictEqual(yield* sent, ["api 0", "api 3500"])
    })
  )
})

describe("timeoutHeader", () => {
  it.effect("tells each call what is left: of the attempt, or of the whole step where that is less", () =>
    Effect.gen(function* () {
      const { execute, local } = yield* client(
        on(Script.inTurn(Script.later("4 seconds", { status: 503 }), { status: 200 }))
      )
      const step = get.pipe(
        Step.header("x-time-left", "0"),
        Step.timeoutHeader("X-Time-Left"),
        Step.attemptTimeout("8 seconds"),
        Step.totalTimeout("10 seconds"),
        Step.retryPolicy({ maxRetries: 1, base: "1 second", cap: "1 second" })
      )
      completed(yield* execute(step))
      const told = (yield* local.exchanges).map(({ asked }) => asked.request.headers)
      assert.deepStrictEqual(told, [{ "X-Time-Left": "8000" }, { "X-Time-Left": "5500" }])
    })
  )

  it.effect("is not sent unless the step asks for it", () =>
    Effect.gen(function* () {
      const { execute, local } = yield* client(on({ status: 200 }))
      completed(yield* execute(total))
      assert.deepStrictEqual((yield* local.exchanges)[0]?.asked.request.headers, {})
    })
  )
})

describe("a deadline", () => {
  it("is the earlier of the two limits, each counted from its own beginning", () => {
    for (const [failure, whole, notBefore, at, limit] of [
      [5, undefined, 0, 105, "onFailureTimeout"],
      [undefined, 5, 900, 105, "totalTimeout"],
      [5, 5, 0, 105, "onFailureTimeout"],
      [5, 6, 102, 106, "totalTimeout"],
      [5, 900, 200, 205, "onFailureTimeout"]
    ] as const) {
      const limits = {
        onFailureTimeout: failure === undefined ? undefined : Duration.millis(failure),
        totalTimeout: whole === undefined ? undefined : Duration.millis(whole)
      }
      assert.deepInclude(Deadline.of(limits, { acceptedAt: 100, notBefore }), { at, limit })
    }
    const none = { onFailureTimeout: undefined, totalTimeout: undefined }
    assert.isUndefined(Deadline.of(none, { acceptedAt: 0, notBefore: 0 }))
    assert.isFalse(Deadline.has(none))
  })
})
