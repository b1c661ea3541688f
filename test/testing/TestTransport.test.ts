import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import { InvalidResponse } from "../../src/step/Failure.ts"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import { TestTransport } from "../../src/testing/TestTransport.ts"

const order = Step.post("https://shop.example/orders").pipe(
  Step.frugal(),
  Step.retryPolicy({ maxRetries: 2, base: "1 second" })
)

const racing = order.pipe(Step.regions(["iad", "lax", "ord"]))

/** One exchange of its own, for tests about the transport alone. */
const send = (region?: string) =>
  Effect.flatMap(TestTransport, ({ exchanging }) =>
    exchanging.send({ request: order.request, region, step: order, timeoutMillis: 30_000 })
  )

describe("TestTransport", () => {
  it.effect("lets a test meet each exchange and answer it", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const fiber = yield* Effect.forkChild(EZThrottle.execute(order))
      const first = yield* wire.next
      assert.strictEqual(first.exchange.request.url, "https://shop.example/orders")
      yield* first.reply({ status: 429, headers: { "Retry-After": "3" } })
      yield* TestClock.adjust("2999 millis")
      assert.isTrue(yield* wire.idle)
      yield* TestClock.adjust("1 millis")
      yield* (yield* wire.next).reply({ status: 201, body: { id: 7 } })
      const done = yield* Fiber.join(fiber)
      assert.isTrue(done._tag === "Completed" && done.response.status === 201)
      if (done._tag === "Completed") {
        assert.deepStrictEqual(yield* Reply.json(done.response), { id: 7 })
        assert.strictEqual(done.response.headers["content-type"], "application/json")
      }
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("meets the call first or is there first, both work", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const waiting = yield* Effect.forkChild(wire.next)
      const sent = yield* Effect.forkChild(send())
      yield* (yield* Fiber.join(waiting)).reply({ status: 204 })
      assert.strictEqual((yield* Fiber.join(sent)).status, 204)
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("is idle exactly while no call waits for the test", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      assert.isTrue(yield* wire.idle)
      yield* Effect.forkChild(EZThrottle.execute(order))
      assert.isFalse(yield* wire.idle)
      const met = yield* wire.next
      assert.isFalse(yield* wire.idle)
      yield* met.reply({ status: 503 })
      assert.isTrue(yield* wire.idle)
      yield* TestClock.adjust("1 second")
      assert.isFalse(yield* wire.idle)
      yield* (yield* wire.next).hang
      assert.isTrue(yield* wire.idle)
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("tells the losers of a race from its winner", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const fiber = yield* Effect.forkChild(EZThrottle.execute(racing))
      const slow = yield* wire.nextIn("iad")
      const fast = yield* wire.nextIn("ord")
      assert.isFalse(yield* slow.isInterrupted)
      yield* fast.reply({ status: 200 })
      assert.isTrue(yield* slow.isInterrupted)
      assert.isFalse(yield* fast.isInterrupted)
      const done = yield* Fiber.join(fiber)
      assert.isTrue(done._tag === "Completed" && done.region === "ord")
      assert.isTrue(yield* wire.idle)
      assert.deepStrictEqual(
        (yield* wire.exchanges).map(({ asked, ending }) => [asked.region, ending._tag]),
        [
          ["iad", "Interrupted"],
          ["lax", "Interrupted"],
          ["ord", "Answered"]
        ]
      )
    }).pipe(Effect.provide(TestTransport.layerWith({ regions: ["iad", "lax", "ord"] })))
  )

  it.effect("fails a call in the ways a network does", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const ways = ["refused", "reset", "InvalidResponse"]
      const kinds: Array<string> = []
      for (const way of ways) {
        const fiber = yield* Effect.forkChild(Effect.flip(send()))
        const met = yield* wire.next
        yield* way === "refused"
          ? met.refuse
          : way === "reset"
            ? met.reset
            : met.fail(new InvalidResponse({ received: "half of it" }))
        const { reason } = yield* Fiber.join(fiber)
        kinds.push(reason._tag === "ConnectionFailed" ? reason.kind : reason._tag)
      }
      assert.deepStrictEqual(kinds, ways)
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("leaves a hanging call to the limits of the program", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const once = order.pipe(Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 }), Step.localTimeout("5 seconds"))
      const fiber = yield* Effect.forkChild(EZThrottle.execute(once))
      const met = yield* wire.next
      yield* met.hang
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(yield* met.isInterrupted)
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Accepted")
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("records each exchange with the times of the virtual clock", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      yield* TestClock.adjust("1 minute")
      const fiber = yield* Effect.forkChild(send("iad"))
      const met = yield* wire.next
      assert.deepStrictEqual((yield* wire.exchanges)[0]?.ending, { _tag: "Waiting" })
      yield* TestClock.adjust("10 millis")
      yield* met.reply({ status: 200, headers: { "X-A": "1" }, body: "ok" })
      const reply = yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* wire.exchanges, [
        { asked: met.exchange, at: 60_000, ending: { _tag: "Answered", at: 60_010, reply } }
      ])
      assert.deepStrictEqual(reply, Reply.response(200, { "x-a": "1" }, "ok"))
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("refuses to answer a call twice, or one that was given up", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      yield* Effect.forkChild(send())
      const met = yield* wire.next
      yield* met.reply({ status: 200 })
      assert.include(Cause.pretty(yield* Effect.sandbox(met.refuse).pipe(Effect.flip)), "already")
      const fiber = yield* Effect.forkChild(send())
      const lost = yield* wire.next
      yield* Fiber.interrupt(fiber)
      assert.include(Cause.pretty(yield* Effect.sandbox(lost.refuse).pipe(Effect.flip)), "gave this call up")
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("does not hand out calls that were given up before the test met them", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const fiber = yield* Effect.forkChild(send("iad"))
      assert.isFalse(yield* wire.idle)
      yield* Fiber.interrupt(fiber)
      yield* Effect.forkChild(send("lax"))
      assert.strictEqual((yield* wire.next).exchange.region, "lax")
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("hands FRUGAL failures and PERFORMANCE steps to the fake service by itself", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const service = yield* FakeService
      const handed = yield* EZThrottle.execute(Step.performance(order))
      assert.strictEqual(handed._tag, "Accepted")
      const once = order.pipe(Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 }), Step.idempotentKey("order-1"))
      const fiber = yield* Effect.forkChild(EZThrottle.execute(once))
      yield* (yield* wire.next).reply({ status: 500 })
      const forwarded = yield* Fiber.join(fiber)
      assert.isTrue(forwarded._tag === "Accepted" && forwarded.key === "order-1")
      assert.deepStrictEqual(
        (yield* service.jobs).map(({ jobId, key }) => [jobId, key.length > 20 ? "hash" : key]),
        [
          ["job-1", "hash"],
          ["job-2", "order-1"]
        ]
      )
    }).pipe(Effect.provide(TestTransport.layer))
  )

  it.effect("lets the test take handed-over steps itself when asked to", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const fiber = yield* Effect.forkChild(EZThrottle.execute(Step.performance(order)))
      assert.isFalse(yield* wire.idle)
      yield* (yield* wire.nextDelegation).disconnect
      yield* TestClock.adjust("1 minute")
      const again = yield* wire.nextDelegation
      assert.strictEqual(again.delegation.step.request.url, order.request.url)
      yield* again.reply({ jobId: "j", duplicate: true, status: "running" })
      const done = yield* Fiber.join(fiber)
      assert.isTrue(done._tag === "Accepted" && done.duplicate && done.status === "running")
      assert.strictEqual((yield* (yield* FakeService).jobs).length, 0)
      assert.deepStrictEqual(
        (yield* wire.delegations).map(({ ending }) => ending._tag),
        ["Failed", "Answered"]
      )
    }).pipe(Effect.provide(TestTransport.layerWith({ delegations: "met" })))
  )

  it.effect("denies and rate limits on request", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      const run = Effect.forkChild(Effect.flip(EZThrottle.execute(Step.performance(order))))
      const denied = yield* run
      yield* (yield* wire.nextDelegation).deny
      assert.strictEqual((yield* Fiber.join(denied)).reason._tag, "ServiceDenied")
      const limited = yield* run
      yield* (yield* wire.nextDelegation).rateLimit(5000)
      const { reason } = yield* Fiber.join(limited)
      assert.isTrue(reason._tag === "ServiceRateLimited" && reason.retryAt === 5000)
    }).pipe(Effect.provide(TestTransport.layerWith({ delegations: "met" })))
  )

  it.effect("tells what happened instead of waiting for ever for a call that does not come", () =>
    Effect.gen(function* () {
      const wire = yield* TestTransport
      yield* Effect.forkChild(send("iad"))
      yield* wire.idle
      yield* (yield* wire.next).reply({ status: 204 })
      const exit = yield* Effect.exit(wire.next)
      assert.isTrue(Exit.isFailure(exit))
      if (Exit.isFailure(exit)) {
        assert.include(Cause.pretty(exit.cause), "POST https://shop.example/orders in iad at 0 ms: 204 at 0 ms")
      }
    }).pipe(Effect.provide(TestTransport.layerWith({ patience: 0 })))
  )
})
