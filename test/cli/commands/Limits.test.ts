import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Double from "../Double.ts"
import * as Support from "../support.ts"

const squeezed = (line: string) => line.trim().replaceAll(/ {2,}/g, "  ")

const limit = {
  name: "tokens",
  rate: 90_000,
  per_ms: 60_000,
  burst: 4000,
  concurrency: 20,
  settle: { json: "usage.total_tokens" },
  weights: { acme: 3 },
  source: "operator",
  since: 1_800_000_000_000,
  by: "ops",
  levels: [
    { key: "", available: -12.3456789, open: 2, waiting: 7 },
    { key: "acct_7", available: null, open: 1, waiting: 0 }
  ]
}

describe("ezthrottle limits", () => {
  it.live("defines, shows, lists and deletes a limit while the dam runs", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      assert.strictEqual((yield* dam.run("limits", "list")).out, "no limits")
      const set = yield* dam.run("limits", "set", "tokens", "--rate", "90000", "--per", "1m", "--weight", "acme=3")
      assert.strictEqual(set.code, 0, set.err)
      assert.match(set.out, /tokens +90000 per 1m +operator +0 +0 +0\nweights: acme 3; all others 1\nset by local at /)
      const shown = JSON.parse((yield* dam.run("limits", "show", "tokens", "--json")).out)
      assert.deepInclude(shown, { rate: 90_000, per_ms: 60_000, burst: 90_000, concurrency: null, settle: null })
      const listed = JSON.parse((yield* dam.run("limits", "list", "--json")).out)
      assert.deepStrictEqual(listed, { limits: [shown] })
      const changed = yield* dam.run(
        "limits",
        "set",
        "tokens",
        "--concurrency",
        "4",
        "--settle-header",
        "X-Cost",
        "--json"
      )
      assert.deepInclude(JSON.parse(changed.out), {
        rate: null,
        concurrency: 4,
        settle: { header: "x-cost" },
        weights: {}
      })
      const draws = [{ name: "tokens", key: "acme", cost: 2 }]
      const id = yield* Support.submit(dam.url, {
        url: dam.upstream.url,
        limits: draws,
        retry_at: Date.now() + 86_400_000
      })
      assert.match((yield* dam.run("jobs", "show", id)).out, /draws on +tokens \(acme\): 2/)
      const inUse = yield* dam.run("limits", "delete", "tokens")
      assert.match(inUse.err, /the limit tokens is in use: 1 job that has not ended/)
      yield* dam.run("jobs", "cancel", id)
      assert.strictEqual((yield* dam.run("limits", "delete", "tokens")).out, "tokens is deleted")
      const gone = yield* dam.run("limits", "show", "tokens")
      assert.notStrictEqual(gone.code, 0)
      assert.match(gone.err, /there is no limit of this name/)
    })
  )

  it.live("sends all of a definition, and shows how it stands for each key", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* Double.make({
        "PUT /api/v1/limits/tokens": { body: limit },
        "DELETE /api/v1/limits/tokens": { body: { limit } }
      })
      const args = ["--rate", "90000", "--per", "1m", "--burst", "4000", "--concurrency", "20"]
      const more = ["--settle-json", "usage.total_tokens", "--weight", "acme=3", "--weight", "b=0.5"]
      const { code, out } = yield* Support.run(["limits", "set", "tokens", ...args, ...more, "--url", url])
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(asked[0]?.body, {
        rate: 90_000,
        per_ms: 60_000,
        burst: 4000,
        concurrency: 20,
        settle: { json: "usage.total_tokens" },
        weights: { acme: 3, b: 0.5 }
      })
      assert.deepStrictEqual(out.split("\n").map(squeezed), [
        "LIMIT  RATE  AT ONCE  FROM  KEYS  OPEN  WAITING",
        "tokens  90000 per 1m, 4000 at once  20  operator  2  3  7",
        "settled by usage.total_tokens of the answer",
        "weights: acme 3; all others 1",
        "set by ops at 2027-01-15T08:00:00.000Z",
        "KEY  AVAILABLE  OPEN  WAITING",
        "(all)  -12.3457  2  7",
        "acct_7  1  0"
      ])
      assert.match((yield* Support.run(["limits", "delete", "tokens", "--url", url])).out, /^LIMIT/)
    })
  )

  it.effect("refuses a limit of nothing, two places to settle by, and what is no number above 0", () =>
    Effect.gen(function* () {
      for (const args of [
        [],
        ["--per", "1m"],
        ["--rate", "0"],
        ["--concurrency", "0"],
        ["--rate", "1", "--settle-json", "a", "--settle-header", "b"],
        ["--rate", "1", "--weight", "acme=much"],
        ["--rate", "1", "--weight", "acme=0"]
      ]) {
        const { code } = yield* Support.run(["limits", "set", "tokens", ...args])
        assert.strictEqual(code, 2, args.join(" "))
      }
    })
  )
})
