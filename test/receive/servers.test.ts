/** The receiver behind the servers people run: Node's own, Express, Hono on Node, and Effect's. */
import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { serve as serveHono } from "@hono/node-server"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import express from "express"
import { Hono } from "hono"
import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { fetchHandler } from "../../src/receive/FetchHandler.ts"
import { nodeListener } from "../../src/receive/NodeListener.ts"
import { route } from "../../src/receive/Route.ts"
import { bodyOf, headersFor, secret } from "./support.ts"

type Running = { readonly url: string; readonly stop: () => Promise<void> }
type Start = (handle: (jobId: string) => void) => Promise<Running>

const listening = async (server: Server): Promise<Running> => {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return running(server)
}

const running = (server: Server): Running => ({
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
  stop: async () => {
    server.close()
    server.closeAllConnections()
    await once(server, "close")
  }
})

const limit = 100_000
const options = (handle: (jobId: string) => void) => ({
  secrets: secret,
  maxBodyBytes: limit,
  handle: ({ jobId }: { readonly jobId: string }) => handle(jobId)
})

const servers: Readonly<Record<string, Start>> = {
  "node:http": (handle) => listening(createServer(nodeListener(options(handle)))),
  "Express 5": (handle) => {
    const app = express()
    app.post("/hooks", nodeListener(options(handle)))
    app.use(express.json())
    return listening(createServer(app))
  },
  "Express 5 with express.raw()": (handle) => {
    const app = express()
    app.post("/hooks", express.raw({ type: "*/*" }), nodeListener(options(handle)))
    return listening(createServer(app))
  },
  "Hono on Node": async (handle) => {
    const app = new Hono()
    const webhook = fetchHandler(options(handle))
    app.post("/hooks", (context) => webhook(context.req.raw))
    const server = serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server
    if (!server.listening) await once(server, "listening")
    return running(server)
  },
  "Effect's HttpRouter": async (handle) => {
    const hooks = route("/hooks", {
      ...options(handle),
      handle: ({ jobId }) => Effect.sync(() => handle(jobId))
    })
    const server = createServer()
    const layer = HttpRouter.serve(hooks, { disableListenLog: true, disableLogger: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" }))
    )
    const abort = new AbortController()
    const started = Promise.withResolvers<void>()
    const program = Effect.scoped(
      Effect.gen(function* () {
        yield* Layer.build(layer)
        started.resolve()
        yield* Effect.never
      })
    )
    const ended = Effect.runPromiseExit(program, { signal: abort.signal })
    await Promise.race([started.promise, ended])
    const { url } = running(server)
    return {
      url,
      stop: async () => {
        abort.abort()
        await ended
      }
    }
  }
}

const post = (url: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
  fetch(url, { method: "POST", body, headers: { connection: "close", ...headers } })
const seconds = () => Math.floor(Date.now() / 1000)

describe.each(Object.entries(servers))("a receiver on %s", (_, start) => {
  it("handles an event once, refuses a forged one, and one that is too large", async () => {
    const handled: Array<string> = []
    const server = await start((jobId) => handled.push(jobId))
    const body = bodyOf({ metadata: { text: "héllo 你好 🚀" } })
    const headers = headersFor(body, seconds())
    const answers = [await post(server.url, body, headers), await post(server.url, body, headers)]
    assert.deepStrictEqual(await Promise.all(answers.map((answer) => answer.json())), [
      { status: "handled" },
      { status: "duplicate" }
    ])
    assert.strictEqual((await post(server.url, `${body} `, headers)).status, 401)
    assert.strictEqual((await post(server.url, body, {})).status, 401)
    const large = bodyOf({ jobId: "job_2", metadata: { more: "x".repeat(limit) } })
    assert.strictEqual((await post(server.url, large, headersFor(large, seconds()))).status, 413)
    assert.deepStrictEqual(handled, ["job_1"])
    await server.stop()
  })
})

describe("a receiver behind a parser", () => {
  it("says that the body it needs is gone, instead of refusing a signature", async () => {
    const app = express()
    app.use(express.json())
    app.post("/hooks", nodeListener(options(() => undefined)))
    const server = await listening(createServer(app))
    const answer = await post(server.url, bodyOf(), headersFor(bodyOf(), seconds()))
    assert.strictEqual(answer.status, 500)
    const { code, error } = await answer.json()
    assert.strictEqual(code, "body_already_read")
    assert.include(error, "express.json()")
    await server.stop()
  })
})

describe("a listener of Node", () => {
  it("answers 405 to what is not posted", async () => {
    const server = await listening(createServer(nodeListener(options(() => undefined))))
    const answer = await fetch(server.url, { headers: { connection: "close" } })
    assert.deepStrictEqual([answer.status, answer.headers.get("allow")], [405, "POST"])
    await answer.body?.cancel()
    await server.stop()
  })
})
