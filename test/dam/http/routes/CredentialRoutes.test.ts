/** Credentials over HTTP: set, listed and deleted by the customer they belong to, and never read back. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import { answerOf, faultsIn } from "../../api/Document.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

interface Asked {
  readonly body?: unknown
  readonly key?: string
}

const ask = (dam: Pick<Dam, "url">, method: string, path: string, { body, key }: Asked = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(`${dam.url}/api/v1/credentials${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` })
      }
    })
    const text = await answer.text()
    assert.notInclude(text, "s3cret")
    const json = JSON.parse(text)
    const described = `/api/v1/credentials${path.replace(/^\/[^/]+/, "/{name}")}`
    assert.deepStrictEqual(faultsIn(json, answerOf(method, described, answer.status)), [], `${method} ${path}`)
    return { status: answer.status, json }
  })

const value = { value: "s3cret", hosts: ["api.example.com", "http://localhost:3000"] }
const oauth = {
  token_url: "https://id.example.com/token",
  client_id: "client",
  client_secret: "s3cret",
  hosts: ["api.example.com"]
}

describe("credentials over HTTP", () => {
  it.live("are set and shown without what is secret of them, and deleted", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const set = yield* ask(dam, "PUT", "/stripe", { body: value })
      assert.strictEqual(set.status, 200)
      const { made_at, rotated_at, ...rest } = set.json
      assert.strictEqual(made_at, rotated_at)
      assert.deepStrictEqual(rest, {
        name: "stripe",
        kind: "value",
        hosts: ["https://api.example.com", "http://localhost:3000"],
        token_url: null,
        scope: null,
        audience: null
      })
      assert.deepInclude((yield* ask(dam, "PUT", "/crm", { body: { ...oauth, scope: "read" } })).json, {
        kind: "oauth2",
        token_url: oauth.token_url,
        scope: "read"
      })
      const { json } = yield* ask(dam, "GET", "")
      assert.deepStrictEqual(
        json.credentials.map(({ name }: { name: string }) => name),
        ["crm", "stripe"]
      )
      assert.deepStrictEqual((yield* ask(dam, "GET", "/stripe")).json, set.json)
      assert.deepStrictEqual((yield* ask(dam, "DELETE", "/stripe")).json, { deleted: "stripe" })
      for (const method of ["GET", "DELETE"]) {
        assert.deepInclude(yield* ask(dam, method, "/stripe"), { status: 404 })
      }
    })
  )

  it.live("are refused by the path of what is wrong, without a word of what was given", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const refusals: ReadonlyArray<readonly [body: unknown, field: string, said: string]> = [
        [{ value: "s3cret" }, "hosts", "Missing key"],
        [{ ...value, hosts: [] }, "hosts", "at least one host"],
        [{ ...value, hosts: ["ftp://a.example"] }, "hosts[0]", "a host such as"],
        [{ ...value, hosts: ["a.example/path"] }, "hosts[0]", "a host such as"],
        [{ ...value, hosts: ["user:s3cret@a.example"] }, "hosts[0]", "a host such as"],
        [{ hosts: value.hosts }, "value", "Expected value, or token_url"],
        [{ ...value, value: "s3cret\r\nx: y" }, "value", "without line breaks"],
        [{ ...value, value: "" }, "value", "1 to 8192 characters"],
        [{ ...value, ...oauth }, "token_url", "leave one of them out"],
        [{ ...oauth, client_secret: null }, "client_secret", "Expected string"],
        [{ ...oauth, token_url: "http://127.0.0.1/token" }, "token_url", ""],
        [{ ...value, valeu: "s3cret" }, "valeu", "is not one of"]
      ]
      for (const [body, field, said] of refusals) {
        const { json, status } = yield* ask(dam, "PUT", "/stripe", { body })
        assert.strictEqual(status, 400, JSON.stringify(json))
        assert.strictEqual(json.field, field)
        assert.include(json.error, said)
      }
      assert.strictEqual((yield* ask(dam, "PUT", "/a%20b", { body: value })).status, 400)
    })
  )

  it.live("belong to whoever has set them", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(
        Keys.make(["ours", "theirs"].map((customer) => ({ customer, key: Redacted.make(`key-of-${customer}`) })))
      )
      const dam = yield* Double.make({ keys })
      yield* ask(dam, "PUT", "/stripe", { body: value, key: "key-of-ours" })
      const theirs = { key: "key-of-theirs" }
      assert.strictEqual((yield* ask(dam, "GET", "/stripe", theirs)).status, 404)
      assert.strictEqual((yield* ask(dam, "DELETE", "/stripe", theirs)).status, 404)
      assert.deepStrictEqual((yield* ask(dam, "GET", "", theirs)).json, { credentials: [] })
    })
  )
})
