import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import { Api } from "../../../../src/dam/api/Api.ts"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import * as Result from "effect/Result"
import { delivery, ended, job } from "../../../conformance/jobStore/Fixtures.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

const ask = (dam: Dam, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}, method?: string) =>
  Effect.promise(async () => {
    const answer = await fetch(dam.url + path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { "content-type": "application/json", ...headers }
    })
    return { status: answer.status, json: JSON.parse(await answer.text()) }
  })

const failure = { at: 20, latency: 7, status: 500, error: undefined, excerpt: "no" }
const rule = { failures: 1, failingMillis: 0, probeMillis: 1000 }

/** A job whose only delivery was given up. */
const dead = (dam: Dam, id: string, at: number, customer = "local", lane = "hook.example:443") =>
  Effect.gen(function* () {
    yield* dam.store.enqueue(job(id, { customer, keyScope: customer }))
    yield* dam.store.start(id, 1)
    yield* dam.store.finish(id, 1, ended({ deliveries: [delivery(id, 0, { id: `${id}:0`, customer, lane })] }))
    yield* dam.store.settleDelivery(`${id}:0`, failure, { _tag: "Dead", reason: "attempts_exhausted", at }, rule)
  })

const idsOf = (json: { readonly dead_letters: ReadonlyArray<{ readonly delivery_id: string }> }) =>
  json.dead_letters.map((one) => one.delivery_id)

describe("GET /api/v1/dead-letters", () => {
  it.live("lists them with their attempts, page by page", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      yield* dead(dam, "one", 30)
      yield* dead(dam, "two", 40)
      const { json, status } = yield* ask(dam, "/api/v1/dead-letters?limit=1")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(json.dead_letters, [
        {
          delivery_id: "two:0",
          job_id: "two",
          url: "https://hook.example/0",
          reason: "attempts_exhausted",
          dead_at: 40,
          attempts: [{ at: 20, latency_ms: 7, status: 500, error: null, excerpt: "no" }]
        }
      ])
      const next = yield* ask(dam, `/api/v1/dead-letters?limit=1&cursor=${json.next_cursor}`)
      assert.deepStrictEqual(idsOf(next.json), ["one:0"])
      assert.isNull(next.json.next_cursor)
    })
  )

  it.live("filters, and refuses what it does not know, with the name of it", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      yield* dead(dam, "one", 30, "local", "a.example:443")
      yield* dead(dam, "two", 40, "local", "b.example:443")
      for (const query of ["job_id=one", "host=a.example", "until=30"]) {
        assert.deepStrictEqual(idsOf((yield* ask(dam, `/api/v1/dead-letters?${query}`)).json), ["one:0"], query)
      }
      assert.deepStrictEqual(idsOf((yield* ask(dam, "/api/v1/dead-letters?since=31")).json), ["two:0"])
      const wrong = yield* ask(dam, "/api/v1/dead-letters?since=yesterday")
      assert.deepInclude({ status: wrong.status, ...wrong.json }, { status: 400, field: "since" })
    })
  )

  it.live("shows the customer's own only", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(Keys.parse("acme:0123456789abcdef-acme\nzeta:0123456789abcdef-zeta"))
      const dam = yield* Double.make({ keys })
      yield* dead(dam, "one", 30, "acme")
      const as = (who: string) => ({ authorization: `Bearer 0123456789abcdef-${who}` })
      assert.deepStrictEqual(idsOf((yield* ask(dam, "/api/v1/dead-letters", undefined, as("acme"))).json), ["one:0"])
      assert.deepStrictEqual(idsOf((yield* ask(dam, "/api/v1/dead-letters", undefined, as("zeta"))).json), [])
      const theirs = yield* ask(dam, "/api/v1/dead-letters/one:0/replay", undefined, as("zeta"), "POST")
      assert.deepInclude({ status: theirs.status, ...theirs.json }, { status: 404, code: "dead_letter_not_found" })
      assert.strictEqual((yield* ask(dam, "/api/v1/dead-letters/purge", {}, as("zeta"))).json.purged, 0)
      assert.strictEqual((yield* ask(dam, "/api/v1/dead-letters")).status, 401)
      assert.deepStrictEqual((yield* ask(dam, "/api/v1/endpoints", undefined, as("zeta"))).json, { endpoints: [] })
    })
  )
})

