import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { StorageFull } from "../../../src/dam/store/StoreError.ts"
import * as Step from "../../../src/step/Step.ts"
import * as Script from "../../../src/testing/Script.ts"
import type { Store } from "../support.ts"
import { backup, busy, hook, jobOf, lines, ok, setUp, toEnd, url } from "../support.ts"

const get = Step.get(url)
const distinct = (n: number) => get.pipe(Step.idempotentKey(`key ${n}`))

describe("taking jobs", () => {
  it.effect("files a duplicate under the first job's id and runs nothing twice", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const first = yield* jobOf(get)
      const second = yield* jobOf(get)
      assert.deepInclude(yield* dam.engine.submit(first), { _tag: "Stored" })
      const again = yield* dam.engine.submit(second)
      assert.isTrue(again._tag === "Duplicate" && again.job.id === first.id)
      yield* toEnd(dam.get(first.id))
      assert.lengthOf(yield* dam.exchanges, 1)
    })
  )

  it.effect("starts a scheduled job when its time has come, and not before", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const id = yield* dam.submit(Step.retryAt(get, 3_600_000))
      assert.strictEqual((yield* dam.get(id)).state, "scheduled")
      yield* TestClock.adjust(3_599_999)
      assert.deepStrictEqual(yield* dam.sent, [])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* dam.sent, ["api 3600000"])
    })
  )

  it.effect("refuses what is more than it may hold, and says for how long", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ maxQueued: 3, target: Script.always(Script.hang), maxRunning: 1 })
      for (let n = 0; n < 4; n++) {
        yield* dam.submit(distinct(n))
        yield* TestClock.adjust("100 millis")
      }
      yield* TestClock.adjust("2 seconds")
      const error = yield* Effect.flip(dam.engine.submit(yield* jobOf(distinct(9))))
      assert.deepInclude(error, { _tag: "Overloaded", limitReason: "queued_jobs", limit: 3, current: 3 })
    })
  )

  it.effect("runs no more jobs at once than it may, over all lanes, and goes on as they end", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ maxRunning: 3, target: Script.always(Script.later("10 seconds", ok)) })
      for (let n = 0; n < 9; n++) yield* dam.submit(Step.get(`https://host-${n}.example/`))
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude((yield* dam.store.stats).jobs, { running: 3, queued: 6 })
      yield* TestClock.adjust("30 seconds")
      assert.deepInclude((yield* dam.store.stats).jobs, { succeeded: 9 })
    })
  )

  it.effect("tells the states a job goes through, to its end", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.inTurn({ status: 503, headers: { "Retry-After": "5" } }, ok))
      const dam = yield* setUp({ target })
      const job = yield* jobOf(get)
      const states = yield* Effect.forkChild(Stream.runCollect(dam.engine.events(job.id)))
      yield* TestClock.adjust(1)
      yield* dam.engine.submit(job)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(
        (yield* Fiber.join(states)).map(({ state }) => state),
        ["queued", "running", "parked", "running", "succeeded"]
      )
    })
  )

  it.effect("gives a job that asks for isolation a turn beside its account's backlog", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 1, maxConcurrent: 1 } } })
      for (let n = 0; n < 50; n++) yield* dam.submit(distinct(n))
      yield* TestClock.adjust("2 seconds")
      const id = yield* dam.submit(distinct(99), { isolated: true })
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
      assert.isAtMost((yield* dam.sent).length, 7)
    })
  )
})

