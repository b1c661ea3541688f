/** Jobs that wait, changed over HTTP: what is checked, what stays, and who may be too late. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { answerOf, faultsIn } from "../../api/Document.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

const call = (dam: Pick<Dam, "url">, method: string, path: string, body?: unknown, ifMatch?: string) =>
  Effect.promise(async () => {
    const answer = await fetch(`${dam.url}/api/v1/jobs${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(ifMatch === undefined ? {} : { "if-match": ifMatch })
      }
    })
    const json = JSON.parse(await answer.text())
    if (method === "PATCH") {
      assert.deepStrictEqual(faultsIn(json, answerOf(method, "/api/v1/jobs/{id}", answer.status)), [])
    }
    return { status: answer.status, json, etag: answer.headers.get("etag") }
  })

const given = {
  url: "https://api.example.com/orders",
  method: "POST",
  headers: { "X-One": "1", "X-Two": "2" },
  body: "first",
  retry_at: Date.now() + 3_600_000,
  idempotent_key: "k"
}

const submitted = (dam: Dam) => Effect.map(call(dam, "POST", "", given), ({ json }) => `/${json.job_id}`)

describe("a change of a job that waits", () => {
  it.live("sets what is given, takes away what is null, and leaves the rest and the key", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const path = yield* submitted(dam)
      const before = yield* call(dam, "GET", path)
      assert.strictEqual(before.etag, '"0"')
      const change = { priority: "low", body: "second", headers: { "x-one": null, "X-Three": "3" } }
      const { etag, json, status } = yield* call(dam, "PATCH", path, change, before.etag!)
      assert.strictEqual(status, 200)
      assert.strictEqual(etag, '"1"')
      assert.deepInclude(json, { status: "scheduled", priority: "low", idempotent_key: "k", revision: 1 })
      assert.deepStrictEqual(json.request.headers, { "X-Two": "2", "X-Three": "3" })
      assert.strictEqual(json.request.body, "second")
      assert.strictEqual(json.due_at, before.json.due_at)
      const soon = yield* call(dam, "PATCH", path, { delay_ms: 60_000, priority: null }, "*")
      assert.isBelow(soon.json.due_at, before.json.due_at)
      assert.isUndefined(soon.json.priority)
      // the first submission is the same job still
      assert.deepInclude((yield* call(dam, "POST", "", given)).json, { duplicate: true })
    })
  )

  it.live("says which revision is meant, and is refused where it is another", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const path = yield* submitted(dam)
      const codeOf = (ifMatch?: string) =>
        Effect.map(call(dam, "PATCH", path, { priority: "high" }, ifMatch), ({ json, status }) => [status, json.code])
      assert.deepStrictEqual(yield* codeOf(), [428, "precondition_required"])
      assert.deepStrictEqual(yield* codeOf('"1"'), [412, "precondition_failed"])
      assert.deepStrictEqual(yield* codeOf('W/"0"'), [412, "precondition_failed"])
      assert.deepStrictEqual(yield* codeOf('"0"'), [200, undefined])
      assert.deepStrictEqual(yield* codeOf('"0"'), [412, "precondition_failed"])
      yield* call(dam, "POST", `${path}/cancel`)
      assert.deepStrictEqual(yield* codeOf("*"), [409, "wrong_state"])
      assert.strictEqual((yield* call(dam, "PATCH", "/job_00000000000000000000000000", {}, "*")).status, 404)
    })
  )

  it.live.each([
    [{ priority: "urgent" }, "priority"],
    [{ url: "https://b.example/" }, "url"],
    [{ retry_at: 5, delay_ms: 5 }, "delay_ms"],
    [{ retry_at: 1_700_000_000 }, "retry_at"],
    [{ body: "a", body_base64: "YQ==" }, "body_base64"],
    [{ headers: { "bad name": "x" } }, "headers.bad name"],
    [{ headers: { "content-length": "7" } }, "headers.content-length"],
    [{ headers: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`x-${n}`, "1"])) }, "headers"],
    [{ delay_ms: 0 }, "delay_ms"]
  ] as const)("that cannot be is refused by its path: %j", ([change, field]) =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      const { json, status } = yield* call(dam, "PATCH", yield* submitted(dam), change, "*")
      assert.strictEqual(status, 400)
      assert.strictEqual(json.field, field)
    })
  )
})
