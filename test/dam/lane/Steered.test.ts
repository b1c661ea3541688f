import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { LaneAction } from "../../../src/dam/lane/Steering.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { busy, fast, jobOf, ok, refusal, setUp, url } from "../support.ts"

const lane = "api.example:443"
const nth = (n: number) => Step.get(url).pipe(Step.idempotentKey(`key ${n}`))
const stop: LaneAction = { _tag: "Pause", note: "they asked us to" }
const pace = (rps: number | undefined, maxConcurrent?: number): LaneAction => ({ _tag: "Pace", rps, maxConcurrent })
const one = { pacing: { pace: { rps: 1, maxConcurrent: 10 } } }

type Dam = Effect.Success<ReturnType<typeof setUp>>

const steer = (dam: Pick<Dam, "engine">, action: LaneAction, by = "ann") => dam.engine.steering.change(lane, by, action)

const fill = (dam: Dam, jobs: number) =>
  Effect.forEach(
    Array.from({ length: jobs }, (_, n) => nth(n)),
    (step) => dam.submit(step)
  )

describe("pausing a lane", () => {
  it.effect("lets nothing start until it is resumed, and says who stopped it", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const paused = yield* steer(dam, stop)
      assert.deepStrictEqual(paused.paused, { by: "ann", at: 0, note: "they asked us to" })
      assert.isUndefined(paused.nextAt)
      yield* fill(dam, 3)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* dam.sent, [])
      assert.deepInclude(yield* dam.engine.steering.get(lane), { queued: 3, running: 0 })
      yield* steer(dam, { _tag: "Resume" })
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* dam.sent, 3)
    })
  )

  it.effect("holds a running job's next attempt as well", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.inTurn(busy, ok)) })
      yield* dam.submit(Step.retryPolicy(Step.get(url), { base: 500 }))
      yield* TestClock.adjust(1)
      yield* steer(dam, stop)
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(yield* dam.sent, 1)
      yield* steer(dam, { _tag: "Resume" })
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* dam.sent, 2)
    })
  )

  it.effect("is not undone by what another operator does in the same moment", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        through: (store) => ({ ...store, steer: (...args) => Effect.andThen(Effect.yieldNow, store.steer(...args)) })
      })
      const [paused, paced] = yield* Effect.all([steer(dam, stop), steer(dam, pace(7), "bob")], {
        concurrency: "unbounded"
      })
      assert.strictEqual(paused.paused?.by, "ann")
      assert.strictEqual(paced.rps, 7)
      assert.deepInclude(yield* dam.engine.steering.get(lane), { paused: paused.paused, rps: 7 })
      assert.deepInclude((yield* dam.store.steering)[0], { rps: 7, paused: paused.paused })
    })
  )

  it.effect("holds over a restart, for a lane that nobody used as well", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* steer(dam, stop)
      yield* dam.stop
      const again = yield* dam.begin()
      yield* again.engine.submit(yield* jobOf(nth(1)))
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual(yield* dam.sent, [])
      assert.deepInclude((yield* again.engine.steering.get(lane)).paused, { by: "ann", at: 0 })
      yield* steer(again, { _tag: "Resume" })
      yield* TestClock.adjust(1)
      assert.lengthOf(yield* dam.sent, 1)
      yield* again.stop
    })
  )
})

