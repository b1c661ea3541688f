import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { createServer as createHttp, type IncomingMessage } from "node:http"
import { type AddressInfo, createServer, type Server } from "node:net"
import { dispatcher } from "../../../src/dam/egress/Connector.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import * as Region from "../../../src/dam/egress/Region.ts"
import * as Step from "../../../src/step/Step.ts"
import type { Exchanging } from "../../../src/transport/HttpTransport.ts"
import * as UndiciTransport from "../../../src/transport/UndiciTransport.ts"
import * as ConnectProxy from "./ConnectProxy.ts"
import { watchSockets } from "./EgressSockets.ts"

/** A transport through a proxy, under the strictest policy. */
const through = Effect.fnUntraced(function* (proxy: string, connectTimeout = 5000) {
  const way = Result.getOrThrow(Region.parse("iad", { proxy }))
  if (way._tag !== "Proxy") return yield* Effect.die(new Error("that is no proxy"))
  return yield* UndiciTransport.make({
    dispatcher: yield* dispatcher(EgressPolicy.publicOnly, { proxy: way, connectTimeout })
  })
})

const call = (transport: Exchanging, url: string) => {
  const step = Step.get(url)
  return transport.send({ request: step.request, region: "iad", step, timeoutMillis: 30_000 })
}

/** A resolver that gives one answer after the other, the last one for ever. */
const resolving = (...answers: ReadonlyArray<ReadonlyArray<string>>) => {
  let asked = 0
  return Effect.provideService(
    Dns.Dns,
    Dns.make({
      lookup: () =>
        Effect.sync(() => (answers[Math.min(asked++, answers.length - 1)] ?? []).map(NetAddress.ipFromStringUnsafe))
    })
  )
}

const listening = <S extends Server>(server: S) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

/** A target, and the heads of the requests that reached it. */
const target = Effect.gen(function* () {
  const seen: Array<IncomingMessage> = []
  const port = yield* listening(
    createHttp((request, response) => {
      seen.push(request)
      response.end("from the target")
    })
  )
  return { port, seen }
})

const open = "93.184.215.14"

describe("a way through a proxy", () => {
  it.live("is asked for to the address that was checked, for a plain http target too, and serves several calls", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* target
      const proxy = yield* ConnectProxy.make({ to: port })
      const transport = yield* through(proxy.url)
      for (let nth = 0; nth < 9; nth++) {
        const { body } = yield* call(transport, `http://api.example.com/orders?nth=${nth}`)
        assert.strictEqual(new TextDecoder().decode(body), "from the target")
      }
      assert.deepStrictEqual([...new Set(proxy.asked)], [`${open}:80`])
      assert.isBelow(proxy.connections(), 9)
      assert.deepStrictEqual(
        seen.map(({ headers, url }) => [headers.host, url]),
        Array.from(Array(9).keys(), (nth) => ["api.example.com", `/orders?nth=${nth}`])
      )
      assert.deepStrictEqual([...new Set(proxy.authorizations)], [undefined])
    }).pipe(Effect.scoped, resolving([open]))
  )

  it.live("carries TLS from here to the target, under the target's name", () =>
    Effect.gen(function* () {
      let hello: Buffer | undefined
      const port = yield* listening(
        createServer((socket) => {
          socket.on("error", () => undefined)
          socket.once("data", (data) => {
            hello = data
            socket.destroy()
          })
        })
      )
      const proxy = yield* ConnectProxy.make({ to: port })
      yield* Effect.flip(call(yield* through(proxy.url), "https://api.example.com/orders"))
      assert.deepStrictEqual(proxy.asked, [`${open}:443`])
      // a handshake, and the server name in it
      assert.strictEqual(hello?.[0], 22)
      assert.isTrue(hello?.includes("api.example.com"))
    }).pipe(Effect.scoped, resolving([open]))
  )

  it.live("is paid for with the proxy's own credentials, which the target never sees", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* target
      const proxy = yield* ConnectProxy.make({ to: port })
      yield* call(yield* through(`http://ann:s%3Acret@127.0.0.1:${proxy.port}`), "http://api.example.com/")
      assert.deepStrictEqual(proxy.authorizations, [`Basic ${Buffer.from("ann:s:cret").toString("base64")}`])
      assert.isUndefined(seen[0]?.headers["proxy-authorization"])
    }).pipe(Effect.scoped, resolving([open]))
  )

  it.live("is asked for to the next address when the proxy cannot reach the first", () =>
    Effect.gen(function* () {
      const { port } = yield* target
      const proxy = yield* ConnectProxy.make((authority) =>
        authority.startsWith("[") ? { status: 502 } : { to: port }
      )
      const { status } = yield* call(yield* through(proxy.url), "http://api.example.com/")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(proxy.asked, ["[2606:4700::1]:80", `${open}:80`])
    }).pipe(Effect.scoped, resolving([["2606:4700::1", open]].flat()))
  )

  const refusals: ReadonlyArray<readonly [string, ConnectProxy.Habit, string]> = [
    ["wants other credentials", { status: 407 }, "refuses the credentials that it is given (407)"],
    [
      "wants other credentials and says so as a target would",
      { status: 401 },
      "refuses the credentials that it is given (401)"
    ],
    ["refuses the target", { status: 403 }, "opened no way to the target (403)"],
    ["cannot reach the target", { status: 502 }, "opened no way to the target (502)"],
    ["hangs up", "close", "cannot be reached, or hung up"],
    ["does not speak HTTP", { raw: "SSH-2.0-OpenSSH_9.6\r\n\r\n" }, "does not speak HTTP"]
  ]
  for (const [what, habit, problem] of refusals) {
    it.live(`is not there when the proxy ${what}; the target never saw the call, and the error names no place`, () =>
      Effect.gen(function* () {
        const proxy = yield* ConnectProxy.make(habit)
        const transport = yield* through(`http://ann:s3cret@127.0.0.1:${proxy.port}`)
        const error = yield* Effect.flip(call(transport, "http://api.example.com/"))
        assert.deepInclude(error.reason, { _tag: "ConnectionFailed", kind: "unreachable" })
        assert.include(error.message, problem)
        assert.notMatch(error.message, /127\.0\.0\.1|s3cret/)
        assert.strictEqual(proxy.asked.length, 1)
        yield* proxy.left
      }).pipe(Effect.scoped, resolving([open]))
    )
  }

  it.live("is not there when the proxy wants credentials and was given none, which is said", () =>
    Effect.gen(function* () {
      const proxy = yield* ConnectProxy.make({ status: 407 })
      const error = yield* Effect.flip(call(yield* through(proxy.url), "http://api.example.com/"))
      assert.include(error.message, "wants credentials and was given none (407); name them in its URL")
    }).pipe(Effect.scoped, resolving([open]))
  )

  it.live("is not there when nobody listens", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(ConnectProxy.make("hang"))
      const error = yield* Effect.flip(call(yield* through(`http://127.0.0.1:${port}`), "http://api.example.com/"))
      assert.deepInclude(error.reason, { _tag: "ConnectionFailed", kind: "unreachable" })
    }).pipe(Effect.scoped, resolving([open]))
  )

  it.live("is waited for as long as a connection may take, and the proxy is hung up on", () =>
    Effect.gen(function* () {
      const proxy = yield* ConnectProxy.make("hang")
      const error = yield* Effect.flip(call(yield* through(proxy.url, 20), "http://api.example.com/"))
      assert.deepInclude(error.reason, { _tag: "ConnectionFailed", kind: "unreachable" })
      assert.include(error.message, "opened no way within 20ms")
      yield* proxy.left
    }).pipe(Effect.scoped, resolving([open]))
  )

  it.live("is given up when the dam stops", () =>
    Effect.gen(function* () {
      const proxy = yield* ConnectProxy.make("hang")
      const scope = yield* Scope.make()
      const transport = yield* Scope.provide(through(proxy.url), scope)
      yield* Effect.forkChild(Effect.ignore(call(transport, "http://api.example.com/")))
      yield* proxy.reached
      yield* Scope.close(scope, Exit.void)
      yield* proxy.left
    }).pipe(Effect.scoped, resolving([open]))
  )
})

