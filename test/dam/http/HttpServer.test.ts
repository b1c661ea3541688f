import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { Api } from "../../../src/dam/api/Api.ts"
import * as Keys from "../../../src/dam/http/door/Keys.ts"
import * as Double from "./HttpDouble.ts"
import { bytesOf, exchange, firstAnswer, open } from "./HttpWire.ts"

const job = { url: "https://api.example.com/orders", method: "POST", body: "b" }

const keys = Result.getOrThrow(
  Keys.make([
    { customer: "acme", key: Redacted.make("key-of-acme") },
    { customer: "zebra", key: Redacted.make("key-of-zebra") }
  ])
)

const call = (url: string, method = "GET", body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(url, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { "content-type": "application/json", ...headers }
    })
    return { status: answer.status, headers: answer.headers, text: await answer.text() }
  })

const raw = (port: number, host: string, path = "/health", more = {}) =>
  Effect.promise(() => exchange(port, bytesOf({ id: "", name: "", status: 0, method: "GET", path, ...more }, host, "")))

describe("the dam over HTTP", () => {
  it.live("says in /health that it is degraded while this machine lacks what calls need", () =>
    Effect.gen(function* () {
      const shortage = { problem: "no connection (shortage): too many files (EMFILE)", since: 5, lanes: 2 }
      const dam = yield* Double.make({
        wrapEngine: (engine) => ({ ...engine, shortage: Effect.succeed(shortage) })
      })
      const answer = yield* Effect.promise(() => fetch(`${dam.url}/health`))
      assert.strictEqual(answer.status, 200)
      assert.deepInclude(yield* Effect.promise(() => answer.json()), { status: "degraded", shortage })
    })
  )

  it.live("serves every Host of this machine, those that were allowed, and no other", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ allowedHosts: ["Dam.Internal"] })
      for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "LOCALHOST", "dam.internal"]) {
        assert.strictEqual((yield* raw(dam.port, `${host}:${dam.port}`)).status, 200, host)
      }
      for (const host of [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "",
        "localhost:x"
      ]) {
        const answer = yield* raw(dam.port, host)
        assert.strictEqual(answer.status, 421, host)
        assert.strictEqual(JSON.parse(answer.body).code, "misdirected_request")
      }
      const absolute = yield* raw(dam.port, "localhost", "http://evil.example/health")
      assert.strictEqual(absolute.status, 421)
    })
  )

  it.live("lets no page of another site change anything, on whichever way a request comes in", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      for (const origin of ["https://evil.example", "null", `http://localhost:${dam.port + 1}`]) {
        for (const path of ["/api/v1/jobs", "/jobs", "/api/v1/proxy", "/api/v1/jobs/x/cancel"]) {
          const refused = yield* call(`${dam.url}${path}`, "POST", job, { origin })
          assert.strictEqual(refused.status, 403, `${path} from ${origin}`)
          assert.strictEqual(JSON.parse(refused.text).code, "cross_origin")
        }
      }
      const own = yield* call(`${dam.url}/api/v1/jobs`, "POST", job, { origin: dam.url })
      assert.strictEqual(own.status, 201)
    })
  )

  it.live("asks nobody for a Host where keys say who calls", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ keys })
      assert.strictEqual((yield* raw(dam.port, "dam.example.com")).status, 200)
    })
  )

  it.effect("refuses to listen beyond this machine without keys, and says what would help", () =>
    Effect.gen(function* () {
      for (const host of ["0.0.0.0", "::", "192.168.0.1", "dam.example.com"]) {
        const refused = yield* Effect.flip(Double.make({ host }))
        assert.strictEqual(refused._tag, "KeysRequired")
        assert.include(refused.message, "--keys-file")
      }
    })
  )

  it.live("fails to start on a port that is taken", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      assert.strictEqual((yield* Effect.flip(Double.make({ port: dam.port })))._tag, "ServeError")
    })
  )

  it.live("keeps customers apart", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ keys })
      const acme = { authorization: "Bearer key-of-acme" }
      const zebra = { authorization: "Bearer key-of-zebra" }
      const { job_id } = JSON.parse((yield* call(`${dam.url}/api/v1/jobs`, "POST", job, acme)).text)
      assert.strictEqual((yield* call(`${dam.url}/api/v1/jobs/${job_id}`, "GET", undefined, acme)).status, 200)
      for (const path of ["", "/wait", "/stream"]) {
        const other = yield* call(`${dam.url}/api/v1/jobs/${job_id}${path}`, "GET", undefined, zebra)
        assert.deepStrictEqual([other.status, JSON.parse(other.text).code], [404, "job_not_found"])
      }
      assert.strictEqual((yield* call(`${dam.url}/api/v1/jobs/${job_id}/cancel`, "POST", undefined, zebra)).status, 404)
      assert.deepStrictEqual(JSON.parse((yield* call(`${dam.url}/api/v1/jobs`, "GET", undefined, zebra)).text).jobs, [])
      // the same call of somebody else is another job
      assert.strictEqual((yield* call(`${dam.url}/api/v1/jobs`, "POST", job, zebra)).status, 201)
      assert.strictEqual((yield* call(`${dam.url}/health`)).status, 200)
      assert.strictEqual((yield* call(`${dam.url}/jobs/${job_id}`)).status, 401)
    })
  )

  it.live("tells in /health how it is, what it takes and where it may call", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ limits: { webhooks: 3 }, health: Effect.succeed({ regions: ["iad"] }) })
      const health = JSON.parse((yield* call(`${dam.url}/health`)).text)
      assert.deepInclude(health, { status: "ok", authentication: "none", egress: "public addresses", regions: ["iad"] })
      assert.strictEqual(health.limits.webhooks, 3)
      assert.isNumber(health.admission.queued)
    })
  )

  it.live("describes itself, and shows the description to people", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const openapi = JSON.parse((yield* call(`${dam.url}/openapi.json`)).text)
      assert.includeMembers(Object.keys(openapi.paths), ["/api/v1/jobs", "/api/v1/jobs/{id}/rerun", "/jobs", "/health"])
      assert.property(openapi.components.schemas.Job.properties, "on_failure_timeout_ms")
      const docs = yield* call(`${dam.url}/docs`)
      assert.match(docs.headers.get("content-type") ?? "", /text\/html/)
      assert.notMatch(docs.text, /<script[^>]+src=/)
    })
  )

  it.live("is called by a typed client made from its description", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const client = yield* HttpApiClient.make(Api, { baseUrl: dam.url }).pipe(Effect.provide(FetchHttpClient.layer))
      const accepted = yield* client.jobs.submit({ payload: job })
      assert.strictEqual(accepted.status, "queued")
      const again = yield* client.jobs.submit({ payload: job })
      assert.isTrue("duplicate" in again && again.job_id === accepted.job_id)
      const page = yield* client.jobs.list({ query: { status: ["queued"], limit: 5 } })
      assert.deepStrictEqual(
        page.jobs.map(({ job_id }) => job_id),
        [accepted.job_id]
      )
      const cancelled = yield* client.jobs.cancel({ params: { id: accepted.job_id } })
      assert.deepStrictEqual([cancelled.status, cancelled.error], ["cancelled", "cancelled"])
      const unknown = yield* Effect.flip(client.jobs.get({ params: { id: "nothing" } }))
      assert.isTrue("code" in unknown && unknown.code === "job_not_found")
      const health = yield* client.system.health({})
      assert.strictEqual(health["status"], "ok")
    })
  )

  it.live("answers what is under way when it stops, ends waits and streams, and takes no more", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const submitted = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const watched = yield* Deferred.make<void>()
      let watches = 0
      const dam = yield* Double.make({
        wrapEngine: (engine) => ({
          ...engine,
          events: (id) => {
            if (++watches === 2) Deferred.doneUnsafe(watched, Effect.void)
            return engine.events(id)
          },
          submit: (one) =>
            one.step.request.url.endsWith("/slow")
              ? Effect.andThen(
                  Deferred.succeed(submitted, undefined),
                  Effect.andThen(Deferred.await(goOn), engine.submit(one))
                )
              : engine.submit(one)
        })
      }).pipe(Scope.provide(scope))
      const { job_id } = JSON.parse((yield* call(`${dam.url}/api/v1/jobs`, "POST", job)).text)
      const stream = yield* Effect.promise(() => open(dam.port))
      const streamEnded = new Promise<void>((resolve) => stream.on("close", resolve))
      const streaming = firstAnswer(stream)
      const input = { id: "", name: "", status: 0, method: "GET", path: `/jobs/${job_id}/stream` }
      stream.write(bytesOf(input, "localhost", ""))
      assert.strictEqual((yield* Effect.promise(() => streaming)).status, 200)
      const waiting = yield* Effect.forkChild(call(`${dam.url}/api/v1/jobs/${job_id}/wait?timeout_ms=60000`), {
        startImmediately: true
      })
      const slow = yield* Effect.forkChild(call(`${dam.url}/api/v1/jobs`, "POST", { url: `${job.url}/slow` }), {
        startImmediately: true
      })
      yield* Deferred.await(submitted)
      yield* Deferred.await(watched)

      const stopping = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* Effect.promise(() => streamEnded)
      assert.strictEqual((yield* Fiber.join(waiting)).status, 200)
      const refused = yield* Effect.exit(Effect.tryPromise(() => open(dam.port)))
      assert.isTrue(Exit.isFailure(refused))
      yield* Deferred.succeed(goOn, undefined)
      assert.strictEqual((yield* Fiber.join(slow)).status, 201)
      yield* Fiber.join(stopping)
    })
  )

  it.live("does not wait for ever for what does not end", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const dam = yield* Double.make({
        drain: Duration.millis(20),
        wrapEngine: (engine) => ({ ...engine, submit: () => Effect.never })
      }).pipe(Scope.provide(scope))
      const socket = yield* Effect.promise(() => open(dam.port))
      const gone = new Promise<void>((resolve) => socket.on("close", resolve))
      socket.on("error", () => undefined)
      socket.write(bytesOf({ id: "", name: "", status: 0, body: job }, "localhost", ""))
      yield* Scope.close(scope, Exit.void)
      yield* Effect.promise(() => gone)
    })
  )

  it.live("works with Effect's own client, keep-alive included", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const client = yield* HttpClient.HttpClient
      for (let round = 0; round < 3; round++) {
        assert.strictEqual((yield* client.get(`${dam.url}/health`)).status, 200)
      }
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})
