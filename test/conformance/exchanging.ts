import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { gzipSync } from "node:zlib"
import type { Failure } from "../../src/step/Failure.ts"
import * as Reply from "../../src/step/Reply.ts"
import type { Request } from "../../src/step/Request.ts"
import * as Step from "../../src/step/Step.ts"
import type { Exchanging } from "../../src/transport/HttpTransport.ts"
import * as Upstream from "./upstream.ts"

export interface Subject {
  /** A transport of its own for each test. */
  readonly make: (options?: { readonly maxResponseBytes?: number }) => Effect.Effect<Exchanging, never, Scope.Scope>
  /** Whether the client below sends GET with a body; if not, the transport has to say so. */
  readonly sendsGetWithBody: boolean
  /** Whether it undoes `Content-Encoding`. */
  readonly decodes: boolean
}

/** Every value a byte can have, several times over, and more than one chunk of it. */
const image = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff)

const secretHeader = { authorization: "Bearer secret" }

const exchange = (request: Partial<Request> & { readonly url: string }) => ({
  request: { method: "GET", headers: secretHeader, body: undefined, ...request },
  region: undefined,
  step: Step.get("http://127.0.0.1/"),
  timeoutMillis: 30_000
})

const hasSecret = (text: string) => text.includes("secret")