describe("chains", () => {
  const child = Step.get(`${url}child`)

  it.effect("start the child as a job of its own, under a key of its parent", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const job = yield* dam.runToEnd(get.pipe(Step.onSuccess(child), Step.onFailure(Step.get(backup))))
      const next = yield* toEnd(dam.get("child-1"))
      assert.deepInclude(next, { state: "succeeded", key: `${job.id}:success`, keyGiven: false })
      assert.deepStrictEqual(next.parent, { id: job.id, relation: "onSuccess" })
      assert.lengthOf(yield* dam.exchanges, 2)
    })
  )

  it.effect("start the other child after a failure, which stays a failure", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(url, { status: 404 }), Script.always(ok))
      const dam = yield* setUp({ target })
      const job = yield* dam.runToEnd(get.pipe(Step.onSuccess(child), Step.onFailure(Step.get(backup))))
      assert.strictEqual(job.state, "failed")
      assert.deepInclude(yield* toEnd(dam.get("child-1")), { key: `${job.id}:failure`, state: "succeeded" })
    })
  )

  it.effect("keep the key a child was given, and its own time", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const past = child.pipe(Step.idempotentKey("mine"), Step.retryAt(0))
      yield* dam.runToEnd(Step.onSuccess(get, past))
      assert.deepInclude(yield* toEnd(dam.get("child-1")), { key: "mine", keyGiven: true, state: "succeeded" })
      const later = Step.get(`${url}later`).pipe(Step.retryAt(7_200_000))
      yield* dam.runToEnd(Step.onSuccess(distinct(1), later))
      assert.strictEqual((yield* dam.get("child-2")).state, "scheduled")
      const ran = yield* toEnd(dam.get("child-2"))
      assert.strictEqual(ran.history[0]?.at, 7_200_000)
    })
  )

  it.effect("tell of no child that was not stored, because its key names an earlier job", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      yield* dam.submit(Step.idempotentKey(Step.get(backup), "taken"))
      yield* TestClock.adjust("1 second")
      const before = dam.engine.recent.last()
      yield* dam.runToEnd(get.pipe(Step.onSuccess(Step.idempotentKey(Step.get(backup), "taken"))))
      assert.isUndefined(yield* dam.store.get("child-1"))
      const { events } = dam.engine.recent.since(before)
      assert.notInclude(
        events.map(({ jobId }) => jobId),
        "child-1"
      )
    })
  )

  it.effect("run again in a rerun, beside the key of the first children", () =>
    Effect.gen(function* () {
      const dam = yield* setUp()
      const step = get.pipe(Step.onSuccess(Step.idempotentKey(child, "mine")))
      const first = yield* dam.runToEnd(step)
      yield* toEnd(dam.get("child-1"))
      yield* dam.runToEnd(step, { rerunOf: first.id })
      assert.strictEqual((yield* toEnd(dam.get("child-2"))).state, "succeeded")
      assert.lengthOf(yield* dam.exchanges, 4)
      const again = yield* dam.engine.submit(yield* jobOf(Step.idempotentKey(child, "mine")))
      assert.isTrue(again._tag === "Duplicate" && again.job.id === "child-1")
    })
  )
})

describe("onFailureTimeout", () => {
  const limited = Step.onFailureTimeout(get, "1 minute")
  const rescue = Step.get(`${url}rescue`)

  it.effect("ends a job while it runs, its pauses and waits included, and starts what follows", () =>
    Effect.gen(function* () {
      const target = Script.all(Script.on(`${url}rescue`, ok), Script.always(busy))
      const dam = yield* setUp({ target })
      const step = limited.pipe(Step.retryPolicy({ maxRetries: 99, base: "30 seconds" }), Step.onFailure(rescue))
      const job = yield* dam.runToEnd(step)
      assert.strictEqual(job.finishedAt, 60_000)
      assert.deepInclude(job.result?.error, { tag: "DeadlineExceeded" })
      assert.strictEqual((yield* toEnd(dam.get("child-1"))).state, "succeeded")
    })
  )

  it.effect("ends a job that waits in the queue, without ever sending it", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        target: Script.always(Script.hang),
        pacing: { pace: { rps: 1, maxConcurrent: 1 } },
        attemptTimeout: fiveMinutes
      })
      yield* dam.submit(distinct(0))
      const id = yield* dam.submit(limited.pipe(Step.onFailure(rescue), Step.webhooks([{ url: hook }])))
      yield* TestClock.adjust(60_000)
      const job = yield* dam.get(id)
      assert.deepInclude(job, { state: "failed", finishedAt: 60_000, epoch: 0 })
      assert.deepInclude(job.result?.error, { tag: "DeadlineExceeded" })
      assert.strictEqual((yield* dam.get("child-1")).state, "queued")
      assert.lengthOf(yield* dam.told, 1)
      assert.lengthOf(yield* dam.exchanges, 1)
    })
  )

  it.effect("ends a job that is parked behind a held lane", () =>
    Effect.gen(function* () {
      const target = Script.always({ status: 429, headers: { "Retry-After": "7200" } })
      const dam = yield* setUp({ target })
      const job = yield* dam.runToEnd(limited)
      assert.deepInclude(job, { state: "failed", finishedAt: 60_000 })
      assert.strictEqual(job.result?.response?.status, 429)
    })
  )

  it.effect("counts from retryAt", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.hang) })
      const job = yield* dam.runToEnd(Step.retryAt(limited, 600_000))
      assert.strictEqual(job.finishedAt, 660_000)
    })
  )

  it.effect("lets a success stand that came in time", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.later(59_999, ok)) })
      assert.strictEqual((yield* dam.runToEnd(limited)).state, "succeeded")
      yield* TestClock.adjust("1 hour")
      assert.deepInclude((yield* dam.store.stats).jobs, { succeeded: 1, failed: 0 })
    })
  )
})

