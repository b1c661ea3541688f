import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import * as LimitOptions from "../../../../src/dam/lane/LimitOptions.ts"
import * as LimitsInMemory from "../../lane/LimitsInMemory.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

const ask = (dam: Pick<Dam, "url">, method: string, path: string, body?: unknown, key?: string) =>
  Effect.promise(async () => {
    const answer = await fetch(dam.url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` })
      }
    })
    return { status: answer.status, json: JSON.parse(await answer.text()) }
  })

const configured = {
  tokens: LimitOptions.make({ rate: 90_000, per: "1 minute", settle: { json: "usage.total_tokens" } }),
  browsers: LimitOptions.make({ concurrency: 4, weights: { acme: 3 } })
}

const make = (options: LimitsInMemory.InMemoryOptions = { configured }, keys?: Keys.Keys) =>
  Double.make({ keys, wrapEngine: (engine) => ({ ...engine, callLimits: LimitsInMemory.make(options) }) })

const tokens = "/api/v1/limits/tokens"

describe("limits over HTTP", () => {
  it.live("are listed by name and shown, as they are configured", () =>
    Effect.gen(function* () {
      const dam = yield* make()
      const { json } = yield* ask(dam, "GET", "/api/v1/limits")
      const browsers = {
        name: "browsers",
        rate: null,
        per_ms: 1000,
        burst: null,
        concurrency: 4,
        settle: null,
        weights: { acme: 3 },
        source: "configured",
        since: null,
        by: null,
        levels: []
      }
      const shown = {
        ...browsers,
        name: "tokens",
        rate: 90_000,
        per_ms: 60_000,
        burst: 90_000,
        concurrency: null,
        settle: { json: "usage.total_tokens" },
        weights: {}
      }
      assert.deepStrictEqual(json, { limits: [browsers, shown] })
      assert.deepStrictEqual((yield* ask(dam, "GET", tokens)).json, shown)
      const none = yield* ask(dam, "GET", "/api/v1/limits/none")
      assert.deepStrictEqual([none.status, none.json.code], [404, "limit_not_found"])
    })
  )

  it.live("are defined while the dam runs, and what jobs may draw on is what is defined now", () =>
    Effect.gen(function* () {
      const dam = yield* make({})
      const job = { url: "https://api.example.com/", limits: [{ name: "token", cost: 5 }] }
      const before = yield* ask(dam, "POST", "/api/v1/jobs", job)
      assert.deepStrictEqual([before.status, before.json.code], [400, "unknown_limit"])
      const set = yield* ask(dam, "PUT", "/api/v1/limits/token", { rate: 10, per_ms: 60_000 })
      assert.strictEqual(set.status, 200)
      assert.deepInclude(set.json, { rate: 10, burst: 10, source: "operator", by: "local" })
      assert.isNumber(set.json.since)
      assert.strictEqual((yield* ask(dam, "POST", "/api/v1/jobs", job)).status, 201)
      assert.deepStrictEqual((yield* ask(dam, "DELETE", "/api/v1/limits/token")).json, { limit: null })
      assert.strictEqual((yield* ask(dam, "DELETE", "/api/v1/limits/token")).status, 404)
    })
  )

  it.live("go back to the configuration where a definition is taken back", () =>
    Effect.gen(function* () {
      const dam = yield* make()
      const changed = yield* ask(dam, "PUT", tokens, {
        rate: 5,
        burst: 2,
        concurrency: 1,
        settle: { header: "X-Cost" }
      })
      assert.deepInclude(changed.json, { rate: 5, per_ms: 1000, burst: 2, concurrency: 1 })
      assert.deepStrictEqual(changed.json.settle, { header: "x-cost" })
      const { json, status } = yield* ask(dam, "DELETE", tokens)
      assert.strictEqual(status, 200)
      assert.deepInclude(json.limit, { rate: 90_000, source: "configured" })
    })
  )

  it.live("are not taken away from jobs that draw on them", () =>
    Effect.gen(function* () {
      const dam = yield* make({ drawing: () => 2 })
      yield* ask(dam, "PUT", tokens, { rate: 5 })
      const { json, status } = yield* ask(dam, "DELETE", tokens)
      assert.deepStrictEqual([status, json.code, json.current], [409, "limit_in_use", 2])
      assert.include(json.error, "2 jobs that have not ended")
    })
  )

  it.live("are changed by operators alone, once there is one, who see whose share is whose", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(
        Keys.make([
          { customer: "acme", key: Redacted.make("key-of-acme") },
          { customer: "ops", key: Redacted.make("key-of-ops"), role: "operator" }
        ])
      )
      const levels = () => ["", "acct_7"].map((key) => ({ key, available: undefined, open: 1, waiting: 0 }))
      const dam = yield* make({ configured, levels }, keys)
      assert.strictEqual((yield* ask(dam, "GET", tokens)).status, 401)
      for (const method of ["PUT", "DELETE"]) {
        const { json, status } = yield* ask(
          dam,
          method,
          tokens,
          method === "PUT" ? { rate: 1 } : undefined,
          "key-of-acme"
        )
        assert.deepStrictEqual([status, json.code], [403, "operator_required"])
      }
      assert.strictEqual(
        (yield* ask(dam, "PUT", tokens, { rate: 1, weights: { acme: 2 } }, "key-of-ops")).json.by,
        "ops"
      )
      const seen = (yield* ask(dam, "GET", tokens, undefined, "key-of-ops")).json
      assert.deepStrictEqual([seen.by, seen.weights, seen.levels.length], ["ops", { acme: 2 }, 2])
      const others = (yield* ask(dam, "GET", tokens, undefined, "key-of-acme")).json
      assert.deepStrictEqual(
        [others.by, others.weights, others.levels],
        [null, {}, [{ key: "", available: null, open: 1, waiting: 0 }]]
      )
    })
  )

  it.live("are seen whole by whoever may change them, where there is no operator", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme") }]))
      const dam = yield* make({ configured }, keys)
      const { json } = yield* ask(dam, "GET", "/api/v1/limits/browsers", undefined, "key-of-acme")
      assert.deepStrictEqual(json.weights, { acme: 3 })
    })
  )

  for (const [what, body, field] of [
    ["neither a rate nor a concurrency", {}, "rate"],
    ["a rate of 0", { rate: 0 }, "rate"],
    ["a rate as text", { rate: "5" }, "rate"],
    ["half a call", { concurrency: 1.5 }, "concurrency"],
    ["no call", { concurrency: 0 }, "concurrency"],
    ["a burst without a rate", { concurrency: 1, burst: 5 }, "burst"],
    ["a century", { rate: 1, per_ms: 4e12 }, "per_ms"],
    ["two places to settle by", { rate: 1, settle: { header: "A", json: "b" } }, "settle"],
    ["a path that is none", { rate: 1, settle: { json: "a..b" } }, "settle"],
    ["a header that is none", { rate: 1, settle: { header: "a b" } }, "settle"],
    ["a customer without weight", { rate: 1, weights: { acme: 0 } }, "weights.acme"],
    ["a field that is none", { rates: 1 }, "rates"]
  ] as const) {
    it.live(`refuse ${what}, naming the field`, () =>
      Effect.gen(function* () {
        const dam = yield* make({})
        const { json, status } = yield* ask(dam, "PUT", tokens, body)
        assert.deepStrictEqual([status, json.field], [400, field])
        assert.deepStrictEqual((yield* ask(dam, "GET", "/api/v1/limits")).json.limits, [])
      })
    )
  }

  it.live("refuse a name that no limit may have", () =>
    Effect.gen(function* () {
      const dam = yield* make({})
      for (const name of ["a%20b", "a".repeat(65)]) {
        const { json, status } = yield* ask(dam, "PUT", `/api/v1/limits/${name}`, { rate: 1 })
        assert.deepStrictEqual([status, json.field], [400, "name"])
      }
    })
  )
})
