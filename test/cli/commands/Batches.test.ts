/** Files of jobs as one batch, from the command line against a dam whose jobs really go to a server. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as CsvRows from "../../../src/cli/commands/CsvRows.ts"
import * as Support from "../support.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "batches-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const written = (name: string, text: string) =>
  Effect.map(folder, (path) => {
    const file = join(path, name)
    writeFileSync(file, text)
    return file
  })

describe("ezthrottle batches", () => {
  it.live("hands over a file, says what was refused, and goes on with corrected lines", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const line = (n: number, more: object = {}) =>
        JSON.stringify({ url: `${dam.upstream.url}/ok?n=${n}`, idempotentStrategy: "UNIQUE", ...more })
      const file = yield* written("jobs.ndjson", [line(1), "nonsense", "", line(3), line(1)].join("\n"))
      const first = yield* dam.run("batches", "submit", file, "--id", "may")
      assert.strictEqual(first.code, 7)
      assert.include(first.err, `${file}:2 `)
      assert.include(first.err, "ezthrottle batches close may")
      assert.match(first.out, /lines\s+5\s+jobs\s+3\s+refused\s+1/)
      writeFileSync(file, [line(1), line(2), "", line(3), line(1)].join("\n"))
      const again = yield* dam.run("batches", "submit", file, "--id", "may", "--json")
      assert.strictEqual(again.code, 0, again.err)
      assert.deepInclude(JSON.parse(again.out), { refused: 0, handed_over_before: 5 })
      assert.strictEqual((yield* dam.run("batches", "wait", "may")).code, 0)
      const shown = yield* dam.run("batches", "show", "may")
      assert.match(shown.out, /may +ended/)
      const over = yield* dam.run("batches", "submit", file, "--id", "may")
      assert.strictEqual(over.code, 2)
      assert.include(over.err, "was handed over already")
      assert.include((yield* dam.run("batches", "list")).out, "may")
      assert.strictEqual((yield* dam.run("batches", "show", "nobody")).code, 6)
    })
  )

  it.live("makes each row of a table a job by a template, and one at the end", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const table = yield* written("contacts.csv", '\ufeffid,name\r\n7,"Ann ""A"", Bee"\r\na/b,Zoë\n')
      const template = yield* written(
        "contact.json",
        JSON.stringify({
          url: `${dam.upstream.url}/ok/{id}`,
          method: "POST",
          body: JSON.stringify({ name: "" }),
          fills: [
            { into: "/path/id", from: "/metadata/id" },
            { into: "/body/name", from: "/metadata/name" }
          ]
        })
      )
      const ran = yield* dam.run("batches", "submit", table, "--template", template, "--id", "contacts")
      assert.strictEqual(ran.code, 0, ran.err)
      yield* dam.run("batches", "wait", "contacts")
      const { jobs } = yield* dam.store.list({ customer: "local", batch: "contacts", limit: 5, oldestFirst: true })
      assert.deepStrictEqual(
        jobs.map(({ step }) => [new URL(step.request.url).pathname, JSON.parse(String(step.request.body)).name]),
        [
          ["/ok/7", 'Ann "A", Bee'],
          ["/ok/a%2Fb", "Zoë"]
        ]
      )
      assert.deepInclude(jobs[0]!.step.metadata, { id: "7" })
      const bad = yield* dam.run("batches", "submit", yield* written("bad.csv", "name\nAnn\n"), "--template", template)
      assert.strictEqual(bad.code, 2)
      assert.include(bad.err, "row 1")
      assert.include(bad.err, `"from": "/metadata/name"`)
    })
  )

  it.live("refuses a template that makes the same call of each row, unless each call is one of its own", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const table = yield* written("pings.csv", "name\nAnn\nBea\n")
      const ping = { url: `${dam.upstream.url}/ok`, method: "POST" }
      const same = yield* written("same.json", JSON.stringify(ping))
      const refused = yield* dam.run("batches", "submit", table, "--template", same)
      assert.strictEqual(refused.code, 2)
      assert.include(refused.err, "takes nothing from the rows")
      const unique = yield* written("unique.json", JSON.stringify({ ...ping, idempotentStrategy: "UNIQUE" }))
      const ran = yield* dam.run("batches", "submit", table, "--template", unique)
      assert.include(ran.out, "jobs   2", ran.err)
    })
  )

  it.live("does something to all jobs of a batch at once", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const later = Date.now() + 3_600_000
      const lines = Array.from({ length: 30 }, (_, n) =>
        JSON.stringify({ url: `${dam.upstream.url}/ok?n=${n}`, retry_at: later })
      )
      yield* dam.run("batches", "submit", yield* written("later.ndjson", lines.join("\n")), "--id", "later")
      const looked = yield* dam.run("jobs", "bulk", "cancel", "--batch", "later", "--dry-run")
      assert.strictEqual(looked.out, "30 jobs would be cancelled")
      assert.strictEqual((yield* dam.run("jobs", "bulk", "cancel", "--batch", "later")).out, "30 jobs cancelled")
      assert.strictEqual((yield* dam.run("jobs", "bulk", "delete", "--batch", "later")).out, "30 jobs deleted")
      assert.strictEqual((yield* dam.run("jobs", "bulk", "delete")).code, 2)
    })
  )
})

describe("rows of a CSV file", () => {
  const read = (pieces: ReadonlyArray<string>) => Stream.runCollect(CsvRows.rows("t.csv", Stream.fromIterable(pieces)))

  it.effect("are read however the text is cut into pieces", () =>
    Effect.gen(function* () {
      const text = '\ufeffa,b\r\n"1,""x""\n2",\n\n3,"4"\n5\n'
      const whole = yield* read([text])
      assert.deepStrictEqual(whole, [{ a: '1,"x"\n2', b: "" }, { a: "3", b: "4" }, undefined])
      assert.deepStrictEqual(yield* read(Array.from(text)), whole)
      assert.deepStrictEqual(yield* read(["a"]), [])
      assert.match((yield* Effect.flip(read(['a\n"1\n2\n']))).message, /ends inside of quotes/)
      assert.deepStrictEqual(yield* read(['a\n"1"']), [{ a: "1" }])
      assert.match((yield* Effect.flip(read(["a,a\n"]))).message, /two columns are called a/)
    })
  )
})
