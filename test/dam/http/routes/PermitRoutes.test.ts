import { assert, describe, it } from "@effect/vitest"
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Dam from "../../../../src/dam/Dam.ts"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import * as HttpServer from "../../../../src/dam/http/HttpServer.ts"
import { JobStore } from "../../../../src/dam/store/JobStore.ts"
import { Engine } from "../../../../src/dam/work/Engine.ts"
import { answerOf, faultsIn } from "../../api/Document.ts"

const keys = Result.getOrThrow(
  Keys.make([
    { customer: "acme", key: Redacted.make("key-of-acme") },
    { customer: "other", key: Redacted.make("key-of-other") }
  ])
)

const listening = Effect.fnUntraced(function* (options: Partial<Dam.DamOptions> = {}, withKeys = false) {
  const dam = yield* Dam.make({
    path: ":memory:",
    pacing: { pace: { rps: 1000, maxConcurrent: 1 } },
    drain: Duration.seconds(5),
    ...options
  })
  const { url } = yield* HttpServer.make({ port: 0, ...(withKeys ? { keys } : {}) }).pipe(
    Effect.provideContext(Context.make(Engine, dam.engine).pipe(Context.add(JobStore, dam.store))),
    Effect.provide(NodeDns.layer)
  )
  return { ...dam, url }
})

interface Asked {
  readonly body?: unknown
  readonly key?: string
  readonly signal?: AbortSignal
}

