import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Admission from "../../../src/dam/work/Admission.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Step from "../../../src/step/Step.ts"
import type { Step as StepValue } from "../../../src/step/StepModel.ts"
import * as Script from "../../../src/testing/Script.ts"
import { jobOf, setUp, url } from "../support.ts"

const mebibyte = 1024 * 1024
const order = (n: number, bytes = 1) => Step.post(url, { body: `${n}`.padEnd(bytes, "x") })

describe("admission", () => {
  it.effect("takes as many as may wait, however fast they come, and more once some have gone", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({
        maxQueued: 5,
        maxRunning: 1,
        target: Script.always(Script.later("10 seconds", { status: 200 }))
      })
      const results = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, n) => n),
        (n) => Effect.flatMap(jobOf(order(n)), (job) => Effect.result(dam.engine.submit(job))),
        { concurrency: "unbounded" }
      )
      const refused = results.flatMap((result) => (result._tag === "Failure" ? [result.failure] : []))
      // one has begun meanwhile
      assert.include([14, 15], refused.length)
      for (const error of refused) {
        assert.deepInclude(error, { _tag: "Overloaded", limitReason: "queued_jobs", limit: 5, current: 5 })
      }
      yield* TestClock.adjust("11 seconds")
      yield* dam.submit(order(21))
    })
  )

  it.effect("refuses low priority first, from four fifths on", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ maxQueued: 10, maxRunning: 0 })
      for (let n = 0; n < 8; n++) yield* dam.submit(order(n))
      const low = yield* jobOf(order(8).pipe(Step.priority("low")))
      assert.deepInclude(yield* Effect.flip(dam.engine.submit(low)), { _tag: "Overloaded", limit: 8, current: 8 })
      yield* dam.submit(order(9))
      yield* dam.submit(order(10).pipe(Step.priority("high")))
      assert.deepInclude(yield* Effect.flip(dam.engine.submit(yield* jobOf(order(11)))), { limit: 10 })
    })
  )

  it.effect(
    "refuses lines of a batch of low priority as early, and with them those that were to be taken together",
    () =>
      Effect.gen(function* () {
        const { batches } = (yield* setUp({ maxQueued: 10, maxRunning: 0 })).engine
        const asked = { webhook: undefined, metadata: {}, onComplete: undefined, onAnyFailure: undefined }
        const { batch } = yield* batches.open({ customer: "local", id: "b", together: false, ...asked })
        const take = (after: number, ...steps: ReadonlyArray<StepValue>) =>
          Effect.gen(function* () {
            const lines = yield* Effect.forEach(steps, (step, n) =>
              Effect.map(jobOf(step), (job) => ({ line: after + n + 1, job }))
            )
            const through = after + steps.length
            return yield* batches.take({ ...batch, through: after }, { lines, through, isAgain: false })
          })
        const low = order(9).pipe(Step.priority("low"))
        yield* take(0, ...Array.from({ length: 8 }, (_, n) => order(n)))
        assert.deepInclude(yield* Effect.flip(take(8, low)), { _tag: "Overloaded", limit: 8, current: 8 })
        assert.deepInclude(yield* Effect.flip(take(8, order(8), low)), { _tag: "Overloaded", limit: 8, current: 8 })
        assert.isTrue((yield* take(8, order(8))).isTaken)
      })
  )

  it.effect("counts what it filed until the store has answered anew, and not only until it is asked", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ pacing: { pace: { rps: 0.001, maxConcurrent: 1 } } })
      const empty = yield* dam.store.stats
      const queued = (jobs: number) => ({ ...empty, jobs: { ...empty.jobs, queued: jobs } })
      const answer = yield* Deferred.make<typeof empty>()
      const answers = [Effect.succeed(empty), Deferred.await(answer)]
      const stats = Effect.suspend(() => answers.shift() ?? Effect.succeed(queued(3)))
      const guard = Admission.make({ stats }, { ...Admission.defaults, maxQueued: 3, maxMemoryBytes: Infinity })
      for (let n = 0; n < 2; n++) yield* guard.through(Effect.void)
      yield* TestClock.adjust("2 seconds")
      const asking = yield* Effect.forkChild(guard.through(Effect.void))
      yield* Effect.yieldNow
      yield* guard.through(Effect.void)
      assert.isFalse(guard.enter(yield* Clock.Clock))
      assert.deepInclude(yield* Effect.flip(guard.through(Effect.void)), { limitReason: "queued_jobs", current: 3 })
      yield* Deferred.succeed(answer, queued(2))
      assert.deepInclude(yield* Effect.flip(Fiber.join(asking)), { limitReason: "queued_jobs", current: 3 })
    })
  )

  it.effect("goes by the memory it saw last where the platform cannot look, and takes jobs", () =>
    Effect.gen(function* () {
      let looks = 0
      const memoryBytes = () => {
        if (++looks === 1) return 900
        throw new Error("EMFILE: too many open files, uv_resident_set_memory")
      }
      const dam = yield* setUp({ maxMemoryBytes: 1000, memoryBytes })
      yield* dam.submit(order(1))
      yield* TestClock.adjust("1 minute")
      yield* dam.submit(order(2))
      assert.isAbove(looks, 1)
      assert.deepInclude(yield* dam.engine.admission, { memory_bytes: 900 })
    })
  )

  it.effect("minds what the database holds, and not the room that was freed in it", () =>
    Effect.gen(function* () {
      const dam = yield* setUp({ maxStoredBytes: 4 * mebibyte })
      for (let n = 0; n < 6; n++) yield* dam.submit(order(n, mebibyte)).pipe(Effect.ignore)
      yield* TestClock.adjust("1 minute")
      const error = yield* Effect.flip(dam.engine.submit(yield* jobOf(order(7))))
      assert.deepInclude(error, { _tag: "Overloaded", limitReason: "stored_bytes", limit: 4 * mebibyte })
      assert.isAbove((yield* dam.engine.admission)["stored_bytes"] ?? 0, 4 * mebibyte)
      // finished jobs are kept for a day
      yield* TestClock.adjust("25 hours")
      assert.isBelow((yield* dam.engine.admission)["stored_bytes"] ?? Infinity, mebibyte)
      yield* dam.submit(order(8))
    })
  )

  it.effect("takes so many unfinished jobs of one customer, reruns and children among them, and all of others", () =>
    Effect.gen(function* () {
      const target = Script.always(Script.later("10 seconds", { status: 200 }))
      const dam = yield* setUp({ maxCustomerJobs: 2, target })
      const submit = (n: number, customer = "acme") =>
        Effect.flatMap(jobOf(Step.onSuccess(order(n), order(-n))), (job) =>
          dam.engine.submit({ ...job, customer, keyScope: customer })
        )
      yield* submit(1)
      yield* submit(2)
      const error = yield* Effect.flip(submit(3))
      assert.deepInclude(error, { _tag: "Overloaded", limitReason: "customer_jobs", limit: 2, current: 2 })
      assert.match(error.message, /^this customer's part of the dam is full \(customer_jobs: 2 of 2\)/)
      assert.strictEqual((yield* submit(2))._tag, "Duplicate")
      assert.strictEqual((yield* submit(3, "b"))._tag, "Stored")
      assert.deepInclude(yield* dam.engine.admission, { max_customer_jobs: 2 })
      // their children take their places
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual((yield* Effect.flip(submit(3)))._tag, "Overloaded")
      yield* TestClock.adjust("1 minute")
      const [first] = (yield* dam.store.list({ customer: "acme", states: ["succeeded"], limit: 1 })).jobs
      if (first === undefined) return assert.fail("none has ended")
      yield* dam.engine.rerun(first)
      yield* submit(3)
      assert.strictEqual((yield* Effect.flip(dam.engine.rerun(first)))._tag, "Overloaded")
    })
  )

  it.effect("minds memory", () =>
    Effect.gen(function* () {
      let memory = 2000
      const dam = yield* setUp({ maxMemoryBytes: 1000, memoryBytes: () => memory })
      const error = yield* Effect.flip(dam.engine.submit(yield* jobOf(order(1))))
      assert.deepInclude(error, { limitReason: "memory", limit: 1000, current: 2000 })
      memory = 500
      yield* TestClock.adjust("100 millis")
      yield* dam.submit(order(1))
      assert.deepInclude(yield* dam.engine.admission, { memory_bytes: 500, max_memory_bytes: 1000 })
    })
  )

  it("has a memory mark within what the machine has", () => {
    assert.isAbove(Admission.defaults.maxMemoryBytes, Admission.defaults.memoryBytes())
  })

  it.effect("counts what is under way, so that nobody slips in between", () =>
    Effect.gen(function* () {
      const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread" })
      const admission = Admission.make(store, { ...Admission.defaults, maxQueued: 3 })
      yield* Effect.all(
        Array.from({ length: 3 }, () => Effect.forkScoped(admission.through(Effect.never), { startImmediately: true }))
      )
      const error = yield* Effect.flip(admission.through(Effect.void))
      assert.deepInclude(error, { limitReason: "queued_jobs", current: 3 })
    })
  )
})

describe("a database that may not grow", () => {
  it.effect("refuses jobs as full, goes on with what it has, and takes jobs again once some are deleted", () =>
    Effect.gen(function* () {
      const store = yield* SqliteJobStore.make({ path: ":memory:", executor: "sameThread", maxBytes: 3 * mebibyte })
      const dam = yield* setUp({ store })
      let stored = 0
      let full = false
      while (!full && stored < 100) {
        const result = yield* Effect.result(dam.engine.submit(yield* jobOf(order(stored, 200_000))))
        if (result._tag === "Success") stored++
        else {
          assert.strictEqual(result.failure._tag, "StorageFull")
          full = true
        }
      }
      assert.isTrue(full)
      assert.isAbove(stored, 5)
      yield* TestClock.adjust("25 hours")
      const { jobs } = yield* store.stats
      assert.deepInclude(jobs, { queued: 0, running: 0 })
      const id = yield* dam.submit(order(101, 200_000))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* dam.get(id)).state, "succeeded")
    })
  )
})
