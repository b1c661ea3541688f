import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Failure } from "../../src/step/Failure.ts"
import type { Receipt } from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import * as EzthrottleApi from "../../src/transport/EzthrottleApi.ts"
import { HttpTransport } from "../../src/transport/HttpTransport.ts"
import * as RemoteTransport from "../../src/transport/RemoteTransport.ts"
import { allowed, type Handler, reply, serve } from "./RemoteServer.ts"

const key = "ck_live_0123456789abcdef"
const step = Step.post("https://api.example/orders", { body: "hello" })

type Make = (options: EzthrottleApi.Options) => Effect.Effect<Calls, never, HttpClient.HttpClient>
type Calls = EzthrottleApi.EzthrottleApi["Service"]

const overClient: Make = (options) => Effect.map(HttpClient.HttpClient, (client) => EzthrottleApi.make(client, options))

const overFetch: Make = (options) => Effect.succeed(EzthrottleApi.makeFetch(options))

/** Straight over `fetch` unless it is told otherwise. */
const transportTo = (url: string, { make = overFetch, ...options }: EzthrottleApi.Options & { make?: Make } = {}) =>
  Effect.map(
    make({
      apiKey: Redacted.make(key),
      tracktagsUrl: url,
      ezthrottleUrl: "https://ezthrottle.example",
      ...options
    }),
    RemoteTransport.make
  )

const submitTo = (url: string, given: Step.Step = step, options?: Parameters<typeof transportTo>[1]) =>
  Effect.flatMap(transportTo(url, options), ({ submit }) =>
    Effect.mapError(submit({ step: given, key: undefined, retryAt: undefined }), ({ reason }) => reason)
  )

const submit = (
  handler: Handler,
  given?: Step.Step,
  options?: Parameters<typeof transportTo>[1]
): Effect.Effect<Receipt, Failure, HttpClient.HttpClient | Scope.Scope> =>
  Effect.flatMap(serve(handler), ({ url }) => submitTo(url, given, options))

const failure = (handler: Handler, options?: Parameters<typeof transportTo>[1]) =>
  Effect.flip(submit(handler, step, options))