describe("the pace an operator sets", () => {
  it.effect("rules at once, and over a restart", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 10, maxConcurrent: 100 } } })
      yield* fill(dam, 60)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* dam.sent, 11)
      assert.deepInclude(yield* steer(dam, pace(0.5)), { rps: 0.5, maxConcurrent: 100, source: "operator" })
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* dam.sent, 16)
      yield* dam.stop
      const again = yield* dam.begin()
      yield* TestClock.adjust("10 seconds")
      assert.isAtMost((yield* dam.sent).length, 22)
      assert.deepInclude(yield* again.engine.steering.get(lane), { rps: 0.5, source: "operator" })
      yield* again.stop
    })
  )

  it.effect("goes before what the upstream says, which comes back when it is reset", () =>
    Effect.gen(function* () {
      const says: Script.Input = { status: 200, headers: { "X-Aqueduct-Rps": "50" } }
      const dam = yield* setUp({ ...one, target: Script.always(says) })
      yield* steer(dam, pace(2, 3))
      yield* fill(dam, 20)
      yield* TestClock.adjust("2 seconds")
      assert.lengthOf(yield* dam.sent, 5)
      assert.deepInclude(yield* dam.engine.steering.get(lane), { rps: 2, maxConcurrent: 3, source: "operator" })
      const after = yield* steer(dam, { _tag: "Reset" })
      // what it had taught is forgotten too; it will say it again
      assert.deepInclude(after, { rps: 1, maxConcurrent: 10, source: "default" })
      yield* TestClock.adjust("2 seconds")
      assert.deepInclude(yield* dam.engine.steering.get(lane), { rps: 50, source: "learnt" })
    })
  )

  it.effect("stands beside what the upstream has taught, and since when, over a restart", () =>
    Effect.gen(function* () {
      const says = (rps: number) => ({ status: 200, headers: { "X-Aqueduct-Rps": String(rps) } })
      const target = Script.always(Script.inTurn(says(50), says(50), says(40)))
      const dam = yield* setUp({ ...one, target })
      const learnt = Effect.map(dam.engine.steering.get(lane), (status) => status.learnt)
      assert.isUndefined(yield* learnt)
      yield* TestClock.adjust("1 minute")
      yield* dam.submit(nth(1))
      yield* TestClock.adjust("1 minute")
      yield* dam.submit(nth(2))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* learnt, { rps: 50, maxConcurrent: undefined, at: 60_000 })
      yield* steer(dam, pace(2))
      yield* dam.submit(nth(3))
      yield* TestClock.adjust("1 minute")
      assert.deepInclude(yield* dam.engine.steering.get(lane), { rps: 2, source: "operator" })
      yield* dam.stop
      const again = yield* dam.begin()
      const status = yield* again.engine.steering.get(lane)
      assert.deepStrictEqual(status.learnt, { rps: 40, maxConcurrent: undefined, at: 180_000 })
      yield* again.stop
    })
  )

  it.effect("may change one half, and then the other", () =>
    Effect.gen(function* () {
      const dam = yield* setUp(one)
      yield* steer(dam, pace(5))
      assert.deepInclude(yield* steer(dam, pace(undefined, 4)), { rps: 5, maxConcurrent: 4 })
    })
  )
})

describe("resetting a lane", () => {
  it.effect("ends a hold and what was learnt, and leaves a pause", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.inTurn(refusal(3600), ok)), pacing: fast })
      const first = yield* dam.submit(nth(1))
      yield* TestClock.adjust(10)
      const [hold] = (yield* dam.engine.steering.get(lane)).holds
      assert.deepStrictEqual(hold, {
        until: 3_600_000,
        reason: "retry_after",
        status: 429,
        jobId: first,
        account: undefined
      })
      yield* steer(dam, stop)
      const after = yield* steer(dam, { _tag: "Reset" })
      assert.deepStrictEqual(after.holds, [])
      assert.isDefined(after.paused)
      yield* steer(dam, { _tag: "Resume" })
      yield* dam.submit(nth(2))
      yield* TestClock.adjust("1 second")
      // the job that sat out the hold goes at once, and so does the next
      assert.deepStrictEqual(yield* dam.sent, ["api 0", "api 10", "api 11"])
    })
  )

  it.effect("does not come back from the store after a restart", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(refusal(3600)) })
      yield* dam.submit(nth(1))
      yield* TestClock.adjust(10)
      assert.lengthOf(yield* dam.store.paces, 1)
      yield* steer(dam, { _tag: "Reset" })
      yield* dam.stop
      const again = yield* dam.begin()
      assert.deepStrictEqual((yield* again.engine.steering.get(lane)).holds, [])
      yield* again.stop
    })
  )
})

describe("the log of a lane", () => {
  it.effect("tells who did what and when, newest first, over restarts", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* steer(dam, stop, "ann")
      yield* TestClock.adjust("1 minute")
      yield* steer(dam, pace(2, 4), "bob")
      yield* dam.engine.steering.change("other.example:443", "bob", stop)
      yield* steer(dam, { _tag: "Resume" }, "local")
      yield* dam.stop
      const again = yield* dam.begin()
      assert.deepStrictEqual(yield* again.engine.steering.log(lane, 10), [
        { lane, at: 60_000, by: "local", action: "resume", detail: "" },
        { lane, at: 60_000, by: "bob", action: "pace", detail: "2 per second, 4 at once" },
        { lane, at: 0, by: "ann", action: "pause", detail: "they asked us to" }
      ])
      yield* again.stop
    })
  )
})

