import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type { ServerResponse } from "node:http"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { Agent, type Dispatcher } from "undici"
import * as Reply from "../../src/step/Reply.ts"
import * as Step from "../../src/step/Step.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import { HttpTransport } from "../../src/transport/HttpTransport.ts"
import * as LocalTransport from "../../src/transport/LocalTransport.ts"
import * as UndiciTransport from "../../src/transport/UndiciTransport.ts"
import { suite } from "../conformance/exchanging.ts"
import * as Upstream from "../conformance/upstream.ts"

suite("undici's dispatcher", { make: UndiciTransport.make, sendsGetWithBody: true, decodes: true })

suite("an HttpClient made of undici", {
  make: (options) =>
    Effect.map(Layer.build(NodeHttpClient.layerUndici), (context) =>
      LocalTransport.make(Context.get(context, HttpClient.HttpClient), options)
    ),
  sendsGetWithBody: true,
  decodes: false
})

const exchange = (url: string) => ({
  request: { method: "GET", url, headers: {}, body: undefined },
  region: undefined,
  step: Step.get("http://127.0.0.1/"),
  timeoutMillis: 30_000
})

const failureOf = (transport: Exchanging, url: string) =>
  Effect.map(Effect.flip(transport.send(exchange(url))), ({ reason }) => reason)

describe("a redirect of the same request", () => {
  const hops = (status: number) =>
    Upstream.http(({ body, method, path }, response) =>
      path === "/0" ? response.writeHead(status, { location: "/1" }).end() : response.end(`${method} ${body}`)
    )
  const post = (origin: string) => ({
    ...exchange(`${origin}/0`),
    request: { method: "POST", url: `${origin}/0`, headers: {}, body: "told" }
  })

  it.live.each([307, 308])("is followed with method and body where it is asked for: %i", (status) =>
    Effect.gen(function* () {
      const { origin } = yield* hops(status)
      const transport = yield* UndiciTransport.make({ followRedirects: "sameRequest" })
      assert.strictEqual(Reply.text(yield* transport.send(post(origin))), "POST told")
    })
  )

  it.live.each([301, 302, 303])("is no %i, which would change the method", (status) =>
    Effect.gen(function* () {
      const { origin } = yield* hops(status)
      const transport = yield* UndiciTransport.make({ followRedirects: "sameRequest" })
      assert.strictEqual((yield* transport.send(post(origin))).status, status)
    })
  )
})

