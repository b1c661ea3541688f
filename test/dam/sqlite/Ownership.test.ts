import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawnSync } from "node:child_process"
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync, StatementSync } from "node:sqlite"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import { job } from "../../conformance/jobStore/Fixtures.ts"

const executors = ["worker", "sameThread"] as const

/** Runs with a folder of its own under each executor. */
const onEach = (
  sentence: string,
  test: (path: string, executor: "worker" | "sameThread") => Effect.Effect<void, unknown, Scope.Scope>
) => {
  for (const executor of executors) {
    it.effect(`${sentence} (${executor})`, () =>
      Effect.gen(function* () {
        const folder = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "owners-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true }))
        )
        yield* test(join(folder, "jobs.db"), executor)
      })
    )
  }
}

/** What another process says that tries to own the file. */
const second = (path: string) =>
  spawnSync(process.execPath, [join(import.meta.dirname, "owners", "second.ts"), path], { encoding: "utf8" }).stdout

const refused = (path: string) =>
  Effect.map(Effect.flip(Effect.scoped(SqliteJobStore.make({ path }))), ({ message }) => message)

const integrity = (path: string) => {
  const db = new DatabaseSync(path, { readOnly: true })
  const found = db.prepare("PRAGMA integrity_check").all()
  db.close()
  return found.map((row) => row["integrity_check"])
}

describe("who owns a file", () => {
  onEach("tells a second dam who has it, in this process and in another", (path, executor) =>
    Effect.gen(function* () {
      yield* SqliteJobStore.make({ path, executor })
      const since = String.raw`since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`
      assert.match(yield* refused(path), new RegExp(`another dam is using it \\(this very process, ${since}\\)`))
      assert.match(
        second(path),
        new RegExp(`jobs\\.db: another dam is using it \\(process ${process.pid} on ${hostname()}, ${since}\\)`)
      )
    })
  )

  onEach("keeps it when the application copies the file, which drops SQLite's locks", (path, executor) =>
    Effect.gen(function* () {
      const jobs = yield* SqliteJobStore.make({ path, executor })
      yield* jobs.enqueue(job("one"))
      copyFileSync(path, `${path}.copy`)
      assert.match(second(path), /another dam is using it/)
      assert.match(yield* refused(path), /another dam is using it/)
      yield* jobs.enqueue(job("two"))
      assert.deepStrictEqual(integrity(path), ["ok"])
    })
  )

  onEach("stops the former owner where the lock itself was dropped and another took the file", (path, executor) =>
    Effect.gen(function* () {
      const jobs = yield* SqliteJobStore.make({ path, executor })
      yield* jobs.enqueue(job("one"))
      copyFileSync(`${path}.lock`, `${path}.lock.copy`)
      assert.strictEqual(second(path), "opened\n")
      const lost = yield* Effect.flip(jobs.enqueue(job("two")))
      assert.strictEqual(lost._tag, "StorageLost")
      assert.match(lost.message, /another dam has taken its file over; this one must be stopped/)
      assert.match((yield* jobs.stats).fault ?? "", /another dam has taken its file over/)
      assert.isUndefined(yield* jobs.start("one", 1).pipe(Effect.catchTag("StorageLost", () => Effect.undefined)))
      assert.deepStrictEqual(integrity(path), ["ok"])
      assert.isDefined(yield* jobs.get("of the second"))
    })
  )

  onEach("is the same behind a link, and may be had once it is given back", (path, executor) =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* SqliteJobStore.make({ path, executor })
          symlinkSync(path, `${path}.link`)
          assert.match(yield* refused(`${path}.link`), /another dam is using it/)
        })
      )
      assert.strictEqual(second(`${path}.link`), "opened\n")
    })
  )

  onEach("is nobody else's to read, and neither is what stands beside it", (path, executor) =>
    Effect.gen(function* () {
      writeFileSync(path, "", { mode: 0o644 })
      const jobs = yield* SqliteJobStore.make({ path, executor })
      yield* jobs.enqueue(job("one"))
      const modes = readdirSync(join(path, "..")).map((name) => [
        name,
        (statSync(join(path, "..", name)).mode & 0o777).toString(8)
      ])
      assert.deepStrictEqual(
        modes.toSorted(),
        ["jobs.db", "jobs.db-shm", "jobs.db-wal", "jobs.db.lock"].map((name) => [name, "600"])
      )
    })
  )

  onEach("leaves a file beside it alone that is no lock", (path) =>
    Effect.gen(function* () {
      writeFileSync(`${path}.lock`, "a letter of somebody".repeat(100))
      assert.match(yield* refused(path), /with \.lock at its end is not the lock of a dam; remove it/)
      assert.isFalse(existsSync(path))
    })
  )
})

