import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as HttpSession from "../../../../src/dam/http/door/Session.ts"

/** What a browser sends back of a `Set-Cookie`. */
const sentBack = (setCookie: string) => ({ cookie: `theme=dark; ${setCookie.split(";")[0]}; other=1` })

const fromPage = { "x-ezthrottle-page": "1" }

describe("a session of the page", () => {
  it.effect(
    "is a cookie that scripts cannot read and other sites cannot send, and that says nothing of whose it is",
    () =>
      Effect.gen(function* () {
        const sessions = HttpSession.make()
        const plain = yield* sessions.open("acme", false)
        assert.match(plain, /^ezthrottle_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/)
        const secure = yield* sessions.open("acme", true)
        assert.match(secure, /; SameSite=Strict; Max-Age=43200; Secure$/)
        assert.notStrictEqual(plain.split(";")[0], secure.split(";")[0])
      })
  )

  it.effect("stands for its customer and for nobody else", () =>
    Effect.gen(function* () {
      const sessions = HttpSession.make()
      const acme = sentBack(yield* sessions.open("acme", false))
      const zebra = sentBack(yield* sessions.open("zebra", false))
      assert.strictEqual(yield* sessions.keyOf("GET", acme), "acme")
      assert.strictEqual(yield* sessions.keyOf("GET", zebra), "zebra")
      for (const cookie of [undefined, "", "ezthrottle_session=", "ezthrottle_session=guessed", "ezthrottle_session"]) {
        assert.isUndefined(yield* sessions.keyOf("GET", cookie === undefined ? {} : { cookie }))
      }
    })
  )

  it.effect("changes something only where the page itself asks", () =>
    Effect.gen(function* () {
      const sessions = HttpSession.make()
      const cookie = sentBack(yield* sessions.open("acme", false))
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        assert.isUndefined(yield* sessions.keyOf(method, cookie), method)
        assert.strictEqual(yield* sessions.keyOf(method, { ...cookie, ...fromPage }), "acme", method)
      }
      for (const method of ["GET", "HEAD", "OPTIONS"]) {
        assert.strictEqual(yield* sessions.keyOf(method, cookie), "acme", method)
      }
    })
  )

  it.effect("ends after twelve hours", () =>
    Effect.gen(function* () {
      const sessions = HttpSession.make()
      const cookie = sentBack(yield* sessions.open("acme", false))
      yield* TestClock.adjust(12 * 3600_000 - 1)
      assert.strictEqual(yield* sessions.keyOf("GET", cookie), "acme")
      yield* TestClock.adjust(1)
      assert.isUndefined(yield* sessions.keyOf("GET", cookie))
    })
  )

  it.effect("ends when it is closed, and the browser is told to forget it", () =>
    Effect.gen(function* () {
      const sessions = HttpSession.make()
      const cookie = sentBack(yield* sessions.open("acme", false))
      assert.include(sessions.close(cookie), "ezthrottle_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
      assert.isUndefined(yield* sessions.keyOf("GET", cookie))
    })
  )

  it.effect("gives way to newer ones, the oldest first, once there are a thousand", () =>
    Effect.gen(function* () {
      const sessions = HttpSession.make()
      const cookies: Array<{ readonly cookie: string }> = []
      for (let n = 0; n < 1002; n++) cookies.push(sentBack(yield* sessions.open(`customer ${n}`, false)))
      const whose: Array<string | undefined> = []
      for (const cookie of cookies) whose.push(yield* sessions.keyOf("GET", cookie))
      assert.deepStrictEqual(whose.slice(0, 4), [undefined, undefined, "customer 2", "customer 3"])
      assert.strictEqual(whose.filter((customer) => customer !== undefined).length, 1000)
    })
  )
})

describe("a request from a browser that changes something", () => {
  const host = "dam.example.com:8080"

  it("is refused when another site's page makes it, and taken from its own", () => {
    for (const origin of [
      "https://evil.example",
      "http://dam.example.com",
      "http://dam.example.com:8081",
      "null",
      ""
    ]) {
      assert.strictEqual(HttpSession.faultInOrigin("POST", { host, origin })?.status, 403, origin)
    }
    assert.isUndefined(HttpSession.faultInOrigin("POST", { host, origin: `http://${host}` }))
    assert.isUndefined(HttpSession.faultInOrigin("DELETE", { host, origin: `https://${host}` }))
  })

  it("is no matter where nothing is changed, or no browser asks", () => {
    assert.isUndefined(HttpSession.faultInOrigin("GET", { host, origin: "https://evil.example" }))
    assert.isUndefined(HttpSession.faultInOrigin("POST", { host }))
  })
})
