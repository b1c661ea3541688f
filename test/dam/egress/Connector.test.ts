import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Dns from "effect/net/Dns"
import * as NetAddress from "effect/net/NetAddress"
import { createServer } from "node:http"
import { type AddressInfo, type LookupFunction, Socket } from "node:net"
import { dispatcher, pinned } from "../../../src/dam/egress/Connector.ts"
import * as EgressPolicy from "../../../src/dam/egress/EgressPolicy.ts"
import { admit } from "../../../src/dam/egress/Resolver.ts"
import * as Step from "../../../src/step/Step.ts"
import * as UndiciTransport from "../../../src/transport/UndiciTransport.ts"
import { watchSockets } from "./EgressSockets.ts"

/** One exchange of the real transport over the connector. */
const exchange = (policy: EgressPolicy.EgressPolicy, url: string, options?: { readonly connectTimeout: number }) =>
  Effect.gen(function* () {
    const transport = yield* UndiciTransport.make({ dispatcher: yield* dispatcher(policy, options) })
    const step = Step.get(url)
    return yield* transport.send({ request: step.request, region: undefined, step, timeoutMillis: 30_000 })
  })

/** A resolver that gives one answer after the other, the last one for ever. */
const inTurn = (...answers: ReadonlyArray<ReadonlyArray<string>>) => {
  let asked = 0
  const dns = Dns.make({
    lookup: () =>
      Effect.sync(() => (answers[Math.min(asked++, answers.length - 1)] ?? []).map(NetAddress.ipFromStringUnsafe))
  })
  return { asked: () => asked, provide: Effect.provideService(Dns.Dns, dns) }
}

const privateToo: EgressPolicy.EgressPolicy = { ...EgressPolicy.publicOnly, allowPrivate: true }

