import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Double from "../Double.ts"
import * as Support from "../support.ts"

describe("ezthrottle failures", () => {
  it.live("shows what fails in groups, filtered and in the order that is asked for", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const { host } = new URL(dam.upstream.url)
      let calls = 0
      const fail = (status: number) =>
        Effect.gen(function* () {
          const url = `${dam.upstream.url}/status/${status}?${calls++}`
          const id = yield* Support.submit(dam.url, { url })
          yield* dam.run("jobs", "wait", id)
          return id
        })
      yield* fail(404)
      const second = yield* fail(404)
      const third = yield* fail(403)
      const newest = yield* dam.run("failures")
      assert.strictEqual(newest.code, 0, newest.err)
      const [head = "", first = "", ...rest] = newest.out.split("\n")
      assert.match(head, /^HOST +STATUS +WHY +JOBS +FIRST +LAST +NEWEST$/)
      assert.match(first, new RegExp(`^${host} +403 +Rejected +1 +\\S+ ago +\\S+ ago +${third}$`))
      assert.lengthOf(rest, 1)
      const largest = yield* dam.run("failures", "--largest", "--limit", "1", "--json")
      const { failures, groups } = JSON.parse(largest.out)
      assert.deepStrictEqual(
        [groups, failures.map((group: Record<string, unknown>) => [group["response_status"], group["newest_job_id"]])],
        [2, [[404, second]]]
      )
      assert.include((yield* dam.run("failures", "--limit", "1")).err, "and 1 more; --limit shows them")
      assert.strictEqual((yield* dam.run("failures", "--host", "other.example.com")).out, "no failed jobs")
      assert.strictEqual((yield* dam.run("failures", "--until", "1h")).out, "no failed jobs")
    })
  )

  it.live("says from when on it has seen all where there are more than one answer looks at", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* Double.make({
        "GET /api/v1/failures": {
          body: { failures: [], groups: 0, seen: { jobs: 100_000, is_exact: false, since: 1_700_000_000_000 } }
        }
      })
      const { err } = yield* Support.run([
        "failures",
        "--since",
        "2023-01-01",
        "--host",
        "a.example:8443",
        "--url",
        url
      ])
      assert.strictEqual(
        err,
        "only the newest 100000 failed jobs were looked at, which goes back to 2023-11-14T22:13:20.000Z; --until looks further back"
      )
      assert.deepStrictEqual(asked[0]?.query, {
        host: "a.example:8443",
        from: "1672531200000",
        sort: "newest",
        limit: "50"
      })
    })
  )
})