describe("an encoded body", () => {
  const plain = Buffer.from("the body of the answer ".repeat(100))
  const encoded = Effect.fnUntraced(function* (encoding: string, body: Uint8Array) {
    const { url } = yield* Upstream.http((_, response) =>
      response.writeHead(200, { "content-encoding": encoding }).end(body)
    )
    return { transport: yield* UndiciTransport.make(), url }
  })
  const asked = (encoding: string, body: Uint8Array) =>
    Effect.flatMap(encoded(encoding, body), ({ transport, url }) => transport.send(exchange(url)))

  const layers: Readonly<Record<string, Uint8Array>> = {
    gzip: gzipSync(plain),
    "X-GZIP": gzipSync(plain),
    deflate: deflateSync(plain),
    "deflate, identity": deflateRawSync(plain),
    br: brotliCompressSync(plain),
    zstd: zstdCompressSync(plain),
    "br, gzip": gzipSync(brotliCompressSync(plain)),
    "gzip, gzip, gzip, gzip, gzip": [1, 2, 3, 4, 5].reduce<Buffer>((body) => gzipSync(body), plain)
  }
  for (const [encoding, body] of Object.entries(layers)) {
    it.live(`is undone (${encoding})`, () =>
      Effect.map(asked(encoding, body), (response) => assert.strictEqual(Reply.text(response), plain.toString()))
    )
  }

  it.live("in a coding nobody knows stays as it came", () =>
    Effect.map(asked("aws-chunked", plain), (response) => assert.strictEqual(Reply.text(response), plain.toString()))
  )

  it.live("without bytes is empty", () =>
    Effect.map(asked("gzip", Buffer.alloc(0)), (response) => assert.strictEqual(response.body.length, 0))
  )

  const broken: Readonly<Record<string, readonly [encoding: string, body: Uint8Array]>> = {
    "is not what it claims": ["gzip", plain],
    "ends early": ["gzip", gzipSync(plain).subarray(0, 30)]
  }
  for (const [what, [encoding, body]] of Object.entries(broken)) {
    it.live(`is an invalid encoding when it ${what}`, () =>
      Effect.gen(function* () {
        const { transport, url } = yield* encoded(encoding, body)
        const reason = yield* failureOf(transport, url)
        assert.strictEqual(reason._tag, "InvalidEncoding")
        assert.include(reason.message, "status 200")
        assert.include(reason.message, "Content-Encoding")
      })
    )
  }

  it.live("may not unfold between two layers either", () =>
    Effect.gen(function* () {
      const { transport, url } = yield* encoded("br, gzip", gzipSync(Buffer.alloc(20_000_000)))
      assert.strictEqual((yield* failureOf(transport, url))._tag, "ResponseTooLarge")
    })
  )

  it.live("may be a little longer than the limit on the wire", () =>
    Effect.gen(function* () {
      const noise = Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * 7919) % 251))
      const { url } = yield* Upstream.http((_, response) =>
        response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(noise, { level: 0 }))
      )
      const transport = yield* UndiciTransport.make({ maxResponseBytes: noise.length })
      assert.strictEqual((yield* transport.send(exchange(url))).body.length, noise.length)
    })
  )
})

describe("the User-Agent", () => {
  const told = Effect.fnUntraced(function* (userAgent: string | undefined, headers: Readonly<Record<string, string>>) {
    const { url } = yield* Upstream.http((request, response) => response.end(request.headers["user-agent"] ?? "none"))
    const transport = yield* UndiciTransport.make({ userAgent })
    const { request, ...rest } = exchange(url)
    return Reply.text(yield* transport.send({ ...rest, request: { ...request, headers } }))
  })

  it.live("is none of its own accord, the option's where it is given, and the call's before both", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* told(undefined, {}), "none")
      assert.strictEqual(yield* told("dam/1", { "x-other": "y" }), "dam/1")
      assert.strictEqual(yield* told("dam/1", { "USER-agent": "mine" }), "mine")
    })
  )
})