describe("connecting under the egress policy", () => {
  it.live("a name that turns private after the door was passed is not connected to", () => {
    const dns = inTurn(["93.184.215.14"], ["127.0.0.1"])
    return Effect.gen(function* () {
      const { openings, reached } = yield* watchSockets
      const { url } = yield* admit(EgressPolicy.publicOnly, "http://rebind.example.com/")
      const error = yield* Effect.flip(exchange(EgressPolicy.publicOnly, url))
      assert.deepStrictEqual([openings, reached()], [[], 0])
      assert.strictEqual(error.reason._tag, "Unsendable")
      assert.include(error.message, "DeniedAddress: rebind.example.com leads to an address that is not public")
    }).pipe(Effect.scoped, dns.provide)
  })

  it.live("one private answer among public ones is enough to refuse", () =>
    Effect.gen(function* () {
      const { openings } = yield* watchSockets
      yield* Effect.flip(exchange(EgressPolicy.publicOnly, "http://mixed.example.com/"))
      assert.deepStrictEqual(openings, [])
    }).pipe(Effect.scoped, inTurn(["93.184.215.14", "::1"]).provide)
  )

  it.live("a connection resolves once, and the socket does not ask again", () => {
    const dns = inTurn(["93.184.215.14", "2606:4700::1"], ["127.0.0.1"])
    return Effect.gen(function* () {
      const { openings, reached } = yield* watchSockets
      const error = yield* Effect.flip(exchange(EgressPolicy.publicOnly, "https://once.example.com./"))
      assert.propertyVal(error.reason, "kind", "refused")
      assert.deepStrictEqual(openings, [
        { host: "once.example.com.", port: 443, addresses: ["93.184.215.14", "2606:4700::1"] }
      ])
      assert.deepStrictEqual([dns.asked(), reached()], [1, 0])
    }).pipe(Effect.scoped, dns.provide)
  })

  it.live.each([
    ["http://127.0.0.1/", "DeniedAddress"],
    ["http://[::1]/", "DeniedAddress"],
    ["http://[::ffff:7f00:1]/", "EmbeddedIPv4"],
    ["http://2130706433/", "DeniedAddress"],
    ["http://8.8.8.8:22/", "PortNotAllowed"],
    ["http://localhost/", "NameNotAllowed"]
  ] as const)("%s is refused at the socket: %s", ([url, reason]) =>
    Effect.gen(function* () {
      const { openings } = yield* watchSockets
      const error = yield* Effect.flip(exchange(EgressPolicy.publicOnly, url))
      assert.deepStrictEqual(openings, [])
      assert.strictEqual(error.reason._tag, "Unsendable")
      assert.include(error.message, reason)
    }).pipe(Effect.scoped, inTurn(["127.0.0.1"]).provide)
  )

  it.live("a name without an address is told apart from a refusal", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(exchange(EgressPolicy.publicOnly, "http://nobody.example.com/"))
      assert.deepInclude(error.reason, { _tag: "ConnectionFailed", kind: "notFound" })
      assert.include(error.message, "nobody.example.com")
    }).pipe(Effect.scoped, inTurn([]).provide)
  )

  it.live("a name server that does not answer is a shortage here, and no fault of the target", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(exchange(EgressPolicy.publicOnly, "http://api.example.com/"))
      assert.deepInclude(error.reason, { _tag: "ConnectionFailed", kind: "shortage" })
      assert.include(error.message, "the name server gave no answer")
    }).pipe(
      Effect.scoped,
      Effect.provideService(
        Dns.Dns,
        Dns.make({
          lookup: (hostname) => Effect.fail(new Dns.DnsError({ reason: "Temporary", method: "lookup", hostname }))
        })
      )
    )
  )

  it.live(
    "an opened local name is called under its own name, on any port, and resolved per connection, not per call",
    () => {
      const dns = inTurn(["::1", "127.0.0.1"])
      return Effect.gen(function* () {
        const hosts: Array<string | undefined> = []
        const server = createServer((request, response) => {
          hosts.push(request.headers.host)
          response.end("ok")
        })
        let connections = 0
        server.on("connection", () => connections++)
        yield* Effect.acquireRelease(
          Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
          () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
        )
        const { port } = server.address() as AddressInfo
        const transport = yield* UndiciTransport.make({ dispatcher: yield* dispatcher(privateToo) })
        const step = Step.get(`http://printer.lan:${port}/`)
        for (let call = 0; call < 9; call++) {
          const { status } = yield* transport.send({
            request: step.request,
            region: undefined,
            step,
            timeoutMillis: 30_000
          })
          assert.strictEqual(status, 200)
        }
        assert.deepStrictEqual(hosts, Array(9).fill(`printer.lan:${port}`))
        assert.isBelow(connections, 9)
        assert.strictEqual(dns.asked(), connections)
      }).pipe(Effect.scoped, dns.provide)
    }
  )

  it.live("a connection that is not accepted in time is given up", () =>
    Effect.gen(function* () {
      yield* Effect.acquireRelease(
        Effect.sync(() =>
          vi.spyOn(Socket.prototype, "connect").mockImplementation(function (this: Socket) {
            return this
          })
        ),
        (spy) => Effect.sync(() => spy.mockRestore())
      )
      const error = yield* Effect.flip(exchange(EgressPolicy.publicOnly, "http://8.8.8.8/", { connectTimeout: 1 }))
      assert.deepInclude(error.reason, { _tag: "ConnectionFailed", kind: "unreachable" })
      assert.include(error.message, "did not accept a connection in time")
    }).pipe(Effect.scoped, inTurn([]).provide)
  )
})

describe("the lookup of a pinned connection", () => {
  const lookup = pinned([NetAddress.ipFromStringUnsafe("93.184.215.14"), NetAddress.ipFromStringUnsafe("2606:4700::1")])
  const ask = (options: Parameters<LookupFunction>[1]) => {
    const answers: Array<unknown> = []
    lookup("any.example.com", options, (...answer) => answers.push(answer))
    return answers[0]
  }
  const v4 = { address: "93.184.215.14", family: 4 }
  const v6 = { address: "2606:4700::1", family: 6 }

  it("answers a list when it is asked for all", () => {
    assert.deepStrictEqual(ask({ all: true }), [null, [v4, v6]])
    assert.deepStrictEqual(ask({ all: true, family: 0 }), [null, [v4, v6]])
    assert.deepStrictEqual(ask({ all: true, family: 6 }), [null, [v6]])
  })

  it("answers one address otherwise", () => {
    assert.deepStrictEqual(ask({}), [null, v4.address, 4])
    assert.deepStrictEqual(ask({ all: false, family: "IPv6" }), [null, v6.address, 6])
  })

  it("has no answer of a family it does not know", () => {
    const onlyV4 = pinned([NetAddress.ipFromStringUnsafe("93.184.215.14")])
    onlyV4("any.example.com", { all: true, family: 6 }, (error) => assert.propertyVal(error, "code", "ENOTFOUND"))
    assert.strictEqual((ask({ family: 5 as 4 }) as [NodeJS.ErrnoException])[0].code, "ENOTFOUND")
  })
})
