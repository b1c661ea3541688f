import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { defaultSchedule } from "../../../src/dam/deliver/Schedule.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import type { ExchangeCall } from "../../../src/testing/Call.ts"
import { secretsOf } from "../../conformance/jobStore/Fixtures.ts"
import { verify } from "../../../src/webhook.ts"
import { backup, fast, hook, ok, setUp, toEnd, url } from "../support.ts"

const audit = "https://audit.example/hook"
const get = Step.get(url)
const telling = Step.webhooks(get, [{ url: hook }])
const down = Script.always({ status: 500 })
const secret = "a secret of enough characters"

const bodyOf = ({ asked }: ExchangeCall): Uint8Array => {
  const { body } = asked.request
  if (!(body instanceof Uint8Array)) throw new Error("the body is not kept as bytes")
  return body
}
const jsonOf = (call: ExchangeCall): unknown => JSON.parse(new TextDecoder().decode(bodyOf(call)))

describe("telling a result", () => {
  it.effect("posts it at once, as JSON, in the cloud's form", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const job = yield* dam.runToEnd(Step.metadata(telling, { order: 7 }))
      const [call] = yield* dam.told
      assert.isDefined(call)
      assert.strictEqual(call.at, 0)
      assert.deepInclude(call.asked.request, { method: "POST", url: hook })
      assert.strictEqual(call.asked.request.headers["Content-Type"], "application/json")
      assert.deepStrictEqual(jsonOf(call), {
        job_id: job.id,
        idempotent_key: job.key,
        status: "success",
        response: { status_code: 200, headers: {}, body: "fine" },
        metadata: { order: 7 }
      })
      assert.isUndefined(call.asked.request.headers["Idempotency-Key"])
    })
  )

  it.effect("posts the flat form to whoever came in by the flat dialect", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const job = yield* dam.runToEnd(telling, { dialect: "flat" })
      const [call] = yield* dam.told
      assert.isDefined(call)
      assert.deepStrictEqual(jsonOf(call), {
        job_id: job.id,
        status: "completed",
        response_status: 200,
        body: "fine"
      })
    })
  )

  it.effect("says that there was no answer", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.refuse) })
      yield* dam.runToEnd(Step.retryPolicy(telling, { maxRetries: 0 }))
      const [call] = yield* dam.told
      assert.isDefined(call)
      assert.deepInclude(jsonOf(call), {
        status: "failed",
        response: { status_code: 0, headers: {}, body: "" }
      })
    })
  )

  it.effect("signs each attempt afresh with the customer's secrets, over the same bytes", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always(Script.inTurn({ status: 500 }, { status: 500 }, ok)) })
      yield* dam.store.setSecrets("local", secretsOf(secret, "another secret, an older one"))
      yield* dam.submit(telling)
      yield* TestClock.adjust("10 minutes")
      const calls = yield* dam.told
      assert.lengthOf(calls, 3)
      for (const call of calls) {
        assert.deepStrictEqual(bodyOf(call), bodyOf(calls[0] ?? call))
        const header = call.asked.request.headers["X-EZThrottle-Signature"]
        for (const known of [secret, "another secret, an older one"]) {
          const verdict = verify({ header, body: bodyOf(call), secrets: [known], now: call.at / 1000 })
          assert.strictEqual(verdict._tag, "Valid", known)
        }
        const late = verify({ header, body: bodyOf(call), secrets: [secret], now: call.at / 1000 + 301 })
        assert.notStrictEqual(late._tag, "Valid")
      }
    })
  )

  it.effect("signs nothing where no secret is set, or that of another customer", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.store.setSecrets("somebody else", secretsOf(secret))
      yield* dam.runToEnd(telling)
      assert.isUndefined((yield* dam.told)[0]?.asked.request.headers["X-EZThrottle-Signature"])
    })
  )

  it.effect("leaves from the webhook's regions, one after the other", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: down })
      yield* dam.submit(Step.webhooks(get, [{ url: hook, regions: ["iad", "lax"] }]))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(
        (yield* dam.told).map(({ asked }) => asked.region),
        ["iad", "lax", "iad", "lax"]
      )
    })
  )

  it.effect("tells the webhooks of the fallback that answered, by its own quorum", () =>
    Effect.gen(function* () {
      const step = get.pipe(
        Step.webhooks([{ url: hook }, { url: audit }]),
        Step.webhookQuorum(2),
        Step.fallback(Step.get(backup).pipe(Step.webhooks([{ url: "https://third.example/hook" }])))
      )
      const dam = yield* setUp({ target: Script.all(Script.on(url, { status: 404 }), Script.always(ok)) })
      const job = yield* dam.runToEnd(step)
      assert.deepStrictEqual(
        (yield* dam.told).map(({ asked }) => asked.request.url),
        ["https://third.example/hook"]
      )
      assert.strictEqual((yield* dam.get(job.id)).deliveryState, "delivered")
    })
  )
})

