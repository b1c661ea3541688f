import { assert, describe, it } from "@effect/vitest"
import * as NodeDns from "@effect/platform-node/NodeDns"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import * as Dam from "../../../src/dam/Dam.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as HttpServer from "../../../src/dam/http/HttpServer.ts"
import { JobStore } from "../../../src/dam/store/JobStore.ts"
import { Engine } from "../../../src/dam/work/Engine.ts"
import published from "../../fixtures/egress-urls.json" with { type: "json" }
import * as Double from "./HttpDouble.ts"

const submit = (base: string, path: string, body: object) =>
  Effect.promise(async () => {
    const answer = await fetch(base + path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" }
    })
    return { status: answer.status, json: JSON.parse(await answer.text()) }
  })

const fine = "https://api.example.com/fine"

/** Everywhere a URL may stand, in both dialects. */
const places = [
  { path: "/api/v1/jobs", field: "url", body: (url: string) => ({ url }) },
  { path: "/api/v1/jobs", field: "webhooks[0].url", body: (url: string) => ({ url: fine, webhooks: [{ url }] }) },
  { path: "/api/v1/jobs", field: "on_failure.url", body: (url: string) => ({ url: fine, on_failure: { url } }) },
  {
    path: "/api/v1/jobs",
    field: "on_success.fallback_job.webhooks[0].url",
    body: (url: string) => ({ url: fine, onSuccess: { url: fine, fallbackJob: { url: fine, webhooks: [{ url }] } } })
  },
  {
    path: "/jobs",
    field: "webhook_url",
    body: (url: string) => ({ user_id: "u", idempotent_key: "k", url: fine, method: "GET", webhook_url: url })
  }
] as const

// U+0000 makes a text no value of its field, wherever it stands
const denied = published.cases.filter(({ expected, url }) => expected === "deny" && !url.includes("\0"))
const allowed = published.cases.filter(({ expected }) => expected === "allow")

describe("the egress policy at the door of the API", () => {
  it.live.each(["http://localhost:3000/", "http://127.0.0.1:3000/", "http://192.168.1.7/"])(
    "says over HTTP how whoever started the dam opens a private target: %s",
    (url) =>
      Effect.gen(function* () {
        const dam = yield* Double.make({ dns: yield* Dns.Dns })
        const { json, status } = yield* submit(dam.url, "/api/v1/jobs", { url })
        assert.strictEqual(status, 422)
        const { hostname } = new URL(url)
        assert.include(
          json.error,
          `; to allow it, start the dam with --allow-egress ${hostname}, or with --allow-private`
        )
      }).pipe(Effect.provide(Dns.layerStatic({ hosts: {} })))
  )

  it.live.each(places)("refuses every URL of the published cases as $field, and stores nothing", (place) =>
    Effect.gen(function* () {
      const dns = yield* Dns.Dns
      let stored = 0
      const dam = yield* Double.make({
        dns,
        wrapStore: (store) => ({ ...store, enqueue: (job) => Effect.suspend(() => (stored++, store.enqueue(job))) })
      })
      assert.isAtLeast(denied.length, 50)
      for (const { reason, url } of denied) {
        // there it is a required field that is empty
        if (place.path === "/jobs" && url === "") continue
        const { json, status } = yield* submit(dam.url, place.path, place.body(url))
        assert.deepStrictEqual(
          [status, json.code, json.field, json.reason],
          [place.path === "/jobs" ? 400 : 422, "url_denied", place.field, reason],
          JSON.stringify(url)
        )
      }
      assert.strictEqual(stored, 0)
      for (const { url } of allowed) {
        assert.include([200, 201], (yield* submit(dam.url, place.path, place.body(url))).status, url)
      }
    }).pipe(Effect.provide(Dns.layerStatic({ hosts: published.resolver })))
  )
})

/** A whole dam, told its terms once. */
const served = Effect.fnUntraced(function* (terms: Partial<Dam.DamOptions>) {
  const { engine, store } = yield* Dam.make({ path: ":memory:", ...terms })
  return yield* HttpServer.make({ port: 0 }).pipe(
    Effect.provideContext(Context.make(Engine, engine).pipe(Context.add(JobStore, store))),
    Effect.provide(NodeDns.layer)
  )
})

describe("the terms of a dam", () => {
  it.live.each([
    { egress: EgressPolicy.publicOnly, expected: 422, described: "public addresses" },
    { egress: Double.trusting, expected: 201, described: "public addresses, private addresses" },
    { egress: undefined, expected: 201, described: "every address" }
  ])("hold at the door as at the socket: $described", ({ described, egress, expected }) =>
    Effect.gen(function* () {
      const { url } = yield* served({ egress, limits: { bodyBytes: 200 } })
      const health = yield* Effect.promise(async () => (await fetch(`${url}/health`)).json())
      assert.deepInclude(health, { egress: described })
      assert.deepInclude(health.limits, { body_bytes: 200 })
      assert.strictEqual((yield* submit(url, "/api/v1/jobs", { url: "http://127.0.0.1:9/" })).status, expected)
      const large = { url: "http://127.0.0.1:9/", method: "POST", body: "x".repeat(200) }
      assert.strictEqual((yield* submit(url, "/api/v1/jobs", large)).status, 413)
    })
  )
})
