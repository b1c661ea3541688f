/** Notices over HTTP: who is told what, shown and chosen by operators. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

const ask = (dam: Pick<Dam, "url">, method: "GET" | "PUT", body?: object, key?: string) =>
  Effect.promise(async () => {
    const answer = await fetch(`${dam.url}/api/v1/notices`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` })
      }
    })
    return { status: answer.status, json: JSON.parse(await answer.text()) }
  })

const ops = "https://ops.example.com/ezthrottle"

describe("notices over HTTP", () => {
  it.live("are chosen as a whole, shown with their defaults, and taken back by choosing nothing", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const before = yield* ask(dam, "GET")
      assert.deepInclude(before.json, { urls: [], source: "configured", open: [], endpoints: [] })
      assert.strictEqual(before.json.thresholds.dead_letters, 100)
      const chosen = yield* ask(dam, "PUT", { urls: [ops], events: ["dead_letters"], thresholds: { lane_held_ms: 5 } })
      assert.strictEqual(chosen.status, 200)
      assert.deepInclude(chosen.json, { urls: [ops], events: ["dead_letters"], source: "chosen" })
      assert.deepInclude(chosen.json.thresholds, { lane_held_ms: 5, endpoint_failures: 5 })
      assert.deepStrictEqual((yield* ask(dam, "GET")).json, chosen.json)
      assert.deepStrictEqual((yield* ask(dam, "PUT", {})).json, before.json)
    })
  )

  it.live("are refused where the egress policy refuses them, or makes no sense of them", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const inside = yield* ask(dam, "PUT", { urls: [ops, "http://10.0.0.7/"] })
      assert.deepStrictEqual([inside.status, inside.json.code, inside.json.field], [422, "url_denied", "urls[1]"])
      const codeOf = (body: object) => Effect.map(ask(dam, "PUT", body), ({ json }) => json.code)
      assert.strictEqual(yield* codeOf({ events: ["nonsense"] }), "invalid_field")
      assert.strictEqual(yield* codeOf({ url: ops }), "unknown_field")
      assert.strictEqual(yield* codeOf({ thresholds: { memory_bytes: 0 } }), "invalid_field")
      assert.deepInclude((yield* ask(dam, "GET")).json, { urls: [], source: "configured" })
    })
  )

  it.live("go where every other webhook may: to public addresses, and over https alone where that is asked for", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ httpsWebhooks: true })
      const plain = yield* ask(dam, "PUT", { urls: [ops, "http://ops.example.com/"] })
      assert.deepInclude(plain.json, { code: "url_denied", field: "urls[1]", reason: "HttpsRequired" })
      const inside = yield* ask(dam, "PUT", { urls: ["https://loop.example.com/"] })
      assert.deepInclude(inside.json, { code: "url_denied", field: "urls[0]", reason: "DeniedAddress" })
      assert.deepStrictEqual([plain.status, inside.status], [422, 422])
      assert.deepInclude((yield* ask(dam, "GET")).json, { urls: [], source: "configured" })
      assert.strictEqual((yield* ask(dam, "PUT", { urls: [ops] })).status, 200)
    })
  )

  it.live("are an operator's alone, even where no key says who is one", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ keys: Result.getOrThrow(Keys.parse("acme:one")) })
      assert.strictEqual((yield* ask(dam, "GET")).status, 401)
      assert.strictEqual((yield* ask(dam, "GET", undefined, "one")).status, 403)
      assert.strictEqual((yield* ask(dam, "PUT", { urls: [ops] }, "one")).status, 403)
    })
  )
})
