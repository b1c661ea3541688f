/** Schedules over HTTP: defined, shown, stopped and fired by the customer they belong to. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import { Overloaded } from "../../../../src/dam/work/Admission.ts"
import { TooManySchedules } from "../../../../src/dam/work/Schedules.ts"
import { answerOf, faultsIn } from "../../api/Document.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

interface Asked {
  readonly body?: unknown
  readonly key?: string
}

const ask = (dam: Pick<Dam, "url">, method: string, path: string, { body, key }: Asked = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(`${dam.url}/api/v1/schedules${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` })
      }
    })
    const json = JSON.parse(await answer.text())
    const described = `/api/v1/schedules${path.replace(/^\/[^/]+/, "/{name}")}`
    const faults = faultsIn(json, answerOf(method, described, answer.status))
    assert.deepStrictEqual(faults, [], `${method} ${path} ${answer.status}`)
    return { status: answer.status, json }
  })

const job = { url: "https://api.example.com/report", method: "POST", headers: { authorization: "Bearer s3cret" } }
const nightly = { cron: "30 2 * * *", zone: "Europe/Berlin", job }

const hour = (at: number) =>
  new Date(at).toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" })

describe("schedules over HTTP", () => {
  it.live("are defined and shown with their defaults, how they stand, and their next five moments", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json, status } = yield* ask(dam, "PUT", "/nightly", { body: nightly })
      assert.strictEqual(status, 200)
      const { changed_at, created_at, next, request, ...rest } = json
      assert.deepStrictEqual(rest, {
        name: "nightly",
        cron: "30 2 * * *",
        zone: "Europe/Berlin",
        every_ms: null,
        jitter_ms: 0,
        start: null,
        end: null,
        overlap: "skip",
        catch_up: "last",
        catch_up_most: 100,
        state: "active",
        fired: 0,
        waiting: 0,
        missed: 0,
        skipped: 0,
        last: null,
        metadata: {}
      })
      assert.lengthOf(next, 5)
      assert.isAbove(next[0], created_at)
      // on the days when clocks are set as well, fixed times keep to 02:30 or the end of the gap
      for (const moment of next) assert.match(hour(moment), /^0(2:30|3:00)$/)
      assert.deepStrictEqual(request, { ...job, headers: { authorization: "<redacted>" } })
      assert.isAtLeast(changed_at, created_at)
      assert.deepStrictEqual((yield* ask(dam, "GET", "/nightly")).json, json)
      assert.deepStrictEqual((yield* ask(dam, "GET", "")).json, { schedules: [json] })
    })
  )

  it.live("fire every so long from their start, until their end, by rules that are said", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const start = 4_000_000_000_000
      const body = { every_ms: 1000, start, end: start + 2500, jitter_ms: 10, overlap: "queue", catch_up: "all", job }
      const { json } = yield* ask(dam, "PUT", "/often", { body: { ...body, catch_up_most: 7 } })
      assert.deepStrictEqual(json.next, [start, start + 1000, start + 2000])
      assert.deepInclude(json, { cron: null, zone: null, every_ms: 1000, jitter_ms: 10, catch_up_most: 7 })
      assert.deepInclude(json, { start, end: start + 2500, overlap: "queue", catch_up: "all" })
      const over = yield* ask(dam, "PUT", "/often", { body: { ...body, start: 0, end: 1 } })
      assert.deepInclude(over.json, { state: "over", next: [], created_at: json.created_at })
    })
  )

  it.live("are paused, resumed, run now, and end; what they have submitted goes on", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const delayed = { ...nightly, job: { ...job, delay_ms: 60_000, metadata: { team: "a" } } }
      yield* ask(dam, "PUT", "/nightly", { body: delayed })
      const paused = (yield* ask(dam, "POST", "/nightly/pause")).json
      assert.deepInclude(paused, { state: "paused", fired: 0 })
      assert.lengthOf(paused.next, 5)
      assert.strictEqual((yield* ask(dam, "PUT", "/nightly", { body: delayed })).json.state, "paused")
      const ran = (yield* ask(dam, "POST", "/nightly/run")).json
      assert.deepInclude(ran, { state: "paused", fired: 1 })
      const fired = yield* dam.store.get(ran.last.job_id)
      assert.deepInclude(fired?.step.metadata, { schedule: "nightly", team: "a" })
      // its delay counts from the firing
      assert.strictEqual(fired?.notBefore, fired!.createdAt + 60_000)
      assert.strictEqual((yield* ask(dam, "POST", "/nightly/resume")).json.state, "active")
      assert.deepStrictEqual((yield* ask(dam, "DELETE", "/nightly")).json, { deleted: "nightly" })
      assert.isDefined(yield* dam.store.get(ran.last.job_id))
      for (const [method, path] of [
        ["GET", "/nightly"],
        ["DELETE", "/nightly"],
        ["POST", "/nightly/pause"],
        ["POST", "/nightly/resume"],
        ["POST", "/nightly/run"]
      ] as const) {
        const { json, status } = yield* ask(dam, method, path)
        assert.deepStrictEqual([status, json.code], [404, "schedule_not_found"], `${method} ${path}`)
      }
    })
  )

  it.live("belong to the customer who asks", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(
        Keys.make(["acme", "other"].map((customer) => ({ customer, key: Redacted.make(`key-of-${customer}`) })))
      )
      const dam = yield* Double.make({ keys })
      assert.strictEqual((yield* ask(dam, "GET", "")).status, 401)
      const ran = ["acme", "other"].map((customer) =>
        Effect.gen(function* () {
          const key = `key-of-${customer}`
          yield* ask(dam, "PUT", "/nightly", { body: nightly, key })
          const { json } = yield* ask(dam, "POST", "/nightly/run", { key })
          return (yield* dam.store.get(json.last.job_id))?.customer
        })
      )
      assert.deepStrictEqual(yield* Effect.all(ran), ["acme", "other"])
      yield* ask(dam, "DELETE", "/nightly", { key: "key-of-other" })
      assert.strictEqual((yield* ask(dam, "GET", "/nightly", { key: "key-of-acme" })).json.fired, 1)
      assert.strictEqual((yield* ask(dam, "GET", "/nightly", { key: "key-of-other" })).status, 404)
    })
  )

  it.live("are refused by the field that is wrong, with what to write instead, and nothing is kept", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const far = 253_402_300_800_000
      const cases: ReadonlyArray<readonly [body: object, field: string, told: RegExp, status?: number]> = [
        [{ job }, "cron", /Expected cron or every_ms/],
        [{ cron: "@daily", every_ms: 1000, job }, "every_ms", /left out/],
        [{ every_ms: 1000, zone: "UTC", job }, "zone", /belongs to cron/],
        [{ every_ms: 999, job }, "every_ms", /1000/],
        [{ every_ms: 1000, start: far, job }, "start", /9999/],
        [{ every_ms: 1000, end: far, job }, "end", /9999/],
        [{ every_ms: 1000, start: 2, end: 1, job }, "end", /before start/],
        [{ cron: "0 22-2 * * *", job }, "cron", /^cron: hour: range goes backwards; write 22-23,0-2$/],
        [{ cron: "@often", job }, "cron", /^cron: unknown nickname; write one of @yearly/],
        [{ cron: "0 0 30 2 *", job }, "cron", /never fires/],
        [{ ...nightly, zone: "Mars" }, "zone", /^zone: unknown time zone; write a name of the IANA/],
        [{ ...nightly, overlap: "twice" }, "overlap", /skip/],
        [{ ...nightly, often: 1 }, "often", /is not one of cron/],
        [{ cron: "@daily" }, "job", /./],
        [{ cron: "@daily", job: [] }, "job", /Expected object/],
        [{ cron: "@daily", job: { urll: "x" } }, "job.urll", /^job\.urll/],
        [{ cron: "@daily", job: { ...job, idempotent_key: "k" } }, "job.idempotent_key", /key of its own/],
        [
          { cron: "@daily", job: { ...job, on_success: { ...job, idempotent_key: "k" } } },
          "job.on_success.idempotent_key",
          /key of its own/
        ],
        [{ cron: "@daily", job: { ...job, retry_at: 1_700_000_000_000 } }, "job.retry_at", /one moment.*delay_ms/],
        [{ cron: "@daily", job: { ...job, start_before: 0 } }, "job.start_before", /one moment/],
        [
          { cron: "@daily", job: { ...job, on_failure: { ...job, retry_at: 0 } } },
          "job.on_failure.retry_at",
          /one moment/
        ],
        [{ cron: "@daily", job: { ...job, limits: [{ name: "none" }] } }, "job.limits[0].name", /^job\.limits/],
        [{ cron: "@daily", job: { url: "https://loop.example.com/" } }, "job.url", /^job\.url/, 422],
        [{ cron: "@daily", job: { url: "ftp://example.com/" } }, "job.url", /^job\.url/, 422]
      ]
      for (const [body, field, told, status = 400] of cases) {
        const answer = yield* ask(dam, "PUT", "/x", { body })
        assert.deepStrictEqual([answer.status, answer.json.field], [status, field], JSON.stringify(answer.json))
        assert.match(answer.json.error, told)
      }
      const backwards = yield* ask(dam, "PUT", "/x", { body: { cron: "0 22-2 * * *", job } })
      assert.strictEqual(backwards.json.reason, "range goes backwards")
      for (const name of ["a%3Ab", "a%0Ab", "a".repeat(129)]) {
        const answer = yield* ask(dam, "PUT", `/${name}`, { body: nightly })
        assert.deepStrictEqual([answer.status, answer.json.field], [400, "name"], name)
      }
      assert.deepStrictEqual((yield* ask(dam, "GET", "")).json, { schedules: [] })
      assert.strictEqual((yield* ask(dam, "PUT", `/${"a".repeat(128)}`, { body: nightly })).status, 200)
    })
  )

  it.live("are refused where there are too many, or the dam is full", () =>
    Effect.gen(function* () {
      const refusals = [
        new TooManySchedules({ limit: 3, current: 4 }),
        new Overloaded({ limitReason: "stored_bytes", limit: 1, current: 2, retryAfterSeconds: 10 })
      ]
      const dam = yield* Double.make({
        wrapEngine: (engine) => ({
          ...engine,
          schedules: { ...engine.schedules, set: () => Effect.fail(refusals.shift()!) }
        })
      })
      const many = yield* ask(dam, "PUT", "/one", { body: nightly })
      assert.strictEqual(many.status, 429)
      assert.deepInclude(many.json, { code: "too_many_schedules", limit_reason: "schedules", limit: 3, current: 4 })
      const full = yield* ask(dam, "PUT", "/one", { body: nightly })
      assert.deepStrictEqual([full.status, full.json.limit_reason], [429, "stored_bytes"])
    })
  )
})