/** Asks, and holds what is answered against the description. */
const send = async (url: string, method: string, path: string, { body, key, signal }: Asked = {}) => {
  const answer = await fetch(`${url}/api/v1/permits${path}`, {
    method,
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` })
    }
  })
  const json: any = await answer.json()
  const described = `/api/v1/permits${path.replace(/^\/[^/]+/, "/{id}")}`
  assert.deepStrictEqual(faultsIn(json, answerOf(method, described, answer.status)), [], `${method} ${path}`)
  return { status: answer.status, json, headers: answer.headers }
}

const ask = (...asked: Parameters<typeof send>) => Effect.promise(() => send(...asked))

const target = "https://api.example.com/v1/things?secret=1"

describe("permits over HTTP", () => {
  it.live("stand in the lane that the rule of their host says, and tell it without a credential", () =>
    Effect.gen(function* () {
      const { url } = yield* listening({
        pacing: { pace: { rps: 1000, maxConcurrent: 1 }, hosts: { "api.example:443": { lane: ["credential"] } } }
      })
      const laneOf = (key: string) =>
        Effect.map(
          ask(url, "POST", "", { body: { url: "https://api.example/orders", headers: { authorization: key } } }),
          ({ json }): string => json.lane
        )
      const [one, other] = [yield* laneOf("Bearer secret-one"), yield* laneOf("Bearer secret-two")]
      assert.match(one, /^api\.example:443#[0-9a-f]+$/)
      assert.match(other, /^api\.example:443#[0-9a-f]+$/)
      assert.notStrictEqual(one, other)
      const again = { url: "https://api.example/other", headers: { authorization: "Bearer secret-one" }, wait_ms: 0 }
      assert.deepInclude((yield* ask(url, "POST", "", { body: again })).json, { code: "no_turn" })
      for (const lane of [one, "webhook@api.example:443", "api.example#made-up"]) {
        assert.deepInclude((yield* ask(url, "POST", "", { body: { lane } })).json, { field: "lane" })
      }
      assert.deepInclude((yield* ask(url, "POST", "", { body: { url: "ftp://a.example" } })).json, { field: "url" })
    })
  )

  it.live("are granted, renewed, depart, are reported and are gone", () =>
    Effect.gen(function* () {
      const { url } = yield* listening()
      const { json, status } = yield* ask(url, "POST", "", { body: { url: target } })
      assert.strictEqual(status, 200)
      assert.deepInclude(json, { lane: "api.example.com:443", lease_ms: 30_000, departed: false })
      const one = `/${json.permit_id}`
      const renewed = yield* ask(url, "POST", `${one}/renew`, { body: { lease_ms: 60_000 } })
      assert.strictEqual(renewed.json.lease_ms, 60_000)
      assert.isAbove(renewed.json.expires_at, json.expires_at)
      assert.isTrue((yield* ask(url, "POST", `${one}/depart`)).json.departed)
      const report = { status: 429, headers: { "Retry-After": "7" }, body: "slower", sent_at: Date.now() }
      const ended = yield* ask(url, "POST", `${one}/report`, { body: report })
      assert.include(ended.json, { permit_id: json.permit_id, lane: "api.example.com:443" })
      assert.isAbove(ended.json.held_ms, 6000)
      for (const [method, path] of [
        ["POST", `${one}/renew`],
        ["POST", `${one}/depart`],
        ["POST", `${one}/report`],
        ["DELETE", one]
      ] as const) {
        const gone = yield* ask(url, method, path)
        assert.deepStrictEqual([gone.status, gone.json.code], [404, "unknown_permit"])
      }
    })
  )

  it.live("say when to come again where the turn does not come in time, and hand what is given back to the next", () =>
    Effect.gen(function* () {
      const { engine, url } = yield* listening()
      const lane = "api.example.com"
      const first = yield* ask(url, "POST", "", { body: { lane, depart: true } })
      assert.isTrue(first.json.departed)
      const late = yield* ask(url, "POST", "", { body: { lane, wait_ms: 0 } })
      assert.deepStrictEqual([late.status, late.json.code], [429, "no_turn"])
      assert.strictEqual(late.json.retry_after_ms, 1000)
      assert.strictEqual(late.headers.get("retry-after"), "1")
      const next = yield* Effect.forkChild(ask(url, "POST", "", { body: { url: target } }))
      while ((yield* engine.lanes)[0]?.waiting !== 1) yield* Effect.yieldNow
      assert.strictEqual((yield* engine.steering.get("api.example.com:443")).permits, 1)
      yield* ask(url, "DELETE", `/${first.json.permit_id}`)
      assert.strictEqual((yield* Fiber.join(next)).status, 200)
    })
  )

  it.live("give the place back of whoever hangs up", () =>
    Effect.gen(function* () {
      const { engine, url } = yield* listening()
      const waiting = (many: number) =>
        Effect.gen(function* () {
          while ((yield* engine.lanes)[0]?.waiting !== many) yield* Effect.yieldNow
        })
      yield* ask(url, "POST", "", { body: { url: target } })
      const hangs = new AbortController()
      const gone = send(url, "POST", "", { body: { url: target }, signal: hangs.signal }).then(
        () => "answered",
        () => "gone"
      )
      yield* waiting(1)
      hangs.abort()
      assert.strictEqual(yield* Effect.promise(() => gone), "gone")
      yield* waiting(0)
    })
  )

  it.live("tell accounts apart by name and by the credential of a call, as jobs do", () =>
    Effect.gen(function* () {
      const { engine, url } = yield* listening()
      const lane = "api.example.com:443"
      yield* ask(url, "POST", "", { body: { lane } })
      const more = [
        {},
        { account: "a" },
        { account: "a", headers: { Authorization: "Bearer one" } },
        { account: "a", headers: { authorization: "Bearer one", accept: "text/plain" } }
      ]
      for (const one of more) yield* Effect.forkChild(ask(url, "POST", "", { body: { lane, ...one } }))
      while ((yield* engine.lanes)[0]?.waiting !== 4) yield* Effect.yieldNow
      assert.strictEqual((yield* engine.steering.get(lane)).accounts, 3)
    })
  )

  it.live("draw on limits, and cost what is reported", () =>
    Effect.gen(function* () {
      const settle = { header: "x-cost" }
      const { engine, url } = yield* listening({
        pacing: { pace: { rps: 1000, maxConcurrent: 9 } },
        callLimits: { tokens: { rate: 100, per: "1 hour", burst: 100, settle } }
      })
      const lane = "api.example.com"
      const drawing = (cost: number) => ({ lane, wait_ms: 0, depart: true, limits: [{ name: "tokens", cost }] })
      const dear = yield* ask(url, "POST", "", { body: drawing(101) })
      assert.deepStrictEqual([dear.status, dear.json.field], [400, "limits[0].cost"])
      const first = yield* ask(url, "POST", "", { body: drawing(90) })
      assert.strictEqual((yield* ask(url, "POST", "", { body: drawing(20) })).json.code, "no_turn")
      const body = { status: 200, headers: { "X-Cost": "30" } }
      yield* ask(url, "POST", `/${first.json.permit_id}/report`, { body })
      assert.strictEqual((yield* ask(url, "POST", "", { body: drawing(60) })).status, 200)
      const status = yield* engine.callLimits.get("tokens")
      assert.closeTo(status?.levels[0]?.available ?? 0, 10, 1)
    })
  )

  it.live("are their customer's alone, who may hold so many", () =>
    Effect.gen(function* () {
      const { url } = yield* listening({ limits: { permits: 1 } }, true)
      const body = { url: target }
      const { json } = yield* ask(url, "POST", "", { body, key: "key-of-acme" })
      const full = yield* ask(url, "POST", "", { body, key: "key-of-acme" })
      assert.strictEqual(full.status, 429)
      assert.include(full.json, { code: "too_many_permits", limit_reason: "permits", limit: 1, current: 1 })
      const path = `/${json.permit_id}/report`
      assert.strictEqual((yield* ask(url, "POST", path, { body: {}, key: "key-of-other" })).status, 404)
      assert.strictEqual((yield* ask(url, "POST", path, { body: {}, key: "key-of-acme" })).status, 200)
      assert.strictEqual((yield* ask(url, "POST", "", { body })).status, 401)
    })
  )

  it.live("are refused with the field that is wrong", () =>
    Effect.gen(function* () {
      const { url } = yield* listening()
      const fields = [
        [{}, "url"],
        [{ url: target, lane: "a.example" }, "lane"],
        [{ url: "api.example.com" }, "url"],
        [{ url: "ftp://api.example.com" }, "url"],
        [{ lane: "a/b" }, "lane"],
        [{ url: target, lease_ms: 60_001 }, "lease_ms"],
        [{ url: target, draws: [] }, "draws"],
        [{ url: target, limits: [{ name: "tokens" }] }, "limits[0].name"]
      ] as const
      for (const [body, field] of fields) {
        const { json, status } = yield* ask(url, "POST", "", { body })
        assert.deepStrictEqual([status, json.field], [400, field], JSON.stringify(body))
      }
    })
  )

  it.live("tell those who wait that the dam stops", () =>
    Effect.gen(function* () {
      const waiting = yield* Effect.scoped(
        Effect.gen(function* () {
          const { engine, url } = yield* listening()
          yield* ask(url, "POST", "", { body: { url: target } })
          const late = send(url, "POST", "", { body: { url: target } })
          while ((yield* engine.lanes)[0]?.waiting !== 1) yield* Effect.yieldNow
          return late
        })
      )
      const { json, status } = yield* Effect.promise(() => waiting)
      assert.deepStrictEqual([status, json.code], [503, "leaving"])
    })
  )

  it.live("let two programs share one pace, and one refusal stops both", () =>
    Effect.gen(function* () {
      const { url } = yield* listening({ pacing: { pace: { rps: 20, maxConcurrent: 50 } } })
      const sent: Array<number> = []
      const refusedAt = { value: Number.POSITIVE_INFINITY }
      const program = async (isTold: boolean) => {
        while (sent.length < 40) {
          const { json, status } = await send(url, "POST", "", { body: { url: target, depart: true, wait_ms: 1500 } })
          if (status === 429) return
          sent.push(performance.now())
          const isRefused = isTold && sent.length > 25
          const answer = isRefused ? { status: 429, headers: { "retry-after": "30" } } : { status: 200 }
          await send(url, "POST", `/${json.permit_id}/report`, { body: answer })
          if (isRefused) refusedAt.value = performance.now()
        }
      }
      yield* Effect.promise(() => Promise.all([program(true), program(false)]))
      assert.isAtLeast(sent.length, 26)
      // one may have been let through before, and hear of it late
      assert.isAtMost(sent.filter((at) => at > refusedAt.value).length, 1)
      // twenty, what a gate that was at rest gives before, and one of each program that came late
      for (const at of sent) {
        assert.isAtMost(sent.filter((other) => other >= at && other < at + 950).length, 23)
      }
    })
  )
})
