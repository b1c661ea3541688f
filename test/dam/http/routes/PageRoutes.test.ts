import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Etag from "effect/http/Etag"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as NodeHttpPlatform from "@effect/platform-node/NodeHttpPlatform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as HttpPage from "../../../../src/dam/http/routes/PageRoutes.ts"
import { makeRoom } from "../../../../src/dam/http/door/Request.ts"
import { callersOf } from "../../../../src/dam/http/door/Callers.ts"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import * as Limits from "../../../../src/dam/intake/Limits.ts"
import * as Double from "../HttpDouble.ts"

const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme") }]))

const call = (url: string, method = "GET", headers: Readonly<Record<string, string>> = {}, body?: string) =>
  Effect.promise(async () => {
    const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text }
  })

const json = { "content-type": "application/json" }

/** The page's own routes over files of the test. */
const serving = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "page-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  mkdirSync(join(folder, "page"))
  writeFileSync(join(folder, "beside.txt"), "not for you")
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "page", name), text)
  const layer = HttpPage.layer(
    {
      reading: { limits: Limits.make({}), room: makeRoom(Limits.make({})) },
      callers: callersOf(undefined)
    },
    join(folder, "page")
  )
  const services = Layer.mergeAll(NodeHttpPlatform.layer, Etag.layerWeak, NodeServices.layer)
  const routes = yield* Effect.provide(HttpRouter.toHttpEffect(layer), services)
  const server = createServer(yield* NodeHttpServer.makeHandler(routes, { scope: yield* Effect.scope }))
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

const built = { "index.html": "<!doctype html>", "page.js": "void 0", "style.css": "a{}" }