describe("the egress policy holds through a proxy", () => {
  const forbidden: ReadonlyArray<readonly [string, string, ReadonlyArray<ReadonlyArray<string>>, string]> = [
    ["a private address", "http://10.1.2.3/", [[]], "DeniedAddress"],
    ["loopback, where the proxy stands", "https://127.0.0.1/", [[]], "DeniedAddress"],
    ["loopback in another spelling", "http://[::ffff:7f00:1]/", [[]], "EmbeddedIPv4"],
    ["the address of cloud metadata", "http://169.254.169.254/latest/", [[]], "DeniedAddress"],
    ["a local name", "http://localhost/", [["127.0.0.1"]], "NameNotAllowed"],
    ["a port that is not the web's", "http://8.8.8.8:25/", [[]], "PortNotAllowed"],
    ["a name that leads inside", "https://inside.example.com/", [["10.0.0.7"]], "DeniedAddress"],
    ["a name that leads inside among others", "http://mixed.example.com/", [[open, "::1"]], "DeniedAddress"]
  ]
  for (const [what, url, answers, reason] of forbidden) {
    it.live(`${what} is never asked for: ${reason}`, () =>
      Effect.gen(function* () {
        const proxy = yield* ConnectProxy.make("hang")
        const { openings, reached } = yield* watchSockets
        const error = yield* Effect.flip(call(yield* through(proxy.url), url))
        assert.strictEqual(error.reason._tag, "Unsendable")
        assert.include(error.message, reason)
        assert.deepStrictEqual([openings, reached(), proxy.connections()], [[], 0, 0])
      }).pipe(Effect.scoped, resolving(...answers))
    )
  }

  it.live("a name that turns private between two connections is asked for once, by its public address", () =>
    Effect.gen(function* () {
      const { port, seen } = yield* target
      const proxy = yield* ConnectProxy.make({ to: port })
      const transport = yield* through(proxy.url)
      yield* call(transport, "http://rebind.example.com/")
      const error = yield* Effect.flip(call(transport, "http://rebind.example.com:8080/"))
      assert.include(error.message, "DeniedAddress: rebind.example.com")
      assert.deepStrictEqual([proxy.asked, seen.length], [[`${open}:80`], 1])
    }).pipe(Effect.scoped, resolving([open], ["127.0.0.1"]))
  )
})