describe("a file that is not where it was", () => {
  const ways: Readonly<Record<string, (path: string) => void>> = {
    deleted: (path) => rmSync(path),
    renamed: (path) => renameSync(path, `${path}.moved`),
    replaced: (path) => {
      copyFileSync(path, `${path}.copy`)
      renameSync(`${path}.copy`, path)
    },
    "without its log": (path) => rmSync(`${path}-wal`)
  }
  for (const [way, happen] of Object.entries(ways)) {
    onEach(`takes nothing any more that nobody would find: ${way}`, (path, executor) =>
      Effect.gen(function* () {
        const jobs = yield* SqliteJobStore.make({ path, executor })
        yield* jobs.enqueue(job("one"))
        happen(path)
        const lost = yield* Effect.flip(jobs.enqueue(job("two")))
        assert.strictEqual(lost._tag, "StorageLost")
        assert.match(lost.message, /its file was deleted, renamed or replaced while the dam ran/)
        assert.match((yield* jobs.stats).fault ?? "", /deleted, renamed or replaced/)
        // what is known is still told
        assert.strictEqual((yield* jobs.get("one"))?.id, "one")
      })
    )
  }

  onEach("still tells what went through and what failed", (path, executor) =>
    Effect.gen(function* () {
      const jobs = yield* SqliteJobStore.make({ path, executor })
      const look = Effect.all([jobs.history("", 300_000, 0), jobs.failures({ sort: "newest", limit: 10 })])
      const [before] = yield* look
      renameSync(path, `${path}.moved`)
      yield* Effect.flip(jobs.enqueue(job("one")))
      const [spans, failures] = yield* look
      assert.deepStrictEqual(spans, before)
      assert.deepStrictEqual(failures.groups, [])
    })
  )

  onEach("goes on once it is put back", (path, executor) =>
    Effect.gen(function* () {
      const jobs = yield* SqliteJobStore.make({ path, executor })
      renameSync(path, `${path}.moved`)
      yield* Effect.flip(jobs.enqueue(job("one")))
      renameSync(`${path}.moved`, path)
      assert.strictEqual((yield* jobs.enqueue(job("two")))._tag, "Stored")
      assert.isUndefined((yield* jobs.stats).fault)
    })
  )
})

describe("a disk that fails in a commit", () => {
  it.effect("leaves the outcome unknown, and says so until a commit succeeds", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "owners-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      let fails = false
      const { run } = StatementSync.prototype
      yield* Effect.addFinalizer(() => Effect.sync(() => void (StatementSync.prototype.run = run)))
      StatementSync.prototype.run = function (this: StatementSync, ...args: Array<unknown>) {
        // SQLITE_IOERR_FSYNC
        if (fails && this.sourceSQL === "COMMIT") throw Object.assign(new Error("disk I/O error"), { errcode: 1034 })
        return Reflect.apply(run, this, args)
      }
      const jobs = yield* SqliteJobStore.make({ path: join(folder, "jobs.db"), executor: "sameThread" })
      fails = true
      const unknown = yield* Effect.flip(jobs.enqueue(job("one")))
      assert.strictEqual(unknown._tag, "OutcomeUnknown")
      assert.match((yield* jobs.stats).fault ?? "", /its disk failed \(disk I\/O error\)/)
      fails = false
      assert.strictEqual((yield* jobs.enqueue(job("one")))._tag, "Stored")
      assert.isUndefined((yield* jobs.stats).fault)
      assert.strictEqual((yield* jobs.stats).jobs.queued, 1)
    })
  )
})
