import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { mayCall } from "../../../../src/dam/http/door/Callers.ts"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import { routes } from "../../../../src/dam/http/door/RouteTable.ts"
import * as Double from "../HttpDouble.ts"

const keysOf = (text: string) => Result.getOrThrow(Keys.parse(text))

const ask = (url: string, method: string, path: string, headers: Readonly<Record<string, string>>) =>
  Effect.promise(async () => {
    const answer = await fetch(url + path, { method, headers })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, json: text === "" ? {} : JSON.parse(text) }
  })

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

const steering = routes.filter(({ by }) => by === "operator, once there is one")

describe("the role of a key", () => {
  it("opens what touches all customers, and steering to everybody as long as nobody has it", () => {
    const may = (by: "operator" | "operator, once there is one", role: Keys.Role, nameOperators: boolean) =>
      mayCall(by, { role }, { nameOperators })
    assert.deepStrictEqual(
      [may("operator", "customer", false), may("operator", "customer", true), may("operator", "operator", true)],
      [false, false, true]
    )
    const steer = "operator, once there is one"
    assert.deepStrictEqual(
      [may(steer, "customer", false), may(steer, "customer", true), may(steer, "operator", true)],
      [true, false, true]
    )
  })

  it.live("keeps others from steering with 403, and from nothing else", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ keys: keysOf("acme:one\nops:two:operator") })
      assert.lengthOf(steering, 10)
      for (const { method, name, path } of steering) {
        const { json, status } = yield* ask(dam.url, method, path.replace(":lane", "a.example"), bearer("one"))
        assert.deepStrictEqual([status, json.code], [403, "operator_required"], name)
        const operator = yield* ask(dam.url, method, path.replace(":lane", "a.example"), bearer("two"))
        assert.notStrictEqual(operator.status, 403, name)
      }
      const log = yield* ask(dam.url, "GET", "/api/v1/lanes/a.example/log", bearer("one"))
      assert.deepStrictEqual(
        [log.status, log.json.entries.map(({ by }: { readonly by: string }) => by)],
        [200, ["ops", "ops", "ops"]]
      )
    })
  )

  it.live("is a matter of nobody's where no key has one, or there are no keys", () =>
    Effect.gen(function* () {
      for (const keys of [keysOf("acme:one"), undefined]) {
        const dam = yield* Double.make({ keys })
        const { status } = yield* ask(dam.url, "POST", "/api/v1/lanes/a.example/pause", bearer("one"))
        assert.strictEqual(status, 200)
      }
    })
  )

  it.live("holds in a session of the page, which ends with its key", () =>
    Effect.gen(function* () {
      let now = keysOf("acme:one\nops:two:operator")
      const keys: Keys.Keys = {
        customers: new Set(),
        nameOperators: true,
        authenticate: (authorization) => now.authenticate(authorization),
        recall: (keyId) => now.recall(keyId)
      }
      const dam = yield* Double.make({ keys })
      const signIn = (key: string) =>
        Effect.promise(async () => {
          const answer = await fetch(`${dam.url}/session`, {
            method: "POST",
            body: JSON.stringify({ api_key: key }),
            headers: { "content-type": "application/json" }
          })
          return { cookie: answer.headers.get("set-cookie")?.split(";")[0] ?? "", "x-ezthrottle-page": "1" }
        })
      const [customer, operator] = [yield* signIn("one"), yield* signIn("two")]
      const pause = (headers: Readonly<Record<string, string>>) =>
        Effect.map(ask(dam.url, "POST", "/api/v1/lanes/a.example/pause", headers), ({ status }) => status)
      assert.deepStrictEqual([yield* pause(customer), yield* pause(operator)], [403, 200])
      now = keysOf("acme:one:operator")
      assert.deepStrictEqual([yield* pause(customer), yield* pause(operator)], [200, 401])
    })
  )
})
