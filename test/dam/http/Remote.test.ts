import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Keys from "../../../src/dam/http/door/Keys.ts"
import { TooManySchedules } from "../../../src/dam/work/Schedules.ts"
import * as RemoteService from "../../../src/run/RemoteService.ts"
import type { JobFilter, ServiceError } from "../../../src/run/Service.ts"
import * as Reply from "../../../src/step/Reply.ts"
import * as Step from "../../../src/step/Step.ts"
import * as EzthrottleApi from "../../../src/transport/EzthrottleApi.ts"
import * as Double from "./HttpDouble.ts"

const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme") }]))

const order = Step.post("https://api.example.com/orders").pipe(Step.body("b"), Step.metadata({ order: "7" }))

const setup = Effect.gen(function* () {
  const dam = yield* Double.make({ keys })
  const client = yield* HttpClient.HttpClient
  const options = { apiKey: Redacted.make("key-of-acme"), tracktagsUrl: dam.url, ezthrottleUrl: dam.url }
  const service = yield* RemoteService.make(EzthrottleApi.make(client, options))
  const submit = service.transport.submit({ step: order, key: undefined, retryAt: undefined })
  return { dam, service, submit }
}).pipe(Effect.provide(FetchHttpClient.layer))

describe("our own client against the dam", () => {
  it.live("submits through the proxy and awaits the result over the event stream", () =>
    Effect.gen(function* () {
      const { dam, service, submit } = yield* setup
      const receipt = yield* submit
      assert.deepStrictEqual([receipt.status, receipt.duplicate], ["queued", false])
      const awaiting = yield* Effect.forkChild(service.results.await(receipt.jobId), { startImmediately: true })
      const epoch = yield* dam.runs.start(receipt.jobId)
      yield* dam.runs.end(receipt.jobId, epoch, 200, "fine")
      const result = yield* Fiber.join(awaiting)
      assert.deepInclude(result, {
        jobId: receipt.jobId,
        status: "success",
        error: undefined,
        metadata: { order: "7" }
      })
      assert.strictEqual(result.response && Reply.text(result.response), "fine")
      assert.isTrue((yield* submit).duplicate)
      assert.strictEqual((yield* service.job(receipt.jobId)).status, "succeeded")
    })
  )

  it.live("learns a failure with its reason, and that a job is unknown", () =>
    Effect.gen(function* () {
      const { dam, service, submit } = yield* setup
      const { jobId } = yield* submit
      yield* dam.runs.end(jobId, yield* dam.runs.start(jobId), 500, "broken")
      const result = yield* service.results.await(jobId)
      assert.deepInclude(result, { status: "failed", error: "the target answered 500" })
      const unknown = yield* Effect.flip(service.results.await("job_00000000000000000000000000"))
      assert.strictEqual(unknown.reason._tag, "JobNotFound")
    })
  )

  it.live("is told why a job waits, and that a job is unknown", () =>
    Effect.gen(function* () {
      const { dam, service, submit } = yield* setup
      const { jobId } = yield* submit
      const said = yield* service.explain(jobId)
      assert.deepInclude(said, { jobId, status: "queued", reasons: [], confidence: "exact" })
      yield* dam.runs.start(jobId)
      const [running] = (yield* service.explain(jobId)).reasons
      assert.deepInclude(running, { kind: "running", until: undefined, details: { since: 1, attempt: 1, starts: 1 } })
      const unknown = yield* Effect.flip(service.explain("job_00000000000000000000000000"))
      assert.strictEqual(unknown.reason._tag, "JobNotFound")
    })
  )

  it.live("lets a job go that waits, and is told that another does not, or is unknown", () =>
    Effect.gen(function* () {
      const { dam, service } = yield* setup
      const step = Step.retryAt(Step.get("https://api.example.com/later"), Date.now() + 3_600_000)
      const { jobId } = yield* service.transport.submit({ step, key: undefined, retryAt: undefined })
      assert.deepInclude(yield* service.runNow(jobId), { jobId, status: "queued" })
      yield* dam.runs.start(jobId)
      assert.deepInclude((yield* Effect.flip(service.runNow(jobId))).reason, { _tag: "WrongJobState", jobId })
      const unknown = yield* Effect.flip(service.runNow("job_00000000000000000000000000"))
      assert.strictEqual(unknown.reason._tag, "JobNotFound")
    })
  )

  it.live("cancels a job, and runs one again that has ended; each only where it can be", () =>
    Effect.gen(function* () {
      const { service, submit } = yield* setup
      const { jobId } = yield* submit
      const early = yield* Effect.flip(service.rerun(jobId))
      assert.deepInclude(early.reason, { _tag: "WrongJobState", jobId })
      assert.deepInclude(yield* service.cancel(jobId), { jobId, status: "cancelled" })
      const late = yield* Effect.flip(service.cancel(jobId))
      assert.deepInclude(late.reason, { _tag: "WrongJobState", jobId })
      assert.include(late.message, "it has ended already")
      const again = yield* service.rerun(jobId)
      assert.notStrictEqual(again.jobId, jobId)
      assert.deepInclude(again.answer, { rerun_of: jobId })
      for (const ask of [service.cancel, service.rerun]) {
        const unknown = yield* Effect.flip(ask("job_00000000000000000000000000"))
        assert.strictEqual(unknown.reason._tag, "JobNotFound")
      }
    })
  )

  it.live("lists jobs as they are asked for, a page at a time", () =>
    Effect.gen(function* () {
      const { dam, service, submit } = yield* setup
      const first = yield* submit
      yield* service.cancel(first.jobId)
      const second = yield* service.rerun(first.jobId)
      yield* dam.runs.start(second.jobId)
      const one = yield* service.list({ limit: 1 })
      assert.deepStrictEqual(
        one.jobs.map(({ jobId, status }) => [jobId, status]),
        [[second.jobId, "running"]]
      )
      const rest = yield* service.list({ limit: 1, cursor: one.cursor })
      assert.deepStrictEqual([rest.jobs[0]?.jobId, rest.cursor], [first.jobId, undefined])
      assert.deepInclude(rest.jobs[0]?.answer, { idempotent_key: first.idempotentKey, metadata: { order: "7" } })
      const found = (filter: JobFilter) =>
        Effect.map(service.list(filter), ({ jobs }) => jobs.map(({ jobId }) => jobId))
      assert.deepStrictEqual(yield* found({ status: ["cancelled"] }), [first.jobId])
      assert.deepStrictEqual(yield* found({ status: ["cancelled", "running"] }), [second.jobId, first.jobId])
      assert.deepStrictEqual(yield* found({ metadata: { order: "8" } }), [])
      assert.deepStrictEqual(yield* found({ lane: "api.example.com:443", deliveryStatus: ["pending"] }), [])
      assert.deepStrictEqual(yield* found({ rerunOf: first.jobId }), [second.jobId])
      assert.deepStrictEqual(yield* found({ parent: first.jobId }), [])
      const refused = yield* Effect.flip(service.list({ limit: 201 }))
      assert.deepInclude(refused.reason, { _tag: "ServiceFailed", status: 400 })
    })
  )

  it.live("keeps schedules, and is told why one cannot be", () =>
    Effect.gen(function* () {
      const { schedules } = (yield* setup).service
      const nightly = { cron: "30 2 * * *", zone: "Europe/Berlin", jitter: "2 seconds", step: order } as const
      const put = yield* schedules.put("a/b ü", nightly)
      assert.deepInclude(put, { name: "a/b ü", state: "active", fired: 0, last: undefined })
      assert.deepInclude(put.answer, { cron: "30 2 * * *", jitter_ms: 2000, metadata: { order: "7" } })
      assert.lengthOf(put.next, 5)
      assert.deepStrictEqual(yield* schedules.list, [put])
      assert.strictEqual((yield* schedules.pause("a/b ü")).state, "paused")
      assert.deepInclude(yield* schedules.runNow("a/b ü"), { state: "paused", fired: 1 })
      assert.strictEqual((yield* schedules.resume("a/b ü")).state, "active")
      const unique = yield* schedules.put("unique", { every: "1 hour", step: Step.idempotentStrategy(order, "UNIQUE") })
      assert.strictEqual(unique.state, "active")
      yield* schedules.delete("a/b ü")
      const refused = (call: Effect.Effect<unknown, ServiceError>) =>
        Effect.map(Effect.flip(call), ({ message, reason }) => [reason._tag, message])
      const gone = ["ScheduleNotFound", 'there is no schedule "a/b ü"']
      for (const ask of [schedules.get, schedules.delete, schedules.pause, schedules.resume, schedules.runNow]) {
        assert.deepStrictEqual(yield* refused(ask("a/b ü")), gone)
      }
      const odd = (change: object) => refused(schedules.put("odd", { ...nightly, ...change }))
      assert.deepStrictEqual(yield* odd({ cron: "0 22-2 * * *" }), [
        "InvalidSchedule",
        "cron: hour: range goes backwards; write 22-23,0-2"
      ])
      assert.deepInclude(yield* odd({ step: Step.retryAt(order, 1e12) }), "InvalidSchedule")
      assert.deepStrictEqual(yield* refused(schedules.get("..")), [
        "InvalidSchedule",
        "name: Expected no part of a path"
      ])
    })
  )

  it.live("keeps credentials that nobody reads back, and is told why one is not kept", () =>
    Effect.gen(function* () {
      const { credentials } = (yield* setup).service
      const value = Redacted.make("s3cret")
      const put = yield* credentials.put("stripe", { hosts: ["api.stripe.com"], value })
      assert.deepInclude(put, { name: "stripe", kind: "value", hosts: ["https://api.stripe.com"] })
      assert.notInclude(JSON.stringify(put), "s3cret")
      const tokens = { tokenUrl: "https://id.example.com/token", clientId: "us", clientSecret: value } as const
      const crm = yield* credentials.put("crm", {
        ...tokens,
        hosts: ["crm.example"],
        scope: "read",
        clientAuth: "body"
      })
      assert.deepInclude(crm.answer, { kind: "oauth2", token_url: tokens.tokenUrl, scope: "read" })
      assert.deepStrictEqual(yield* credentials.list, [crm, put])
      yield* credentials.delete("crm")
      assert.deepStrictEqual(yield* credentials.list, [put])
      const gone = (yield* Effect.flip(credentials.delete("crm"))).reason
      assert.deepInclude(gone, { _tag: "CredentialNotFound", credential: "crm" })
      const odd = (name: string, change: object) =>
        Effect.map(
          Effect.flip(credentials.put(name, { hosts: ["a.example"], value, ...change })),
          ({ reason }) => reason
        )
      const refused = { _tag: "CredentialRefused", code: "invalid_field" } as const
      assert.deepInclude(yield* odd("odd", { hosts: ["ftp://a.example"] }), { ...refused, field: "hosts[0]" })
      assert.deepInclude(yield* odd("odd", { value: undefined }), { ...refused, field: "value" })
      assert.deepInclude(yield* odd("..", {}), { ...refused, field: "name" })
    })
  )

  it.live("lists orders that stopped, and lets one go on", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ keys })
      const api = EzthrottleApi.makeFetch({ apiKey: Redacted.make("key-of-acme"), dam: dam.url })
      const { orders, transport } = yield* RemoteService.make(api, { extensions: "send" })
      const stops = Step.inOrder(order, "customer 7", { onFailure: "stop" })
      const [first, second] = yield* Effect.forEach(["a", "b"], (key) =>
        transport.submit({ step: stops, key, retryAt: undefined })
      )
      if (first === undefined || second === undefined) return assert.fail("two were submitted")
      const refused = (key: string) => Effect.map(Effect.flip(orders.resume(key)), ({ reason }) => reason._tag)
      assert.strictEqual(yield* refused("customer 7"), "OrderNotStopped")
      yield* dam.runs.end(first.jobId, yield* dam.runs.start(first.jobId), 500)
      const line = { key: "customer 7", jobs: 1, first: second.jobId }
      assert.deepStrictEqual(yield* orders.stopped, [{ ...line, stopped: { jobId: first.jobId, at: 2 } }])
      assert.deepStrictEqual(yield* orders.resume("customer 7"), { ...line, stopped: undefined })
      assert.deepStrictEqual(yield* orders.stopped, [])
      assert.deepStrictEqual(yield* Effect.forEach(["nobody", ".."], refused), ["OrderNotFound", "OrderNotFound"])
    })
  )

  it.live("erases what an ended job has sent and received", () =>
    Effect.gen(function* () {
      const { dam, service, submit } = yield* setup
      const { jobId } = yield* submit
      assert.deepInclude((yield* Effect.flip(service.erase(jobId))).reason, { _tag: "WrongJobState", jobId })
      yield* dam.runs.end(jobId, yield* dam.runs.start(jobId), 200, "private")
      const erased = yield* service.erase(jobId)
      assert.deepStrictEqual([erased.status, typeof erased.answer["erased_at"]], ["succeeded", "number"])
      assert.notInclude(JSON.stringify((yield* service.job(jobId)).answer), "private")
      const unknown = yield* Effect.flip(service.erase("job_00000000000000000000000000"))
      assert.strictEqual(unknown.reason._tag, "JobNotFound")
    })
  )

  it.live("is told how many schedules there may be", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({
        keys,
        wrapEngine: (engine) => ({
          ...engine,
          schedules: {
            ...engine.schedules,
            set: () => Effect.fail(new TooManySchedules({ limit: 3, current: 4 }))
          }
        })
      })
      const options = { apiKey: Redacted.make("key-of-acme"), dam: dam.url }
      const { schedules } = yield* RemoteService.make(EzthrottleApi.makeFetch(options))
      const { reason } = yield* Effect.flip(schedules.put("more", { every: "1 hour", step: order }))
      assert.deepInclude(reason, { _tag: "TooManySchedules", limit: 3, current: 4 })
    })
  )

  it.live("groups failures as they are asked for", () =>
    Effect.gen(function* () {
      const { dam, service, submit } = yield* setup
      const { jobId } = yield* submit
      yield* dam.runs.end(jobId, yield* dam.runs.start(jobId), 500)
      assert.deepStrictEqual(yield* service.failures({ sort: "largest", limit: 3, host: "api.example.com" }), {
        failures: [
          {
            lane: "api.example.com:443",
            responseStatus: 500,
            errorTag: "Rejected",
            errorKind: undefined,
            error: "the target answered 500",
            jobs: 1,
            firstSeen: 2,
            lastSeen: 2,
            newestJobId: jobId
          }
        ],
        groups: 1,
        seen: { jobs: 1, isExact: true, since: 2 }
      })
      assert.deepStrictEqual((yield* service.failures({ from: 3, to: 4 })).failures, [])
      const refused = yield* Effect.flip(service.failures({ limit: 201 }))
      assert.deepInclude(refused.reason, { _tag: "ServiceFailed", status: 400 })
    })
  )

  it.live("keeps its webhook secrets there", () =>
    Effect.gen(function* () {
      const { dam, service } = yield* setup
      yield* service.secrets.create(Redacted.make("abcd-0123456789-wxyz"))
      yield* service.secrets.rotate(Redacted.make("efgh-0123456789-stuv"))
      assert.deepStrictEqual(yield* service.secrets.get, {
        customerId: "acme",
        primarySecret: "efgh****stuv",
        secondarySecret: "abcd****wxyz",
        hasSecondary: true
      })
      yield* service.secrets.delete
      assert.isUndefined(yield* dam.store.secrets("acme"))
    })
  )
})
