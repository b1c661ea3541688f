import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Tracer from "effect/Tracer"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import { HttpTransport } from "../../src/transport/HttpTransport.ts"
import * as LocalTransport from "../../src/transport/LocalTransport.ts"
import { suite } from "../conformance/exchanging.ts"

// undici itself stays out of this file: importing it would replace what Node's fetch stands on

suite("fetch", {
  make: (options) => Effect.sync(() => LocalTransport.makeFetch(options)),
  sendsGetWithBody: false,
  decodes: true
})

suite("an HttpClient made of fetch", {
  make: (options) =>
    Effect.map(Layer.build(FetchHttpClient.layer), (context) =>
      LocalTransport.make(Context.get(context, HttpClient.HttpClient), options)
    ),
  sendsGetWithBody: false,
  decodes: true
})

const exchange = (url = "http://target.test/", method = "GET") => ({
  request: { method, url, headers: {}, body: undefined },
  region: undefined,
  step: Step.get("http://target.test/"),
  timeoutMillis: 30_000
})

/** A client that answers from memory and shows what it was asked. */
const answering = (answer: (request: HttpClientRequest.HttpClientRequest) => Response) =>
  HttpClient.make((request) => Effect.sync(() => HttpClientResponse.fromWeb(request, answer(request))))

describe("an answer of fetch", () => {
  it.effect("has its headers read once, when they are asked for", () =>
    Effect.gen(function* () {
      let reads = 0
      const answer = new Response("body", {
        headers: [
          ["x-a", "1"],
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"]
        ]
      })
      const forEach = answer.headers.forEach.bind(answer.headers)
      answer.headers.forEach = (read) => (reads++, forEach(read))
      const response = yield* LocalTransport.makeFetch({ fetch: () => Promise.resolve(answer) }).send(exchange())
      assert.deepStrictEqual([response.status, Reply.text(response), reads], [200, "body", 0])
      const headers = { "content-type": "text/plain;charset=UTF-8", "set-cookie": "a=1, b=2", "x-a": "1" }
      assert.deepStrictEqual({ ...response }, { _tag: "Response", status: 200, headers, body: response.body })
      assert.strictEqual(response.headers, response.headers)
      assert.strictEqual(reads, 1)
    })
  )
})

describe("a transport over a client of one's own", () => {
  it.effect("goes through its middleware", () =>
    Effect.gen(function* () {
      const client = answering((request) => new Response(request.headers["x-added"])).pipe(
        HttpClient.mapRequest(HttpClientRequest.setHeader("x-added", "by middleware"))
      )
      const response = yield* LocalTransport.make(client).send(exchange())
      assert.strictEqual(Reply.text(response), "by middleware")
    })
  )

  it.effect("answers with the status that the client takes for an error", () =>
    Effect.gen(function* () {
      const client = HttpClient.filterStatusOk(answering(() => new Response("busy", { status: 503 })))
      const response = yield* LocalTransport.make(client).send(exchange())
      assert.deepStrictEqual([response.status, Reply.text(response)], [503, "busy"])
    })
  )

  it.effect("opens no span of the client's", () =>
    Effect.gen(function* () {
      const spans: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          spans.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })
      yield* LocalTransport.make(answering(() => new Response("ok")))
        .send(exchange())
        .pipe(Effect.withTracer(tracer))
      assert.deepStrictEqual(spans, [])
    })
  )

  it.effect("is provided over the client of the surroundings", () =>
    Effect.gen(function* () {
      const transport = yield* HttpTransport
      assert(transport.kind === "exchanging")
      assert.strictEqual(Reply.text(yield* transport.send(exchange())), "ok")
    }).pipe(
      Effect.provide(
        LocalTransport.layer().pipe(
          Layer.provide(
            Layer.succeed(
              HttpClient.HttpClient,
              answering(() => new Response("ok"))
            )
          )
        )
      )
    )
  )

  it.effect("hands fetch options on and keeps redirects to itself", () =>
    Effect.gen(function* () {
      const seen: Array<RequestInit | undefined> = []
      const fetch: typeof globalThis.fetch = (_, init) => {
        seen.push(init)
        return Promise.resolve(new Response("ok"))
      }
      const client = yield* HttpClient.HttpClient.pipe(Effect.provide(FetchHttpClient.layer))
      const send = LocalTransport.make(client, { requestInit: { cache: "no-store" } }).send(exchange())
      yield* Effect.provideService(send, FetchHttpClient.Fetch, fetch)
      assert.deepStrictEqual(
        seen.map((init) => [init?.cache, init?.redirect]),
        [["no-store", "manual"]]
      )
    })
  )
})

describe("a transport over fetch", () => {
  const over = (fetch: NonNullable<LocalTransport.FetchOptions["fetch"]>) => LocalTransport.makeFetch({ fetch })
  const failing = (fetch: NonNullable<LocalTransport.FetchOptions["fetch"]>, method?: string) =>
    Effect.map(Effect.flip(over(fetch).send(exchange(undefined, method))), ({ reason }) => reason)

  it.effect("explains the redirect that a browser hides", () =>
    Effect.gen(function* () {
      // Node's Response refuses status 0, which is what browsers make of an opaque redirect
      const opaque = Object.defineProperty(new Response(null), "status", { value: 0 })
      const reason = yield* failing(() => Promise.resolve(opaque))
      assert.strictEqual(reason._tag, "InvalidResponse")
      assert.include(reason.message, "browser")
    })
  )

  it.effect("fails when fetch throws instead of rejecting", () =>
    Effect.gen(function* () {
      const reason = yield* failing(() => {
        throw new TypeError("no network here")
      })
      assert(reason._tag === "ConnectionFailed" && reason.kind === "other")
    })
  )

  it.effect("fails when what fetch brings is no answer", () =>
    Effect.gen(function* () {
      const broken = Object.defineProperty(new Response("ok"), "headers", { value: undefined })
      const reason = yield* failing(() => Promise.resolve(broken))
      assert(reason._tag === "ConnectionFailed" && reason.kind === "other")
    })
  )

  it.effect("refuses TRACE by name", () =>
    Effect.gen(function* () {
      const reason = yield* failing(() => Promise.resolve(new Response()), "TRACE")
      assert(reason._tag === "Unsendable" && reason.problem.includes("TRACE"))
    })
  )

  it.effect("counts what a body really has, not what it announced", () =>
    Effect.gen(function* () {
      const lying = () => Promise.resolve(new Response("0123456789", { headers: { "content-length": "1" } }))
      const transport = LocalTransport.makeFetch({ fetch: lying, maxResponseBytes: 5 })
      assert.strictEqual((yield* Effect.flip(transport.send(exchange()))).reason._tag, "ResponseTooLarge")
    })
  )

  it.effect("is provided by its layer", () =>
    Effect.gen(function* () {
      const transport = yield* HttpTransport
      assert(transport.kind === "exchanging")
      assert.strictEqual(Reply.text(yield* transport.send(exchange())), "ok")
    }).pipe(Effect.provide(LocalTransport.layerFetch({ fetch: () => Promise.resolve(new Response("ok")) })))
  )
})
