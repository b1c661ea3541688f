import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { makeNotice } from "../../../../src/dam/http/door/Proxied.ts"
import * as Double from "../HttpDouble.ts"

describe("a proxy that hides the name", () => {
  for (const [what, headers] of [
    ["says for whom it asks", { host: "127.0.0.1:8080", "x-forwarded-for": "203.0.113.7" }],
    ["names itself", { host: "localhost:8080", via: "1.1 edge" }],
    ["says where it was called", { host: "[::1]:8080", "x-forwarded-host": "dam.example.com" }]
  ] as const) {
    it(`is noticed where it ${what}, once`, () => {
      const isHidden = makeNotice()
      assert.deepStrictEqual([isHidden({ headers }), isHidden({ headers })], [true, false])
    })
  }

  for (const [what, headers] of [
    ["nobody stands between", { host: "127.0.0.1:8080" }],
    ["the name is passed on", { host: "dam.example.com", "x-forwarded-for": "203.0.113.7" }],
    ["this machine was called", { host: "localhost", "x-forwarded-host": "localhost", "x-forwarded-for": "::1" }]
  ] as const) {
    it(`is not suspected where ${what}`, () => assert.isFalse(makeNotice()({ headers })))
  }

  it.live("is warned about once in the log, on whichever way requests come in", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      const dam = yield* Effect.provide(Double.make(), Logger.layer([logger]))
      for (const path of ["/api/v1/jobs", "/jobs", "/health"]) {
        yield* Effect.promise(() =>
          fetch(dam.url + path, {
            method: path === "/health" ? "GET" : "POST",
            ...(path === "/health" ? {} : { body: '{"url":"https://api.example.com/"}' }),
            headers: { "content-type": "application/json", "x-forwarded-for": "203.0.113.7" }
          }).then((answer) => answer.text())
        )
      }
      const told = lines.filter((line) => line.includes("a proxy hides"))
      assert.lengthOf(told, 1)
      assert.include(told[0] ?? "", "proxy_set_header Host $http_host")
    })
  )
})