describe("cancelling", () => {
  const cancelled = (job: { readonly state: string; readonly result?: { readonly error?: unknown } | undefined }) => {
    assert.strictEqual(job.state, "cancelled")
    assert.deepInclude(job.result?.error, { tag: "Cancelled" })
  }
  const told = Step.webhooks([{ url: hook }])

  it.effect("stops a running job at once and tells its webhooks", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.hang) })
      const id = yield* dam.submit(told(get))
      yield* TestClock.adjust("1 second")
      cancelled(yield* dam.engine.cancel(yield* dam.get(id)))
      yield* TestClock.adjust("1 second")
      const [call] = yield* dam.exchanges
      assert.strictEqual(call?.ending._tag, "Interrupted")
      assert.lengthOf(yield* dam.told, 1)
      assert.deepStrictEqual(lines(yield* dam.get(id)), ["0 start interrupted"])
      const [lane] = yield* dam.engine.lanes
      assert.strictEqual(lane?.open, 0)
    })
  )

  for (const [state, step] of [
    ["queued", distinct(1)],
    ["scheduled", distinct(1).pipe(Step.retryAt(3_600_000))]
  ] as const) {
    it.effect(`ends a ${state} job, which is then never sent`, () =>
      Effect.gen(function* () {
        const dam = yield* setUp({ target: Script.always(Script.later("30 seconds", ok)), maxRunning: 1 })
        yield* dam.submit(distinct(0))
        yield* TestClock.adjust(10)
        const id = yield* dam.submit(told(step))
        assert.strictEqual((yield* dam.get(id)).state, state)
        cancelled(yield* dam.engine.cancel(yield* dam.get(id)))
        yield* TestClock.adjust("2 hours")
        assert.lengthOf(yield* dam.exchanges, 1)
        assert.lengthOf(yield* dam.told, 1)
      })
    )
  }

  it.effect("ends a parked job, which does not come back", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always({ status: 503, headers: { "Retry-After": "60" } }) })
      const id = yield* dam.submit(get)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* dam.get(id)).state, "parked")
      cancelled(yield* dam.engine.cancel(yield* dam.get(id)))
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(yield* dam.exchanges, 1)
    })
  )

  it.effect("refuses a job that has ended, and starts no child of one that was cancelled", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ target: Script.always(Script.later("1 minute", ok)) })
      const id = yield* dam.submit(get.pipe(Step.onSuccess(Step.get(backup)), Step.onFailure(Step.get(backup))))
      yield* TestClock.adjust("1 second")
      const job = yield* dam.engine.cancel(yield* dam.get(id))
      const error = yield* Effect.flip(dam.engine.cancel(job))
      assert.deepInclude(error, { _tag: "WrongState", state: "cancelled" })
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(yield* dam.store.get("child-1"))
    })
  )

  it.effect("does not forget a call that was answered, though its end could not be written yet", () =>
    Effect.gen(function* () {
      let full = true
      const dam = yield* setUp({ through: (store) => failing(store, () => full, ["finish"]) })
      const id = yield* dam.submit(get)
      yield* TestClock.adjust(100)
      full = false
      cancelled(yield* dam.engine.cancel(yield* dam.get(id)))
      assert.lengthOf(yield* dam.exchanges, 1)
      assert.deepStrictEqual(lines(yield* dam.get(id)), ["0 start 200"])
    })
  )

  it.effect("queues a job again that it stopped while the store could not take its end", () =>
    Effect.gen(function* () {
      let full = false
      const dam = yield* setUp({
        target: Script.always(Script.inTurn(Script.hang, ok)),
        through: (store) => failing(store, () => full)
      })
      const id = yield* dam.submit(get)
      yield* TestClock.adjust("1 second")
      full = true
      const error = yield* Effect.flip(dam.engine.cancel(yield* dam.get(id)))
      assert.strictEqual(error._tag, "StorageFull")
      full = false
      const job = yield* toEnd(dam.get(id))
      assert.strictEqual(job.state, "succeeded")
    })
  )

  it.effect("keeps an attempt that could not be written before", () =>
    Effect.gen(function* () {
      let full = false
      const through = (store: Store): Store => ({
        ...store,
        finish: (...args) => (full ? Effect.fail(new StorageFull()) : store.finish(...args)),
        record: (...args) => {
          if (!full) return store.record(...args)
          full = false
          return Effect.fail(new StorageFull())
        }
      })
      const dam = yield* setUp({ target: Script.always(Script.later("1 second", ok)), through })
      const id = yield* dam.submit(get)
      yield* TestClock.adjust(500)
      full = true
      yield* TestClock.adjust(700)
      const job = yield* dam.engine.cancel(yield* dam.get(id))
      assert.deepStrictEqual([job.state, ...lines(job)], ["cancelled", "0 start 200"])
    })
  )

  it.effect("makes no call again after a success that could not be written, where it fails itself", () =>
    Effect.gen(function* () {
      let full = false
      const dam = yield* setUp({
        target: Script.always(Script.later("1 second", ok)),
        through: (store) => failing(store, () => full)
      })
      const id = yield* dam.submit(get)
      yield* TestClock.adjust(500)
      full = true
      yield* TestClock.adjust("2 seconds")
      const error = yield* Effect.flip(dam.engine.cancel(yield* dam.get(id)))
      assert.strictEqual(error._tag, "StorageFull")
      yield* TestClock.adjust("2 seconds")
      full = false
      const job = yield* toEnd(dam.get(id))
      assert.deepStrictEqual([job.state, ...lines(job)], ["succeeded", "0 start 200"])
      assert.lengthOf(yield* dam.exchanges, 1)
    })
  )
})

