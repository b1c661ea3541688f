import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import { enveloped, methodsOf, routeOfRequest, routes, short } from "../../../../src/dam/http/door/RouteTable.ts"
import * as Double from "../HttpDouble.ts"

const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme") }]))

const ask = (url: string, method: string, path: string) =>
  Effect.promise(() => fetch(url + path.replaceAll(/:\w+/g, "a"), { method }))

describe("the table of routes", () => {
  it.live("has a row for what the router answers, and lets strangers in where it says so", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make({ keys })
      for (const { by, method, name, path } of routes) {
        const { status } = yield* ask(url, method, path)
        assert.strictEqual(status === 401, by !== "anyone", name)
        assert.notStrictEqual(status, 405, name)
      }
    })
  )

  it.live("says which methods there are to whoever asks with another", () =>
    Effect.gen(function* () {
      const { url } = yield* Double.make()
      for (const { path } of routes) {
        // a word may stand where another route has a parameter
        const allow = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).flatMap(methodsOf))].join(", ")
        // the one path that has it lacks the other
        const { headers, status } = yield* ask(url, allow.includes("PATCH") ? "PUT" : "PATCH", path)
        assert.deepStrictEqual([status, headers.get("allow")], [405, allow], path)
      }
    })
  )

  it("finds a route by the target of a request", () => {
    const found = (method: string, url: string) => routeOfRequest({ method: method as "GET", url })?.name
    assert.strictEqual(found("GET", "/api/v1/jobs/x?y=/z"), "GET /api/v1/jobs/:id")
    assert.strictEqual(found("HEAD", "/api/v1/jobs/"), "GET /api/v1/jobs")
    assert.isUndefined(found("DELETE", "/api/v1/jobs"))
    assert.isUndefined(found("GET", "/api/v1/jobs/x/y/z"))
    assert.isUndefined(found("GET", "/xwell-known/l8"))
  })

  it("keeps waits and streams out of the envelope, and everything but submissions off the short way", () => {
    assert.deepStrictEqual(
      enveloped.map(({ name }) => name).filter((name) => /stream|wait|events|lanes/.test(name)),
      []
    )
    assert.lengthOf(enveloped, 10)
    assert.deepStrictEqual(
      short.map(({ name }) => name),
      ["POST /api/v1/jobs", "POST /jobs"]
    )
  })
})
