import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Loopback from "../../system/support/Loopback.ts"
import * as Support from "../support.ts"

const file = (step: unknown) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "run-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    ),
    (folder) => {
      const path = join(folder, "step.json")
      writeFileSync(path, JSON.stringify(step))
      return path
    }
  )

const lines = (text: string) => Support.settled(text).split("\n")

describe("ezthrottle run", () => {
  it.live("refuses a step that draws on a limit, which nobody keeps here, and says who does", () =>
    Effect.gen(function* () {
      const step = yield* file({ url: "http://127.0.0.1:1/", type: "FRUGAL", limits: [{ name: "tokens" }] })
      const { code, err } = yield* Support.run(["run", step, "--json"])
      assert.strictEqual(code, 2)
      assert.deepInclude(JSON.parse(err), { code: "limits_not_kept" })
      assert.include(err, "submit it to a dam")
    })
  )

  it.live("executes a FRUGAL step here, tells every attempt, and prints the body alone", () =>
    Effect.gen(function* () {
      const { url } = yield* Support.server(Loopback.upstream)
      const step = yield* file({
        url: `${url}/status/503?token=secret`,
        type: "FRUGAL",
        fallbackOnError: [],
        retryPolicy: { maxRetries: 1, base: 1 },
        fallbacks: [{ step: { url: `${url}/status/200` } }],
        onSuccess: { url: `${url}/status/204`, type: "FRUGAL" }
      })
      const { code, err, out } = yield* Support.run(["run", step])
      assert.deepStrictEqual([code, out], [0, '{"path":"/status/200"}'], err)
      assert.notInclude(err, "secret")
      assert.deepStrictEqual(
        lines(err).map((line) =>
          line
            .replace(/ after a pause of \d+ ms/g, "")
            .replace(/  +/g, " ")
            .replace(/\d+ ms/g, "<span>")
        ),
        [
          "-- GET http://127.0.0.1:<port>/status/503 start: 503 in <span>",
          "-- GET http://127.0.0.1:<port>/status/503 retry: 503 in <span>",
          "ok fallback 1 GET http://127.0.0.1:<port>/status/200 start: 200 in <span>",
          "ok GET http://127.0.0.1:<port>/status/204 start: 204 in <span>",
          "200 by fallback 1, 22 bytes",
          "on success: 204"
        ]
      )
      const json = JSON.parse((yield* Support.run(["run", step, "--json"])).out)
      assert.deepInclude(json, { outcome: "completed", status_code: 200, path: 1, body: '{"path":"/status/200"}' })
      assert.strictEqual(json.attempts.length, 3)
      assert.deepStrictEqual(json.chained, { relation: "onSuccess", outcome: "ended", status_code: 204 })
    })
  )

  it.live("ends with 3 when the step ended badly, every attempt in the details", () =>
    Effect.gen(function* () {
      const { url } = yield* Support.server(Loopback.upstream)
      const step = yield* file({
        url: `${url}/status/500`,
        type: "FRUGAL",
        fallbackOnError: [],
        retryPolicy: { maxRetries: 0, maxReroutes: 1, rerouteCodes: [500] }
      })
      const { code, err, out } = yield* Support.run(["run", step, "--verbose"])
      assert.deepStrictEqual([code, out], [3, ""])
      assert.match(err, /ezthrottle: GET http.*\/status\/500 failed: answered 500/)
      assert.match(err, /\n {2}start: 500 in \d+ ms$/)
    })
  )

  it.live("hands a PERFORMANCE step to the dam, waits for the result and prints it", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const step = yield* file({ url: `${dam.upstream.url}/status/200`, idempotent_key: "k1" })
      const { code, err, out } = yield* dam.run("run", step)
      assert.deepStrictEqual([code, out], [0, '{"path":"/status/200"}'], err)
      assert.match(err, /^ok {2}GET .*forward.*\nhanded over to http:.* as job_\w{26}\njob_\w{26} success: 200$/)
      const again = yield* dam.run("run", step, "--no-wait")
      assert.match(again.out, /^job_\w{26}$/)
      assert.include(again.err, "which it knew already")
    })
  )

  it.live("takes the type from the command line before the file", () =>
    Effect.gen(function* () {
      const { seen, url } = yield* Support.server(Loopback.upstream)
      const step = yield* file({ url })
      const here = yield* Support.run(["run", step, "--type", "FRUGAL"])
      assert.strictEqual(here.code, 0, here.err)
      assert.strictEqual(seen.length, 1)
      const gone = yield* Effect.scoped(Support.server(Loopback.upstream))
      const away = yield* Support.run(["run", step, "--url", gone.url])
      assert.strictEqual(away.code, 4, away.err)
      assert.match(away.err, /ezthrottle: no usable answer from http:\/\/127\.0\.0\.1:\d+ \(--url\); try again/)
    })
  )

  it.live("says which key is missing where the cloud is asked", () =>
    Effect.gen(function* () {
      const step = yield* file({ url: "https://a.example" })
      const { code, err } = yield* Support.run(["run", step], { EZTHROTTLE_URL: "https://ezthrottle.fly.dev" })
      assert.strictEqual(code, 5)
      assert.match(err, /ezthrottle: https:\/\/ezthrottle\.fly\.dev needs an API key; set EZTHROTTLE_API_KEY$/)
    })
  )
})