describe("the connections", () => {
  it.live("are kept and reused", () =>
    Effect.gen(function* () {
      const { connections, url } = yield* Upstream.http((heard, response) => response.end(heard.path))
      const transport = yield* UndiciTransport.make()
      yield* Effect.replicateEffect(transport.send(exchange(url)), 10)
      // undici lets a connection rest for a turn of the event loop, so two take turns
      assert.isAtMost(connections(), 2)
    })
  )

  it.live("are closed with the scope, and what comes later is told so", () =>
    Effect.gen(function* () {
      const { url } = yield* Upstream.http((_, response) => response.end("ok"))
      const transport = yield* Effect.scoped(Effect.tap(UndiciTransport.make(), (open) => open.send(exchange(url))))
      const reason = yield* failureOf(transport, url)
      assert.strictEqual(reason._tag, "ConnectionFailed")
      assert.include(reason.message, "shut down")
    })
  )

  it.live("of a dispatcher of one's own stay open", () =>
    Effect.gen(function* () {
      const { url } = yield* Upstream.http((_, response) => response.end("ok"))
      const agent = new Agent()
      yield* Effect.addFinalizer(() => Effect.promise(() => agent.destroy()))
      const transport = yield* Effect.scoped(UndiciTransport.make({ dispatcher: agent }))
      assert.strictEqual((yield* transport.send(exchange(url))).status, 200)
    })
  )

  it.live("are as many as calls at once, or as many as allowed", () =>
    Effect.gen(function* () {
      // nobody is answered before somebody else is there too
      const pairs = () => {
        const waiting: Array<ServerResponse> = []
        return Upstream.http((_, response) => {
          waiting.push(response)
          if (waiting.length === 2) for (const each of waiting.splice(0)) each.end("ok")
        })
      }
      const opened = Effect.fnUntraced(function* (options: UndiciTransport.UndiciOptions) {
        const { connections, url } = yield* pairs()
        const transport = yield* UndiciTransport.make(options)
        yield* Effect.all(
          Array.from({ length: 20 }, () => transport.send(exchange(url))),
          { concurrency: "unbounded" }
        )
        return connections()
      })
      assert.strictEqual(yield* opened({ connectionsPerOrigin: 2 }), 2)
      assert.isAbove(yield* opened({}), 2)
    })
  )

  it.live("that cannot be made in time are given up", () =>
    Effect.gen(function* () {
      const waiting = new Agent({ connect: (_, done) => done(coded("UND_ERR_CONNECT_TIMEOUT"), null) })
      yield* Effect.addFinalizer(() => Effect.promise(() => waiting.destroy()))
      const transport = yield* UndiciTransport.make({ dispatcher: waiting })
      const reason = yield* failureOf(transport, "http://127.0.0.1:9/")
      assert(reason._tag === "ConnectionFailed" && reason.kind === "unreachable")
    })
  )

  it.live("are provided by the layer", () =>
    Effect.gen(function* () {
      const { url } = yield* Upstream.http((_, response) => response.end("ok"))
      const transport = yield* HttpTransport
      assert(transport.kind === "exchanging")
      assert.strictEqual(Reply.text(yield* transport.send(exchange(url))), "ok")
    }).pipe(Effect.provide(UndiciTransport.layer()))
  )
})

const coded = (code: string) => Object.assign(new Error("from the connector"), { code })

describe("a dispatcher that misbehaves", () => {
  const over = (dispatch: Dispatcher["dispatch"]) =>
    UndiciTransport.make({ dispatcher: Object.assign(new Agent(), { dispatch }) })

  it.live("by throwing fails the exchange", () =>
    Effect.gen(function* () {
      const transport = yield* over(() => {
        throw coded("UND_ERR_INVALID_ARG")
      })
      assert.strictEqual((yield* failureOf(transport, "http://127.0.0.1/"))._tag, "Unsendable")
    })
  )

  it.live("by going on after the end is not listened to", () =>
    Effect.gen(function* () {
      const transport = yield* over((_, handler) => {
        const controller = {
          abort: () => {},
          pause: () => {},
          resume: () => {},
          aborted: false,
          paused: false,
          reason: null
        }
        handler.onRequestStart?.(controller, {})
        handler.onResponseStart?.(controller, 200, {})
        handler.onResponseEnd?.(controller, {})
        handler.onResponseStart?.(controller, 500, {})
        handler.onResponseData?.(controller, Buffer.from("late"))
        handler.onResponseEnd?.(controller, {})
        handler.onResponseError?.(controller, new Error("late"))
        return true
      })
      const response = yield* transport.send(exchange("http://127.0.0.1/"))
      assert.deepStrictEqual([response.status, response.body.length], [200, 0])
    })
  )
})

const answered = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"
const continued = "HTTP/1.1 100 Continue\r\n\r\n"

