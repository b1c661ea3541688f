import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Paced from "../../src/paced/Paced.ts"
import * as EZThrottle from "../../src/run/EZThrottle.ts"
import { response, type Response } from "../../src/step/ReplyModel.ts"
import * as Step from "../../src/step/Step.ts"
import type { Step as StepValue } from "../../src/step/StepModel.ts"
import { FakeService } from "../../src/testing/FakeService.ts"
import type { Exchange, Exchanging } from "../../src/transport/HttpTransport.ts"
import { HttpTransport } from "../../src/transport/HttpTransport.ts"
import * as Strategies from "../../src/transport/Strategies.ts"

const millis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** An upstream that answers after a while, and notes when it was called. */
const upstream = (answer: (nth: number, exchange: Exchange, now: number) => Response, takes = 20) => {
  const at: Array<number> = []
  const transport: Exchanging = {
    kind: "exchanging",
    regions: Effect.succeed([]),
    send: (exchange) =>
      Effect.gen(function* () {
        const now = yield* millis
        const nth = at.push(now)
        yield* Effect.sleep(takes)
        return answer(nth, exchange, now)
      })
  }
  return { at, transport }
}

const clientOf = Effect.fnUntraced(function* (transport: Exchanging) {
  const service = yield* FakeService.make()
  return EZThrottle.make(Strategies.client(transport, service.transport), service)
})

const url = "https://api.example.com/things"

const patient: StepValue = Step.get(url).pipe(Step.frugal(), Step.retryPolicy({ maxRetries: 5 }))

const turn = Effect.fnUntraced(function* (seconds: number) {
  for (let n = 0; n < seconds * 100; n++) yield* TestClock.adjust(10)
})

