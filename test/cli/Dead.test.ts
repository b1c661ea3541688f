import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Double from "./Double.ts"
import * as Support from "./support.ts"

const letter = (id: string) => ({
  delivery_id: id,
  job_id: "job_1",
  url: "https://hooks.example/done?token=secret",
  reason: "attempts exhausted",
  dead_at: Date.now() - 3_600_000,
  attempts: [{ at: 1, latency_ms: 2, status: 500, error: null, excerpt: "oops" }]
})

const path = "/api/v1/dead-letters"

describe("ezthrottle dead", () => {
  it.live("lists dead letters page by page, without the query of a webhook", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* Double.make({
        [`GET ${path}`]: { body: { dead_letters: [letter("d1")], next_cursor: "more" } }
      })
      const { code, err, out } = yield* Support.run(
        "dead list --host hooks.example --job job_1 --limit 2 --url".split(" ").concat(url)
      )
      assert.strictEqual(code, 0)
      assert.match(
        out,
        /^DELIVERY +JOB +WEBHOOK +WHY +TRIES +LAST +SINCE\nd1 +job_1 +https:\/\/hooks\.example\/done +attempts exhausted +1 +500 +60m\nd1 /
      )
      assert.strictEqual(err, "and more; --limit 8 shows them")
      assert.deepStrictEqual(
        asked.map(({ query }) => query),
        [
          { host: "hooks.example", job_id: "job_1", limit: "2" },
          { host: "hooks.example", job_id: "job_1", limit: "1", cursor: "more" }
        ]
      )
    })
  )

  it.live("replays the ones that are named, or what a filter leaves at a pace", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* Double.make({
        [`POST ${path}/d1/replay`]: { body: { replayed: 1 } },
        [`POST ${path}/d2/replay`]: { status: 404, body: { error: "no such dead letter", code: "delivery_not_found" } },
        [`POST ${path}/replay`]: { body: { replayed: 12 } }
      })
      const some = yield* Support.run(["dead", "replay", "d1", "d2", "--url", url])
      assert.deepStrictEqual([some.code, some.out], [7, "d1 is delivered again"])
      assert.match(some.err, /^d2: no such dead letter\nezthrottle: 1 of 2 could not be done$/)
      const many = yield* Support.run(["dead", "replay", "--host", "hooks.example", "--rps", "10", "--url", url])
      assert.strictEqual(many.out, "12 are delivered again")
      assert.deepStrictEqual(asked.at(-1)?.body, { host: "hooks.example", rps: 10 })
      yield* Support.run(["dead", "replay", "--all", "--url", url])
      assert.deepStrictEqual(asked.at(-1)?.body, {})
    })
  )

  it.live("purges nothing unless a filter or --all says what", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* Double.make({ [`POST ${path}/purge`]: { body: { purged: 3 } } })
      const none = yield* Support.run(["dead", "purge", "--url", url])
      assert.strictEqual(none.code, 2)
      assert.include(
        none.err,
        "nothing says which dead letters to purge; give a filter (--host, --job, --since, --until), or --all"
      )
      const both = yield* Support.run(["dead", "purge", "--all", "--job", "job_1", "--url", url])
      assert.strictEqual(both.code, 2)
      const mixed = yield* Support.run(["dead", "replay", "d1", "--all", "--url", url])
      assert.strictEqual(mixed.code, 2)
      assert.isEmpty(asked)
      const old = yield* Support.run(["dead", "purge", "--until", "30d", "--url", url, "--json"])
      assert.deepStrictEqual(JSON.parse(old.out), { purged: 3 })
      assert.isBelow(Math.abs(Number(Object(asked[0]?.body).until) - (Date.now() - 30 * 86_400_000)), 60_000)
    })
  )
})
