import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { defaults } from "../../src/dam/deliver/Schedule.ts"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import type { Response } from "../../src/step/Reply.ts"
import { ConnectionFailed, TransportError } from "../../src/step/Failure.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import { delivery, ended, job } from "../conformance/jobStore/Fixtures.ts"
import { hook, setUp } from "./support.ts"

const hour = 3_600_000
const results = 10_000

const taken: Response = { _tag: "Response", status: 204, headers: {}, body: new Uint8Array(0) }
const refused = new TransportError({ reason: new ConnectionFailed({ kind: "refused", detail: "nobody listens" }) })

/** A receiver that is down for 72 hours and writes down what it is told from then on. */
const receiver = () => {
  const state = { isUp: false, refusals: 0, told: new Map<string, number>() }
  const transport: Exchanging = {
    kind: "exchanging",
    regions: Effect.succeed([]),
    send: ({ request }) =>
      Effect.suspend(() => {
        if (!state.isUp) {
          state.refusals++
          return Effect.fail(refused)
        }
        const id = request.headers["webhook-id"] ?? ""
        state.told.set(id, (state.told.get(id) ?? 0) + 1)
        return Effect.succeed(taken)
      })
  }
  return { state, transport }
}

it.effect(
  "brings 10,000 results through a receiver's outage of 72 hours: all are told, each once, and an attempt has one number",
  () =>
    Effect.gen(function* () {
      const { state, transport } = receiver()
      const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
      for (let n = 0; n < results; n++) {
        yield* store.enqueue(job(`job-${n}`))
        yield* store.start(`job-${n}`, 0)
        const one = delivery(`job-${n}`, 0, { url: hook, lane: "hooks.example:443" })
        yield* store.finish(`job-${n}`, 1, ended({ at: 0, deliveries: [one] }))
      }
      yield* setUp({
        store,
        webhooks: transport,
        // disabled as soon as 20 attempts have failed
        deliveries: { ...defaults, concurrency: 8, endpoints: { ...defaults.endpoints, failingMillis: 0 } },
        pacing: { pace: { rps: 1_000_000, maxConcurrent: 1000 } },
        retention: Duration.days(30)
      })
      yield* Effect.repeat(TestClock.adjust(hour), { times: 71 })
      // failures disable the endpoint; from then on it is only looked at
      const [endpoint] = yield* store.endpoints("local")
      assert.deepInclude(endpoint, { status: "disabled", reason: "failing" })
      assert.deepInclude(yield* store.stats, { pendingDeliveries: results, deadDeliveries: 0 })
      // some before it is disabled, then a probe an hour
      assert.isAtLeast(state.refusals, 20 + 70)
      assert.isBelow(state.refusals, 150)
      state.isUp = true
      yield* Effect.repeat(TestClock.adjust(hour), { times: 2 })
      assert.strictEqual(state.told.size, results)
      assert.isTrue([...state.told.values()].every((times) => times === 1))
      assert.deepInclude(yield* store.stats, {
        pendingDeliveries: 0,
        deadDeliveries: 0,
        disabledEndpoints: 0
      })
      // what was sent is what was noted: no attempt went out twice under one number
      const { jobs } = yield* store.list({ customer: "local", limit: 200 })
      const noted = yield* Effect.forEach(jobs, ({ id }) => store.deliveries(id))
      for (const { attempts } of noted.flat()) {
        assert.strictEqual(new Set(attempts.map(({ at }) => at)).size, attempts.length)
        assert.strictEqual(attempts.filter(({ status }) => status === 204).length, 1)
      }
    }),
  300_000
)

it.effect("brings results through it attempt by attempt where the endpoint is never disabled", () =>
  Effect.gen(function* () {
    const { state, transport } = receiver()
    const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
    const ids = Array.from({ length: 250 }, (_, n) => `job-${n}`)
    for (const id of ids) {
      yield* store.enqueue(job(id))
      yield* store.start(id, 0)
      const one = delivery(id, 0, { url: hook, lane: "hooks.example:443" })
      yield* store.finish(id, 1, ended({ at: 0, deliveries: [one] }))
    }
    yield* setUp({
      store,
      webhooks: transport,
      deliveries: { ...defaults, endpoints: { ...defaults.endpoints, failures: Number.MAX_SAFE_INTEGER } },
      pacing: { pace: { rps: 1_000_000, maxConcurrent: 1000 } },
      retention: Duration.days(30)
    })
    yield* Effect.repeat(TestClock.adjust(hour), { times: 71 })
    // at once, then after 5 s, 5 min, 30 min, 2, 5, 10, 14 and 20 h: nine rounds before the 72 hours are over
    const rounds = 9
    assert.isEmpty(
      yield* store.endpoints("local").pipe(Effect.map((all) => all.filter(({ status }) => status === "disabled")))
    )
    assert.strictEqual(state.refusals, ids.length * rounds)
    assert.deepInclude(yield* store.stats, { pendingDeliveries: ids.length, deadDeliveries: 0 })
    state.isUp = true
    yield* Effect.repeat(TestClock.adjust(hour), { times: 30 })
    assert.deepInclude(yield* store.stats, { pendingDeliveries: 0, deadDeliveries: 0 })
    assert.strictEqual(state.told.size, ids.length)
    assert.isTrue([...state.told.values()].every((times) => times === 1))
    const made = (yield* Effect.forEach(ids, (id) => store.deliveries(id))).flat().map(({ attempts }) => attempts)
    // what was sent is what was noted, each under a number of its own
    assert.strictEqual(made.flat().length, state.refusals + ids.length)
    for (const attempts of made) {
      assert.lengthOf(attempts, rounds + 1)
      assert.isTrue(attempts.every(({ at }, n) => n === 0 || at > (attempts[n - 1]?.at ?? at)))
      assert.deepStrictEqual(
        attempts.map(({ status }) => status),
        [...Array.from({ length: rounds }, () => undefined), 204]
      )
    }
  })
)