describe("Paced", () => {
  it.effect("stops the siblings of a call that is refused", () =>
    Effect.gen(function* () {
      // ten calls in ten seconds
      const { at, transport } = upstream((_, __, now) => {
        const inWindow = at.filter((one) => Math.floor(one / 10_000) === Math.floor(now / 10_000)).length
        if (inWindow <= 10) return response(200)
        return response(429, { "retry-after": String(Math.ceil(10 - (now % 10_000) / 1000)) })
      })
      const refusals = (client: EZThrottle.EZThrottle["Service"]) =>
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(
            Effect.all(
              Array.from({ length: 40 }, () => Effect.result(client.execute(patient))),
              { concurrency: "unbounded" }
            )
          )
          yield* turn(90)
          const ended = yield* Fiber.join(fiber)
          const sent = at.length
          at.length = 0
          return { sent, done: ended.filter(({ _tag }) => _tag === "Success").length }
        })
      const bare = yield* refusals(yield* clientOf(transport))
      const paced = yield* refusals(yield* clientOf(Paced.make(transport)))
      assert.isAbove(bare.sent, 100)
      assert.strictEqual(paced.done, 40)
      assert.isAtMost(paced.sent, 40 + 6)
    })
  )

  it.effect("sends one more call at most after the first refusal", () =>
    Effect.gen(function* () {
      const { at, transport } = upstream((nth) =>
        response(nth === 1 ? 429 : 200, nth === 1 ? { "retry-after": "5" } : {})
      )
      const client = yield* clientOf(Paced.make(transport, { pace: { rps: 20, maxConcurrent: 5 } }))
      const fiber = yield* Effect.forkChild(
        Effect.all(
          Array.from({ length: 40 }, () => client.execute(patient)),
          { concurrency: "unbounded" }
        )
      )
      yield* turn(4.9)
      assert.isAtMost(at.length, 2)
      yield* turn(20)
      assert.strictEqual((yield* Fiber.join(fiber)).length, 40)
      assert.isAtMost(at.length, 42)
    })
  )

  it.effect("does not wait for a lane that is held for longer than an attempt may take", () =>
    Effect.gen(function* () {
      const { at, transport } = upstream(() => response(429, { "retry-after": "600" }))
      const client = yield* clientOf(Paced.make(transport))
      const step = Step.get(url).pipe(Step.frugal(), Step.retryPolicy(), Step.fallbackOnError([599]))
      const fiber = yield* Effect.forkChild(
        Effect.all(
          [1, 2, 3].map(() => Effect.flip(client.execute(step))),
          { concurrency: 3 }
        )
      )
      yield* turn(2)
      const errors = yield* Fiber.join(fiber)
      assert.isAtMost(at.length, 2)
      for (const { reason } of errors) {
        assert.isTrue(reason._tag === "Rejected" && reason.status === 429 && (reason.retryAfter ?? 0) > 590_000)
      }
    })
  )

  it.effect("counts no wait for a turn as the time of an attempt", () =>
    Effect.gen(function* () {
      const { transport } = upstream(() => response(200), 900)
      const client = yield* clientOf(Paced.make(transport, { pace: { rps: 10, maxConcurrent: 1 } }))
      const step = Step.get(url).pipe(Step.frugal(), Step.localTimeout("1 second"))
      const fiber = yield* Effect.forkChild(
        Effect.all(
          [1, 2, 3].map(() => client.execute(step)),
          { concurrency: 3 }
        )
      )
      yield* turn(4)
      for (const outcome of yield* Fiber.join(fiber)) {
        assert.isAtMost(outcome.history[0]?.latency ?? Infinity, 950)
      }
    })
  )

  it.effect("keeps the limit of an attempt for a transport that keeps none, and gives the permit back", () =>
    Effect.gen(function* () {
      const { at, transport } = upstream(() => response(200), 5000)
      const client = yield* clientOf(Paced.make(transport, { pace: { rps: 10, maxConcurrent: 1 } }))
      const step = Step.get(url).pipe(Step.frugal(), Step.localTimeout("1 second"), Step.fallbackOnError([599]))
      const fiber = yield* Effect.forkChild(
        Effect.all(
          [1, 2].map(() => Effect.result(client.execute(step))),
          { concurrency: 2 }
        )
      )
      yield* turn(3)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(
        at.map((time) => Math.round(time / 1000)),
        [0, 1]
      )
    })
  )

  it.effect("understands a refusal that says 200, as the preset of its host does", () =>
    Effect.gen(function* () {
      const { at, transport } = upstream((nth) =>
        nth === 1
          ? response(200, { "retry-after": "3" }, '{"ok":false,"error":"ratelimited"}')
          : response(200, {}, '{"ok":true}')
      )
      const client = yield* clientOf(Paced.make(transport))
      const step = Step.post("https://slack.com/api/chat.postMessage").pipe(Step.frugal(), Step.retryPolicy())
      const fiber = yield* Effect.forkChild(client.execute(step))
      yield* turn(5)
      const outcome = yield* Fiber.join(fiber)
      assert.strictEqual(outcome._tag === "Completed" && outcome.history.length, 2)
      assert.isAtLeast(at[1] ?? 0, 3000)
      at.length = 0
      const plain = yield* clientOf(Paced.make(transport, { presets: false }))
      const second = yield* Effect.forkChild(plain.execute(step))
      yield* turn(5)
      yield* Fiber.join(second)
      assert.strictEqual(at.length, 1)
    })
  )

  it.effect("keeps accounts of one host apart where its limits belong to them, or where it is told how", () =>
    Effect.gen(function* () {
      const { at, transport } = upstream(() => response(200), 1000)
      const one = { rps: 10, maxConcurrent: 1 }
      const openAi = (key: string) =>
        Step.get("https://api.openai.com/v1/models").pipe(Step.frugal(), Step.header("authorization", key))
      const client = yield* clientOf(Paced.make(transport, { pace: one }))
      yield* Effect.forkChild(
        Effect.all(
          ["a", "b", "a"].map((key) => client.execute(openAi(key))),
          { concurrency: 3 }
        )
      )
      yield* turn(0.5)
      assert.strictEqual(at.length, 2)
      yield* turn(2)
      at.length = 0
      const own = yield* clientOf(Paced.make(transport, { pace: one, laneOf: ({ method }) => method }))
      const steps = [Step.get(url), Step.get("https://other.example/"), Step.delete(url)]
      yield* Effect.forkChild(
        Effect.all(
          steps.map((step) => own.execute(Step.frugal(step))),
          { concurrency: 3 }
        )
      )
      yield* turn(0.5)
      assert.strictEqual(at.length, 2)
    })
  )

  it.effect("paces single hosts as they are told", () =>
    Effect.gen(function* () {
      const { at, transport } = upstream(() => response(200), 1)
      const client = yield* clientOf(Paced.make(transport, { hosts: { "api.example.com": { rps: 1 } } }))
      yield* Effect.forkChild(
        Effect.all(
          [1, 2, 3].map(() => client.execute(patient)),
          { concurrency: 3 }
        )
      )
      yield* turn(1.9)
      assert.strictEqual(at.length, 3)
      assert.isAtLeast((at[2] ?? 0) - (at[0] ?? 0), 1000)
    })
  )

  it.effect("keeps limits that steps draw on, where it knows them", () =>
    Effect.gen(function* () {
      const { at, transport } = upstream(() => response(200, {}, '{"usage":{"total_tokens":30}}'), 1)
      const step = patient.pipe(Step.limit("tokens", { cost: 10 }))
      const limits = { tokens: { rate: 10, burst: 20, settle: { json: "usage.total_tokens" } } }
      const client = yield* clientOf(Paced.make(transport, { limits }))
      const fiber = yield* Effect.forkChild(Effect.all([1, 2].map(() => client.execute(step))))
      yield* turn(1.9)
      assert.strictEqual(at.length, 1)
      yield* turn(1)
      assert.strictEqual((yield* Fiber.join(fiber)).length, 2)
      const refused = yield* Effect.flip((yield* clientOf(Paced.make(transport))).execute(step))
      assert.strictEqual(refused.reason._tag, "LimitsNotKept")
    })
  )

  it.effect("is a layer over the transport of the surroundings, and passes on one that hands steps over", () =>
    Effect.gen(function* () {
      const { transport } = upstream(() => response(200))
      const over = (inner: HttpTransport["Service"]) =>
        HttpTransport.pipe(Effect.provide(Paced.layer().pipe(Layer.provide(Layer.succeed(HttpTransport, inner)))))
      const paced = yield* over(transport)
      assert.isTrue(paced.kind === "exchanging" && paced.inTurn !== undefined)
      const service = yield* FakeService.make()
      assert.strictEqual(yield* over(service.transport), service.transport)
    })
  )

  it.effect("waits for a turn where it is called by hand, too, and frees the lane when it is interrupted", () =>
    Effect.gen(function* () {
      const { at, transport } = upstream(() => response(200), 1000)
      const paced = Paced.make(transport, { pace: { rps: 10, maxConcurrent: 1 } })
      const exchange: Exchange = { request: patient.request, region: undefined, step: patient, timeoutMillis: 30_000 }
      const first = yield* Effect.forkChild(paced.send(exchange))
      const second = yield* Effect.forkChild(paced.send(exchange))
      yield* turn(0.5)
      assert.strictEqual(at.length, 1)
      yield* Fiber.interrupt(first)
      yield* turn(1.2)
      assert.strictEqual((yield* Fiber.join(second)).status, 200)
    })
  )
})
