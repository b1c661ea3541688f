import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Schedule from "../../../src/dam/deliver/Schedule.ts"
import { ConnectionFailed } from "../../../src/step/Failure.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { backup, hook, lines, ok, setUp, url } from "../support.ts"

const detail = "this process has too many files and sockets open (EMFILE)"
const lacking = Script.fail(new ConnectionFailed({ kind: "shortage", detail }))
const once = Step.retryPolicy({ maxRetries: 0, maxReroutes: 0 })

describe("a call that cannot be made for want of something here", () => {
  it.effect("is no failure of its job: it waits and spends nothing, longer each time", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.failTimes(3, lacking, ok)) })
      const job = yield* dam.runToEnd(once(Step.post(url)))
      assert.deepStrictEqual(
        [job.state, ...lines(job)],
        [
          "succeeded",
          "0 start ConnectionFailed",
          "0 repeat ConnectionFailed",
          "0 repeat ConnectionFailed",
          "0 repeat 200"
        ]
      )
      assert.deepStrictEqual(yield* dam.sent, ["api 0", "api 2000", "api 6000", "api 14000"])
    })
  )

  it.effect("loses no job of many", () =>
    Effect.gen(function* () {
      let free = 3
      const dam = yield* setUp({
        target: Script.all(
          Script.on(() => free-- > 0, ok),
          Script.always(lacking)
        )
      })
      const ids = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, n) => n),
        (n) => dam.submit(once(Step.post(`https://host-${n % 20}.example/${n}`)))
      )
      yield* TestClock.adjust("10 seconds")
      const states = yield* Effect.forEach(ids, (id) => Effect.map(dam.get(id), ({ state }) => state))
      assert.notInclude(states, "failed")
      free = Number.POSITIVE_INFINITY
      yield* TestClock.adjust("3 minutes")
      const ends = yield* Effect.forEach(ids, (id) => Effect.map(dam.get(id), ({ state }) => state))
      assert.deepStrictEqual([...new Set(ends)], ["succeeded"])
    })
  )

  it.effect("is told: the lane's hold, explain of its jobs and of those behind, and the dam as a whole", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.on(url, lacking) })
      const shortage = dam.engine.shortage
      assert.isUndefined(yield* shortage)
      const first = yield* dam.submit(once(Step.get(url)))
      yield* TestClock.adjust("500 millis")
      const behind = yield* dam.submit(once(Step.get(`${url}behind`)))
      yield* TestClock.adjust("10 millis")
      for (const id of [first, behind]) {
        const { reasons } = yield* Effect.flatMap(dam.get(id), dam.engine.explain)
        const hold = reasons.find(({ kind }) => kind === "hold") ?? assert.fail("there is no hold")
        assert.deepInclude(hold.details, { reason: "shortage", status: null, job_id: first })
        assert.match(hold.message, /^nothing can be sent to api.example:443 for another 1.5 s \(this machine lacks/)
      }
      const { holds } = yield* dam.engine.steering.get("api.example:443")
      assert.deepInclude(holds[0], { reason: "shortage", status: undefined, until: 2000 })
      assert.deepStrictEqual(yield* shortage, { problem: `no connection (shortage): ${detail}`, since: 0, lanes: 1 })
    })
  )

  it.effect("is over for the dam when the lane is called, or a while after nobody has tried again", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.all(Script.on(url, Script.failTimes(1, lacking, ok)), Script.always(lacking))
      })
      yield* dam.submit(once(Step.get(url)))
      yield* TestClock.adjust("500 millis")
      assert.strictEqual((yield* dam.engine.shortage)?.lanes, 1)
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(yield* dam.engine.shortage)
      const other = yield* dam.submit(once(Step.get(backup)))
      yield* TestClock.adjust("100 millis")
      yield* Effect.flatMap(dam.get(other), dam.engine.cancel)
      yield* TestClock.adjust("60 seconds")
      assert.isDefined(yield* dam.engine.shortage)
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(yield* dam.engine.shortage)
    })
  )

  it.effect("spends no attempt of a webhook, holds its receiver and is told", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always(Script.failTimes(2, lacking, { status: 204 })) })
      const id = yield* dam.submit(Step.webhooks(Step.get(url), [{ url: hook }]))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.engine.shortage)?.problem, `no connection (shortage): ${detail}`)
      const { reasons } = yield* Effect.flatMap(dam.get(id), dam.engine.explain)
      assert.include(
        reasons.map(({ kind, message }) => `${kind} ${message}`).join("; "),
        "this machine lacks what a call needs"
      )
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(
        (yield* dam.told).map(({ at }) => at),
        [0, 2000, 6000]
      )
      assert.deepInclude((yield* dam.store.deliveries(id))[0], { state: "delivered", spent: 0 })
      assert.lengthOf((yield* dam.store.deliveries(id))[0]?.attempts ?? [], 1)
      assert.isUndefined(yield* dam.engine.shortage)
    })
  )

  it.effect("counts for a webhook once its schedule would be over", () =>
    Effect.gen(function* () {
      const schedule = [Duration.zero, Duration.minutes(5)]
      const endpoints = { ...Schedule.defaults.endpoints, probeMillis: 60_000 }
      const dam = yield* setUp({
        receivers: Script.always(lacking),
        deliveries: { ...Schedule.defaults, schedule, endpoints }
      })
      const id = yield* dam.submit(Step.webhooks(Step.get(url), [{ url: hook }]))
      yield* TestClock.adjust("15 minutes")
      const [delivery] = yield* dam.store.deliveries(id)
      assert.deepInclude(delivery, { state: "dead" })
      assert.lengthOf(delivery?.attempts ?? [], 2)
    })
  )

  it.effect("counts at last, when the patience of the dam is over", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(lacking), patience429: Duration.hours(1) })
      const job = yield* dam.runToEnd(once(Step.get(url)))
      assert.deepStrictEqual([job.state, job.result?.error?.tag], ["failed", "ConnectionFailed"])
      assert.isAtLeast(job.finishedAt ?? 0, 3_600_000)
    })
  )
})
