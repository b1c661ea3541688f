import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as LaneNames from "../../../src/dam/lane/LaneNames.ts"
import * as HostRules from "../../../src/presets/HostRules.ts"
import type { Preset } from "../../../src/presets/Preset.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { backup, busy, fast, hook, lines, ok, refusal, setUp, toEnd, url } from "../support.ts"

const get = Step.get(url)

describe("a job", () => {
  it.effect("succeeds with the answer of its target, once", () =>
    Effect.gen(function* () {
      const { runToEnd, sent } = yield* setUp()
      const job = yield* runToEnd(get)
      assert.strictEqual(job.state, "succeeded")
      assert.strictEqual(new TextDecoder().decode(job.result?.response?.body), "fine")
      assert.deepStrictEqual(yield* sent, ["api 0"])
      assert.deepInclude(job, { epoch: 1, deliveryState: "none" })
    })
  )

  it.effect("fails with the last answer when nothing helps, under the dam's default policy", () =>
    Effect.gen(function* () {
      const { runToEnd } = yield* setUp({ target: Script.always({ status: 503, body: "no" }) })
      const job = yield* runToEnd(get)
      assert.strictEqual(job.state, "failed")
      assert.deepInclude(job.result?.error, { tag: "Rejected" })
      assert.strictEqual(job.result?.response?.status, 503)
      assert.deepStrictEqual(lines(job), ["0 start 503", "0 retry 503", "0 retry 503", "0 retry 503"])
    })
  )

  it.effect("is parked for a pause of more than a second, and goes on under the same key with a higher epoch", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.inTurn({ status: 503, headers: { "Retry-After": "20" } }, ok))
      const dam = yield* setUp({ target })
      const id = yield* dam.submit(Step.post(url))
      yield* TestClock.adjust("5 seconds")
      const parked = yield* dam.get(id)
      assert.deepInclude(parked, { state: "parked", epoch: 1 })
      assert.strictEqual(parked.history.length, 1)
      const job = yield* toEnd(dam.get(id))
      assert.deepInclude(job, { state: "succeeded", epoch: 2 })
      assert.deepStrictEqual(
        job.history.map(({ at, kind, pause }) => [kind, at, pause]),
        [
          ["start", 0, 0],
          ["retry", 20_000, 20_000]
        ]
      )
      const keys = (yield* dam.exchanges).map(({ asked }) => asked.request.headers["Idempotency-Key"])
      assert.deepStrictEqual(keys, [id, id])
    })
  )

  it.effect("draws a pause once, not again when it comes back from it", () =>
    Effect.gen(function* () {
      const step = Step.retryPolicy(get, { base: "30 seconds", cap: "30 seconds", maxRetries: 2 })
      const { runToEnd } = yield* setUp({ target: Script.always(busy) })
      const job = yield* runToEnd(step)
      assert.deepStrictEqual(
        job.history.map(({ pause }) => pause),
        [0, 15_000, 15_000]
      )
      assert.strictEqual(job.epoch, 3)
    })
  )

  it.effect("reroutes to another region where the transport has some", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.inRegion("iad", Script.always({ status: 500 })),
        Script.inRegion("lax", Script.always(ok))
      )
      const { runToEnd, sent } = yield* setUp({ target, regions: ["iad", "lax"] })
      const job = yield* runToEnd(get)
      assert.strictEqual(job.result?.region, "lax")
      assert.deepStrictEqual(lines(job), ["0 start@iad 500", "0 reroute@lax 200"])
      assert.lengthOf(yield* sent, 2)
    })
  )

  it.effect("races its regions, a permit each, and stops the losers", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.inRegion("iad", Script.always(Script.later("3 seconds", ok))),
        Script.inRegion("lax", Script.always(Script.later("1 second", ok))),
        Script.inRegion("ord", Script.always(Script.hang))
      )
      const step = get.pipe(Step.regions(["iad", "lax", "ord"]))
      const dam = yield* setUp({ target, regions: ["iad", "lax", "ord"] })
      const job = yield* dam.runToEnd(step)
      assert.strictEqual(job.result?.region, "lax")
      assert.sameMembers([...lines(job)], ["0 start@lax 200", "0 start@iad interrupted", "0 start@ord interrupted"])
      const [lane] = yield* dam.engine.lanes
      assert.deepInclude(lane, { open: 0, waiting: 0 })
    })
  )

  it.effect("races no faster than its lane allows", () =>
    Effect.gen(function* () {
      const step = get.pipe(Step.regions(["iad", "lax", "ord"]))
      const target = Script.always(Script.later("10 seconds", ok))
      const { runToEnd, sent } = yield* setUp({
        target,
        regions: ["iad", "lax", "ord"],
        pacing: { pace: { rps: 1000, maxConcurrent: 2 } }
      })
      yield* runToEnd(step)
      // the third may begin when the first has ended, and is stopped before anything else happens
      assert.deepStrictEqual((yield* sent).slice(0, 2), ["api@iad 0", "api@lax 1"])
      assert.isTrue((yield* sent).slice(2).every((call) => call === "api@ord 10000"))
    })
  )

  it.effect("fans out and keeps every answer", () =>
    Effect.gen(function* () {
      const step = get.pipe(Step.regions(["iad", "lax"]), Step.executionMode("fanout"))
      const target = Script.all(
        Script.inRegion("iad", Script.always(ok)),
        Script.inRegion("lax", Script.always({ status: 404 }))
      )
      const { runToEnd } = yield* setUp({ target, regions: ["iad", "lax"] })
      const job = yield* runToEnd(step)
      assert.strictEqual(job.state, "succeeded")
      assert.deepStrictEqual(
        job.result?.responses.map(({ region, response }) => [region, response.status]),
        [
          ["iad", 200],
          ["lax", 404]
        ]
      )
    })
  )

  it.effect("falls back as its triggers say, and names who answered", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.on(url, { status: 404 }),
        Script.on(backup, ok),
        Script.on("https://never.example/", ok)
      )
      const step = get.pipe(
        Step.fallback(Step.get("https://never.example/"), { onError: [500] }),
        Step.fallback(Step.get(backup), { onError: [404] })
      )
      const { runToEnd, sent } = yield* setUp({ target })
      const job = yield* runToEnd(step)
      assert.deepInclude(job.result, { path: 2 })
      assert.deepStrictEqual(
        (yield* sent).map((call) => call.split(" ")[0]),
        ["api", "backup"]
      )
    })
  )

  it.effect("sends a given key to its target, and its own id where none was given", () =>
    Effect.gen(function* () {
      const { exchanges, runToEnd } = yield* setUp()
      const plain = yield* runToEnd(Step.post(url))
      yield* runToEnd(Step.post(url).pipe(Step.idempotentKey("mine")))
      const byHeader = { key: "from the header", keyGiven: true }
      yield* runToEnd(Step.post(`${url}x`), byHeader)
      assert.deepStrictEqual(
        (yield* exchanges).map(({ asked }) => asked.request.headers["Idempotency-Key"]),
        [plain.id, "mine", "from the header"]
      )
    })
  )

  it.effect("is given up with a line for people when this program is at fault", () =>
    Effect.gen(function* () {
      const { runToEnd } = yield* setUp({ target: Script.on("https://other.example/", ok) })
      const job = yield* runToEnd(get)
      assert.strictEqual(job.state, "failed")
      assert.deepStrictEqual(job.result?.error, { tag: "Defect", message: "a fault of the service ended the job" })
    })
  )

  it.effect("whose call cannot be told a lane by a fault ends too, and gives its permit back", () =>
    Effect.gen(function* () {
      let isBroken = false
      const laneOf: LaneNames.LaneNames["laneOf"] = (call) => {
        if (isBroken) throw new Error("a fault in the rules of a host")
        return LaneNames.byHost.laneOf(call)
      }
      const dam = yield* setUp({
        names: { ...LaneNames.byHost, laneOf },
        pacing: { pace: { rps: 100, maxConcurrent: 1 } },
        target: Script.always(Script.later("1 second", ok))
      })
      const [, second] = [yield* dam.submit(get), yield* dam.submit(Step.post(url))]
      yield* TestClock.adjust(500)
      isBroken = true
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.get(second)).result?.error?.tag, "Defect")
      const [lane] = yield* dam.engine.lanes
      assert.strictEqual(lane?.open, 0)
    })
  )
})