describe("RemoteTransport over fetch", () => {
  const fetched = <A, E>(effect: Effect.Effect<A, E, HttpClient.HttpClient | Scope.Scope>) =>
    Effect.provide(effect, FetchHttpClient.layer)

  it.effect("sends one enveloped job with the bearer key", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, allowed(201, { job_id: "j" })))
      yield* submitTo(`${server.url}/`, Step.idempotentKey(step, "k"), { ezthrottleUrl: "https://dam.example//" })
      const [seen, ...more] = server.requests
      assert.deepStrictEqual(more, [])
      assert.deepStrictEqual([seen?.method, seen?.path], ["POST", "/api/v1/proxy"])
      assert.strictEqual(seen?.headers["authorization"], `Bearer ${key}`)
      assert.strictEqual(seen?.headers["content-type"], "application/json")
      assert.isUndefined(seen?.headers["traceparent"])
      const { body, ...envelope } = JSON.parse(seen?.body ?? "")
      assert.deepStrictEqual(envelope, {
        scope: "customer",
        metric_name: "",
        target_url: "https://dam.example/api/v1/jobs",
        method: "POST",
        headers: { "Content-Type": "application/json" }
      })
      assert.deepStrictEqual(JSON.parse(body), {
        url: "https://api.example/orders",
        method: "POST",
        body: "hello",
        idempotent_key: "k"
      })
    }).pipe(fetched)
  )

  it.effect("answers the receipt", () =>
    submit((_, response) =>
      reply(response, 200, allowed(201, { job_id: "j-1", status: "queued", idempotent_key: "k" }))
    ).pipe(
      Effect.map((receipt) =>
        assert.deepStrictEqual([receipt.jobId, receipt.status, receipt.duplicate], ["j-1", "queued", false])
      ),
      fetched
    )
  )

  it.effect("submits once, whatever comes back", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 503, "busy"))
      yield* Effect.flip(submitTo(server.url))
      assert.strictEqual(server.requests.length, 1)
    }).pipe(fetched)
  )

  it.effect("says until when it is rate limited, by the header where the body does not", () =>
    failure((_, response) => reply(response, 429, { error: "slow down" }, { "retry-after": "7" })).pipe(
      Effect.map((error) => assert.isTrue(error._tag === "ServiceRateLimited" && error.retryAt === 7_000)),
      fetched
    )
  )

  it.effect("does not follow a redirect, which would carry the key elsewhere", () =>
    Effect.gen(function* () {
      const elsewhere = yield* serve((_, response) => reply(response, 200, allowed(201, { job_id: "j" })))
      const error = yield* failure((_, response) => reply(response, 307, "", { location: elsewhere.url }))
      assert.isTrue(error._tag === "ServiceFailed" && error.status === 307)
      assert.deepStrictEqual(elsewhere.requests, [])
    }).pipe(fetched)
  )

  it.effect("needs the key only when it submits, and names the variable", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, ""))
      for (const apiKey of [undefined, Redacted.make(""), Redacted.make(" \n")]) {
        const error = yield* Effect.flip(submitTo(server.url, step, { apiKey }))
        assert.strictEqual(error._tag, "MissingApiKey")
        assert.include(error.message, "EZTHROTTLE_API_KEY")
      }
      assert.deepStrictEqual(server.requests, [])
    }).pipe(fetched)
  )

  it.effect("refuses a key that no header can carry without quoting it", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, ""))
      const error = yield* Effect.flip(submitTo(server.url, step, { apiKey: Redacted.make(`${key}\n`) }))
      assert.strictEqual(error._tag, "Unsendable")
      assert.notInclude(JSON.stringify(error) + String(error), key)
      assert.deepStrictEqual(server.requests, [])
    }).pipe(fetched)
  )

  it.effect.each([
    ["a denial", 200, { status: "denied", error: `key ${key} is unknown` }],
    ["a rate limit", 429, { error: `${key} is too fast` }],
    ["a failing proxy", 500, `stack trace: Bearer ${key}`],
    ["a refusal of the service", 200, allowed(400, { error: `bad key ${key}` })],
    ["an unreadable receipt", 200, allowed(201, `accepted for ${key}`)],
    ["an unreadable answer", 200, `<html>${key}</html>`]
  ] as const)("keeps the key out of the error even when %s quotes it", ([, status, body]) =>
    failure((_, response) => reply(response, status, body)).pipe(
      Effect.map((error) => {
        assert.notInclude(JSON.stringify(error) + error.message, key)
        assert.include(error.message, "<redacted>")
      }),
      fetched
    )
  )

  it.effect("does not send what the cloud cannot carry", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, allowed(201, { job_id: "j" })))
      const picture = Step.post("https://api.example/", { body: Uint8Array.of(0xff) })
      const error = yield* Effect.flip(submitTo(server.url, picture))
      assert.strictEqual(error._tag, "Unsendable")
      assert.deepStrictEqual(server.requests, [])
    }).pipe(fetched)
  )

  it.effect("is a transport by its layer", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 200, allowed(201, { job_id: "j" })))
      const receipt = yield* Effect.gen(function* () {
        const transport = yield* HttpTransport
        assert.strictEqual(transport.kind, "delegating")
        return transport.kind === "delegating"
          ? yield* transport.submit({ step, key: undefined, retryAt: undefined })
          : undefined
      }).pipe(
        Effect.provide(RemoteTransport.layer()),
        Effect.provide(EzthrottleApi.layer({ apiKey: Redacted.make(key), tracktagsUrl: server.url }))
      )
      assert.strictEqual(receipt?.jobId, "j")
      const { target_url } = JSON.parse(server.requests[0]?.body ?? "")
      assert.strictEqual(target_url, "https://ezthrottle.fly.dev/api/v1/jobs")
    }).pipe(fetched)
  )

  it.effect("also hears a client that fails on a status", () =>
    Effect.gen(function* () {
      const server = yield* serve((_, response) => reply(response, 503, "busy"))
      const strict = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
      const error = yield* Effect.flip(
        submitTo(server.url, step, { make: overClient }).pipe(Effect.provideService(HttpClient.HttpClient, strict))
      )
      assert.isTrue(error._tag === "ServiceFailed" && error.status === 503)
    }).pipe(fetched)
  )
})