describe("repeating", () => {
  it.effect("keeps to the schedule, each pause with up to a fifth of jitter, and ends as a dead letter", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: down })
      const id = yield* dam.submit(telling)
      yield* TestClock.adjust("96 hours")
      const calls = yield* dam.told
      assert.lengthOf(calls, defaultSchedule.length)
      calls.slice(1).forEach(({ at }, n) => {
        const pause = Duration.toMillis(defaultSchedule[n + 1] ?? Duration.zero)
        const taken = at - (calls[n]?.at ?? 0)
        assert.isAtLeast(taken, pause)
        assert.isAtMost(taken, pause * 1.2 + 2)
      })
      const [delivery] = yield* dam.store.deliveries(id)
      assert.deepInclude(delivery, { state: "dead" })
      assert.lengthOf(delivery?.attempts ?? [], defaultSchedule.length)
      assert.deepInclude(yield* dam.get(id), { state: "succeeded", deliveryState: "undelivered" })
    })
  )

  it.effect("ends an attempt without an answer after 15 seconds", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ receivers: Script.always(Script.inTurn(Script.hang, ok)) })
      const id = yield* dam.submit(telling)
      yield* TestClock.adjust(14_999)
      assert.strictEqual((yield* dam.told)[0]?.ending._tag, "Waiting")
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* dam.told)[0]?.ending._tag, "Interrupted")
      yield* TestClock.adjust("10 seconds")
      const [delivery] = yield* dam.store.deliveries(id)
      assert.strictEqual(delivery?.state, "delivered")
      assert.deepInclude(delivery?.attempts[0], { latency: 15_000, error: "no answer within 15000 ms" })
    })
  )

  it.effect("counts a job as delivered by its quorum, and goes on with the others", () =>
    Effect.gen(function* () {
      const receivers = Script.all(Script.on(audit, { status: 500 }), Script.always(ok))
      const step = get.pipe(
        Step.webhooks([{ url: hook }, { url: audit }, { url: "https://c.example/" }]),
        Step.webhookQuorum(2)
      )
      const dam = yield* setUp({ receivers })
      const id = yield* dam.submit(step)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).deliveryState, "delivered")
      yield* TestClock.adjust("96 hours")
      const ofAudit = (yield* dam.told).filter(({ asked }) => asked.request.url === audit)
      assert.lengthOf(ofAudit, defaultSchedule.length)
    })
  )

  it.effect("brings every result through an outage of 72 hours, and tells none twice", () =>
    Effect.gen(function* () {
      const back = 72 * 3_600_000
      let now = 0
      const receivers = Script.always({ status: 204 })
      const dam = yield* setUp({
        receivers: {
          rules: [{ name: "while down", matches: () => now < back, answer: Script.refuse }, ...receivers.rules]
        },
        retention: Duration.days(7)
      })
      for (let n = 0; n < 200; n++) yield* dam.submit(telling.pipe(Step.idempotentKey(`${n}`)))
      for (let hour = 0; hour < 100; hour++) {
        yield* TestClock.adjust("1 hour")
        now += 3_600_000
      }
      const good = (yield* dam.told).filter(({ ending }) => ending._tag === "Answered")
      const jobs = good.map((call) => (jsonOf(call) as { readonly job_id: string }).job_id)
      assert.lengthOf(jobs, 200)
      assert.strictEqual(new Set(jobs).size, 200)
      assert.deepInclude(yield* dam.store.stats, { pendingDeliveries: 0, deadDeliveries: 0 })
    })
  )
})

describe("a dead receiver", () => {
  it.effect("delays nobody else, however much waits for it", () =>
    Effect.gen(function* () {
      const receivers = Script.all(Script.on("https://dead.example/*", Script.hang), Script.always(ok))
      const dam = yield* setUp({ receivers })
      const dead = Step.webhooks(get, [{ url: "https://dead.example/hook" }])
      for (let n = 0; n < 600; n++) yield* dam.submit(dead.pipe(Step.idempotentKey(`dead ${n}`)))
      yield* TestClock.adjust("5 seconds")
      const id = yield* dam.submit(Step.idempotentKey(telling, "living"))
      const finished = yield* toEnd(dam.get(id), 10)
      yield* TestClock.adjust(20)
      const [delivery] = yield* dam.store.deliveries(id)
      assert.strictEqual(delivery?.state, "delivered")
      assert.isAtMost((delivery?.attempts[0]?.at ?? Infinity) - (finished.finishedAt ?? 0), 20)
    })
  )

  it.effect("keeps no more than its share in memory, and delays no job of other hosts", () =>
    Effect.gen(function* () {
      const receivers = Script.always(Script.hang)
      const dam = yield* setUp({ receivers, pacing: { ...fast, receivers: { rps: 1000, maxConcurrent: 2 } } })
      for (let n = 0; n < 300; n++) yield* dam.submit(telling.pipe(Step.idempotentKey(`${n}`)))
      yield* TestClock.adjust("2 seconds")
      const lane = (yield* dam.engine.lanes).find(({ lane: name }) => name === "webhook@hooks.example:443")
      assert.deepInclude(lane, { open: 2, waiting: 98 })
      assert.deepInclude((yield* dam.store.stats).jobs, { succeeded: 300 })
    })
  )
})
