import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Step from "../../src/step/Step.ts"
import * as Script from "../../src/testing/Script.ts"
import { hook, lines, ok, setUp, toEnd, url } from "./support.ts"

const get = Step.get(url)
const post = (n: number) => Step.post(url, { body: `order ${n}` })

describe("a dam that is stopped and started again over the same store", () => {
  it.effect("runs what was running again, under the same id, key and history, with a higher epoch", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.inTurn({ status: 503, headers: { "Retry-After": "1" } }, Script.hang, ok))
      const dam = yield* setUp({ target })
      const id = yield* dam.submit(Step.retryPolicy(post(1), { maxRetries: 1 }))
      yield* TestClock.adjust("5 seconds")
      yield* dam.stop
      assert.deepInclude(yield* dam.get(id), { state: "running", epoch: 1 })
      yield* dam.begin()
      yield* TestClock.adjust("2 seconds")
      const job = yield* dam.get(id)
      assert.deepInclude(job, { state: "succeeded", epoch: 2 })
      assert.deepStrictEqual(lines(job), ["0 start 503", "0 retry interrupted", "0 retry 200"])
      const keys = (yield* dam.exchanges).map(({ asked }) => asked.request.headers["Idempotency-Key"])
      assert.deepStrictEqual(keys, [id, id, id])
    })
  )

  it.effect("loses nothing and makes no call twice but those in flight, however often it is stopped", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.later("300 millis", ok))
      const dam = yield* setUp({ target, pacing: { pace: { rps: 20, maxConcurrent: 4 } } })
      const ids: Array<string> = []
      for (let n = 0; n < 200; n++) ids.push(yield* dam.submit(post(n).pipe(Step.webhooks([{ url: hook }]))))
      let running = { stop: dam.stop }
      let inFlight = 0
      for (let stops = 0; stops < 8; stops++) {
        yield* TestClock.adjust(1000 + stops * 137)
        const before = (yield* dam.exchanges).filter(({ ending }) => ending._tag === "Waiting").length
        yield* running.stop
        inFlight += before
        running = yield* dam.begin()
      }
      yield* TestClock.adjust("2 minutes")
      assert.deepInclude((yield* dam.store.stats).jobs, { succeeded: 200, running: 0, queued: 0 })
      const calls = yield* dam.exchanges
      assert.isAbove(inFlight, 0)
      assert.isAtMost(calls.length, 200 + inFlight)
      for (const id of ids) assert.strictEqual((yield* dam.get(id)).deliveryState, "delivered")
      yield* running.stop
    })
  )

  it.effect("keeps what is parked and scheduled to its time", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.on(`${url}parked`, Script.inTurn({ status: 503, headers: { "Retry-After": "600" } }, ok)),
        Script.always(ok)
      )
      const dam = yield* setUp({ target })
      const parked = yield* dam.submit(Step.get(`${url}parked`))
      const scheduled = yield* dam.submit(Step.get("https://other.example/").pipe(Step.retryAt(900_000)))
      yield* TestClock.adjust("10 seconds")
      yield* dam.stop
      yield* TestClock.adjust("60 seconds")
      const { stop } = yield* dam.begin()
      yield* TestClock.adjust("20 minutes")
      assert.strictEqual((yield* dam.get(parked)).history[1]?.at, 600_000)
      assert.strictEqual((yield* dam.get(scheduled)).history[0]?.at, 900_000)
      yield* stop
    })
  )

  it.effect("goes on telling results on their schedule", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        receivers: Script.always(Script.inTurn({ status: 500 }, { status: 500 }, { status: 200 }))
      })
      const id = yield* dam.submit(Step.webhooks(get, [{ url: hook }]))
      yield* TestClock.adjust("10 seconds")
      yield* dam.stop
      assert.lengthOf(yield* dam.told, 2)
      yield* TestClock.adjust("1 hour")
      const { stop } = yield* dam.begin()
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* dam.told, 3)
      assert.strictEqual((yield* dam.get(id)).deliveryState, "delivered")
      yield* stop
    })
  )

  it.effect("finishes what is in flight first, where it is given time", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.later("3 seconds", ok))
      const dam = yield* setUp({
        target,
        drain: Duration.seconds(10),
        pacing: { pace: { rps: 100, maxConcurrent: 1 } }
      })
      const first = yield* dam.submit(post(1))
      const second = yield* dam.submit(post(2))
      yield* TestClock.adjust("1 second")
      const stopping = yield* Effect.forkChild(dam.stop)
      yield* TestClock.adjust("3 seconds")
      assert.isDefined(stopping.pollUnsafe())
      assert.strictEqual((yield* dam.get(first)).state, "succeeded")
      assert.strictEqual((yield* dam.get(second)).state, "queued")
      assert.lengthOf(yield* dam.exchanges, 1)
    })
  )

  it.effect("counts the time for that from when it began to leave, and starts nothing meanwhile", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.hang), drain: Duration.seconds(10) })
      yield* dam.submit(post(1))
      yield* TestClock.adjust("1 second")
      yield* dam.engine.leave
      const late = yield* dam.submit(post(2))
      yield* TestClock.adjust("6 seconds")
      const stopping = yield* Effect.forkChild(dam.stop)
      yield* TestClock.adjust("3 seconds")
      assert.isUndefined(stopping.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      assert.isDefined(stopping.pollUnsafe())
      assert.strictEqual((yield* dam.get(late)).state, "queued")
      assert.lengthOf(yield* dam.exchanges, 1)
    })
  )

  it.effect("stops in the end though something hangs, and takes it up at the next start", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.inTurn(Script.hang, ok)), drain: Duration.seconds(10) })
      const id = yield* dam.submit(post(1))
      yield* TestClock.adjust("1 second")
      const stopping = yield* Effect.forkChild(dam.stop)
      yield* TestClock.adjust("9 seconds")
      assert.isUndefined(stopping.pollUnsafe())
      yield* TestClock.adjust("2 seconds")
      assert.isDefined(stopping.pollUnsafe())
      assert.deepStrictEqual(lines(yield* dam.get(id)), ["0 start interrupted"])
      const { stop } = yield* dam.begin()
      assert.strictEqual((yield* toEnd(dam.get(id))).state, "succeeded")
      yield* stop
    })
  )
})