describe("a job in its lane", () => {
  it.effect("asks for a permit for each exchange, and keeps none while it pauses", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.on(url, Script.inTurn(busy, ok)),
        Script.on(`${url}other`, Script.later("10 millis", ok))
      )
      const step = Step.retryPolicy(get, { base: "1800 millis" })
      const dam = yield* setUp({ target, pacing: { pace: { rps: 1000, maxConcurrent: 1 } } })
      yield* dam.submit(step)
      yield* TestClock.adjust(10)
      const second = yield* dam.submit(Step.get(`${url}other`))
      yield* TestClock.adjust(100)
      assert.strictEqual((yield* dam.get(second)).state, "succeeded")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* dam.sent, ["api 0", "api 10", "api 900"])
    })
  )

  it.effect("waits for the lane of its fallback's host, not for its own", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(url, { status: 404 }), Script.on(backup, ok))
      const dam = yield* setUp({
        target,
        pacing: { ...fast, hosts: { "backup.example:443": { rps: 0.1, maxConcurrent: 1 } } }
      })
      for (let n = 0; n < 3; n++)
        yield* dam.submit(get.pipe(Step.idempotentKey(`${n}`), Step.fallback(Step.get(backup))))
      yield* TestClock.adjust("1 minute")
      const sent = yield* dam.sent
      assert.deepStrictEqual(
        sent.filter((call) => call.startsWith("backup")),
        ["backup 0", "backup 10000", "backup 20000"]
      )
      assert.isTrue(sent.filter((call) => call.startsWith("api")).every((call) => Number(call.split(" ")[1]) < 10))
    })
  )

  it.effect("learns a pace from the answer before the next call leaves", () =>
    Effect.gen(function* () {
      const target = Script.always({ status: 200, headers: { "x-aqueduct-rps": "0.1" } })
      const dam = yield* setUp({ target, pacing: { pace: { rps: 1000, maxConcurrent: 1 } } })
      for (let n = 0; n < 4; n++) yield* dam.submit(get.pipe(Step.idempotentKey(`${n}`)))
      yield* TestClock.adjust("35 seconds")
      assert.deepStrictEqual(yield* dam.sent, ["api 0", "api 10000", "api 20000", "api 30000"])
    })
  )

  it.effect("tells its upstream how much waits for it, and how fast it comes", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 0.5, maxConcurrent: 1 } } })
      for (let n = 0; n < 4; n++) yield* dam.submit(get.pipe(Step.idempotentKey(`${n}`)))
      yield* TestClock.adjust("7 seconds")
      const told = (yield* dam.exchanges).map(({ asked }) =>
        ["Total-Jobs", "Queue-Depth", "Flow-Rate"].map((name) => asked.request.headers[`X-Aqueduct-${name}`])
      )
      assert.lengthOf(told, 4)
      assert.deepStrictEqual(told.slice(1), [
        ["3", "2", "0.5"],
        ["2", "1", "0.5"],
        ["1", "0", "0.5"]
      ])
    })
  )

  it.effect("leaves the wait for permits out of a fallback's onTimeout", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(url, Script.later("1 second", ok)), Script.on(backup, ok))
      const dam = yield* setUp({ target, pacing: { pace: { rps: 0.1, maxConcurrent: 1 } } })
      const step = get.pipe(Step.fallback(Step.get(backup), { onTimeout: "2 seconds" }))
      const ids = [yield* dam.submit(Step.idempotentKey(step, "a")), yield* dam.submit(Step.idempotentKey(step, "b"))]
      yield* TestClock.adjust("1 minute")
      for (const id of ids) assert.deepStrictEqual(lines(yield* dam.get(id)), ["0 start 200"])
    })
  )

  it.effect("counts the wait for a fallback's own time neither for the path before it nor for its trigger", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(url, { status: 404 }), Script.on(backup, ok))
      const step = get.pipe(
        Step.fallback(Step.get("https://never.example/"), { onTimeout: "10 seconds" }),
        Step.fallback(Step.get(backup).pipe(Step.retryAt(3_600_000)))
      )
      const { runToEnd, sent } = yield* setUp({ target })
      const job = yield* runToEnd(step)
      assert.deepStrictEqual(lines(job), ["0 start 404", "2 start 200"])
      assert.deepStrictEqual(yield* sent, ["api 0", "backup 3600000"])
    })
  )

  it.effect("counts the wait for a fallback's own time for that fallback neither", () =>
    Effect.gen(function* () {
      const third = Step.get("https://never.example/")
      const target = Script.all(Script.on(url, { status: 404 }), Script.on(backup, { status: 404 }))
      const step = get.pipe(
        Step.fallback(Step.get(backup).pipe(Step.retryAt(3_600_000))),
        Step.fallback(third, { onTimeout: "10 seconds" })
      )
      const { runToEnd } = yield* setUp({ target })
      assert.deepStrictEqual(lines(yield* runToEnd(step)), ["0 start 404", "1 start 404"])
    })
  )

  it.effect("keeps a race ended that an answer has ended, though a loser was cut off", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.on(backup, ok),
        Script.inRegion("iad", Script.always(Script.later(3, { status: 404 }))),
        Script.inRegion("lax", Script.always(Script.hang))
      )
      const step = get.pipe(
        Step.regions(["iad", "lax"]),
        Step.fallback(Step.get("https://never.example/"), { onTimeout: "10 seconds" }),
        Step.fallback(Step.get(backup).pipe(Step.retryAt(3_600_000)))
      )
      const { runToEnd } = yield* setUp({ target, regions: ["iad", "lax"] })
      const job = yield* runToEnd(step)
      assert.deepStrictEqual(lines(job), ["0 start@iad 404", "0 start@lax interrupted", "2 start@iad 200"])
    })
  )

  it.effect("keeps a race ended whose time was up while it waits for the fallback's own time", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(url, Script.later(3, busy)), Script.on(backup, ok))
      const step = get.pipe(
        Step.regions(["iad", "lax"]),
        Step.retryPolicy({ base: "4 seconds" }),
        Step.fallback(Step.get(backup).pipe(Step.retryAt(3_600_000)), { onTimeout: "1 second" })
      )
      const { runToEnd, sent } = yield* setUp({ target, regions: ["iad", "lax"] })
      yield* runToEnd(step)
      assert.deepStrictEqual(
        (yield* sent).map((call) => call.split(" ")[0]),
        ["api@iad", "api@lax", "backup@iad"]
      )
    })
  )

  it.effect("sends nothing at the very moment a fallback's onTimeout cuts a pause short", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(url, busy), Script.on(backup, ok))
      const step = get.pipe(
        Step.retryPolicy({ base: "1 second", maxRetries: 9 }),
        Step.fallback(Step.get(backup), { onTimeout: "600 millis" })
      )
      const { runToEnd } = yield* setUp({ target })
      assert.deepStrictEqual(lines(yield* runToEnd(step)), ["0 start 503", "0 retry 503", "1 start 200"])
    })
  )

  it.effect("falls back on a time-out while it pauses, though it is parked then", () =>
    Effect.gen(function* () {
      const target = Script.all(
        Script.on(url, { status: 503, headers: { "Retry-After": "60" } }),
        Script.on(backup, ok)
      )
      // the target holds its lane for a minute; the backup is free
      const step = get.pipe(Step.retryPolicy(), Step.fallback(Step.get(backup), { onTimeout: "10 seconds" }))
      const { runToEnd, sent } = yield* setUp({ target })
      const job = yield* runToEnd(step)
      assert.strictEqual(job.state, "succeeded")
      assert.deepStrictEqual(lines(job), ["0 start 503", "1 start 200"])
      assert.lengthOf(yield* sent, 2)
    })
  )
})

