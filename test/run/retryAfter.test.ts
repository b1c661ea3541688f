import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import { TestTransport } from "../../src/testing/TestTransport.ts"
import { accepted, backup, client, completed, failed, lines, url } from "./support.ts"

const get = Step.get(url).pipe(Step.frugal())
const limited = (seconds: number | string, status = 429) =>
  Script.always({ status, headers: { "Retry-After": String(seconds) } })

describe("Retry-After", () => {
  it.effect("holds the next attempt until it has elapsed, to the millisecond", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const fiber = yield* Effect.forkChild(EZThrottle.execute(Step.retryPolicy(get)))
      yield* (yield* wire.next).reply({ status: 429, headers: { "retry-after": "3" } })
      yield* TestClock.adjust("2999 millis")
      assert.isTrue(yield* wire.idle)
      yield* TestClock.adjust("1 millis")
      yield* (yield* wire.next).reply({ status: 201 })
      assert.strictEqual(completed(yield* Fiber.join(fiber)).response.status, 201)
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("is a lower bound, never added to our own pause", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(limited(1))
      yield* execute(Step.retryPolicy(get))
      assert.deepStrictEqual(yield* sent, ["api 0", "api 1000", "api 2000", "api 3000"])
    })
  )

  it.effect("is understood as a date", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(limited("Thu, 01 Jan 1970 00:00:07 GMT"))
      yield* execute(Step.retryPolicy(get, { maxRetries: 1 }))
      assert.deepStrictEqual(yield* sent, ["api 0", "api 7000"])
    })
  )

  it.effect("that cannot be understood leaves our own pause", () =>
    Effect.gen(function* () {
      for (const hostile of ["-5", "1,5", "soon", "NaN", ""]) {
        const { execute, sent } = yield* client(limited(hostile))
        const before = yield* TestClock.testClockWith((clock) => clock.currentTimeMillis)
        yield* execute(Step.retryPolicy(get, { maxRetries: 1 }))
        assert.deepStrictEqual(yield* sent, [`api ${before}`, `api ${before + 100}`], hostile)
      }
    })
  )

  it.effect("is kept by a reroute, too", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(limited(2, 500), { regions: ["iad", "lax"] })
      yield* execute(Step.retryPolicy(get, { maxRetries: 0 }))
      assert.deepStrictEqual(yield* sent, ["api@iad 0", "api@lax 2000"])
    })
  )

  it.effect("as long as localTimeout is slept through", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(limited(30))
      yield* execute(Step.retryPolicy(get, { maxRetries: 1 }))
      assert.deepStrictEqual(yield* sent, ["api 0", "api 30000"])
    })
  )

  it.effect("beyond localTimeout is not slept through: the step is forwarded at once and the job carries it", () =>
    Effect.gen(function* () {
      const { execute, fake, sent } = yield* client(limited(31))
      const end = accepted(yield* execute(Step.retryPolicy(get)))
      assert.deepStrictEqual(yield* sent, ["api 0"])
      assert.deepStrictEqual(lines(end.history), ["0 start 429", "0 forward 201"])
      const [delegation] = yield* fake.delegations
      assert.strictEqual(delegation?.at, 0)
      assert.strictEqual(delegation?.asked.retryAt, 31_000)
      assert.strictEqual((yield* fake.jobs)[0]?.json.retry_at, 31_000)
    })
  )

  it.effect("is measured against the step's own localTimeout", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(limited(3))
      accepted(yield* execute(get.pipe(Step.localTimeout("2 seconds"), Step.retryPolicy())))
      assert.strictEqual((yield* fake.delegations)[0]?.asked.retryAt, 3000)
    })
  )

  it.effect("beyond localTimeout goes to the fallbacks first", () =>
    Effect.gen(function* () {
      const script = Script.all(
        Script.on(url, { status: 503, headers: { "Retry-After": "3600" } }),
        Script.on(backup, { status: 200 })
      )
      const { execute, fake, sent } = yield* client(script)
      const end = completed(yield* execute(get.pipe(Step.retryPolicy(), Step.fallback(Step.get(backup)))))
      assert.strictEqual(end.path, 1)
      assert.deepStrictEqual(yield* sent, ["api 0", "backup 0"])
      assert.lengthOf(yield* fake.delegations, 0)
    })
  )

  it.effect("travels with the job counted from the answer, whatever the fallbacks took meanwhile", () =>
    Effect.gen(function* () {
      const script = Script.all(
        Script.on(url, { status: 503, headers: { "Retry-After": "60" } }),
        Script.on(backup, Script.later("5 seconds", { status: 503, headers: { "Retry-After": "600" } }))
      )
      const { execute, fake } = yield* client(script)
      accepted(yield* execute(Step.fallback(get, Step.get(backup))))
      const [delegation] = yield* fake.delegations
      assert.strictEqual(delegation?.at, 5000)
      assert.strictEqual(delegation?.asked.retryAt, 60_000)
    })
  )

  it.effect("that has passed does not travel", () =>
    Effect.gen(function* () {
      const script = Script.always(Script.inTurn({ status: 503, headers: { "Retry-After": "1" } }, { status: 503 }))
      const { execute, fake } = yield* client(script)
      accepted(yield* execute(Step.retryPolicy(get, { maxRetries: 1 })))
      assert.isUndefined((yield* fake.delegations)[0]?.asked.retryAt)
    })
  )

  it.effect("of any notation is kept, and so is the reset of what is used up", () =>
    Effect.gen(function* () {
      const ways: ReadonlyArray<readonly [Readonly<Record<string, string>>, number]> = [
        [{ "Retry-After": "0.9" }, 900],
        [{ "Retry-After-Ms": "1250" }, 1250],
        [{ "Retry-After-Short": "2" }, 2000],
        [{ "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1m30s" }, 90_000],
        [{ "X-RateLimit-Reset-After": "2.25" }, 2250]
      ]
      for (const [headers, wait] of ways) {
        const { execute, sent } = yield* client(Script.always({ status: 429, headers }))
        const before = yield* TestClock.testClockWith((clock) => clock.currentTimeMillis)
        yield* execute(get.pipe(Step.localTimeout("2 minutes"), Step.retryPolicy({ maxRetries: 1 })))
        assert.deepStrictEqual(yield* sent, [`api ${before}`, `api ${before + wait}`])
      }
    })
  )

  it.effect("makes a 403 stand for a 429, in a policy, in a trigger and for forwarding", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(limited(2, 403))
      const end = accepted(yield* execute(Step.retryPolicy(get, { maxRetries: 1 })))
      assert.deepStrictEqual(yield* sent, ["api 0", "api 2000"])
      assert.deepStrictEqual(lines(end.history), ["0 start 403", "0 retry 403", "0 forward 201"])
      const script = Script.all(
        Script.on(url, { status: 403, headers: { "Retry-After": "2" } }),
        Script.on(backup, { status: 200 })
      )
      const saved = yield* (yield* client(script)).execute(Step.fallback(get, Step.get(backup), { onError: [429] }))
      assert.strictEqual(completed(saved).path, 1)
      const plain = yield* (yield* client(Script.always({ status: 403 }))).execute(Step.retryPolicy(get))
      assert.isUndefined(failed(plain, "Rejected").reason.tooMany)
    })
  )

  it.effect("is not waited for where the quota is used up: neither repeated nor forwarded", () =>
    Effect.gen(function* () {
      const headers = { "X-Should-Retry": "false", "Retry-After": "2" }
      const { execute, fake, sent } = yield* client(Script.always({ status: 429, headers, body: "no credit" }))
      const { reason } = failed(yield* execute(Step.retryPolicy(get)), "QuotaUsedUp")
      assert.deepStrictEqual(yield* sent, ["api 0"])
      assert.lengthOf(yield* fake.delegations, 0)
      assert.strictEqual(new TextDecoder().decode(reason.response.body), "no credit")
    })
  )

  it.effect("of a success is ignored", () =>
    Effect.gen(function* () {
      const end = completed(yield* (yield* client(limited(60, 200))).execute(get))
      assert.deepInclude(end.history[0]?.ending, { _tag: "Answered", status: 200, retryAfter: undefined })
    })
  )

  it.effect("is in the error, for whoever wants to wait", () =>
    Effect.gen(function* () {
      const { execute } = yield* client(limited(90))
      const error = failed(yield* execute(Step.fallbackOnError(get, [])), "Rejected")
      assert.strictEqual(error.reason.retryAfter, 90_000)
    })
  )
})