describe("replaying and purging", () => {
  it.live("replays one, once", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      yield* dead(dam, "one", 30)
      const path = `/api/v1/dead-letters/${encodeURIComponent("one:0")}/replay`
      assert.deepStrictEqual(yield* ask(dam, path, undefined, {}, "POST"), { status: 200, json: { replayed: 1 } })
      assert.strictEqual((yield* dam.store.get("one"))?.deliveryState, "pending")
      const again = yield* ask(dam, path, undefined, {}, "POST")
      assert.deepInclude({ status: again.status, ...again.json }, { status: 404, code: "dead_letter_not_found" })
    })
  )

  it.live("replays by filter at a pace", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      for (const id of ["one", "two", "three"]) yield* dead(dam, id, 30)
      yield* dead(dam, "other", 30, "local", "other.example:443")
      const { json } = yield* ask(dam, "/api/v1/dead-letters/replay", { host: "hook.example", rps: 4 })
      assert.deepStrictEqual(json, { replayed: 3 })
      const due = yield* Effect.forEach(["one", "two", "three"], (id) =>
        Effect.map(dam.store.deliveries(id), ([one]) => one?.dueAt ?? 0)
      )
      assert.deepStrictEqual(
        due.map((at) => at - (due[0] ?? 0)),
        [0, 250, 500]
      )
      assert.strictEqual((yield* dam.store.get("other"))?.deliveryState, "undelivered")
    })
  )

  it.live("purges by filter", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      yield* dead(dam, "one", 30)
      yield* dead(dam, "two", 40)
      assert.deepStrictEqual((yield* ask(dam, "/api/v1/dead-letters/purge", { until: 30 })).json, { purged: 1 })
      assert.deepStrictEqual(idsOf((yield* ask(dam, "/api/v1/dead-letters")).json), ["two:0"])
    })
  )

  it.live("refuses a body that cannot be meant, with the field", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const bodies: ReadonlyArray<readonly [body: unknown, field: string]> = [
        [{ rps: 0 }, "rps"],
        [{ hots: "a" }, "hots"],
        [{ since: -1 }, "since"],
        [[], "body"]
      ]
      for (const [body, field] of bodies) {
        const { json, status } = yield* ask(dam, "/api/v1/dead-letters/replay", body)
        assert.deepInclude({ status, ...json }, { status: 400, field }, JSON.stringify(body))
      }
      assert.strictEqual((yield* ask(dam, "/api/v1/dead-letters/purge", { rps: 1 })).json.field, "rps")
    })
  )
})

describe("GET /api/v1/webhook-key", () => {
  it.live("answers the public key of what deliveries are signed with", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json } = yield* ask(dam, "/api/v1/webhook-key")
      assert.deepStrictEqual(json, { algorithm: "ed25519", public_key: "whpk_of the double" })
      const mute = yield* Double.make({ wrapEngine: (engine) => ({ ...engine, webhookKey: undefined }) })
      assert.strictEqual((yield* ask(mute, "/api/v1/webhook-key")).status, 404)
    })
  )
})

describe("endpoints", () => {
  it.live("are listed while they fail, and enabled by a call", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      yield* dead(dam, "one", 30)
      const [endpoint] = (yield* ask(dam, "/api/v1/endpoints")).json.endpoints
      const url = "https://hook.example/0"
      assert.deepStrictEqual(endpoint, {
        url,
        status: "disabled",
        reason: "failing",
        since: 20,
        failures: 1,
        probe_at: 1020
      })
      const enabled = yield* ask(dam, "/api/v1/endpoints/enable", { url })
      assert.deepInclude({ http: enabled.status, ...enabled.json }, { http: 200, url, status: "enabled", reason: null })
      assert.deepStrictEqual((yield* ask(dam, "/api/v1/endpoints")).json, { endpoints: [] })
      const again = yield* ask(dam, "/api/v1/endpoints/enable", { url })
      assert.deepInclude({ status: again.status, ...again.json }, { status: 404, code: "endpoint_not_found" })
    })
  )

  it.live("are known to the typed client", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      yield* dead(dam, "one", 30)
      const client = yield* HttpApiClient.make(Api, { baseUrl: dam.url })
      const { dead_letters } = yield* client.deliveries.deadLetters({ query: { job_id: "one" } })
      assert.strictEqual(dead_letters[0]?.reason, "attempts_exhausted")
      const { endpoints } = yield* client.deliveries.endpoints()
      assert.strictEqual(endpoints[0]?.status, "disabled")
      const { replayed } = yield* client.deliveries.replayOne({ params: { delivery_id: "one:0" } })
      assert.strictEqual(replayed, 1)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})