describe("a 429", () => {
  it.effect("holds the lane, queued jobs included, and is repeated without spending anything", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.inTurn(refusal(30), refusal(30), refusal(30), refusal(30), refusal(30), ok))
      const dam = yield* setUp({ target, pacing: { pace: { rps: 1000, maxConcurrent: 1 } } })
      const first = yield* dam.submit(Step.retryPolicy(get, { maxRetries: 0 }))
      const second = yield* dam.submit(get.pipe(Step.idempotentKey("second")))
      const jobs = [yield* toEnd(dam.get(first)), yield* toEnd(dam.get(second))]
      for (const job of jobs) {
        assert.strictEqual(job.state, "succeeded")
        assert.isTrue(job.history.slice(1).every(({ kind }) => kind === "repeat"))
      }
      const calls = (yield* dam.sent).map((call) => Math.floor(Number(call.split(" ")[1]) / 30_000))
      assert.deepStrictEqual(calls, [0, 1, 2, 3, 4, 5, 5])
    })
  )

  it.effect("counts when the step's own policy lists it", () =>
    Effect.gen(function* () {
      const { runToEnd } = yield* setUp({ target: Script.always(refusal(1)) })
      const job = yield* runToEnd(Step.retryPolicy(get, { maxRetries: 1, retryCodes: [429] }))
      assert.deepStrictEqual(lines(job), ["0 start 429", "0 retry 429"])
      assert.strictEqual(job.state, "failed")
    })
  )

  it.effect("does not count by the defaults of a policy that names other things", () =>
    Effect.gen(function* () {
      const { runToEnd } = yield* setUp({ target: Script.always(Script.inTurn(refusal(1), refusal(1), ok)) })
      const job = yield* runToEnd(Step.retryPolicy(get, { maxRetries: 0, rerouteCodes: [500] }))
      assert.deepStrictEqual(lines(job), ["0 start 429", "0 repeat 429", "0 repeat 200"])
    })
  )

  it.effect("runs the fallback whose trigger lists it, and is held again behind that", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(url, refusal(60)), Script.on(backup, Script.inTurn(refusal(5), ok)))
      const { runToEnd } = yield* setUp({ target })
      const job = yield* runToEnd(
        get.pipe(Step.retryPolicy({ maxRetries: 0 }), Step.fallback(Step.get(backup), { onError: [429] }))
      )
      assert.deepStrictEqual(lines(job), ["0 start 429", "1 start 429", "1 repeat 200"])
    })
  )

  it.effect("is an answer at last a day after the job's own first one", () =>
    Effect.gen(function* () {
      const { runToEnd } = yield* setUp({ target: Script.always(refusal(3600)) })
      const job = yield* runToEnd(Step.retryPolicy(get, { maxRetries: 0 }))
      assert.strictEqual(job.state, "failed")
      assert.strictEqual(job.result?.response?.status, 429)
      assert.strictEqual(job.history.length, 24)
      assert.isAtLeast(job.finishedAt ?? 0, 24 * 3_600_000)
      assert.strictEqual(job.heldSince, 0)
    })
  )

  it.effect("ends at the deadline though the lane is held for longer", () =>
    Effect.gen(function* () {
      const { runToEnd } = yield* setUp({ target: Script.always(refusal(3600)) })
      const job = yield* runToEnd(Step.onFailureTimeout(get, "10 minutes"))
      assert.deepInclude(job.result?.error, { tag: "DeadlineExceeded" })
      assert.strictEqual(job.result?.response?.status, 429)
      assert.strictEqual(job.finishedAt, 600_000)
    })
  )

  it.effect("does not count for a fallback's onTimeout, being a wait for the lane", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(url, Script.inTurn(refusal(60), ok)), Script.on(backup, ok))
      const { runToEnd } = yield* setUp({ target })
      const job = yield* runToEnd(get.pipe(Step.fallback(Step.get(backup), { onTimeout: "10 seconds" })))
      assert.deepStrictEqual(lines(job), ["0 start 429", "0 repeat 200"])
    })
  )

  for (const [says, headers] of Object.entries({
    "without a Retry-After": {},
    "with a Retry-After of nothing": { "Retry-After": "0" },
    "with a date that has passed": { "Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT" },
    "with a reset that has passed": { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0" },
    "with a Retry-After that is too short": { "Retry-After": "1" }
  })) {
    it.effect(`${says} holds for longer each time`, () =>
      Effect.gen(function* () {
        const refused = { status: 429, headers }
        const target = Script.always(Script.inTurn(refused, refused, refused, refused, ok))
        const { runToEnd } = yield* setUp({ target })
        const job = yield* runToEnd(get)
        assert.deepStrictEqual(
          job.history.map(({ at }) => Math.round(at / 1000)),
          [0, 1, 3, 7, 15]
        )
      })
    )
  }

  it.effect("waits longer each time though the lane lets others through, over the job's own parking", () =>
    Effect.gen(function* () {
      const limited = Script.on(url, Script.inTurn(refusal(0), refusal(0), refusal(0), refusal(0), ok))
      const dam = yield* setUp({ target: Script.all(limited, Script.on(`${url}free`, ok)) })
      const id = yield* dam.submit(get)
      for (let n = 0; n < 200; n++) {
        yield* dam.submit(Step.get(`${url}free`).pipe(Step.idempotentKey(`free ${n}`)))
        yield* TestClock.adjust(100)
      }
      const job = yield* dam.get(id)
      assert.deepStrictEqual(
        job.history.map(({ at }) => Math.floor(at / 1000)),
        [0, 1, 3, 7, 15]
      )
    })
  )

  for (const [says, refused] of Object.entries({
    "a 403 that announces a wait": { status: 403, headers: { "Retry-After": "3" } },
    "a 403 with nothing left": { status: 403, headers: { "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3" } },
    "a status that the configuration names": { status: 420, headers: { "Retry-After": "3" } }
  })) {
    it.effect(`is what ${says} stands for: the job waits and spends nothing`, () =>
      Effect.gen(function* () {
        const hosts = { "api.example:443": { refusals: [420] } }
        const target = Script.always(Script.inTurn(refused, refused, ok))
        const { engine, runToEnd } = yield* setUp({ target, pacing: { ...fast, hosts } })
        const job = yield* runToEnd(Step.retryPolicy(get, { maxRetries: 0 }))
        assert.deepStrictEqual(lines(job), [`0 start ${refused.status}`, `0 repeat ${refused.status}`, "0 repeat 200"])
        assert.deepStrictEqual(
          job.history.map(({ at }) => Math.round(at / 1000)),
          [0, 3, 6]
        )
        assert.strictEqual((yield* engine.lanes)[0]?.ignored, 0)
      })
    )
  }

  const preset: Preset = {
    name: "mine",
    hosts: ["api.example"],
    too_many: [{ status: [200], body: [{ path: "error", is: "slow" }], wait_seconds: 3 }],
    used_up: [{ status: [200], body: [{ path: "error", is: "no more" }] }]
  }
  const rules = () => HostRules.rulesOf(preset)

  it.effect("is what a 2xx stands for that a preset of its host knows: the job is no success, and waits", () =>
    Effect.gen(function* () {
      const refused = { status: 200, body: '{"error":"slow"}' }
      const target = Script.always(Script.inTurn(refused, ok))
      const { runToEnd } = yield* setUp({ target, pacing: { ...fast, rules } })
      const job = yield* runToEnd(Step.retryPolicy(get, { maxRetries: 0 }))
      assert.deepStrictEqual(lines(job), ["0 start 200", "0 repeat 200"])
      assert.deepStrictEqual(
        job.history.map(({ at }) => Math.round(at / 1000)),
        [0, 3]
      )
      assert.strictEqual(new TextDecoder().decode(job.result?.response?.body), "fine")
    })
  )

  it.effect("ends the job where such a 2xx says that a quota is used up", () =>
    Effect.gen(function* () {
      const target = Script.always({ status: 200, body: '{"error":"no more"}' })
      const { runToEnd } = yield* setUp({ target, pacing: { ...fast, rules } })
      const job = yield* runToEnd(get)
      assert.deepStrictEqual(lines(job), ["0 start 200"])
      assert.strictEqual(job.state, "failed")
      assert.deepInclude(job.result?.error, { tag: "QuotaUsedUp" })
    })
  )

  it.effect("is not what a plain 403 stands for", () =>
    Effect.gen(function* () {
      const left = { "X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": "4102444800" }
      const { runToEnd } = yield* setUp({ target: Script.always({ status: 403, headers: left }) })
      const job = yield* runToEnd(get)
      assert.deepStrictEqual(lines(job), ["0 start 403"])
      assert.strictEqual(job.state, "failed")
    })
  )

  for (const [says, refused] of Object.entries({
    "that shall not be repeated": { status: 429, headers: { "X-Should-Retry": "false" } },
    "whose body the configuration names": { status: 429, body: '{"code":"insufficient_quota"}' }
  })) {
    it.effect(`${says} ends the job at once, with its own reason and the answer`, () =>
      Effect.gen(function* () {
        const hosts = { "api.example:443": { usedUp: ["insufficient_quota"] } }
        const dam = yield* setUp({ target: Script.always(refused), pacing: { ...fast, hosts } })
        const job = yield* dam.runToEnd(Step.webhooks(get, [{ url: hook }]))
        assert.deepStrictEqual(lines(job), ["0 start 429"])
        assert.strictEqual(job.state, "failed")
        assert.deepInclude(job.result?.error, { tag: "QuotaUsedUp" })
        assert.include(job.result?.error?.message, "the quota is used up")
        assert.strictEqual(job.result?.response?.status, 429)
        yield* TestClock.adjust("1 second")
        const [told] = yield* dam.told
        const body = told?.asked.request.body
        const text = typeof body === "string" ? body : new TextDecoder().decode(body)
        assert.include(text, "the quota is used up")
      })
    )
  }

  it.effect("is not what a Retry-After on other answers means: the next job starts at the lane's pace", () =>
    Effect.gen(function* () {
      const polite = (status: number) => ({ status, headers: { "Retry-After": "3600", "X-RateLimit-Remaining": "3" } })
      const { runToEnd, sent } = yield* setUp({
        target: Script.always(Script.inTurn(polite(202), polite(200), polite(404), polite(302), polite(200)))
      })
      for (let n = 0; n < 5; n++) yield* runToEnd(get.pipe(Step.idempotentKey(String(n))))
      const at = (yield* sent).map((call) => Number(call.split(" ")[1]))
      assert.deepStrictEqual(
        at.slice(1).filter((moment, n) => moment - (at[n] ?? 0) > 120_000),
        []
      )
    })
  )
})
