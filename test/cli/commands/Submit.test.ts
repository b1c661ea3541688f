import { assert, describe, it, layer } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { createServer } from "node:http"
import * as Progress from "../../../src/cli/output/Progress.ts"
import * as Support from "../support.ts"

/** A folder of the test, with a file in it. */
const written = Effect.fnUntraced(function* (name: string, text: string) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = path.join(yield* files.makeTempDirectoryScoped({ prefix: "cli-" }), name)
  yield* files.writeFileString(file, text)
  return file
})

const readLines = (file: string) =>
  Effect.map(
    FileSystem.FileSystem.use((files) => files.readFileString(file)),
    (text) =>
      text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
  )

const ndjson = (jobs: ReadonlyArray<unknown>) => jobs.map((job) => `${JSON.stringify(job)}\n`).join("")

describe("ezthrottle submit", () => {
  layer(NodeServices.layer, { excludeTestServices: true })((it) => {
    it.effect("hands one step over, and prints nothing but its id", () =>
      Effect.gen(function* () {
        const dam = yield* Support.dam()
        const file = yield* written("job.json", JSON.stringify({ url: dam.upstream.url, idempotentKey: "k1" }))
        const { code, err, out } = yield* dam.run("submit", file)
        assert.deepStrictEqual([code, err], [0, ""])
        assert.match(out, /^job_\w{26}$/)
        const again = yield* dam.run("submit", file)
        assert.strictEqual(again.out, out)
        assert.match(again.err, /^known already, /)
      })
    )

    it.effect("tells what the service refuses with the field", () =>
      Effect.gen(function* () {
        const dam = yield* Support.dam()
        const file = yield* written("job.json", JSON.stringify({ url: dam.upstream.url, retry_at: 99_999_999_999_999 }))
        const { code, err } = yield* dam.run("submit", file)
        assert.strictEqual(code, 1)
        assert.match(err, /^ezthrottle: retry_at: /)
      })
    )

    it.effect("asks for a step or a file, not for both and not for neither", () =>
      Effect.gen(function* () {
        for (const args of [["submit"], ["submit", "a.json", "--file", "b.ndjson"]]) {
          const { code, err } = yield* Support.run(args)
          assert.deepStrictEqual(
            [code, err],
            [2, "ezthrottle: give one step, or --file with many; see `ezthrottle submit --help`"]
          )
        }
      })
    )

    it.effect("hands a whole file over, keeps what was refused with its reason, and sends only that again", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const dam = yield* Support.dam()
        const jobs = Array.from({ length: 40 }, (_, n) => ({
          url: `${dam.upstream.url}/${n}`,
          idempotentStrategy: "UNIQUE"
        }))
        const bad = { url: dam.upstream.url, retrypolicy: {} }
        const file = yield* written("jobs.ndjson", `${ndjson(jobs)}\n${ndjson([bad])}not json\n`)
        const first = yield* dam.run("submit", "--file", file)
        assert.strictEqual(first.code, 7)
        assert.match(
          first.err,
          /2 of 42 lines were refused, the first: .*:42: retrypolicy: .*; correct them in .* and run the same command again/
        )
        const refused = yield* readLines(`${file}.failed`)
        assert.deepStrictEqual(
          refused.map(({ code, line }) => [line, code]),
          [
            [42, "bad_step"],
            [43, "bad_step"]
          ]
        )
        yield* files.writeFileString(file, `${ndjson(jobs)}\n${ndjson([jobs[0], { url: `${dam.upstream.url}/last` }])}`)
        const second = yield* dam.run("submit", "--file", file, "--json")
        assert.strictEqual(second.code, 0, second.err)
        assert.deepInclude(JSON.parse(second.out), {
          total: 42,
          accepted: 2,
          duplicates: 0,
          refused: 0,
          handed_over_before: 40,
          failed_file: null
        })
        assert.isFalse(yield* files.exists(`${file}.failed`))
        const { jobs: all } = JSON.parse((yield* dam.run("jobs", "list", "--limit", "1000", "--json")).out)
        assert.strictEqual(all.length, 42)
      })
    )

    it.effect("sends a line whose answer was lost again under the same key, also where the key was drawn", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const dam = yield* Support.dam()
        const tree = {
          url: `${dam.upstream.url}/a`,
          idempotentStrategy: "UNIQUE",
          onSuccess: { url: `${dam.upstream.url}/b`, idempotentStrategy: "UNIQUE" }
        }
        const file = yield* written("jobs.ndjson", ndjson([tree, tree, { url: dam.upstream.url }]))
        yield* dam.run("submit", "--file", file)
        const journal = (yield* files.readFileString(`${file}.journal`)).split("\n")
        const [header = "", first = ""] = journal
        // as a crash leaves it: a line whole, the next one torn
        yield* files.writeFileString(`${file}.journal`, `${header}\n${first}\n${journal[2]?.slice(0, 20)}`)
        const { out } = yield* dam.run("submit", "--file", file, "--json")
        assert.deepInclude(JSON.parse(out), { accepted: 2, duplicates: 2, handed_over_before: 1 })
        const entries = (yield* files.readFileString(`${file}.journal`)).trimEnd().split("\n")
        assert.strictEqual(JSON.parse(entries.at(-1) ?? "").duplicate, true)
        const third = yield* dam.run("submit", "--file", file, "--json")
        assert.deepInclude(JSON.parse(third.out), { accepted: 0, handed_over_before: 3 })
      })
    )

    it.effect("refuses to go on with a file that has changed, or with another service", () =>
      Effect.gen(function* () {
        const files = yield* FileSystem.FileSystem
        const dam = yield* Support.dam()
        const file = yield* written("jobs.ndjson", ndjson([{ url: `${dam.upstream.url}/1` }]))
        yield* dam.run("submit", "--file", file)
        yield* files.writeFileString(file, ndjson([{ url: `${dam.upstream.url}/2` }]))
        const changed = yield* dam.run("submit", "--file", file)
        assert.strictEqual(changed.code, 2)
        assert.include(
          changed.err,
          `${file}:1 is not the line that was handed over; put it back, or remove ${file}.journal`
        )
        const other = yield* Support.run(["submit", "--file", file, "--url", "http://127.0.0.1:1"])
        assert.strictEqual(other.code, 2)
        assert.include(other.err, `${file}.journal: belongs to a batch for ${dam.url}`)
      })
    )

    it.effect("waits out a service that asks to slow down, and ends when one refuses the caller", () =>
      Effect.gen(function* () {
        const answers = [429, 503, 201, 401]
        let asked = 0
        const server = yield* Effect.acquireRelease(
          Effect.promise(
            () =>
              new Promise<ReturnType<typeof createServer>>((resolve) => {
                const made = createServer((request, response) => {
                  request.resume()
                  const status = answers[asked++] ?? 500
                  response.writeHead(status, { "content-type": "application/json", "retry-after": "0" })
                  response.end(
                    status === 201
                      ? JSON.stringify({ job_id: "job_1", status: "queued", idempotent_key: "k" })
                      : JSON.stringify({ error: "not now", code: status === 401 ? "unauthorized" : "busy" })
                  )
                })
                made.listen(0, "127.0.0.1", () => resolve(made))
              })
          ),
          (server) => Effect.sync(() => server.close())
        )
        const address = server.address()
        const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`
        const file = yield* written(
          "jobs.ndjson",
          ndjson([{ url: "https://a.example/1" }, { url: "https://a.example/2" }])
        )
        const { code, err } = yield* Support.run(["submit", "--file", file, "--url", url, "--concurrency", "1"])
        assert.strictEqual(code, 5)
        assert.strictEqual(asked, 4)
        assert.match(
          err,
          /^1 of 2 are handed over; run the same command again to go on .*\nezthrottle: .* refuses the caller: not now/
        )
      })
    )
  })
})

describe("the progress of a batch", () => {
  it("tells how many, how fast and how long", () => {
    const count = { done: 412, total: 1000, before: 100, failed: 3 }
    assert.strictEqual(Progress.line(count, 1000), "412 of 1000 (41%), 312/s, 2s left, 3 refused")
    assert.strictEqual(Progress.bar(count), "[#########---------------]")
    assert.strictEqual(Progress.line({ done: 5, total: 5, before: 0, failed: 0 }, 2000), "5 of 5 (100%), 2.5/s")
    assert.strictEqual(Progress.line({ done: 0, total: 5, before: 0, failed: 0 }, 0), "0 of 5 (0%), 0.0/s")
  })
})
