import * as NodeDns from "@effect/platform-node/NodeDns"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Agent } from "undici"
import * as Dam from "../../../src/dam/Dam.ts"
import { Engine } from "../../../src/dam/work/Engine.ts"
import * as HttpServer from "../../../src/dam/http/HttpServer.ts"
import { JobStore } from "../../../src/dam/store/JobStore.ts"
import * as Keys from "../../../src/dam/http/door/Keys.ts"
import * as Upstream from "../../conformance/upstream.ts"
import * as Double from "./HttpDouble.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "ezthrottle-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A whole dam on a file, as the command starts it. */
const served = Effect.fnUntraced(function* (options: Partial<Dam.DamOptions> = {}, http: HttpServer.HttpOptions = {}) {
  const path = join(yield* folder, "dam.db")
  const { engine, store } = yield* Dam.make({ path, egress: Double.trusting, drain: Duration.seconds(2), ...options })
  const server = yield* HttpServer.make({ port: 0, ...http }).pipe(
    Effect.provideContext(Context.make(Engine, engine).pipe(Context.add(JobStore, store))),
    Effect.provide(NodeDns.layer)
  )
  return { url: server.url, store, path }
})

const post = (url: string, body: unknown) =>
  Effect.promise(async () => {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body)
    })
    const json: Record<string, unknown> = await answer.json()
    return { status: answer.status, retryAfter: answer.headers.get("retry-after"), json }
  })

const held = { pacing: { pace: { rps: 0.01, maxConcurrent: 1 } } }

describe("a dam that is full", () => {
  const flat = (n: number, url: string) => ({
    user_id: "u",
    idempotent_key: `k${n}`,
    url,
    method: "GET",
    webhook_url: url
  })

  it.live("answers 429 in both dialects, says of what and until when, and shows its marks in /health", () =>
    Effect.gen(function* () {
      const upstream = yield* Upstream.http((_, response) => response.end("ok"))
      const { url } = yield* served({ ...held, maxQueued: 3 })
      const submit = (n: number) => post(`${url}/api/v1/jobs`, { url: `${upstream.origin}/${n}` })
      // the first takes the only turn there is for a long time
      const { job_id: first } = (yield* submit(1)).json
      yield* Effect.promise(() => fetch(`${url}/api/v1/jobs/${String(first)}/wait`))
      // counts anew: what was filed is counted until then, though it has ended
      yield* Effect.promise(() => fetch(`${url}/health`))
      const cloud = yield* Effect.forEach([2, 3, 4, 5], submit)
      assert.deepStrictEqual(
        cloud.map(({ status }) => status),
        [201, 201, 201, 429]
      )
      const last = cloud.at(-1)
      assert.deepInclude(last, { status: 429, retryAfter: "10" })
      assert.deepInclude(last?.json, { code: "overloaded", limit_reason: "queued_jobs", limit: 3 })
      const refused = yield* post(`${url}/jobs`, flat(1, upstream.origin))
      assert.deepInclude(refused, { status: 429, retryAfter: "10" })
      assert.deepInclude(refused.json, { limit_reason: "queued_jobs", limit: 3 })
      assert.isString(refused.json["error"])
      assert.strictEqual(refused.json["current"], 3)
      const health = yield* Effect.promise(() => fetch(`${url}/health`).then((answer) => answer.json()))
      assert.deepInclude(health.admission, { max_queued: 3, waiting_jobs: 3 })
      assert.isAbove(health.admission.max_memory_bytes, health.admission.memory_bytes)
    })
  )

  it.live("answers 503 while the disk is full, and takes jobs again without a restart", () =>
    Effect.gen(function* () {
      const { store, url } = yield* served({ ...held, maxBytes: 1_500_000 })
      const big = (n: number) => ({ url: "http://127.0.0.1:9/", method: "POST", body: `${n}`.padEnd(200_000, "x") })
      const ids: Array<string> = []
      let answer = yield* post(`${url}/api/v1/jobs`, big(0))
      for (let n = 1; answer.status === 201 && n < 50; n++) {
        ids.push(String(answer.json["job_id"]))
        answer = yield* post(`${url}/api/v1/jobs`, big(n))
      }
      assert.deepInclude(answer, { status: 503, retryAfter: "30" })
      assert.strictEqual(answer.json["code"], "storage_full")
      assert.isAbove(ids.length, 2)
      for (const id of ids) yield* Effect.promise(() => fetch(`${url}/api/v1/jobs/${id}/cancel`, { method: "POST" }))
      yield* store.sweep(Number.MAX_SAFE_INTEGER, 1000)
      assert.strictEqual((yield* post(`${url}/api/v1/jobs`, big(99))).status, 201)
    })
  )
})