describe.each([
  ["fetch", overFetch, FetchHttpClient.layer],
  ["a client made of fetch", overClient, FetchHttpClient.layer],
  ["a client made of undici", overClient, NodeHttpClient.layerUndici],
  ["a client made of node:http", overClient, NodeHttpClient.layerNodeHttp]
])("what comes instead of an answer, over %s", (_, make, client) => {
  const failure = (handler: Handler) => Effect.flip(submit(handler, step, { make }))

  it.effect.each([
    ["text that is no JSON", "OK", "expected JSON, got other text", "OK"],
    ["an HTML error page", "<!doctype html><h1>Bad gateway</h1>", "got an HTML page", "Bad gateway"],
    ["an empty body", "", "got an empty body", "an empty body"],
    ["an answer without forwarded_response", '{"status":"allowed"}', "forwarded_response is missing", "allowed"],
    ["an inner body that is no JSON", JSON.stringify(allowed(201, "queued!")), "expected a receipt", "queued!"],
    ["an inner body without an id", JSON.stringify(allowed(201, {})), "a receipt with a job_id", "{}"],
    ["5 MB", "x".repeat(5_000_000), "more than 1048576 bytes", "xxx"]
  ] as const)("names %s and quotes its beginning", ([, body, problem, quoted]) =>
    failure((_request, response) => reply(response, 200, body)).pipe(
      Effect.map((error) => {
        assert.strictEqual(error._tag, "MalformedAnswer")
        assert.include(error.message, problem)
        assert.include(error.message, quoted)
        assert.isBelow(error.message.length, 800)
      }),
      Effect.provide(client)
    )
  )

  it.effect("tells how far an answer came that was cut off half-way", () =>
    failure((_request, response) => {
      response.writeHead(200, { "content-length": "100" }).write('{"status":', () => response.destroy())
    }).pipe(
      Effect.map((error) => {
        assert.isTrue(error._tag === "ServiceUnreachable" && error.maybeAccepted)
        assert.match(error.message, /status 200 and \d+ of the 100 bytes/)
      }),
      Effect.provide(client)
    )
  )

  it.effect("takes a connection closed before any answer for a job that may exist", () =>
    failure((_request, response) => response.destroy()).pipe(
      Effect.map((error) => assert.isTrue(error._tag === "ServiceUnreachable" && error.maybeAccepted)),
      Effect.provide(client)
    )
  )

  it.effect("ends an answer without end by its size, and closes the connection", () =>
    Effect.gen(function* () {
      let closed: (() => void) | undefined
      const close = new Promise<void>((done) => (closed = done))
      const error = yield* failure((_request, response) => {
        response.on("close", () => closed?.())
        response.on("error", () => undefined)
        response.writeHead(200)
        const chunk = "y".repeat(65_536)
        const more = (): void => {
          while (!response.destroyed && response.write(chunk)) continue
          response.once("drain", more)
        }
        more()
      })
      assert.isTrue(error._tag === "MalformedAnswer" && error.received.startsWith("yyy"))
      yield* Effect.promise(() => close)
    }).pipe(Effect.provide(client))
  )

  it.effect("knows that nothing was accepted where nobody listens", () =>
    Effect.gen(function* () {
      const server = yield* serve(() => undefined)
      yield* server.stop
      const error = yield* Effect.flip(submitTo(server.url, step, { make }))
      assert.isTrue(error._tag === "ServiceUnreachable" && !error.maybeAccepted)
      assert.include(error.message, "ECONNREFUSED")
    }).pipe(Effect.provide(client))
  )
})
