import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { Step as PromiseStep, StepType } from "../../src/promise.ts"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import * as Step from "../../src/step/Step.ts"
import * as Faults from "../../src/testing/Faults.ts"
import * as Script from "../../src/testing/Script.ts"
import { createTestClient } from "../../src/testing/TestClient.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"

const url = "https://api.example/orders"
const get = Step.get(url)
const exchange = { request: get.request, region: undefined, step: get, timeoutMillis: 30_000 }
const ok = Script.always({ status: 200 })

/** What became of so many calls, one after the other. */
const fates = (transport: Exchanging, count: number) =>
  Effect.forEach(Array.from({ length: count }), () =>
    transport.send(exchange).pipe(
      Effect.map(({ status }): number | string => status),
      Effect.catchTag("TransportError", ({ reason }) =>
        Effect.succeed(reason._tag === "ConnectionFailed" ? reason.kind : reason._tag)
      )
    )
  )

const counted = (fates: ReadonlyArray<number | string>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const fate of fates) counts[fate] = (counts[fate] ?? 0) + 1
  return counts
}

const day: ReadonlyArray<Faults.Fault> = [
  Faults.refused(0.1),
  Faults.lost(0.2),
  Faults.instead(0.3, { status: 503 }),
  Faults.slow(0.1, "2 seconds")
]

describe("Faults", () => {
  it.effect("meet their share of the calls, and no call meets two", () =>
    Effect.gen(function* () {
      const target = yield* Script.make(ok)
      const transport = yield* Faults.over(target, { faults: day, seed: "share" })
      const fiber = yield* Effect.forkChild(fates(transport, 2000))
      yield* TestClock.adjust("1 hour")
      const counts = counted(yield* Fiber.join(fiber))
      assert.approximately(counts["refused"] ?? 0, 200, 45)
      assert.approximately(counts["reset"] ?? 0, 400, 60)
      assert.approximately(counts["503"] ?? 0, 600, 70)
      assert.approximately(counts["200"] ?? 0, 800, 75)
      // what is lost on the way back was seen, what is refused was not
      const seen = (yield* target.exchanges).length
      assert.strictEqual(seen, (counts["200"] ?? 0) + (counts["reset"] ?? 0))
    })
  )

  it.effect("are the same for the same seed, and others for another", () =>
    Effect.gen(function* () {
      const run = (seed: string | number) =>
        Effect.gen(function* () {
          const transport = yield* Faults.over(Script.make(ok), { faults: day.slice(0, 3), seed })
          return yield* fates(transport, 50)
        })
      const first = yield* run(7)
      assert.deepStrictEqual(yield* run(7), first)
      assert.notDeepEqual(yield* run(8), first)
    })
  )

  it.effect("slow an answer down by the clock, after the target has seen the call", () =>
    Effect.gen(function* () {
      const target = yield* Script.make(ok)
      const transport = yield* Faults.over(target, { faults: [Faults.slow(1, "2 seconds")] })
      const fiber = yield* Effect.forkChild(Effect.andThen(transport.send(exchange), Clock.currentTimeMillis))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* target.exchanges).length, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(fiber), 2000)
    })
  )

  it.effect("leave calls alone that they are not about", () =>
    Effect.gen(function* () {
      const transport = yield* Faults.over(Script.make(ok), {
        faults: [Faults.refused(1)],
        calls: ({ request }) => request.method !== "GET"
      })
      assert.deepStrictEqual(yield* fates(transport, 3), [200, 200, 200])
    })
  )

  it.effect("of a share that is none, or of more than all calls, are a defect", () =>
    Effect.gen(function* () {
      const said = (faults: ReadonlyArray<Faults.Fault>) =>
        Effect.map(Effect.exit(Faults.over(Script.make(ok), { faults })), (exit) =>
          Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "made"
        )
      assert.include(yield* said([Faults.refused(-0.1)]), "from 0 to 1, not -0.1")
      assert.include(yield* said([Faults.refused(Number.NaN)]), "from 0 to 1, not NaN")
      assert.include(yield* said([Faults.refused(0.6), Faults.lost(0.6)]), "together are at most 1, not 1.2")
      assert.strictEqual(yield* said(Array.from({ length: 10 }, () => Faults.hung(0.1))), "made")
    })
  )

  it.effect("stand before a script, whose record has every call", () =>
    Effect.gen(function* () {
      const step = get.pipe(Step.frugal(), Step.retryPolicy({ maxRetries: 3, retryCodes: [503] }))
      const fiber = yield* Effect.forkChild(EZThrottle.execute(step))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "Accepted")
      const sent = yield* Effect.flatMap(Script.Scripted, ({ exchanges }) => exchanges)
      assert.strictEqual(sent.length, 4)
    }).pipe(Effect.provide(Script.layer(ok, { faults: { faults: [Faults.instead(1, { status: 503 })] } })))
  )

  it.effect("that a script does not have draw nothing", () =>
    Effect.gen(function* () {
      const drawn = Effect.gen(function* () {
        yield* (yield* Script.make(ok)).send(exchange)
        return yield* Random.next
      })
      const first = yield* Random.withSeed(Random.next, 7)
      assert.strictEqual(yield* Random.withSeed(drawn, 7), first)
    })
  )

  it("stand before the script of a client that promises", async () => {
    await using test = createTestClient({ script: ok, faults: { faults: [Faults.lost(0.5)], seed: 3 } })
    const result = new PromiseStep(test.client).url(url).type(StepType.FRUGAL).retryPolicy({ max_retries: 9 }).execute()
    await test.clock.adjust("1 hour")
    assert.strictEqual((await result).status, "success")
    assert.isAbove((await test.exchanges()).length, 1)
  })
})
