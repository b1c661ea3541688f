import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as FlatShapes from "../../../src/dam/api/FlatShapes.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import { accepted, backup, client, completed, failed, third, url } from "../../run/support.ts"
import { setUp, toEnd } from "../support.ts"

const get = Step.get(url)
const late = get.pipe(Step.retryAt(10_000), Step.startBefore(5000), Step.onFailure(Step.get(third)))

describe("a delay", () => {
  it.effect("is waited for here, counted anew for what is chained", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 200 }))
      const next = Step.get(third).pipe(Step.frugal(), Step.delay("3 seconds"))
      completed(yield* execute(get.pipe(Step.frugal(), Step.delay("2 seconds"), Step.onSuccess(next))))
      assert.deepStrictEqual(yield* sent, ["api 2000", "third 5000"])
    })
  )

  it.effect("is handed over as the moment it comes to, which every service reads", () =>
    Effect.gen(function* () {
      const { execute, fake } = yield* client(Script.always({ status: 200 }))
      yield* TestClock.adjust("1 second")
      accepted(yield* execute(Step.delay(get, "2 seconds")))
      const [job] = yield* fake.jobs
      assert.deepStrictEqual([job?.json.retry_at, job?.json.delay_ms], [3000, undefined])
    })
  )

  it.effect("of a fallback counts from when its line is taken up", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(
        Script.all(Script.on(url, { status: 500 }), Script.always({ status: 200 }))
      )
      const step = get.pipe(Step.frugal(), Step.fallback(Step.get(backup).pipe(Step.delay("4 seconds"))))
      completed(yield* execute(step))
      assert.deepStrictEqual(yield* sent, ["api 0", "backup 4000"])
    })
  )

  it.effect("is counted by a dam from when it has the job: a child's from the end of its parent", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.runToEnd(get.pipe(Step.onSuccess(Step.get(third).pipe(Step.delay("1 hour")))))
      const child = yield* dam.get("child-1")
      assert.strictEqual(child.notBefore, child.createdAt + 3_600_000)
      assert.strictEqual(child.step.delay, undefined)
      yield* toEnd(dam.get("child-1"), "1 hour")
    })
  )
})