describe("the files of the page", () => {
  it.live("go out with their types and a policy that lets nothing in from elsewhere", () =>
    Effect.gen(function* () {
      const url = yield* serving(built)
      for (const [path, type, text] of [
        ["/", "text/html", "<!doctype html>"],
        ["/page/page.js", "text/javascript", "void 0"],
        ["/page/style.css", "text/css", "a{}"]
      ] as const) {
        const answer = yield* call(`${url}${path}`)
        assert.deepStrictEqual([answer.status, answer.text], [200, text])
        assert.include(answer.headers.get("content-type"), type)
        const policy = answer.headers.get("content-security-policy") ?? ""
        assert.include(policy, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
        assert.include(policy, "frame-ancestors 'none'")
        assert.notInclude(policy, "unsafe")
        assert.strictEqual(answer.headers.get("x-content-type-options"), "nosniff")
        assert.strictEqual(answer.headers.get("x-frame-options"), "DENY")
        assert.strictEqual(answer.headers.get("referrer-policy"), "no-referrer")
        assert.strictEqual(answer.headers.get("cache-control"), "no-cache")
      }
    })
  )

  it.live("are told of without their bytes, and not sent again to those who have them", () =>
    Effect.gen(function* () {
      const url = yield* serving(built)
      const head = yield* call(`${url}/page/page.js`, "HEAD")
      assert.deepStrictEqual([head.status, head.text, head.headers.get("content-length")], [200, "", "6"])
      const tag = head.headers.get("etag") ?? ""
      const again = yield* call(`${url}/page/page.js`, "GET", { "if-none-match": tag })
      assert.deepStrictEqual([again.status, again.text], [304, ""])
    })
  )

  it.live("are all there is: what lies beside them is not found", () =>
    Effect.gen(function* () {
      const url = yield* serving(built)
      for (const path of [
        "/page/other.js",
        "/page/%2e%2e/beside.txt",
        "/page/..%2fbeside.txt",
        "/page/../beside.txt"
      ]) {
        const answer = yield* call(`${url}${path}`)
        assert.strictEqual(answer.status, 404, path)
        assert.notInclude(answer.text, "not for you")
      }
    })
  )

  it.live("are missed with the command that makes them", () =>
    Effect.gen(function* () {
      const answer = yield* call(yield* serving({}))
      assert.strictEqual(answer.status, 404)
      assert.strictEqual(JSON.parse(answer.text).code, "page_not_built")
      assert.include(JSON.parse(answer.text).error, "npm run build:js")
    })
  )
})

describe("signing in to the page", () => {
  it.live("takes a key of the dam and refuses every other", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make({ keys })
      const signIn = (body: string) => call(`${url}/session`, "POST", json, body)
      for (const [body, status] of [
        [JSON.stringify({ api_key: "key-of-nobody" }), 401],
        [JSON.stringify({ api_key: "" }), 400],
        [JSON.stringify({}), 400],
        ["no json", 400]
      ] as const) {
        const answer = yield* signIn(body)
        assert.strictEqual(answer.status, status, body)
        assert.isNull(answer.headers.get("set-cookie"))
        assert.notInclude(answer.text, "key-of-nobody")
      }
      const answer = yield* signIn(JSON.stringify({ api_key: "key-of-acme" }))
      assert.deepStrictEqual([answer.status, JSON.parse(answer.text)], [200, { customer: "acme" }])
      assert.include(answer.headers.get("set-cookie"), "HttpOnly; SameSite=Strict")
      assert.strictEqual(answer.headers.get("cache-control"), "no-store")
    })
  )

  it.live("opens what a browser reads, and lets the page alone change something", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make({ keys })
      const signedIn = yield* call(`${url}/session`, "POST", json, JSON.stringify({ api_key: "key-of-acme" }))
      const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? ""
      const pause = (headers: Readonly<Record<string, string>>) =>
        call(`${url}/api/v1/lanes/api.example.com/pause`, "POST", { ...json, ...headers }, "{}")
      assert.strictEqual((yield* call(`${url}/api/v1/jobs`)).status, 401)
      assert.strictEqual((yield* call(`${url}/api/v1/jobs`, "GET", { cookie })).status, 200)
      assert.strictEqual(JSON.parse((yield* call(`${url}/session`, "GET", { cookie })).text).customer, "acme")
      assert.strictEqual((yield* pause({ cookie })).status, 401)
      assert.strictEqual((yield* pause({ cookie, "x-ezthrottle-page": "1" })).status, 200)
      const foreign = yield* pause({ cookie, "x-ezthrottle-page": "1", origin: "https://evil.example" })
      assert.deepStrictEqual([foreign.status, JSON.parse(foreign.text).code], [403, "cross_origin"])
      assert.strictEqual((yield* pause({ cookie, "x-ezthrottle-page": "1", origin: url })).status, 200)
      const out = yield* call(`${url}/session`, "DELETE", { cookie, "x-ezthrottle-page": "1" })
      assert.include(out.headers.get("set-cookie"), "Max-Age=0")
      assert.strictEqual((yield* call(`${url}/api/v1/jobs`, "GET", { cookie })).status, 401)
      assert.isNull(JSON.parse((yield* call(`${url}/session`, "GET", { cookie })).text).customer)
    })
  )

  it.live("is not asked for without keys, where another site's page still changes nothing", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make()
      assert.strictEqual(JSON.parse((yield* call(`${url}/session`)).text).customer, "local")
      const job = JSON.stringify({ url: "https://api.example.com/" })
      // what a form of any site may send
      const submit = (origin: string) => call(`${url}/api/v1/jobs`, "POST", { ...json, origin }, job)
      assert.strictEqual((yield* submit("https://evil.example")).status, 403)
      assert.strictEqual((yield* submit("null")).status, 403)
      assert.strictEqual((yield* submit(url)).status, 201)
    })
  )

  it.live("answers a wrong method with those that are right", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make()
      const session = yield* call(`${url}/session`, "PUT")
      assert.strictEqual(session.status, 405)
      assert.deepStrictEqual(session.headers.get("allow")?.split(", ").toSorted(), ["DELETE", "GET", "HEAD", "POST"])
      const page = yield* call(`${url}/`, "POST", json, "{}")
      assert.deepStrictEqual([page.status, page.headers.get("allow")], [405, "GET, HEAD"])
    })
  )
})
