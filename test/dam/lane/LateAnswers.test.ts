/** What is learnt belongs to the call that taught it: an answer that comes late tells of the time its call was sent. */
import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Lanes from "../../../src/dam/lane/Lanes.ts"
import * as Places from "../../../src/dam/lane/Places.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Reply from "../../../src/step/Reply.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { ok, setUp, url } from "../support.ts"

const refusedAfter = (millis: number) => Script.inTurn(Script.later(millis, { status: 429 }), Script.later(60_000, ok))
const says = (rps: string): Script.Input => ({ status: 200, headers: { "X-Aqueduct-Rps": rps } })
const host = "api.example:443"

it.effect("refusals of calls sent before a hold do not double it", () =>
  Effect.gen(function* () {
    const target = Script.all(
      Script.on(`${url}a`, refusedAfter(100)),
      Script.on(`${url}b`, refusedAfter(1150)),
      Script.on(`${url}c`, refusedAfter(3300))
    )
    const dam = yield* setUp({ target })
    for (const name of ["a", "b", "c"]) yield* dam.submit(Step.get(url + name))
    yield* TestClock.adjust(3500)
    const { holds } = yield* dam.engine.steering.get("api.example:443")
    assert.isAtMost(holds[0]?.until ?? 0, 4310)
  })
)

it.effect("an older answer does not undo the pace of a newer one", () =>
  Effect.gen(function* () {
    const target = Script.all(
      Script.on(`${url}older`, Script.later(1000, says("50"))),
      Script.on(`${url}newer`, Script.later(100, says("1")))
    )
    const dam = yield* setUp({ target })
    yield* dam.submit(Step.get(`${url}older`))
    yield* TestClock.adjust(50)
    yield* dam.submit(Step.get(`${url}newer`))
    yield* TestClock.adjust("3 seconds")
    assert.strictEqual((yield* dam.engine.steering.get("api.example:443")).rps, 1)
  })
)

it.effect("an answer to a call sent before the hold does not forgive the refusals", () =>
  Effect.gen(function* () {
    const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
    const lanes = yield* Lanes.make(store, {}, { start: () => Effect.void, room: Places.make(() => 10).of })
    const answered = Effect.fnUntraced(function* (status: number, sentAt: number) {
      yield* lanes.observe({ lane: host, account: "a", response: Reply.response(status), jobId: undefined, sentAt })
      return yield* lanes.heldFor(host, "a")
    })
    yield* TestClock.adjust(100)
    assert.strictEqual(yield* answered(429, 50), 1000)
    yield* TestClock.adjust(1000)
    assert.strictEqual(yield* answered(429, 1100), 2000)
    yield* TestClock.adjust(2000)
    yield* answered(200, 20)
    assert.strictEqual(yield* answered(429, 3100), 4000)
    yield* TestClock.adjust(4000)
    yield* answered(200, yield* Clock.currentTimeMillis)
    yield* TestClock.adjust(1)
    assert.strictEqual(yield* answered(429, 7101), 1000)
  })
)

it.effect("an older answer does not turn account queues on again", () =>
  Effect.gen(function* () {
    const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
    const lanes = yield* Lanes.make(store, {}, { start: () => Effect.void, room: Places.make(() => 10).of })
    const told = (queue: string, sentAt: number) =>
      lanes.observe({
        lane: host,
        account: "a",
        response: Reply.response(200, { "x-aqueduct-account-queue": queue }),
        jobId: undefined,
        sentAt
      })
    yield* told("enabled", 10)
    yield* told("disabled", 30)
    yield* told("enabled", 20)
    assert.isFalse((yield* lanes.views)[0]?.accountQueues)
  })
)

it.effect("an isolated job's lesson is read where it is stored", () =>
  Effect.gen(function* () {
    const headers = { "X-Aqueduct-Account-Queue": "enabled", "X-Aqueduct-Rps": "50" }
    const dam = yield* setUp({ pacing: {}, target: Script.always({ status: 200, headers }) })
    for (let n = 0; n < 40; n++) yield* dam.submit(Step.get(`${url}${n}`), { isolated: true })
    yield* TestClock.adjust("2 seconds")
    // the first at the default pace, the others at the one it was told
    assert.lengthOf(yield* dam.sent, 40)
  })
)
