import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import * as EzthrottleApi from "../../src/transport/EzthrottleApi.ts"
import { allowed, type Handler, reply, serve } from "./RemoteServer.ts"

const key = "ck_live_0123456789abcdef"

type Calls = EzthrottleApi.EzthrottleApi["Service"]
type Make = (url: string, options?: EzthrottleApi.Options) => Effect.Effect<Calls, never, HttpClient.HttpClient>

const at = (url: string, options: EzthrottleApi.Options = {}) => ({
  apiKey: Redacted.make(key),
  tracktagsUrl: url,
  ezthrottleUrl: url,
  ...options
})

const overFetch: Make = (url, options) => Effect.succeed(EzthrottleApi.makeFetch(at(url, options)))

const overClient: Make = (url, options) =>
  Effect.map(HttpClient.HttpClient, (client) => EzthrottleApi.make(client, at(url, options)))

const post = (calls: EzthrottleApi.EzthrottleApi["Service"]) =>
  calls.proxied({ path: "/api/v1/jobs", method: "POST", body: "{}", read: Result.succeed })

/** A server that signals when a connection it answers is gone. */
const watched = Effect.fnUntraced(function* (handler: Handler) {
  const gone = yield* Deferred.make<void>()
  const server = yield* serve((seen, response) => {
    response.on("close", () => Deferred.doneUnsafe(gone, Effect.void))
    handler(seen, response)
  })
  return { server, gone: Deferred.await(gone) }
})

describe.each([
  ["fetch", overFetch],
  ["an HttpClient", overClient]
])("the limits of a call over %s", (_, api) => {
  const hanging: ReadonlyArray<readonly [string, Handler]> = [
    ["no answer at all", () => undefined],
    ["a head and no body", (_, response) => void response.writeHead(200).flushHeaders()],
    ["a body that stops in the middle", (_, response) => void response.writeHead(200).write('{"status":')]
  ]

  it.effect.each(hanging)("gives up on %s after 30 seconds and closes the connection", ([, handler]) =>
    Effect.gen(function* () {
      const { gone, server } = yield* watched(handler)
      const calls = yield* api(server.url)
      const fiber = yield* Effect.forkChild(Effect.flip(post(calls)))
      yield* server.requested(1)
      yield* TestClock.adjust("29999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(fiber)
      assert.isTrue(error._tag === "ServiceUnreachable" && error.maybeAccepted)
      assert.include(error.message, "within 30000 ms")
      yield* gone
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("keeps to the limit it is given", () =>
    Effect.gen(function* () {
      const { server } = yield* watched(() => undefined)
      const calls = yield* api(server.url, { timeout: "2 seconds" })
      const fiber = yield* Effect.forkChild(Effect.flip(post(calls)))
      yield* server.requested(1)
      yield* TestClock.adjust("2 seconds")
      assert.include((yield* Fiber.join(fiber)).message, "within 2000 ms")
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("closes the connection when it is interrupted", () =>
    Effect.gen(function* () {
      const { gone, server } = yield* watched(() => undefined)
      const fiber = yield* Effect.forkChild(post(yield* api(server.url)))
      yield* server.requested(1)
      yield* Fiber.interrupt(fiber)
      yield* gone
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("reads direct answers that are larger than a proxied one may be", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, "z".repeat(3_000_000)))
      const calls = yield* api(server.url)
      const answer = yield* calls.direct({ path: "/api/v1/jobs/j", read: Result.succeed })
      assert.strictEqual(answer.body.length, 3_000_000)
      assert.strictEqual(server.requests[0]?.headers.authorization, `Bearer ${key}`)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("keeps the status of an answer that is too large to keep", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 502, "z".repeat(3_000_000)))
      const error = yield* Effect.flip(post(yield* api(server.url)))
      assert.isTrue(error._tag === "ServiceFailed" && error.status === 502)
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})

describe.each([
  ["fetch", overFetch],
  ["an HttpClient", overClient]
])("what a call over %s leaves behind", (_, api) => {
  it.effect("opens no span in which headers could be seen", () =>
    Effect.gen(function* () {
      const names: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          names.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })
      const server = yield* serve((_, response) => reply(response, 200, allowed(200, "{}")))
      const calls = yield* api(server.url)
      yield* post(calls).pipe(Effect.withSpan("ours"), Effect.withTracer(tracer))
      assert.deepStrictEqual(names, ["ours"])
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("does not repeat a secret that the service quotes, in whatever spelling", () =>
    Effect.gen(function* () {
      const secret = 'whsec_"quoted"\\_0123456789'
      const server = yield* serve((_, response) => reply(response, 200, allowed(400, { error: `weak: ${secret}` })))
      const calls = yield* api(server.url)
      const quoted = yield* Effect.flip(
        calls.proxied({
          path: "/api/v1/webhook-secrets",
          method: "POST",
          body: "{}",
          secrets: [Redacted.make(secret)],
          read: ({ body }) => Result.fail(body)
        })
      )
      assert.strictEqual(quoted, '{"error":"weak: <redacted>"}')
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("does not repeat the key when an event stream is refused with it", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 401, { error: `unknown: ${key}` }))
      const attached = yield* (yield* api(server.url)).events("/api/v1/jobs/j/stream")
      assert.isTrue(attached._tag === "Answered")
      assert.strictEqual(attached._tag === "Answered" && attached.answer.body, '{"error":"unknown: <redacted>"}')
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("does not repeat the key of an answer that is too large to read", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, key + "z".repeat(3_000_000)))
      const error = yield* Effect.flip(post(yield* api(server.url)))
      assert.isTrue(error._tag === "MalformedAnswer" && error.received.startsWith("<redacted>zz"))
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )

  it.effect("leaves what could be read as it came, the key included", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, allowed(200, { echo: key })))
      const forwarded = yield* post(yield* api(server.url))
      assert.strictEqual(forwarded.body, JSON.stringify({ echo: key }))
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})

describe("EzthrottleApi.config", () => {
  const read = (env: Record<string, string>) =>
    Effect.provideService(EzthrottleApi.config, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))

  it.effect("reads the key and the two bases", () =>
    Effect.gen(function* () {
      const options = yield* read({
        EZTHROTTLE_API_KEY: key,
        EZTHROTTLE_TRACKTAGS_URL: "https://proxy.example",
        EZTHROTTLE_URL: "https://service.example"
      })
      assert.strictEqual(options.apiKey && Redacted.value(options.apiKey), key)
      assert.strictEqual(options.tracktagsUrl, "https://proxy.example")
      assert.strictEqual(options.ezthrottleUrl, "https://service.example")
      assert.notInclude(JSON.stringify(options) + String(options.apiKey), key)
    })
  )

  it.effect("needs none of them", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({}), {
        apiKey: undefined,
        dam: undefined,
        tracktagsUrl: undefined,
        ezthrottleUrl: undefined
      })
    })
  )

  it.effect("makes the calls of the layer", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, allowed(200, "{}")))
      const env = { EZTHROTTLE_API_KEY: key, EZTHROTTLE_TRACKTAGS_URL: server.url }
      yield* Effect.flatMap(EzthrottleApi.EzthrottleApi, post).pipe(
        Effect.provide(EzthrottleApi.layerConfig()),
        Effect.provide(FetchHttpClient.layer),
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
      )
      assert.strictEqual(server.requests[0]?.headers.authorization, `Bearer ${key}`)
    })
  )
})
