import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Support from "../support.ts"

/** A dam with results that nobody took: its receiver says 410. */
const withLetters = (count: number) =>
  Effect.gen(function* () {
    const dam = yield* Support.dam()
    const webhook = `${dam.upstream.url}/status/410?token=secret`
    const webhooks = [{ url: webhook }]
    const jobs = yield* Effect.forEach(
      Array.from({ length: count }, (_, n) => n),
      (n) => Support.submit(dam.url, { url: `${dam.upstream.url}/${n}`, webhooks })
    )
    const listed = Effect.map(
      dam.run("dead", "list", "--json"),
      ({ out }): ReadonlyArray<Letter> => JSON.parse(out).dead_letters
    )
    const letters = yield* Effect.repeat(listed, { until: (found) => found.length === count })
    const host = new URL(dam.upstream.url).host
    return { ...dam, webhook, host, jobs, letters, ids: letters.map(({ delivery_id }) => delivery_id) }
  })

interface Letter {
  readonly delivery_id: string
  readonly job_id: string
}

const told = (seen: ReadonlyArray<{ readonly path: string }>): number =>
  seen.filter(({ path }) => path.startsWith("/status/410")).length

describe("ezthrottle dead", () => {
  it.live("lists dead letters as filters and limit leave them, without the query of a webhook", () =>
    Effect.gen(function* () {
      const { host, jobs, run } = yield* withLetters(2)
      const { code, err, out } = yield* run("dead", "list", "--host", host, "--limit", "1")
      assert.strictEqual(code, 0)
      assert.match(
        out,
        /^DELIVERY +JOB +WEBHOOK +WHY +TRIES +LAST +SINCE\njob_\w+:0 +job_\w+ +http:\/\/127\.0\.0\.1:\d+\/status\/410 +receiver_gone +1 +410 +\d+m?s$/
      )
      assert.strictEqual(err, "and more; --limit 4 shows them")
      const one = yield* run("dead", "list", "--job", jobs[1] ?? "", "--json")
      assert.deepStrictEqual(
        JSON.parse(one.out).dead_letters.map((letter: Letter) => letter.job_id),
        [jobs[1]]
      )
      assert.strictEqual((yield* run("dead", "list", "--host", "hooks.example")).out, "no dead letters")
      assert.strictEqual((yield* run("dead", "list", "--until", "1h")).out, "no dead letters")
    })
  )

  it.live("replays the ones that are named, or what a filter leaves at a pace", () =>
    Effect.gen(function* () {
      const { host, ids, run, upstream, url, webhook } = yield* withLetters(2)
      const some = yield* run("dead", "replay", ids[0] ?? "", "nobody:0")
      assert.deepStrictEqual([some.code, some.out], [7, `${ids[0]} is queued for delivery`])
      assert.match(some.err, /^nobody:0: there is no such dead letter.*\nezthrottle: 1 of 2 could not be done$/)
      const other = yield* run("dead", "replay", "--host", "hooks.example", "--rps", "10")
      assert.strictEqual(other.out, "0 are queued for delivery")
      // a receiver that said 410 is called again when somebody says so
      yield* Effect.promise(() =>
        fetch(`${url}/api/v1/endpoints/enable`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ url: webhook })
        })
      )
      const before = told(upstream.seen)
      const many = yield* run("dead", "replay", "--host", host, "--rps", "100", "--json")
      assert.isAtLeast(JSON.parse(many.out).replayed, 1)
      yield* Effect.promise(() => upstream.until((seen) => told(seen) > before))
    })
  )

  it.live("purges nothing unless a filter or --all says what", () =>
    Effect.gen(function* () {
      const { ids, jobs, run } = yield* withLetters(2)
      const none = yield* run("dead", "purge")
      assert.strictEqual(none.code, 2)
      assert.include(
        none.err,
        "nothing says which dead letters to purge; give a filter (--host, --job, --since, --until), or --all"
      )
      assert.strictEqual((yield* run("dead", "purge", "--all", "--job", jobs[0] ?? "")).code, 2)
      assert.strictEqual((yield* run("dead", "replay", ids[0] ?? "", "--all")).code, 2)
      const old = yield* run("dead", "purge", "--until", "30d", "--json")
      assert.deepStrictEqual(JSON.parse(old.out), { purged: 0 })
      assert.strictEqual((yield* run("dead", "purge", "--job", jobs[0] ?? "")).out, "1 is deleted")
      assert.strictEqual((yield* run("dead", "purge", "--all", "--json")).out, '{"purged":1}')
      assert.strictEqual((yield* run("dead", "list")).out, "no dead letters")
    })
  )
})
