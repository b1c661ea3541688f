import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { DatabaseSync } from "node:sqlite"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"

const writer = join(import.meta.dirname, "crash", "writer.ts")

/** Lets a process write until it has acknowledged so much, kills it, and answers every acknowledgement it had given. */
const killed = (path: string, round: number, acknowledgements: number) =>
  Effect.callback<ReadonlyArray<string>, Error>((resume) => {
    const child = spawn(process.execPath, [writer, path, String(round)], { stdio: ["ignore", "pipe", "inherit"] })
    const lines: Array<string> = []
    const reader = createInterface({ input: child.stdout })
    reader.on("line", (line) => {
      lines.push(line)
      if (lines.length === acknowledgements) child.kill("SIGKILL")
    })
    reader.on("close", () =>
      resume(lines.length < acknowledgements ? Effect.fail(new Error("the writer ended early")) : Effect.succeed(lines))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("SqliteJobStore, killed while it writes", () => {
  it.effect(
    "has everything it acknowledged, whole and in order, and queues again what was running",
    () =>
      Effect.gen(function* () {
        const folder = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "job-store-crash-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true }))
        )
        const path = join(folder, "jobs.db")
        const acknowledged: Array<string> = []
        for (const [round, count] of [500, 1500, 3000].entries()) {
          acknowledged.push(...(yield* killed(path, round, count)))
          yield* Effect.scoped(check(path, acknowledged))
          assert.deepStrictEqual(integrity(path), { integrity: ["ok"], foreign: 0, gaps: 0 })
        }
      }),
    120_000
  )
})

const check = (path: string, acknowledged: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const jobs = yield* SqliteJobStore.make({ path })
    const { running } = (yield* jobs.stats).jobs
    assert.strictEqual(yield* jobs.recover, running)
    for (const line of acknowledged) {
      const [what, id = ""] = line.split(" ")
      const stored = yield* jobs.get(id)
      assert.isDefined(stored, `${id} was acknowledged and is gone`)
      if (what === "queued") continue
      assert.include(what === "started" ? ["queued", "succeeded"] : ["succeeded"], stored?.state)
      if (what === "started") assert.isAtLeast(stored?.epoch ?? 0, 1)
      if (what === "finished") {
        assert.lengthOf(stored?.history ?? [], 1)
        assert.lengthOf(yield* jobs.deliveries(id), 1)
        assert.isDefined(yield* jobs.get(`${id}-child`))
      }
    }
  })

/** What SQLite itself and the order of acceptance say about the file. */
const integrity = (path: string) => {
  const db = new DatabaseSync(path)
  const found = {
    integrity: db
      .prepare("PRAGMA integrity_check")
      .all()
      .map((row) => row["integrity_check"]),
    foreign: db.prepare("PRAGMA foreign_key_check").all().length,
    gaps: db.prepare("SELECT max(seq) - count(*) AS gaps FROM jobs").get()?.["gaps"]
  }
  db.close()
  return found
}