describe("the list of lanes", () => {
  it.effect("has those with jobs and those that were steered, by name, in pages", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        pacing: { pace: { rps: 1, maxConcurrent: 1 }, hosts: { "b.example:443": { rps: 7 } } }
      })
      for (const name of ["c", "a", "b"]) yield* dam.submit(Step.get(`https://${name}.example/`))
      yield* dam.submit(Step.retryAt(Step.get("https://z.example/"), 99_000))
      yield* dam.engine.steering.change("m.example:443", "ann", stop)
      const first = yield* dam.engine.steering.list({ limit: 3 })
      assert.deepStrictEqual(
        first.lanes.map(({ lane: name, source }) => `${name} ${source}`),
        ["a.example:443 default", "b.example:443 configured", "c.example:443 default"]
      )
      const second = yield* dam.engine.steering.list({ limit: 3, after: first.next })
      assert.deepStrictEqual(
        second.lanes.map(({ lane: name, scheduled }) => `${name} ${scheduled}`),
        ["m.example:443 0", "z.example:443 1"]
      )
      assert.isUndefined(second.next)
      assert.lengthOf((yield* dam.engine.steering.list({ limit: 9, prefix: "m." })).lanes, 1)
    })
  )

  it.effect("counts exactly as jobs come, run, park and end, also after a restart", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.on("https://slow.example/", Script.later("1 hour", ok)),
        Script.on(url, refusal(3600)),
        Script.always(ok)
      )
      const dam = yield* setUp({ target, attemptTimeout: Duration.hours(2) })
      yield* dam.submit(Step.get("https://slow.example/"))
      yield* fill(dam, 4)
      yield* TestClock.adjust("1 second")
      const countsOf = (engine: Dam["engine"], name: string) =>
        Effect.map(engine.steering.get(name), ({ parked, queued, running }) => ({ parked, queued, running }))
      assert.deepStrictEqual(yield* countsOf(dam.engine, "slow.example:443"), { parked: 0, queued: 0, running: 1 })
      const before = yield* countsOf(dam.engine, lane)
      assert.deepStrictEqual([before.parked + before.queued, before.running], [4, 0])
      yield* dam.stop
      const again = yield* dam.begin()
      assert.deepStrictEqual(yield* countsOf(again.engine, "slow.example:443"), { parked: 0, queued: 1, running: 0 })
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* countsOf(again.engine, "slow.example:443"), { parked: 0, queued: 0, running: 1 })
      yield* TestClock.adjust("3 hours")
      const { lanes } = yield* again.engine.steering.list({ limit: 10 })
      assert.strictEqual(lanes.find(({ lane: name }) => name === "slow.example:443")?.running, undefined)
      yield* again.stop
    })
  )
})

describe("a pace that an operator has found out", () => {
  it.effect("is searched under the ceiling, shown also while the lane is at rest, and forgotten with a reset", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const chosen = yield* steer(dam, { _tag: "Pace", rps: 30, maxConcurrent: 5, find: true })
      assert.deepInclude(chosen, { finds: true, rps: 30, maxConcurrent: 5, source: "operator" })
      yield* fill(dam, 40)
      yield* TestClock.adjust("30 seconds")
      const { found } = yield* dam.engine.steering.get(lane)
      assert.isAbove(found?.rps ?? 0, 2)
      assert.isAtMost(found?.rps ?? 99, 30)
      // nobody needs it any more: it is dropped from memory
      yield* TestClock.adjust("3 minutes")
      const atRest = (yield* dam.engine.steering.get(lane)).found
      assert.isAbove(atRest?.rps ?? 0, 1.9)
      assert.deepStrictEqual(atRest?.quotas, [])
      yield* steer(dam, { _tag: "Reset" })
      assert.deepInclude(yield* dam.engine.steering.get(lane), { finds: false, found: undefined, source: "default" })
    })
  )
})
