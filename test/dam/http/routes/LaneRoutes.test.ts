import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

const ask = (dam: Pick<Dam, "url">, method: string, path: string, body?: string, key?: string) =>
  Effect.promise(async () => {
    const answer = await fetch(dam.url + path, {
      method,
      ...(body === undefined ? {} : { body }),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` })
      }
    })
    return { status: answer.status, json: JSON.parse(await answer.text()) }
  })

const lane = "/api/v1/lanes/api.example.com:443"

describe("lanes over HTTP", () => {
  it.live("are found by a name as long as a host may have one, and refused beyond", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const host = `${Array.from({ length: 4 }, (_, n) => String(n).repeat(60)).join(".")}.example`
      const { json, status } = yield* ask(dam, "GET", `/api/v1/lanes/webhook@${host}:443`)
      assert.strictEqual(status, 200)
      assert.strictEqual(json.lane, `webhook@${host}:443`)
      const beyond = yield* ask(dam, "GET", `/api/v1/lanes/${"a".repeat(301)}`)
      assert.strictEqual(beyond.status, 400)
      assert.include(beyond.json.error, "lane")
    })
  )

  it.live("are listed with what waits in them, in pages", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      for (const host of ["b", "a"]) {
        yield* ask(dam, "POST", "/api/v1/jobs", JSON.stringify({ url: `https://${host}.example.com/` }))
      }
      const first = yield* ask(dam, "GET", "/api/v1/lanes?limit=1")
      assert.deepStrictEqual(first.json, {
        lanes: [
          {
            lane: "a.example.com:443",
            rule: { parts: "host", by: "default" },
            scheduled: 0,
            queued: 1,
            parked: 0,
            running: 0,
            rps: 2,
            max_concurrent: 2,
            finds: false,
            found: null,
            source: "default",
            holds: [],
            paused: null,
            next_at: first.json.lanes[0].next_at,
            accounts: 0,
            waiting: 0,
            calls: 0,
            permits: 0
          }
        ],
        next_cursor: "a.example.com:443"
      })
      const second = yield* ask(dam, "GET", `/api/v1/lanes?limit=1&cursor=${first.json.next_cursor}`)
      assert.deepStrictEqual([second.json.lanes[0].lane, second.json.next_cursor], ["b.example.com:443", null])
      assert.deepStrictEqual((yield* ask(dam, "GET", "/api/v1/lanes?prefix=zz")).json.lanes, [])
    })
  )

  it.live("are paused, resumed, paced and reset, under a name as people write it", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const paused = yield* ask(dam, "POST", "/api/v1/lanes/API.example.com/pause", '{"note":"too fast"}')
      assert.strictEqual(paused.status, 200)
      assert.deepInclude(paused.json, { lane: "api.example.com:443", next_at: null })
      assert.deepInclude(paused.json.paused, { by: "local", note: "too fast" })
      assert.isNull((yield* ask(dam, "POST", `${lane}/resume`)).json.paused)
      yield* ask(dam, "POST", `${lane}/pace`, '{"rps":0.5}')
      assert.strictEqual((yield* ask(dam, "GET", lane)).json.source, "operator")
      assert.strictEqual((yield* ask(dam, "POST", `${lane}/reset`, "{}")).json.source, "default")
      const { entries } = (yield* ask(dam, "GET", `${lane}/log`)).json
      assert.deepStrictEqual(
        entries.map((entry: { by: string; action: string; detail: string }) => [entry.by, entry.action, entry.detail]),
        [
          ["local", "reset", ""],
          ["local", "pace", "0.5 per second"],
          ["local", "resume", ""],
          ["local", "pause", "too fast"]
        ]
      )
    })
  )

  it.live("are told apart as an operator says, by name with their keys, until that is taken back", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({})
      const rule = (parts: string) => ask(dam, "POST", `${lane}/rule`, `{"parts":${parts}}`)
      const ruled = yield* rule(
        '["credential","body:model","header:X-Plan","after:v1","metadata:tenant","answer:X-Kind"]'
      )
      assert.deepStrictEqual(ruled.json.rule, { parts: "credential/model/X-Plan/v1/tenant/X-Kind", by: "operator" })
      const named = `/api/v1/lanes/${encodeURIComponent("api.example.com:443#a~b")}`
      assert.strictEqual((yield* ask(dam, "POST", `${named}/pause`)).json.lane, "api.example.com:443#a~b")
      assert.strictEqual((yield* ask(dam, "POST", `${named}/rule`, '{"parts":null}')).status, 400)
      for (const wrong of ['["nothing"]', "[]", '["header:"]', '"host"', '["header:a b"]']) {
        assert.strictEqual((yield* rule(wrong)).status, 400, wrong)
      }
      assert.strictEqual((yield* ask(dam, "POST", `${lane}/rule`, "{}")).status, 400)
      assert.deepStrictEqual((yield* rule('["host"]')).json.rule, { parts: "host", by: "operator" })
      assert.deepStrictEqual((yield* rule("null")).json.rule, { parts: "host", by: "default" })
      const { entries } = (yield* ask(dam, "GET", `${lane}/log`)).json
      assert.deepStrictEqual(
        entries.map((entry: { action: string; detail: string }) => `${entry.action} ${entry.detail}`),
        ["rule as it is known", "rule host", "rule credential/model/X-Plan/v1/tenant/X-Kind"]
      )
    })
  )

  it.live("note the customer of the key, and are behind it", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("secret-key") }]))
      const dam = yield* Double.make({ keys })
      assert.strictEqual((yield* ask(dam, "POST", `${lane}/pause`)).status, 401)
      assert.strictEqual((yield* ask(dam, "GET", "/api/v1/lanes")).status, 401)
      assert.strictEqual((yield* ask(dam, "POST", `${lane}/pause`, undefined, "secret-key")).json.paused.by, "acme")
    })
  )

  for (const [what, verb, body, field] of [
    ["a pace of nothing", "pace", "{}", "rps"],
    ["no pace", "pace", undefined, "rps"],
    ["a rate of 0", "pace", '{"rps":0}', "rps"],
    ["a rate as text", "pace", '{"rps":"2"}', "rps"],
    ["half a call at once", "pace", '{"max_concurrent":1.5}', "max_concurrent"],
    ["a field that is none", "pace", '{"rsp":2}', "rsp"],
    ["a note that is no text", "pause", '{"note":7}', "note"],
    ["a field where none is taken", "reset", '{"note":"x"}', "note"],
    ["a list", "pause", "[]", "body"]
  ] as const) {
    it.live(`refuse ${what}, naming the field`, () =>
      Effect.gen(function* () {
        const dam = yield* Double.make()
        const { json, status } = yield* ask(dam, "POST", `${lane}/${verb}`, body)
        assert.deepStrictEqual([status, json.field], [400, field])
        assert.deepStrictEqual((yield* ask(dam, "GET", `${lane}/log`)).json.entries, [])
      })
    )
  }

  it.live("say what their upstream has taught, and since when", () =>
    Effect.gen(function* () {
      const learnt = { rps: 40, maxConcurrent: undefined, at: 7 }
      const dam = yield* Double.make({
        wrapEngine: ({ steering, ...engine }) => ({
          ...engine,
          steering: { ...steering, get: (lane) => Effect.map(steering.get(lane), (status) => ({ ...status, learnt })) }
        })
      })
      const { json } = yield* ask(dam, "GET", lane)
      assert.deepStrictEqual(json.learnt, { rps: 40, max_concurrent: null, at: 7 })
    })
  )

  it.live("refuse what names no lane", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json, status } = yield* ask(dam, "POST", "/api/v1/lanes/a%20b/pause")
      assert.deepStrictEqual([status, json.field], [400, "lane"])
    })
  )
})
