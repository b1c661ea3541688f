import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Keys from "../../../src/dam/http/door/Keys.ts"
import * as Support from "../support.ts"

const tomorrow = () => Date.now() + 86_400_000

const missing = "job_00000000000000000000000000"

describe("ezthrottle jobs", () => {
  it.live("waits for a job, and shows it with its attempts and its answer", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const url = `${dam.upstream.url}/status/200?token=secret`
      const id = yield* Support.submit(dam.url, { url, metadata: { order: "7" }, idempotent_key: "k1" })
      const { code, err, out } = yield* dam.run("jobs", "wait", id)
      assert.strictEqual(code, 0, err)
      assert.notInclude(out, "token=secret\n  lane")
      const [head = "", ...lines] = Support.settled(out).split("\n")
      assert.strictEqual(head, "job_<id>  succeeded")
      assert.include(lines, "  call      GET http://127.0.0.1:<port>/status/200")
      assert.include(lines, "  key       k1")
      assert.include(lines, '  metadata  {"order":"7"}')
      assert.match(out, /start +- +200/)
      const shown = yield* dam.run("jobs", "show", id, "--json")
      assert.deepInclude(JSON.parse(shown.out), { job_id: id, status: "succeeded", response_status: 200 })
    })
  )

  it.live("lists what the filters leave, the newest first", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const one = yield* Support.submit(dam.url, { url: `${dam.upstream.url}/one`, metadata: { order: "1" } })
      const two = yield* Support.submit(dam.url, { url: `${dam.upstream.url}/two`, metadata: { order: "2" } })
      const bad = yield* Support.submit(dam.url, {
        url: `${dam.upstream.url}/status/404`,
        retry_policy: { max_retries: 0, max_reroutes: 0 }
      })
      for (const id of [one, two, bad]) yield* dam.run("jobs", "wait", id)
      const idsIn = (args: ReadonlyArray<string>) =>
        Effect.map(dam.run("jobs", "list", ...args, "--json"), ({ err, out }) => {
          assert.strictEqual(err, "")
          return JSON.parse(out).jobs.map((job: { job_id: string }) => job.job_id)
        })
      assert.deepStrictEqual(yield* idsIn([]), [bad, two, one])
      assert.deepStrictEqual(yield* idsIn(["--limit", "2"]), [bad, two])
      assert.deepStrictEqual(yield* idsIn(["--status", "failed"]), [bad])
      assert.deepStrictEqual(yield* idsIn(["--status", "failed", "--status", "succeeded"]), [bad, two, one])
      assert.deepStrictEqual(yield* idsIn(["--metadata", "order=2"]), [two])
      assert.deepStrictEqual(yield* idsIn(["--oldest"]), [one, two, bad])
      assert.deepStrictEqual(yield* idsIn(["--q", "order=2"]), [two])
      assert.deepStrictEqual(yield* idsIn(["--q", "127.0.0.1/status/"]), [bad])
      assert.deepStrictEqual(yield* idsIn(["--q", bad.slice(0, -1)]), [bad])
      assert.deepStrictEqual(yield* idsIn(["--host", dam.upstream.url]), [bad, two, one])
      assert.deepStrictEqual(yield* idsIn(["--host", "api.example.com"]), [])
      assert.deepStrictEqual(yield* idsIn(["--since", "1h"]), [bad, two, one])
      assert.deepStrictEqual(yield* idsIn(["--until", "1h"]), [])
      assert.deepStrictEqual(yield* idsIn(["--until", "2099-01-01"]), [bad, two, one])
      const table = (yield* dam.run("jobs", "list")).out.split("\n")
      assert.match(table[0] ?? "", /^JOB +STATUS +WEBHOOKS +CALL +ANSWER +TRIES +AGE$/)
      assert.match(table[1] ?? "", /failed +- +GET http:\/\/127\.0\.0\.1:\d+\/status\/404 +404 +1 /)
      assert.strictEqual((yield* dam.run("jobs", "list", "--status", "running")).out, "no jobs")
    })
  )

  it.live("ends with 3 when the job it waited for failed, and says why and what to do", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const id = yield* Support.submit(dam.url, { url: `${dam.upstream.url}/status/404` })
      const { code, err, out } = yield* dam.run("jobs", "wait", id)
      assert.strictEqual(code, 3)
      assert.include(out, "404")
      assert.match(
        err,
        new RegExp(`^ezthrottle: job ${id} failed: .*; run it again with .ezthrottle jobs rerun ${id}.$`)
      )
      const again = yield* dam.run("jobs", "rerun", id)
      assert.match(again.out, new RegExp(`^${id} runs again as job_\\w{26}$`))
    })
  )

  it.live("lets a scheduled job go", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const id = yield* Support.submit(dam.url, { url: dam.upstream.url, retry_at: tomorrow() })
      assert.match((yield* dam.run("jobs", "run-now", id)).out, new RegExp(`^${id} (queued|running|succeeded)$`))
      assert.strictEqual((yield* dam.run("jobs", "wait", id)).code, 0)
      const again = yield* dam.run("jobs", "run-now", id)
      assert.include(again.err, `job ${id} is succeeded; only a job that waits can be run now`)
    })
  )

  it.live("ends with 8 when the time passes first, and cancels", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const id = yield* Support.submit(dam.url, { url: dam.upstream.url, retry_at: tomorrow() })
      const waited = yield* dam.run("jobs", "wait", id, "--timeout", "50ms")
      assert.strictEqual(waited.code, 8)
      assert.include(waited.err, `job ${id} is still scheduled after 50ms`)
      const early = yield* dam.run("jobs", "erase", id)
      assert.match(early.err, /cancel it first/)
      assert.strictEqual((yield* dam.run("jobs", "cancel", id)).out, `${id} cancelled`)
      assert.match((yield* dam.run("jobs", "erase", id)).out, /is erased; its id, key, state and times are kept/)
      const ended = yield* dam.run("jobs", "wait", id, "--json")
      assert.strictEqual(ended.code, 3)
      assert.strictEqual(JSON.parse(ended.err).code, "job_cancelled")
    })
  )

  it.live("goes on with the others when one of several cannot be cancelled, and ends with 7", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const id = yield* Support.submit(dam.url, { url: dam.upstream.url, retry_at: tomorrow() })
      const { code, err, out } = yield* dam.run("jobs", "cancel", missing, id)
      assert.deepStrictEqual([code, out], [7, `${id} cancelled`])
      assert.match(err, new RegExp(`^${missing}: job not found.*\nezthrottle: 1 of 2 could not be done$`))
    })
  )

  it.live("follows a job to its end", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const id = yield* Support.submit(dam.url, { url: `${dam.upstream.url}/delay/0.2` })
      const watching = yield* Effect.forkChild(dam.run("jobs", "watch", id))
      const events = yield* dam.run("jobs", "watch", id, "--json")
      const { code, out } = yield* Fiber.join(watching)
      assert.strictEqual(code, 0)
      const lines = out.split("\n")
      assert.match(lines[0] ?? "", new RegExp(`^${id}  GET http`))
      assert.match(lines.at(-2) ?? "", /^start  -  200  \d+ms$/)
      assert.strictEqual(lines.at(-1), "succeeded")
      const seen = events.out.split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual(seen.at(-1)?.event, "completed")
      assert.strictEqual(seen.at(-1)?.data.response_status, 200)
    })
  )

  it.live("says in one line what is wrong and what to do", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme") }]))
      const dam = yield* Support.dam({ keys })
      const call = (...args: ReadonlyArray<string>) => Support.run(["jobs", "show", missing, "--url", dam.url, ...args])
      const none = yield* call()
      assert.strictEqual(none.code, 5)
      assert.match(none.err, /^ezthrottle: http.* refuses the caller: .*; set EZTHROTTLE_API_KEY, or write .*$/)
      const wrong = yield* call("--api-key", "key-of-nobody")
      assert.strictEqual(wrong.code, 5)
      assert.match(wrong.err, /; the key from --api-key is not one of its keys, or its plan is used up$/)
      assert.notInclude(wrong.err, "key-of-nobody")
      const right = yield* call("--api-key", "key-of-acme")
      assert.strictEqual(right.code, 6)
      assert.match(right.err, /^ezthrottle: job not found; look for it with `ezthrottle jobs list`.*$/)
      const verbose = yield* call("--api-key", "key-of-acme", "--verbose")
      assert.match(verbose.err, /^ezthrottle: job not found;.*\n {2}status 404\n/)
      const json = yield* call("--api-key", "key-of-acme", "--json")
      assert.deepInclude(JSON.parse(json.err), { error: "job not found", code: "job_not_found", exit: 6 })
    })
  )

  it.live("exports what the filters leave, page by page, to a file or to standard output", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "cli-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const ids = yield* Effect.forEach(Array.from({ length: 205 }).keys(), (n) =>
        Support.submit(dam.url, {
          url: `http://127.0.0.2/${n}`,
          retry_at: tomorrow(),
          metadata: { n, note: '=a "b",\nc' }
        })
      )
      const lines = yield* dam.run("jobs", "export", "--q", "127.0.0.2", "--oldest")
      assert.strictEqual(lines.code, 0, lines.err)
      const told = lines.out.split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual(
        told.map((job: { job_id: string }) => job.job_id),
        ids
      )
      assert.strictEqual(lines.err, "205 jobs")
      const file = join(folder, "jobs.csv")
      const csv = yield* dam.run("jobs", "export", "--q", "n=204", "--format", "csv", "--output", file)
      assert.strictEqual(csv.err, `1 jobs in ${file}`)
      const [head = "", row = "", ...rest] = readFileSync(file, "utf8").split("\n")
      assert.match(head, /^job_id,status,delivery_status,method,url,lane,created_at,/)
      assert.match(row, new RegExp(`^${ids[204]},scheduled,none,GET,http://127.0.0.2/204,127.0.0.2:80,20`))
      assert.include(row, ',"{""n"":204,""note"":""=a \\""b\\"",\\nc""}",')
      assert.deepStrictEqual(rest, [""])
      assert.strictEqual((yield* dam.run("jobs", "export", "--limit", "3")).err, "3 jobs")
      const nowhere = yield* dam.run("jobs", "export", "--output", join(folder, "no", "file"))
      assert.strictEqual(nowhere.code, 1)
      assert.include(nowhere.err, "the file cannot be written")
    })
  )

  it.live("cancels and reruns all that the filters find, after it said how many, and never all by a slip", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const later = (n: number, host: string) =>
        Support.submit(dam.url, { url: `http://${host}/${n}`, retry_at: tomorrow(), metadata: { n } })
      for (let n = 0; n < 3; n++) yield* later(n, "127.0.0.2")
      const other = yield* later(4, "127.0.0.3")
      const slip = yield* dam.run("jobs", "cancel")
      assert.strictEqual(slip.code, 2)
      assert.include(slip.err, "neither job ids nor a filter are given")
      assert.include((yield* dam.run("jobs", "cancel", other, "--q", "x")).err, "job ids leave nothing to filter")
      const asked = yield* dam.run("jobs", "cancel", "--q", "127.0.0.2", "--dry-run")
      assert.deepStrictEqual(asked, { code: 0, out: "3 jobs would be cancelled", err: "" })
      const done = yield* dam.run("jobs", "cancel", "--q", "127.0.0.2", "--rps", "1000")
      assert.deepStrictEqual(done, { code: 0, out: "3 jobs cancelled", err: "" })
      const left = yield* dam.run("jobs", "cancel", "--q", "127.0.0.2", "--dry-run")
      assert.strictEqual(left.out, "0 jobs would be cancelled")
      assert.strictEqual((yield* dam.store.get(other))?.state, "scheduled")
      const again = yield* dam.run("jobs", "rerun", "--q", "127.0.0.2", "--status", "cancelled", "--rps", "1000")
      assert.deepStrictEqual(again, { code: 0, out: "3 jobs run again", err: "" })
      assert.lengthOf((yield* dam.store.list({ customer: "local", limit: 50 })).jobs, 7)
      const [first] = (yield* dam.store.list({ customer: "local", states: ["cancelled"], limit: 1 })).jobs
      const reruns = JSON.parse((yield* dam.run("jobs", "list", "--rerun-of", first?.id ?? "", "--json")).out)
      assert.deepStrictEqual(
        reruns.jobs.map(({ rerun_of }: Record<string, string>) => rerun_of),
        [first?.id]
      )
      const children = yield* dam.run("jobs", "cancel", "--parent", first?.id ?? "", "--dry-run")
      assert.strictEqual(children.out, "0 jobs would be cancelled")
      const wrong = yield* dam.run("jobs", "cancel", "--status", "cancelled", "--rps", "1000")
      assert.strictEqual(wrong.code, 7)
      assert.include(wrong.err, "3 of 3 could not be done")
    })
  )

  it.live("says that the cloud shows no jobs, before it calls anybody", () =>
    Effect.gen(function* () {
      const { code, err } = yield* Support.run(["jobs", "list"], { EZTHROTTLE_API_KEY: "k" })
      assert.strictEqual(code, 1)
      assert.include(err, "has no route /api/v1/jobs: EZThrottle Cloud takes jobs and keeps webhook secrets, no more")
    })
  )

  it.effect("refuses a wrong command line in one line, with where to read more", () =>
    Effect.gen(function* () {
      const refusal = (...args: ReadonlyArray<string>) =>
        Effect.map(Support.run(["jobs", ...args]), ({ code, err, out }) => {
          assert.deepStrictEqual([code, out, err.split("\n").length], [2, "", 1], err)
          return err
        })
      assert.include(yield* refusal("lst"), "; did you mean list?; see `ezthrottle jobs --help`")
      assert.include(yield* refusal("list", "--status", "gone"), "see `ezthrottle jobs list --help`")
      assert.include(yield* refusal("list", "--since", "yesterday"), '"yesterday" is no age such as 90s, 2h or 7d')
      assert.include(yield* refusal("list", "--metadata", "order"), 'there is no "=" after a name')
      assert.include(yield* refusal("list", "--host", "a b"), '"a b" names no host')
      assert.include(yield* refusal("show"), "job-id")
      assert.include(yield* refusal("list", "--url", "ftp://x"), "the URL from --url is no http:// or https:// URL")
    })
  )
})
