import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { busy, ok, setUp } from "../support.ts"

const ofKey = (key: string, n: number, onFailure?: "continue" | "stop") =>
  Step.post(`https://${n % 2 === 0 ? "one" : "two"}.example/${key}/${n}`).pipe(
    Step.inOrder(key, { onFailure }),
    Step.retryPolicy({ maxRetries: 2, retryCodes: [503] })
  )

type Dam = Effect.Success<ReturnType<typeof setUp>>

/** The paths that were called, in the order of their calls. */
const called = (dam: Dam) =>
  Effect.map(dam.exchanges, (calls) => calls.map(({ asked }) => new URL(asked.request.url).pathname))

const states = (dam: Dam, ids: ReadonlyArray<string>) =>
  Effect.map(Effect.forEach(ids, dam.get), (jobs) => jobs.map(({ state }) => state))

describe("an order", () => {
  it.effect("runs the jobs of its key one at a time, over hosts, while others go their ways", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.later("10 seconds", ok)) })
      const ids: Array<string> = []
      for (const n of [0, 1, 2]) ids.push(yield* dam.submit(ofKey("a", n)))
      const other = yield* dam.submit(ofKey("b", 0))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* states(dam, [...ids, other]), ["running", "scheduled", "scheduled", "running"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* states(dam, [...ids, other]), ["succeeded", "running", "scheduled", "succeeded"])
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(yield* states(dam, ids), ["succeeded", "succeeded", "succeeded"])
      assert.deepStrictEqual(yield* called(dam), ["/a/0", "/b/0", "/a/1", "/a/2"])
    })
  )

  it.effect("holds over retries and a job that has to wait for its time", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on("https://one.example/a/0", Script.inTurn(busy, ok)), Script.always(ok))
      const dam = yield* setUp({ target })
      yield* dam.submit(ofKey("a", 0))
      const late = yield* dam.submit(ofKey("a", 1).pipe(Step.retryAt(60_000)))
      const last = yield* dam.submit(ofKey("a", 2))
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(yield* called(dam), ["/a/0", "/a/0"])
      assert.deepStrictEqual(yield* states(dam, [late, last]), ["scheduled", "scheduled"])
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* called(dam), ["/a/0", "/a/0", "/a/1", "/a/2"])
    })
  )

  it.effect("lets the next one go when the one in front is cancelled or fails; a rerun goes to the end", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on("https://two.example/a/1", { status: 400 }), Script.always(ok))
      const dam = yield* setUp({ target })
      const first = yield* dam.submit(ofKey("a", 0).pipe(Step.retryAt(60_000)))
      const [second, third] = [
        yield* dam.submit(ofKey("a", 1)),
        yield* dam.submit(ofKey("a", 2).pipe(Step.retryAt(90_000)))
      ]
      yield* dam.engine.cancel(yield* dam.get(first))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* states(dam, [second, third]), ["failed", "scheduled"])
      const again = yield* dam.engine.rerun(yield* dam.get(second))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(again.id)).state, "scheduled")
      yield* TestClock.adjust("90 seconds")
      assert.deepStrictEqual(yield* called(dam), ["/a/1", "/a/2", "/a/1"])
    })
  )

  it.effect("that a failure stops goes on when somebody says so, over a restart too", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on("https://one.example/a/0", { status: 400 }), Script.always(ok))
      const dam = yield* setUp({ target })
      const ids: Array<string> = []
      for (const n of [0, 1, 2]) ids.push(yield* dam.submit(ofKey("a", n, "stop")))
      yield* TestClock.adjust("1 minute")
      const line = { key: "a", jobs: 2, first: ids[1] }
      assert.deepStrictEqual(yield* dam.store.order("local", "a"), { ...line, stopped: { jobId: ids[0]!, at: 0 } })
      yield* dam.stop
      const { engine, stop } = yield* dam.begin()
      ids.push(yield* dam.submit(ofKey("a", 3)))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* states(dam, ids), ["failed", "scheduled", "scheduled", "scheduled"])
      assert.isTrue(yield* engine.orders.resume("local", "a"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* states(dam, ids), ["failed", "succeeded", "succeeded", "succeeded"])
      assert.isFalse(yield* engine.orders.resume("local", "a"))
      assert.isUndefined(yield* dam.store.order("local", "a"))
      yield* stop
    })
  )

  it.effect("is stopped neither by one that expired nor by one that was out of time before its first call", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const ids = [
        yield* dam.submit(ofKey("a", 0, "stop").pipe(Step.retryAt(10_000), Step.startBefore(5000))),
        yield* dam.submit(ofKey("a", 1, "stop").pipe(Step.onFailureTimeout("2 seconds"))),
        yield* dam.submit(ofKey("a", 2, "stop"))
      ]
      yield* TestClock.adjust("11 seconds")
      assert.deepStrictEqual(yield* states(dam, ids), ["failed", "failed", "succeeded"])
    })
  )

  it.effect("takes children of the same key behind all that stand there", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.submit(ofKey("a", 0).pipe(Step.onSuccess(ofKey("a", 8))))
      yield* dam.submit(ofKey("a", 1))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* called(dam), ["/a/0", "/a/1", "/a/8"])
      assert.strictEqual((yield* dam.get("child-1")).state, "succeeded")
    })
  )

  it.effect("says which job is in front, how many come before, and what has stopped it", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on("https://one.example/a/0", { status: 400 }), Script.always(ok))
      const dam = yield* setUp({ target })
      const ids: Array<string> = []
      for (const n of [0, 1, 2]) ids.push(yield* dam.submit(ofKey("a", n, "stop").pipe(Step.retryAt(5000))))
      const why = (id: string) => Effect.flatMap(dam.get(id), dam.engine.explain)
      const waits = (yield* why(ids[2]!)).reasons
      assert.deepStrictEqual(
        waits.map(({ details, kind }) => ({ kind, details })),
        [{ kind: "order", details: { key: "a", before: 2, job_id: ids[0]! } }]
      )
      assert.include(
        waits[0]?.message,
        `it is number 3 in the order of a, where one runs at a time; ${ids[0]} is in front`
      )
      yield* TestClock.adjust("6 seconds")
      const [stopped, ahead] = (yield* why(ids[2]!)).reasons
      assert.deepInclude(stopped?.details, { key: "a", stopped_by: ids[0]! })
      assert.deepInclude(ahead?.details, { before: 1, job_id: ids[1]! })
      const first = yield* why(ids[1]!)
      assert.strictEqual(first.reasons.length, 1)
      assert.include(first.reasons[0]?.message, `stopped when ${ids[0]} failed`)
    })
  )

  it.effect("cannot be overtaken by a job that somebody wants now", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.submit(ofKey("a", 0).pipe(Step.retryAt(60_000)))
      const behind = yield* dam.submit(ofKey("a", 1))
      const refusal = yield* Effect.flip(dam.engine.runNow(yield* dam.get(behind)))
      assert.include(refusal.message, "of its order")
      assert.deepStrictEqual(yield* states(dam, [behind]), ["scheduled"])
    })
  )

  it.effect("is kept over 200 crashes at any moment", () =>
    Effect.gen(function* () {
      const target = Script.always(
        Script.inTurn(ok, ...Array.from({ length: 6 }, (_, n) => Script.later(100 + n * 200, n === 3 ? busy : ok)))
      )
      const dam = yield* setUp({ target })
      const keys = ["a", "b"]
      for (let n = 0; n < 100; n++) for (const key of keys) yield* dam.submit(ofKey(key, n))
      let running = { stop: dam.stop }
      // a row of moments that repeats in no length of a call
      for (let crash = 0; crash < 200; crash++) {
        yield* TestClock.adjust(60 + ((crash * 7919) % 541))
        yield* running.stop
        running = yield* dam.begin()
      }
      assert.isAbove((yield* dam.store.stats).jobs.scheduled, 0)
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude((yield* dam.store.stats).jobs, { scheduled: 0, queued: 0, running: 0, parked: 0 })
      const paths = yield* called(dam)
      for (const key of keys) {
        const order = paths.filter((path) => path.startsWith(`/${key}/`)).map((path) => Number(path.slice(3)))
        assert.deepStrictEqual(
          order,
          order.toSorted((one, other) => one - other)
        )
        assert.strictEqual(new Set(order).size, 100)
        assert.isAbove(order.length, 100)
      }
      yield* running.stop
    })
  )
})
