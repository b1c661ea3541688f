import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Interpreter from "../../src/run/Interpreter.ts"
import * as Telemetry from "../../src/run/Telemetry.ts"
import { ConnectionFailed, TransportError } from "../../src/step/Failure.ts"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import * as Direct from "../../src/transport/Direct.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"
import { completed, ending, failed, toEnd, url } from "./support.ts"

const get = Step.get(url).pipe(Step.frugal())

/** A transport whose exchanges are begun, and what became of them. */
const begun = (begin: (nth: number, done: Parameters<Direct.Begin>[2]) => void, facts: Partial<Exchanging> = {}) => {
  const seen = { begun: 0, stopped: 0, sent: 0 }
  const transport: Exchanging = {
    kind: "exchanging",
    regions: Direct.nowhere,
    send: () =>
      Effect.sync(() => {
        seen.sent++
        return Reply.response(200)
      }),
    ...facts
  }
  const strategies = Strategies.only(
    Direct.begunBy(transport, (_, __, done) => {
      begin(++seen.begun, done)
      return () => void seen.stopped++
    })
  )
  return { seen, run: (step = get) => Interpreter.run(step, strategies) }
}

const answer = (status: number) => Exit.succeed(Reply.response(status))

const counted = <A, E, R>(metric: Metric.Counter<number>, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const before = (yield* Metric.value(metric)).count
    yield* effect
    return (yield* Metric.value(metric)).count - before
  })

describe("a step whose call is begun without a fiber", () => {
  it.effect("ends with its answer, and is counted once", () =>
    Effect.gen(function* () {
      const { run, seen } = begun((_, done) => done(answer(204)))
      const steps = yield* counted(Telemetry.metrics.steps.Completed, run())
      assert.strictEqual(steps, 1)
      const { history, response } = completed(yield* ending(run()))
      assert.strictEqual(response.status, 204)
      assert.lengthOf(history, 1)
      assert.deepStrictEqual(seen, { begun: 2, stopped: 0, sent: 0 })
    })
  )

  it.effect("hears its transport once, also where that goes on after it was stopped", () =>
    Effect.gen(function* () {
      let tell: () => void = () => undefined
      const { run } = begun((_, done) => {
        tell = () => done(answer(200))
      })
      const steps = yield* counted(
        Telemetry.metrics.steps.Completed,
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(run(), { startImmediately: true })
          yield* Fiber.interrupt(fiber)
          tell()
          tell()
        })
      )
      assert.strictEqual(steps, 0)
    })
  )

  it.effect("stops its call when it is interrupted, and counts the attempt as interrupted", () =>
    Effect.gen(function* () {
      const { run, seen } = begun(() => undefined)
      const metric = Telemetry.metrics.attempts("start", "Interrupted")
      assert.isDefined(metric)
      if (metric === undefined) return
      const attempts = yield* counted(
        metric,
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(run(), { startImmediately: true })
          yield* Fiber.interrupt(fiber)
          assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
        })
      )
      assert.strictEqual(attempts, 1)
      assert.deepStrictEqual(seen, { begun: 1, stopped: 1, sent: 0 })
    })
  )

  it.effect("goes on where its answer leads, and what is interrupted there does not stop the call again", () =>
    Effect.gen(function* () {
      const led = begun((_, done) => done(answer(302), answer(201)))
      assert.strictEqual(completed(yield* ending(led.run())).response.status, 201)
      const { run, seen } = begun((_, done) => done(answer(302), Effect.never))
      const fiber = yield* Effect.forkChild(run(), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(seen, { begun: 1, stopped: 0, sent: 0 })
    })
  )

  it.effect("is the interpreter's from its first failure on", () =>
    Effect.gen(function* () {
      const refused = new TransportError({
        reason: new ConnectionFailed({ kind: "refused", detail: "nobody is there" })
      })
      const { run, seen } = begun((_, done) => done(Exit.fail(refused)))
      const retried = yield* toEnd(ending(run(get.pipe(Step.retryPolicy({ maxRetries: 1 })))))
      assert.strictEqual(completed(retried).history.length, 2)
      assert.deepStrictEqual(seen, { begun: 1, stopped: 0, sent: 1 })
      assert.strictEqual(failed(yield* ending(run()), "ConnectionFailed").history.length, 1)
    })
  )

  it.effect("is sent in a fiber where a transport paces, tells regions apart or has another send around it", () =>
    Effect.gen(function* () {
      const { run, seen } = begun((_, done) => done(answer(200)), { inTurn: (_, exchange) => exchange })
      yield* run()
      assert.deepStrictEqual(seen, { begun: 0, stopped: 0, sent: 1 })
      const placed = begun((_, done) => done(answer(200)), { regions: Effect.succeed(["iad"]) })
      yield* placed.run()
      assert.deepStrictEqual(placed.seen, { begun: 0, stopped: 0, sent: 1 })
    })
  )
})