/** What every exchanging transport promises, whatever it stands on. */
export const suite = (name: string, { decodes, make, sendsGetWithBody }: Subject) =>
  describe(`exchanging over ${name}`, () => {
    const ask = Effect.fnUntraced(function* (request: Partial<Request> & { readonly url: string }) {
      const transport = yield* make({ maxResponseBytes: 1_000_000 })
      return yield* transport.send(exchange(request))
    })

    /** The reason for which there is no answer; it never gives a secret away. */
    const failureOf = <A, R>(asking: Effect.Effect<A, { readonly reason: Failure; readonly message: string }, R>) =>
      Effect.map(Effect.flip(asking), (error) => {
        assert.isFalse(hasSecret(error.message) || hasSecret(JSON.stringify(error.reason)), error.message)
        return error.reason
      })

    describe("an answer", () => {
      it.live("comes back byte for byte, as the request went out", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.http((heard, response) =>
            response.writeHead(200, { "content-type": "image/png" }).end(heard.body)
          )
          const response = yield* ask({ url, method: "POST", body: image })
          assert.deepStrictEqual(response.body, image)
          assert.strictEqual(response.headers["content-type"], "image/png")
        })
      )

      it.live("keeps its status and its headers, lower-case and joined", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.raw((socket) =>
            socket.end("HTTP/1.1 418 Teapot\r\nX-Two: a\r\nX-Two: b\r\nSet-Cookie: c=1\r\nset-cookie: d=2\r\n\r\n")
          )
          const response = yield* ask({ url })
          assert.strictEqual(response.status, 418)
          assert.strictEqual(response.headers["x-two"], "a, b")
          assert.strictEqual(response.headers["set-cookie"], "c=1, d=2")
          assert.strictEqual(response.body.length, 0)
        })
      )

      it.live("reads Latin-1 header values and sends them", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.http((heard, response) =>
            response.writeHead(200, { "x-back": `${heard.headers["x-name"]}` }).end()
          )
          const response = yield* ask({ url, headers: { "X-Name": "Müller ÿ" } })
          assert.strictEqual(response.headers["x-back"], "Müller ÿ")
        })
      )

      it.live("with an empty chunked body is empty", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.http((_, response) => response.writeHead(200).end())
          assert.strictEqual((yield* ask({ url })).body.length, 0)
        })
      )

      for (const status of [204, 304]) {
        it.live(`of status ${status} has no body, whatever follows it`, () =>
          Effect.gen(function* () {
            const { url } = yield* Upstream.raw((socket) =>
              socket.end(`HTTP/1.1 ${status} Odd\r\nX-Kept: yes\r\nConnection: close\r\n\r\n`)
            )
            const response = yield* ask({ url })
            assert.strictEqual(response.status, status)
            assert.strictEqual(response.headers["x-kept"], "yes")
            assert.strictEqual(response.body.length, 0)
          })
        )
      }

      it.live("to HEAD has headers only, and its announced length is no limit", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.http((_, response) =>
            response.writeHead(200, { "content-length": "5000000" }).end()
          )
          const response = yield* ask({ url, method: "HEAD" })
          assert.strictEqual(response.headers["content-length"], "5000000")
          assert.strictEqual(response.body.length, 0)
        })
      )

      it.live("is waited for through interim ones", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.raw((socket) =>
            socket.end("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
          )
          assert.strictEqual(Reply.text(yield* ask({ url })), "ok")
        })
      )

      if (decodes) {
        it.live("is decoded as its Content-Encoding says, its headers as they came", () =>
          Effect.gen(function* () {
            const { url } = yield* Upstream.http((_, response) =>
              response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(image))
            )
            const response = yield* ask({ url })
            assert.deepStrictEqual(response.body, image)
            assert.strictEqual(response.headers["content-encoding"], "gzip")
          })
        )
      }
    })

    describe("a request", () => {
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
        it.live(`goes out with the method ${method} and the query`, () =>
          Effect.gen(function* () {
            const { url } = yield* Upstream.http(({ method, path }, response) => response.end(`${method} ${path}`))
            assert.strictEqual(Reply.text(yield* ask({ url, method })), `${method} /target?token=secret`)
          })
        )
      }

      it.live("sends text as UTF-8 and claims no content type for it", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.http((heard, response) =>
            response.end(JSON.stringify([heard.body.toString("utf8"), heard.headers["content-type"] ?? null]))
          )
          const response = yield* ask({ url, method: "POST", body: "héllo €" })
          assert.strictEqual(Reply.text(response), '["héllo €",null]')
        })
      )

      it.live("carries no trace of ours", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.http((heard, response) =>
            response.end(
              Object.keys(heard.headers)
                .filter((name) => name === "traceparent" || name === "b3")
                .join()
            )
          )
          assert.strictEqual(Reply.text(yield* Effect.withSpan(ask({ url }), "attempt")), "")
        })
      )

      it.live("GET with a body is sent, or refused by name", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.http((heard, response) => response.end(heard.body))
          const asking = ask({ url, body: "query" })
          if (sendsGetWithBody) return assert.strictEqual(Reply.text(yield* asking), "query")
          const reason = yield* failureOf(asking)
          assert.strictEqual(reason._tag, "Unsendable")
          assert.include(reason.message, "GET")
        })
      )

      it.live("with a password in its URL is refused", () =>
        Effect.gen(function* () {
          const reason = yield* failureOf(ask({ url: "http://user:secret@127.0.0.1:1/" }))
          assert.strictEqual(reason._tag, "Unsendable")
        })
      )

      it.live("to open a tunnel is refused", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.nobody
          assert.strictEqual((yield* failureOf(ask({ url, method: "CONNECT" })))._tag, "Unsendable")
        })
      )
    })

    describe("a redirect", () => {
      const hops = (count: number, status = 302) =>
        Upstream.http(({ method, path }, response) => {
          const hop = Number(path.slice(1))
          if (hop === count) return response.end(`${method} arrived`)
          response.writeHead(status, { location: `/${hop + 1}` }).end("moved")
        })

      it.live("is followed five times", () =>
        Effect.gen(function* () {
          const { origin } = yield* hops(5)
          assert.strictEqual(Reply.text(yield* ask({ url: `${origin}/0` })), "GET arrived")
        })
      )

      it.live("is followed for HEAD, which stays HEAD", () =>
        Effect.gen(function* () {
          const { origin } = yield* hops(1, 303)
          assert.strictEqual((yield* ask({ url: `${origin}/0`, method: "HEAD" })).status, 200)
        })
      )

      it.live("is not followed a sixth time", () =>
        Effect.gen(function* () {
          const { origin } = yield* hops(6)
          const reason = yield* failureOf(ask({ url: `${origin}/0` }))
          assert.strictEqual(reason._tag, "InvalidResponse")
          assert.include(reason.message, "status 302 after 5 redirects")
        })
      )

      it.live("is the answer to any other method", () =>
        Effect.gen(function* () {
          const { origin } = yield* hops(1, 307)
          const response = yield* ask({ url: `${origin}/0`, method: "POST", body: "x" })
          assert.strictEqual(response.status, 307)
          assert.strictEqual(response.headers["location"], "/1")
          assert.strictEqual(Reply.text(response), "moved")
        })
      )

      it.live("without a Location is the answer", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.http((_, response) => response.writeHead(302).end("nowhere"))
          assert.strictEqual(Reply.text(yield* ask({ url })), "nowhere")
        })
      )

      for (const location of ["ftp://127.0.0.1/", "http://", "http://user:secret@127.0.0.1/"]) {
        it.live(`to ${location} goes nowhere`, () =>
          Effect.gen(function* () {
            const { url } = yield* Upstream.http((_, response) => response.writeHead(302, { location }).end())
            assert.strictEqual((yield* failureOf(ask({ url })))._tag, "InvalidResponse")
          })
        )
      }

      const credentials = {
        Authorization: "Bearer secret",
        "Private-Token": "secret",
        "Stripe-Account": "acct_1",
        Cookie: "session=secret",
        "Proxy-Authorization": "Basic secret",
        "X-Api-Key": "secret",
        "Idempotency-Key": "secret",
        "X-Plain": "kept"
      }
      const echo = (names: ReadonlyArray<string>) =>
        Upstream.http((heard, response) =>
          response.end(names.filter((name) => heard.headers[name.toLowerCase()] !== undefined).join())
        )

      it.live("leaves what identifies the caller with the first origin, also on the way back", () =>
        Effect.gen(function* () {
          const home = yield* echo(Object.keys(credentials))
          const away = yield* Upstream.http((_, response) =>
            response.writeHead(302, { location: `${home.origin}/` }).end()
          )
          const response = yield* ask({ url: away.url, headers: credentials })
          assert.strictEqual(Reply.text(response), "X-Plain")
        })
      )

      it.live("keeps it within one origin", () =>
        Effect.gen(function* () {
          const names = ["Authorization", "Cookie", "X-Api-Key", "Idempotency-Key"]
          const { origin } = yield* Upstream.http((heard, response) =>
            heard.path === "/"
              ? response.writeHead(301, { location: "/there" }).end()
              : response.end(names.filter((name) => heard.headers[name.toLowerCase()] !== undefined).join())
          )
          const response = yield* ask({ url: `${origin}/`, headers: credentials })
          assert.strictEqual(Reply.text(response), names.join())
        })
      )
    })

    describe("the size of a body", () => {
      const sized = Effect.fnUntraced(function* (bytes: number, framing: "announced" | "chunked") {
        const { url } = yield* Upstream.http((_, response) => {
          response.writeHead(201, framing === "announced" ? { "content-length": bytes } : {})
          response.end(Buffer.alloc(bytes, 7))
        })
        const transport = yield* make({ maxResponseBytes: 70_000 })
        return yield* transport.send(exchange({ url }))
      })

      for (const framing of ["announced", "chunked"] as const) {
        it.live(`may be the limit exactly (${framing})`, () =>
          Effect.map(sized(70_000, framing), (response) => assert.strictEqual(response.body.length, 70_000))
        )

        it.live(`may not be one byte more (${framing})`, () =>
          Effect.map(failureOf(sized(70_001, framing)), (reason) => {
            assert(reason._tag === "ResponseTooLarge")
            assert.deepStrictEqual([reason.status, reason.limitBytes], [201, 70_000])
          })
        )

        it.live(`is kept up to the limit where it is longer (${framing})`, () =>
          Effect.map(Effect.flip(sized(70_001, framing)), ({ kept }) => {
            assert.deepStrictEqual([kept?.status, kept?.body.length, kept?.body.at(-1)], [201, 70_000, 7])
          })
        )
      }

      it.live("that has no end is cut at the limit, and the connection closed", () =>
        Effect.gen(function* () {
          const hungUp = yield* Deferred.make<void>()
          const { url } = yield* Upstream.raw((socket) => {
            socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            const pour = () => {
              while (!socket.destroyed && socket.write(`4000\r\n${"a".repeat(16_384)}\r\n`)) {
                // until the buffers are full
              }
            }
            socket.on("drain", pour)
            socket.on("close", () => Deferred.doneUnsafe(hungUp, Effect.void))
            pour()
          })
          const transport = yield* make({ maxResponseBytes: 70_000 })
          assert.strictEqual((yield* failureOf(transport.send(exchange({ url }))))._tag, "ResponseTooLarge")
          yield* Deferred.await(hungUp)
        })
      )

      if (decodes) {
        it.live("counts decoded", () =>
          Effect.gen(function* () {
            const bomb = gzipSync(Buffer.alloc(10_000_000))
            const { url } = yield* Upstream.http((_, response) =>
              response.writeHead(200, { "content-encoding": "gzip", "content-length": bomb.length }).end(bomb)
            )
            assert.strictEqual((yield* failureOf(ask({ url })))._tag, "ResponseTooLarge")
          })
        )
      }
    })

    describe("no answer", () => {
      it.live("is a refused connection where nobody listens", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.nobody
          const reason = yield* failureOf(ask({ url }))
          assert(reason._tag === "ConnectionFailed" && reason.kind === "refused", reason.message)
        })
      )

      it.live("is a reset when the target breaks the connection", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.raw((socket) => socket.resetAndDestroy())
          const reason = yield* failureOf(ask({ url, method: "POST", body: "x" }))
          assert(reason._tag === "ConnectionFailed" && reason.kind === "reset", reason.message)
        })
      )

      it.live("is a reset when the target hangs up without a word", () =>
        Effect.gen(function* () {
          const { url } = yield* Upstream.raw((socket) => socket.end())
          const reason = yield* failureOf(ask({ url }))
          assert(reason._tag === "ConnectionFailed" && reason.kind === "reset", reason.message)
        })
      )

      const halves = {
        "an announced body": ["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", "100 bytes announced"],
        "a chunked body": ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n", "end never came"]
      } as const
      for (const [what, [written, told]] of Object.entries(halves)) {
        it.live(`names what was received when ${what} stops half-way`, () =>
          Effect.gen(function* () {
            const { url } = yield* Upstream.raw((socket) => socket.end(written))
            const reason = yield* failureOf(ask({ url }))
            assert.strictEqual(reason._tag, "InvalidResponse")
            assert.include(reason.message, "status 200")
            assert.include(reason.message, told)
          })
        )
      }

      const garbage = {
        "another protocol": "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "a status below 100": "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
        "a status above 599": "HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
        "a status of four digits": "HTTP/1.1 1000 Odd\r\nContent-Length: 0\r\n\r\n",
        "a header without a colon": "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
      }
      for (const [what, written] of Object.entries(garbage)) {
        it.live(`is an invalid response when the target sends ${what}`, () =>
          Effect.gen(function* () {
            const { url } = yield* Upstream.raw((socket) => socket.end(written, "latin1"))
            const reason = yield* failureOf(ask({ url }))
            assert.strictEqual(reason._tag, "InvalidResponse", reason.message)
          })
        )
      }
    })

    it.live("headers without end are too large", () =>
      Effect.gen(function* () {
        const many = "X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(20_000)
        const { url } = yield* Upstream.raw((socket) => socket.end(`HTTP/1.1 200 OK\r\n${many}\r\n`))
        assert.strictEqual((yield* failureOf(ask({ url })))._tag, "HeadersTooLarge")
      })
    )

    describe("interruption", () => {
      const beginnings = {
        "before the answer": "",
        "within the head": "HTTP/1.1 200 OK\r\nX-",
        "within an announced body": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789",
        "within a body of unknown length": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n"
      }
      for (const [when, beginning] of Object.entries(beginnings)) {
        it.live(`closes the connection ${when}`, () =>
          Effect.gen(function* () {
            const upstream = yield* Upstream.stalling(beginning)
            const fiber = yield* Effect.forkChild(ask({ url: upstream.url }))
            yield* upstream.asked
            yield* Fiber.interrupt(fiber)
            yield* upstream.hungUp
          })
        )
      }

      it.live("leaves the transport usable", () =>
        Effect.gen(function* () {
          const upstream = yield* Upstream.stalling("")
          const { url } = yield* Upstream.http((_, response) => response.end("still here"))
          const transport = yield* make()
          const fiber = yield* Effect.forkChild(transport.send(exchange({ url: upstream.url })))
          yield* upstream.asked
          yield* Fiber.interrupt(fiber)
          yield* upstream.hungUp
          assert.strictEqual(Reply.text(yield* transport.send(exchange({ url }))), "still here")
        })
      )
    })

    it.live("tells no regions apart", () =>
      Effect.gen(function* () {
        const transport = yield* make()
        assert.deepStrictEqual(yield* transport.regions, [])
        assert.strictEqual(transport.egress?.("iad"), transport.egress?.("lax"))
      })
    )
  })