describe("startBefore", () => {
  it.effect("ends a step that would start too late here, and its onFailure runs", () =>
    Effect.gen(function* () {
      const { execute, sent } = yield* client(Script.always({ status: 200 }))
      const { message } = failed(
        yield* execute(Step.frugal(Step.onFailure(late, Step.frugal(Step.get(third))))),
        "Expired"
      )
      assert.match(message, /expired: its time was up/)
      assert.deepStrictEqual(yield* sent, ["third 10000"])
      completed(yield* execute(get.pipe(Step.frugal(), Step.startBefore(1e12))))
    })
  )

  it.effect("holds no more for a job that is run again after it has expired", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const expired = yield* dam.runToEnd(get.pipe(Step.retryAt(10_000), Step.startBefore(5000)))
      assert.strictEqual(expired.result?.error?.tag, "Expired")
      const again = yield* dam.engine.rerun(expired)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.get(again.id)).state, "succeeded")
    })
  )

  it.effect("ends a job at its moment, also in a lane that is paused, and leaves one alone that has begun", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.all(
          Script.on(backup, { status: 503, headers: { "Retry-After": "60" } }),
          Script.always({ status: 200 })
        )
      })
      const lane = "api.example:443"
      yield* dam.engine.steering.change(lane, "me", { _tag: "Pause", note: undefined })
      const waiting = yield* dam.submit(Step.startBefore(get, 5000))
      const later = yield* dam.submit(Step.get(`${url}later`).pipe(Step.startBefore(7000)))
      // its attempts go on after its moment: it has started before
      const begun = yield* dam.submit(Step.get(backup).pipe(Step.startBefore(1000)))
      yield* TestClock.adjust(4999)
      assert.strictEqual((yield* dam.get(waiting)).state, "queued")
      yield* TestClock.adjust(1)
      const ended = yield* dam.get(waiting)
      assert.deepStrictEqual([ended.state, ended.result?.error?.tag, ended.finishedAt], ["failed", "Expired", 5000])
      assert.strictEqual((yield* dam.get(later)).state, "queued")
      yield* TestClock.adjust(2000)
      assert.strictEqual((yield* dam.get(later)).state, "failed")
      assert.strictEqual((yield* dam.get(begun)).state, "parked")
    })
  )

  it.effect("is told to those who speak the flat dialect as a failed job whose reason is expired", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const step = get.pipe(
        Step.retryAt(10_000),
        Step.startBefore(5000),
        Step.webhooks([{ url: "https://me.example/hook" }])
      )
      const id = yield* dam.submit(step, { dialect: "flat" })
      const job = yield* toEnd(dam.get(id))
      assert.deepInclude(FlatShapes.flat(job), { status: "failed" })
      assert.deepStrictEqual(FlatShapes.flatEnd(job), { event: "failed", data: { job_id: id, reason: "expired" } })
      yield* TestClock.adjust("1 minute")
      const [told] = yield* dam.told
      const { body } = told?.asked.request ?? {}
      const event = JSON.parse(new TextDecoder().decode(body as Uint8Array))
      assert.deepStrictEqual(event, { job_id: id, status: "failed", reason: "expired" })
    })
  )

  it.effect("ends a job whose turn comes too late; its webhook tells expired, and its onFailure runs", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const job = yield* dam.runToEnd(Step.webhooks(late, [{ url: "https://me.example/hook" }]))
      assert.deepStrictEqual([job.state, job.result?.error?.tag], ["failed", "Expired"])
      yield* toEnd(dam.get("child-1"))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(
        (yield* dam.sent).map((call) => call.split(" ")[0]),
        ["third"]
      )
      const [told] = yield* dam.told
      const { body } = told?.asked.request ?? {}
      assert.deepInclude(JSON.parse(new TextDecoder().decode(body as Uint8Array)), {
        status: "failed",
        error: "expired"
      })
    })
  )
})

describe("the time a job may take", () => {
  it.effect("is its own for each attempt, more or less than the dam's", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.hang), attemptTimeout: Duration.seconds(60) })
      const once = { maxRetries: 0, maxReroutes: 0 }
      const slow = yield* dam.runToEnd(
        get.pipe(Step.idempotentKey("slow"), Step.attemptTimeout("10 minutes"), Step.retryPolicy(once))
      )
      const quick = yield* dam.runToEnd(
        get.pipe(Step.idempotentKey("quick"), Step.attemptTimeout("1 second"), Step.retryPolicy(once))
      )
      const other = yield* dam.runToEnd(get.pipe(Step.retryPolicy(once)))
      assert.deepStrictEqual(
        [slow, quick, other].map(({ history }) => history.map(({ latency }) => latency)),
        [[600_000], [1000], [60_000]]
      )
    })
  )

  it.effect("ends it in all, wherever it is: under way, between attempts, or before its moment", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.on(url, { status: 503 }) })
      const total = get.pipe(Step.totalTimeout("1 minute"), Step.onFailure(Step.get(third)))
      const [parked, scheduled] = [
        yield* dam.runToEnd(Step.retryPolicy(total, { maxRetries: 1000 })),
        yield* dam.runToEnd(total.pipe(Step.idempotentKey("later"), Step.retryAt(86_400_000)))
      ]
      for (const job of [parked, scheduled]) {
        assert.deepStrictEqual([job.state, job.result?.error?.tag], ["failed", "DeadlineExceeded"])
        assert.match(job.result?.error?.message ?? "", /totalTimeout \(60000 ms\)/)
      }
      assert.lengthOf(scheduled.history, 0)
      assert.isAbove(parked.history.length, 1)
    })
  )

  it.effect("is told to the target by each call of a job that says in which header", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.runToEnd(get.pipe(Step.timeoutHeader("X-Left"), Step.attemptTimeout("5 seconds")))
      const [call] = yield* dam.exchanges
      assert.strictEqual(call?.asked.request.headers["X-Left"], "5000")
    })
  )
})
