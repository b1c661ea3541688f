import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Support from "../support.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "schedules-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

describe("ezthrottle schedules", () => {
  it.live("puts, shows, lists, pauses, resumes, runs and deletes a schedule", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const run = (...args: ReadonlyArray<string>) => dam.run("schedules", ...args)
      const file = join(yield* folder, "nightly.yaml")
      writeFileSync(
        file,
        `cron: 30 2 * * *\nzone: Europe/Berlin\njitter_ms: 1500\njob: { url: "${dam.upstream.url}/report", method: POST }\n`
      )
      assert.strictEqual((yield* run("list")).out, "no schedules")
      const put = yield* run("put", "nightly", file)
      assert.strictEqual(put.code, 0, put.err)
      assert.match(put.out, /nightly +30 2 \* \* \* Europe\/Berlin +active /)
      assert.match(put.out, /\ncalls POST http.*\/report\noverlap skip, catch-up last, jitter of up to 1.5s\nnext /)
      assert.lengthOf(put.out.match(/\nthen /g) ?? [], 4)
      const shown = JSON.parse((yield* run("show", "nightly", "--json")).out)
      assert.deepInclude(shown, { name: "nightly", state: "active", jitter_ms: 1500 })
      assert.deepStrictEqual(JSON.parse((yield* run("list", "--json")).out), { schedules: [shown] })
      assert.match((yield* run("pause", "nightly")).out, / paused /)
      assert.deepInclude(JSON.parse((yield* run("run", "nightly", "--json")).out), { state: "paused", fired: 1 })
      assert.match((yield* run("resume", "nightly")).out, / active /)
      assert.strictEqual((yield* run("delete", "nightly")).out, "nightly is deleted; jobs that it has submitted go on")
      const gone = yield* run("show", "nightly")
      assert.notStrictEqual(gone.code, 0)
      assert.match(gone.err, /there is no schedule of this name/)
    })
  )

  it.live("applies a file as a whole, shows what changes, and deletes on request alone", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const file = join(yield* folder, "all.yaml")
      const apply = (text: string, ...flags: ReadonlyArray<string>) => {
        writeFileSync(file, text)
        return dam.run("schedules", "apply", file, ...flags)
      }
      const names = Effect.map(dam.run("schedules", "list", "--json"), ({ out }) =>
        JSON.parse(out).schedules.map((one: { readonly name: string }) => one.name)
      )
      const job = `    job: { url: "${dam.upstream.url}/good", headers: { authorization: Bearer s3cret } }\n`
      const hourly = `  hourly:\n    cron: 0 * * * *\n${job}`
      const nightly = `  "night ly":\n    # in the night\n    cron: 30 2 * * *\n    zone: Europe/Berlin\n${job}`
      const first = `schedules:\n${hourly}${nightly}`
      const dry = yield* apply(first, "--dry-run")
      assert.strictEqual(
        dry.out,
        "+ hourly\n+ night ly\n0 unchanged\ndry run: nothing was applied (2 added, 0 changed, 0 deleted)"
      )
      assert.deepStrictEqual(yield* names, [])
      assert.match((yield* apply(first)).out, /\napplied: 2 added, 0 changed, 0 deleted$/)
      assert.deepStrictEqual(yield* names, ["hourly", "night ly"])
      assert.match((yield* apply(first)).out, /^2 unchanged\napplied: 0 added/)
      yield* dam.run("schedules", "pause", "hourly")
      const second = `schedules:\n${hourly.replace("0 * * * *", "30 * * * *").replace("/good", "/other")}  more:\n    every_ms: 60000\n${job}`
      const kept = yield* apply(second)
      assert.include(
        kept.out,
        "+ more\n~ hourly (cron, job)\n? night ly is not in the file and stays; --delete ends it\n"
      )
      assert.deepStrictEqual(yield* names, ["hourly", "more", "night ly"])
      assert.match((yield* dam.run("schedules", "show", "hourly")).out, /30 \* \* \* \* UTC +paused/)
      const json = JSON.parse((yield* apply(second, "--delete", "--json")).out)
      assert.deepStrictEqual(json, {
        added: [],
        changed: [],
        unchanged: ["hourly", "more"],
        deleted: ["night ly"],
        kept: [],
        dry_run: false
      })
      assert.deepStrictEqual(yield* names, ["hourly", "more"])
    })
  )

  it.live("applies nothing of a file with one bad entry, and names its line", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const file = join(yield* folder, "bad.yaml")
      const apply = (text: string) => {
        writeFileSync(file, text)
        return dam.run("schedules", "apply", file, "--delete")
      }
      const good = "schedules:\n  good:\n    cron: 0 * * * *\n    job:\n      url: http://127.0.0.1:1/\n"
      const cases = [
        [
          "  bad.one:\n    job: { url: http://127.0.0.1:1/ }\n    cron: 0 22-2 * * *\n",
          /bad\.yaml:8: schedules\.bad\.one\.cron: hour: range goes backwards/
        ],
        [
          "  bad:\n    every_ms: 5\n    job: { url: http://127.0.0.1:1/ }\n",
          /bad\.yaml:7: schedules\.bad\.every_ms: Expected/
        ],
        ["  bad:\n    cron: '@daily'\n    job:\n      url: nowhere\n", /bad\.yaml:9: schedules\.bad\.job\.url: /],
        ["  bad:\n    crn: '@daily'\n", /bad\.yaml:7: schedules\.bad\.crn: is not one of cron, /],
        ["  'a:b':\n    cron: '@daily'\n", /bad\.yaml:6: schedules\.a:b: Expected a name/]
      ] as const
      for (const [bad, told] of cases) {
        const { code, err } = yield* apply(good + bad)
        assert.match(err, told)
        assert.include(err, "nothing was applied")
        assert.strictEqual(code, 2)
      }
      const compact = '{ "schedules": { "good": { "cron": "x" } } }'
      assert.match((yield* apply(compact)).err, /bad\.yaml:1: schedules\.good\.job: Missing key/)
      assert.match((yield* apply("nightly:\n  cron: '@daily'\n")).err, /expected schedules, each under its name.*NAME/s)
      assert.strictEqual((yield* dam.run("schedules", "list")).out, "no schedules")
    })
  )

  it.live("says what is wrong with a definition", () =>
    Effect.gen(function* () {
      const dam = yield* Support.dam()
      const file = join(yield* folder, "odd.json")
      writeFileSync(file, JSON.stringify({ cron: "0 22-2 * * *", job: { url: dam.upstream.url } }))
      const odd = yield* dam.run("schedules", "put", "odd", file)
      assert.match(odd.err, /cron: hour: range goes backwards; write 22-23,0-2/)
      writeFileSync(file, "[1]")
      assert.match((yield* dam.run("schedules", "put", "odd", file)).err, /odd\.json: expected an object with cron/)
      const none = yield* dam.run("schedules", "put", "odd", `${file}.none`)
      assert.match(none.err, /there is no file/)
    })
  )
})