it.live("1,000 equal submissions over 64 connections at once make one job, called once", () =>
  Effect.gen(function* () {
    let calls = 0
    const upstream = yield* Upstream.http((_, response) => {
      calls++
      response.end("ok")
    })
    const { store, url } = yield* served({ pacing: { pace: { rps: 1000, maxConcurrent: 100 } } })
    const agent = yield* Effect.acquireRelease(
      Effect.sync(() => new Agent({ connections: 64, pipelining: 1 })),
      (it) => Effect.promise(() => it.destroy())
    )
    const origin = new URL(url).origin
    const submit = Effect.promise(async () => {
      const answer = await agent.request({
        origin,
        path: "/api/v1/jobs",
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": "once" },
        body: JSON.stringify({ url: upstream.url, method: "POST", body: "order" })
      })
      const json = await answer.body.json()
      return { status: answer.statusCode, json: json as Record<string, unknown> }
    })
    const answers = yield* Effect.all(
      Array.from({ length: 1000 }, () => submit),
      { concurrency: "unbounded" }
    )
    assert.lengthOf(new Set(answers.map(({ json }) => json["job_id"])), 1)
    const created = answers.filter(({ status }) => status === 201)
    assert.lengthOf(created, 1)
    assert.lengthOf(
      answers.filter(({ json, status }) => status === 200 && json["duplicate"] === true),
      999
    )
    const id = String(created[0]?.json["job_id"])
    yield* Effect.promise(() => fetch(`${url}/api/v1/jobs/${id}/wait`).then((answer) => answer.text()))
    const { jobs } = yield* store.stats
    assert.deepInclude(jobs, { succeeded: 1, queued: 0, running: 0 })
    assert.strictEqual(calls, 1)
  })
)

it.live("a second dam on the same file is refused at once, in one line", () =>
  Effect.gen(function* () {
    const { path } = yield* served()
    const before = performance.now()
    const error = yield* Effect.flip(Dam.make({ path }))
    assert.isBelow(performance.now() - before, 4000)
    assert.include(error.message, "another dam is using it")
    assert.notInclude(error.message, "\n")
  })
)

it.live("a dam whose file was deleted takes nothing any more and says why, /health too", () =>
  Effect.gen(function* () {
    const upstream = yield* Upstream.http((_, response) => response.end("ok"))
    const { path, url } = yield* served(held)
    const job = { url: `${upstream.url}/a`, method: "GET" }
    assert.strictEqual((yield* post(`${url}/api/v1/jobs`, job)).status, 201)
    rmSync(path)
    const refused = yield* post(`${url}/api/v1/jobs`, { ...job, url: `${upstream.url}/b` })
    assert.deepInclude(refused.json, { code: "storage_lost" })
    assert.deepInclude(refused, { status: 503, retryAfter: "30" })
    const flat = { user_id: "u", idempotent_key: "k", url: job.url, method: "GET", webhook_url: job.url }
    assert.strictEqual((yield* post(`${url}/jobs`, flat)).json["code"], "storage_lost")
    const health = yield* Effect.promise(async () => {
      const answer = await fetch(`${url}/health`)
      const json: Record<string, unknown> = await answer.json()
      return { status: answer.status, json }
    })
    assert.strictEqual(health.status, 503)
    assert.match(String(health.json["error"]), /its file was deleted, renamed or replaced while the dam ran/)
    assert.strictEqual(health.json["code"], "storage_failed")
  })
)

describe("a stranger at a dam with keys", () => {
  const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme-1234") }]))
  const routes: ReadonlyArray<readonly [method: string, path: string]> = [
    ["POST", "/api/v1/jobs"],
    ["GET", "/api/v1/jobs?limit=abc&nonsense=1"],
    ["GET", "/api/v1/jobs/nothing"],
    ["GET", "/api/v1/jobs/nothing/wait?timeout_ms=abc"],
    ["GET", "/api/v1/jobs/nothing/stream?x=1"],
    ["POST", "/api/v1/jobs/nothing/cancel?x=1"],
    ["POST", "/api/v1/jobs/nothing/rerun"],
    ["GET", "/api/v1/webhook-secrets?x=1"],
    ["POST", "/api/v1/webhook-secrets"],
    ["DELETE", "/api/v1/webhook-secrets"],
    ["POST", "/jobs"],
    ["GET", "/jobs/nothing?x=1"],
    ["GET", "/jobs/nothing/stream"]
  ]

  it.live("is told to show a key before anything of the request is looked at", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make({ keys })
      for (const [method, path] of routes) {
        const answer = yield* Effect.promise(() => fetch(url + path, { method }))
        assert.strictEqual(answer.status, 401, `${method} ${path}`)
        assert.strictEqual(answer.headers.get("www-authenticate"), "Bearer")
        const known = yield* Effect.promise(() =>
          fetch(url + path, { method, headers: { authorization: "Bearer key-of-acme-1234" } })
        )
        assert.notInclude([200, 401], known.status, `${method} ${path}`)
      }
    })
  )

  it.live("reads what is for everybody, and is told which methods there are", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make({ keys })
      for (const path of ["/health", "/openapi.json", "/docs"]) {
        const answer = yield* Effect.promise(() => fetch(url + path))
        assert.strictEqual(answer.status, 200, path)
      }
      const wrong = yield* Effect.promise(() => fetch(`${url}/api/v1/jobs`, { method: "PUT" }))
      assert.deepStrictEqual([wrong.status, wrong.headers.get("allow")], [405, "POST, GET, HEAD"])
    })
  )
})
