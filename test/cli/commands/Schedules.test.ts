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
