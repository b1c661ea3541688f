import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { hash } from "../../src/engine/Idempotency.ts"
import { Service } from "../../src/run/Service.ts"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import { FakeService } from "../../src/testing/FakeService.ts"

const order = Step.post("https://shop.example/orders", { body: "1" })

const submit = (step: Step.Step, options: { readonly key?: string; readonly retryAt?: number } = {}) =>
  Effect.flatMap(FakeService, ({ transport }) => transport.submit({ step, key: options.key, retryAt: options.retryAt }))

const reasonOf = <A, E extends { readonly reason: { readonly _tag: string } }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

const secret = (text: string) => Redacted.make(text.padEnd(16, "."))

describe("FakeService", () => {
  it.effect("takes a step over and files it under the key the real one would use", () =>
    Effect.gen(function* () {
      const hashed = yield* submit(order)
      assert.deepStrictEqual(hashed, {
        _tag: "Receipt",
        jobId: "job-1",
        status: "queued",
        idempotentKey: hash(order.request),
        duplicate: false,
        answer: { job_id: "job-1", status: "queued", idempotent_key: hash(order.request) }
      })
      assert.strictEqual((yield* submit(Step.idempotentKey(order, "own"))).idempotentKey, "own")
      assert.strictEqual((yield* submit(order, { key: "given" })).idempotentKey, "given")
      const [, , third] = yield* (yield* FakeService).jobs
      assert.deepStrictEqual(third?.json, {
        url: "https://shop.example/orders",
        method: "POST",
        body: "1",
        idempotent_key: "given"
      })
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("says racing of several regions in race mode only", () =>
    Effect.gen(function* () {
      const many = Step.regions(order, ["iad", "lax"])
      assert.strictEqual((yield* submit(many)).status, "racing")
      assert.strictEqual((yield* submit(Step.executionMode(many, "fanout"), { key: "b" })).status, "queued")
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("keeps the moment before which a job shall not start", () =>
    Effect.gen(function* () {
      yield* submit(Step.retryAt(order, 5), { retryAt: 9 })
      assert.strictEqual((yield* (yield* FakeService).jobs)[0]?.retryAt, 9)
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("recognises a call it knows and starts nothing new", () =>
    Effect.gen(function* () {
      const service = yield* FakeService
      yield* submit(order)
      yield* service.complete("job-1", { status: 200 })
      const again = yield* submit(order)
      assert.deepStrictEqual([again.jobId, again.duplicate, again.status], ["job-1", true, "succeeded"])
      assert.strictEqual((yield* service.jobs).length, 1)
      assert.strictEqual((yield* service.delegations).length, 2)
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("refuses a key that belongs to another call", () =>
    Effect.gen(function* () {
      yield* submit(order, { key: "k" })
      const { reason } = yield* Effect.flip(submit(Step.body(order, "2"), { key: "k" }))
      assert.isTrue(reason._tag === "JobRefused" && reason.status === 422)
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("cannot be handed what the wire cannot carry", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(submit(Step.body(order, new Uint8Array([255])))), "Unsendable")
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("denies, limits and disappears for as often as the test says", () =>
    Effect.gen(function* () {
      const service = yield* FakeService
      yield* service.deny(1)
      assert.strictEqual(yield* reasonOf(submit(order)), "ServiceDenied")
      yield* service.disconnect(2)
      assert.strictEqual(yield* reasonOf(submit(order)), "ServiceUnreachable")
      assert.strictEqual(yield* reasonOf(submit(order)), "ServiceUnreachable")
      assert.strictEqual((yield* submit(order)).jobId, "job-1")
      yield* service.rateLimit(5000)
      const { reason } = yield* Effect.flip(submit(order))
      assert.isTrue(reason._tag === "ServiceRateLimited" && reason.retryAt === 5000)
      assert.strictEqual(yield* reasonOf(submit(order)), "ServiceRateLimited")
      yield* service.accept
      assert.isTrue((yield* submit(order)).duplicate)
      assert.deepStrictEqual(
        (yield* service.delegations).map(({ ending }) => ending._tag),
        ["Failed", "Failed", "Failed", "Answered", "Failed", "Failed", "Answered"]
      )
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("ends jobs when the test says so, for whoever waits and for whoever comes later", () =>
    Effect.gen(function* () {
      const service = yield* FakeService
      const { job, results } = yield* Service
      yield* submit(Step.metadata(order, { order: 1 }), { key: "k" })
      assert.strictEqual((yield* job("job-1")).status, "queued")
      const waiting = yield* Effect.forkChild(results.await("job-1"))
      yield* service.complete("job-1", { status: 201, body: { id: 7 } })
      const result = yield* Fiber.join(waiting)
      assert.deepStrictEqual(
        { ...result, response: result.response && (yield* Reply.json(result.response)) },
        {
          jobId: "job-1",
          idempotentKey: "k",
          status: "success",
          response: { id: 7 },
          error: undefined,
          metadata: { order: 1 }
        }
      )
      assert.deepStrictEqual(yield* results.await("job-1"), result)
      assert.strictEqual((yield* job("job-1")).status, "succeeded")
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("ends jobs badly: by an answer that is no 2xx, or without one", () =>
    Effect.gen(function* () {
      const service = yield* FakeService
      yield* submit(order, { key: "a" })
      yield* submit(order, { key: "b" })
      yield* service.complete("job-1", { status: 404 })
      yield* service.failJob("job-2", "connection refused")
      const [first, second] = yield* Effect.forEach(["job-1", "job-2"], service.results.await)
      assert.deepStrictEqual([first?.status, first?.response?.status, first?.error], ["failed", 404, undefined])
      assert.deepStrictEqual(
        [second?.status, second?.response, second?.error],
        ["failed", undefined, "connection refused"]
      )
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("knows no job that was never submitted", () =>
    Effect.gen(function* () {
      const service = yield* FakeService
      assert.strictEqual(yield* reasonOf(service.job("job-9")), "JobNotFound")
      assert.strictEqual(yield* reasonOf(service.results.await("job-9")), "JobNotFound")
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("can be as silent about results as the cloud", () =>
    Effect.gen(function* () {
      const service = yield* FakeService.make({ tellsResults: false })
      yield* service.transport.submit({ step: order, key: undefined, retryAt: undefined })
      assert.strictEqual(yield* reasonOf(service.results.await("job-1")), "CannotAwait")
    })
  )
})

describe("failures of the fake", () => {
  it.effect("are grouped by host and status, as a dam groups them", () =>
    Effect.gen(function* () {
      const { complete, failJob, failures } = yield* FakeService
      for (const key of ["1", "2", "3", "4"]) yield* submit(order, { key })
      yield* submit(Step.get("http://127.0.0.1:81/"))
      yield* complete("job-1", { status: 503 })
      yield* TestClock.adjust(10)
      yield* complete("job-2", { status: 503 })
      yield* complete("job-3", { status: 200 })
      yield* failJob("job-5", "refused")
      const found = yield* failures()
      assert.deepStrictEqual(found.failures[0], {
        lane: "shop.example:443",
        responseStatus: 503,
        errorTag: "Rejected",
        errorKind: undefined,
        error: undefined,
        jobs: 2,
        firstSeen: 0,
        lastSeen: 10,
        newestJobId: "job-2"
      })
      assert.deepStrictEqual(found.failures[1]?.error, "refused")
      assert.deepStrictEqual([found.groups, found.seen], [2, { jobs: 3, isExact: true, since: 0 }])
      const lanes = (filter: Parameters<typeof failures>[0]) =>
        Effect.map(failures(filter), (some) => some.failures.map(({ lane }) => lane))
      assert.deepStrictEqual(yield* lanes({ host: "127.0.0.1" }), ["127.0.0.1:81"])
      assert.deepStrictEqual(yield* lanes({ host: "shop.example:80" }), [])
      assert.deepStrictEqual(yield* lanes({ sort: "largest", limit: 1 }), ["shop.example:443"])
      assert.deepStrictEqual(yield* lanes({ to: 9 }), ["shop.example:443"])
    }).pipe(Effect.provide(FakeService.layer))
  )
})

describe("the fake's webhook secrets", () => {
  it.effect("are shown masked, and to the test as they are", () =>
    Effect.gen(function* () {
      const { secrets, storedSecrets } = yield* FakeService
      assert.strictEqual(yield* reasonOf(secrets.get), "NoSecrets")
      yield* secrets.create(Redacted.make("primary-secret-0001"), Redacted.make("secondary-secret-1"))
      assert.deepStrictEqual(yield* secrets.get, {
        customerId: "customer-test",
        primarySecret: "prim****0001",
        secondarySecret: "seco****et-1",
        hasSecondary: true
      })
      assert.deepStrictEqual(yield* storedSecrets.get, {
        primary: "primary-secret-0001",
        secondary: "secondary-secret-1"
      })
      yield* secrets.delete
      assert.strictEqual(yield* reasonOf(secrets.get), "NoSecrets")
      assert.strictEqual(yield* reasonOf(secrets.delete), "NoSecrets")
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("rotate: the old one stays valid as secondary", () =>
    Effect.gen(function* () {
      const { secrets, storedSecrets } = yield* FakeService
      yield* secrets.create(secret("first"))
      yield* secrets.rotate(secret("second"))
      assert.deepStrictEqual(yield* storedSecrets.get, {
        primary: Redacted.value(secret("second")),
        secondary: Redacted.value(secret("first"))
      })
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("do not rotate when somebody else set the old one, unless it is given", () =>
    Effect.gen(function* () {
      const { secrets, storedSecrets } = yield* FakeService
      yield* storedSecrets.set({ primary: "set-by-somebody-else", secondary: undefined })
      assert.strictEqual(yield* reasonOf(secrets.rotate(secret("next"))), "OldSecretUnknown")
      yield* secrets.rotate(secret("next"), Redacted.make("set-by-somebody-else"))
      assert.strictEqual((yield* storedSecrets.get)?.secondary, "set-by-somebody-else")
    }).pipe(Effect.provide(FakeService.layer))
  )

  it.effect("are refused when short, and when rotated to themselves", () =>
    Effect.gen(function* () {
      const { secrets } = yield* FakeService
      const tooShort = yield* Effect.flip(secrets.create(Redacted.make("short")))
      assert.strictEqual(tooShort.message, "primarySecret must be at least 16 characters")
      assert.strictEqual(yield* reasonOf(secrets.create(secret("fine"), Redacted.make("short"))), "WeakSecret")
      assert.strictEqual(yield* reasonOf(secrets.get), "NoSecrets")
      yield* secrets.create(secret("fine"))
      assert.strictEqual(yield* reasonOf(secrets.rotate(secret("fine"))), "WeakSecret")
    }).pipe(Effect.provide(FakeService.layer))
  )
})

describe("schedules of the fake", () => {
  it.effect("are kept and shown, and submit a job when they are run", () =>
    Effect.gen(function* () {
      const { jobs, schedules } = yield* FakeService
      const put = yield* schedules.put("hourly", { cron: "0 * * * *", step: order })
      assert.deepInclude(put, { name: "hourly", state: "active", fired: 0, last: undefined })
      assert.deepStrictEqual(put.next.slice(0, 2), [3_600_000, 7_200_000])
      assert.strictEqual((yield* schedules.pause("hourly")).state, "paused")
      yield* schedules.runNow("hourly")
      const run = yield* schedules.runNow("hourly")
      assert.deepStrictEqual([run.state, run.fired, run.last], ["paused", 2, { at: 0, jobId: "job-2" }])
      assert.deepStrictEqual(
        (yield* jobs).map(({ step }) => step.request.url),
        [order.request.url, order.request.url]
      )
      yield* schedules.put("a", { every: "1 day", end: 0, step: order })
      assert.deepStrictEqual(
        (yield* schedules.list).map(({ name, state }) => [name, state]),
        [
          ["a", "over"],
          ["hourly", "paused"]
        ]
      )
      assert.strictEqual((yield* schedules.resume("hourly")).state, "active")
      yield* schedules.delete("hourly")
      for (const ask of [schedules.get, schedules.delete, schedules.runNow, schedules.pause]) {
        assert.strictEqual(yield* reasonOf(ask("hourly")), "ScheduleNotFound")
      }
      const odd = yield* Effect.flip(schedules.put("odd", { cron: "0 22-2 * * *", step: order }))
      assert.deepInclude(odd.reason, { _tag: "InvalidSchedule", field: "cron" })
    }).pipe(Effect.provide(FakeService.layer))
  )
})
