/** Failures over HTTP: grouped, filtered, and shown to whom they belong. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Keys from "../../../../src/dam/http/door/Keys.ts"
import * as Double from "../HttpDouble.ts"

type Dam = Effect.Success<ReturnType<typeof Double.make>>

const call = (dam: Pick<Dam, "url">, path: string, options: { key?: string; body?: object } = {}) =>
  Effect.promise(async () => {
    const answer = await fetch(dam.url + path, {
      method: options.body === undefined ? "GET" : "POST",
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      headers: {
        "content-type": "application/json",
        ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` })
      }
    })
    return { status: answer.status, json: JSON.parse(await answer.text()) }
  })

/** Submits a job and fails it with a status. */
const fail = (dam: Dam, url: string, status: number, key?: string) =>
  Effect.gen(function* () {
    const { json } = yield* call(dam, "/api/v1/jobs", { body: { url }, ...(key === undefined ? {} : { key }) })
    const id: string = json.job_id
    yield* dam.runs.end(id, yield* dam.runs.start(id), status)
    return id
  })

describe("GET /api/v1/failures", () => {
  it.live("groups failed jobs by host, status and reason", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      yield* fail(dam, "https://api.example.com/1", 503)
      const last = yield* fail(dam, "https://api.example.com/2", 503)
      yield* fail(dam, "https://api.example.com/3", 404)
      yield* fail(dam, "https://api.example.com/4", 200)
      yield* fail(dam, "http://other.example.com/", 503)
      const { json, status } = yield* call(dam, "/api/v1/failures?sort=largest&limit=1")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(json, {
        failures: [
          {
            lane: "api.example.com:443",
            response_status: 503,
            error_tag: "Rejected",
            error: "the target answered 503",
            jobs: 2,
            first_seen: 2,
            last_seen: 2,
            newest_job_id: last,
            customer: "local"
          }
        ],
        groups: 3,
        seen: { jobs: 4, is_exact: true, since: 2 }
      })
      const lanes = (query: string) =>
        Effect.map(call(dam, `/api/v1/failures${query}`), (answer) =>
          answer.json.failures.map(({ jobs, lane }: { lane: string; jobs: number }) => [lane, jobs])
        )
      assert.deepStrictEqual(yield* lanes("?host=OTHER.example.com"), [["other.example.com:80", 1]])
      assert.deepStrictEqual(yield* lanes("?host=other.example.com:443"), [])
      assert.deepStrictEqual(yield* lanes("?from=3"), [])
      assert.lengthOf(yield* lanes("?from=1&to=2"), 3)
    })
  )

  it.live("refuses by name what it is not asked by", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make()
      for (const [query, field] of [
        ["sort=oldest", "sort"],
        ["limit=201", "limit"],
        ["from=yesterday", "from"],
        ["host=", "host"],
        ["hots=a", "hots"]
      ] as const) {
        const { json, status } = yield* call(dam, `/api/v1/failures?${query}`)
        assert.deepStrictEqual([status, json.code, json.field], [400, "invalid_field", field])
      }
    })
  )

  it.live("shows a customer its own, an operator everybody's, and a stranger none", () =>
    Effect.gen(function* () {
      const dam = yield* Double.make({ keys: Result.getOrThrow(Keys.parse("acme:one\nbeta:two\nops:three:operator")) })
      const acme = yield* fail(dam, "https://api.example.com/", 503, "one")
      const beta = yield* fail(dam, "https://api.example.com/", 503, "two")
      const seen = (key: string) =>
        Effect.map(call(dam, "/api/v1/failures", { key }), ({ json }) =>
          json.failures.map((group: Record<string, unknown>) => [
            group["jobs"],
            group["newest_job_id"],
            group["customer"]
          ])
        )
      assert.deepStrictEqual(yield* seen("one"), [[1, acme, "acme"]])
      assert.deepStrictEqual(yield* seen("two"), [[1, beta, "beta"]])
      assert.deepStrictEqual(yield* seen("three"), [[2, beta, "beta"]])
      assert.strictEqual((yield* call(dam, "/api/v1/failures")).status, 401)
    })
  )
})