describe("a 100 that nobody asked for", () => {
  for (const [says, pieces] of Object.entries({
    "in one piece with the answer": [continued + answered],
    "before the answer": [continued, answered],
    "twice, with headers of its own": [`HTTP/1.1 100 Continue\r\nVia: x\r\n\r\n${continued}`, answered],
    "without a word": ["HTTP/1.1 100 \r\n\r\n", answered],
    "byte by byte": Array.from(continued + answered),
    "with an early hint": [continued, "HTTP/1.1 103 Early Hints\r\n\r\n", continued, answered]
  })) {
    it.live(`${says} is skipped, and the call made once`, () =>
      Effect.gen(function* () {
        let calls = 0
        const { url } = yield* Upstream.bytes((socket) => {
          let asked = ""
          socket.setNoDelay(true)
          socket.on("data", (chunk) => {
            asked += chunk.toString("latin1")
            if (!/(?:first|second)$/.test(asked)) return
            asked = ""
            calls++
            const next = (at: number) => {
              const piece = pieces[at]
              if (piece !== undefined) socket.write(piece, () => setImmediate(next, at + 1))
            }
            next(0)
          })
        })
        const transport = yield* UndiciTransport.make()
        for (const body of ["first", "second"]) {
          const { request, ...rest } = exchange(url)
          const response = yield* transport.send({ ...rest, request: { ...request, method: "POST", body } })
          assert.deepStrictEqual([response.status, Reply.text(response)], [201, "ok"])
        }
        assert.strictEqual(calls, 2)
      })
    )
  }

  it.live("is left alone where it is part of a body", () =>
    Effect.gen(function* () {
      const { url } = yield* Upstream.raw((socket) => {
        socket.setNoDelay(true)
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${continued.length}\r\n\r\n`, () =>
          setImmediate(() => socket.write(continued))
        )
      })
      const response = yield* (yield* UndiciTransport.make()).send(exchange(url))
      assert.strictEqual(Reply.text(response), continued)
    })
  )

  it.live("without end is told as too many", () =>
    Effect.gen(function* () {
      const { url } = yield* Upstream.raw((socket) => socket.write(continued.repeat(1000)))
      const reason = yield* failureOf(yield* UndiciTransport.make(), url)
      assert.strictEqual(reason._tag, "TooManyInterim")
    })
  )
})

it.live("more than ten interim answers are none", () =>
  Effect.gen(function* () {
    const { url } = yield* Upstream.raw((socket) => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000)))
    const reason = yield* failureOf(yield* UndiciTransport.make(), url)
    assert(reason._tag === "TooManyInterim" && reason.limit === 10)
  })
)

describe("a proxy", () => {
  it.live("carries the calls, addressed in full", () =>
    Effect.gen(function* () {
      const { origin } = yield* Upstream.http(({ path }, response) => response.end(path))
      const transport = yield* UndiciTransport.proxied(origin)
      const response = yield* transport.send(exchange("http://target.invalid/path"))
      assert.strictEqual(Reply.text(response), "http://target.invalid/path")
    })
  )

  it.live("gets the user name and password of its URL", () =>
    Effect.gen(function* () {
      const { origin } = yield* Upstream.http(({ headers }, response) =>
        response.end(Buffer.from(`${headers["proxy-authorization"]}`.slice("Basic ".length), "base64").toString())
      )
      const transport = yield* UndiciTransport.proxied(origin.replace("//", "//me:pass@"))
      assert.strictEqual(Reply.text(yield* transport.send(exchange("http://target.invalid/"))), "me:pass")
    })
  )

  it.live("that wants a password it was not given is told apart from the target", () =>
    Effect.gen(function* () {
      const { origin } = yield* Upstream.http((_, response) => response.writeHead(407).end("who are you?"))
      const reason = yield* failureOf(yield* UndiciTransport.proxied(origin), "http://target.invalid/")
      assert.strictEqual(reason._tag, "Unsendable")
      assert.include(reason.message, "Proxy Authentication Required")
    })
  )

  it.live("that nobody runs is a refused connection", () =>
    Effect.gen(function* () {
      const { origin } = yield* Upstream.nobody
      const reason = yield* failureOf(yield* UndiciTransport.proxied(origin), "http://target.invalid/")
      assert(reason._tag === "ConnectionFailed" && reason.kind === "refused", reason.message)
    })
  )

  it.live("that opens no tunnel makes the target unreachable", () =>
    Effect.gen(function* () {
      const { origin } = yield* Upstream.raw((socket) =>
        socket.end("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
      )
      const reason = yield* failureOf(yield* UndiciTransport.proxied(origin), "https://target.invalid/")
      assert(reason._tag === "ConnectionFailed" && reason.kind === "unreachable", reason.message)
    })
  )
})