describe("retryAt", () => {
  it.effect("of a PERFORMANCE step travels with the job and delays nothing here", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(limited(1))
      accepted(yield* execute(Step.get(url).pipe(Step.retryAt(90_000))))
      const [delegation] = yield* fake.delegations
      assert.strictEqual(delegation?.at, 0)
      assert.strictEqual(delegation?.asked.retryAt, 90_000)
    })
  )

  it.effect("later than the Retry-After is the one that travels", () =>
    Effect.gen(function* () {
      const program = Effect.gen(function* () {
        const fake = yield* FakeService
        const step = get.pipe(Step.retryAt(10_000), Step.localTimeout("1 second"))
        const fiber = yield* Effect.forkChild(EZThrottle.execute(step))
        yield* TestClock.adjust("10 seconds")
        accepted(yield* Fiber.join(fiber))
        assert.strictEqual((yield* fake.delegations)[0]?.asked.retryAt, 15_000)
      })
      yield* Effect.provide(program, Script.layer(limited(5)))
    })
  )

  it.effect("of a fallback delays the fallback", () =>
    Effect.gen(function* () {
      const script = Script.all(Script.on(url, { status: 500 }), Script.on(backup, { status: 200 }))
      const { execute, sent } = yield* client(script)
      completed(yield* execute(Step.fallback(get, Step.get(backup).pipe(Step.retryAt(4000)))))
      assert.deepStrictEqual(yield* sent, ["api 0", "backup 4000"])
    })
  )

  it.effect("of a fallback does not outlast onFailureTimeout", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.on(url, { status: 500 }))
      const step = get.pipe(
        Step.fallback(Step.get(backup).pipe(Step.retryAt(4000))),
        Step.onFailureTimeout("3 seconds")
      )
      failed(yield* execute(step), "DeadlineExceeded")
      assert.deepStrictEqual(yield* sent, ["api 0"])
    })
  )
})