describe("a store that fails for a while", () => {
  it.effect("costs no job and no call that was made: what happened is written when it can be", () =>
    Effect.gen(function* () {
      let full = false
      const dam = yield* setUp({
        target: Script.always(Script.later("1 second", Script.inTurn(busy, ok))),
        pacing: { pace: { rps: 100, maxConcurrent: 1 } },
        through: (store) => failing(store, () => full)
      })
      const ids = [yield* dam.submit(distinct(0)), yield* dam.submit(distinct(1))]
      yield* TestClock.adjust(500)
      full = true
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(yield* dam.exchanges, 1)
      full = false
      for (const id of ids) assert.strictEqual((yield* toEnd(dam.get(id))).state, "succeeded")
      assert.lengthOf(yield* dam.exchanges, 3)
    })
  )

  it.effect("costs no result and no webhook, and sends nothing again", () =>
    Effect.gen(function* () {
      let full = false
      const dam = yield* setUp({ through: (store) => failing(store, () => full, ["finish", "settleDelivery"]) })
      full = true
      const id = yield* dam.submit(Step.webhooks(get, [{ url: hook }]))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* dam.get(id)).state, "running")
      full = false
      yield* TestClock.adjust("2 seconds")
      assert.deepInclude(yield* dam.get(id), { state: "succeeded", deliveryState: "delivered" })
      assert.lengthOf(yield* dam.exchanges, 1)
      assert.lengthOf(yield* dam.told, 1)
    })
  )
})

/** A store whose writes fail for as long as its disk is full. */
const failing = (store: Store, isFull: () => boolean, names: ReadonlyArray<keyof Store> = writes): Store =>
  new Proxy(store, {
    get: (target, name: keyof Store) => {
      const method: unknown = target[name]
      if (typeof method !== "function" || !names.includes(name)) return method
      return (...args: ReadonlyArray<unknown>) =>
        Effect.suspend(() => (isFull() ? Effect.fail(new StorageFull()) : method(...args)))
    }
  })

const writes: ReadonlyArray<keyof Store> = [
  "start",
  "record",
  "park",
  "finish",
  "finishIdle",
  "release",
  "settleDelivery",
  "savePace",
  "sweep"
]
const fiveMinutes = Duration.minutes(5)
