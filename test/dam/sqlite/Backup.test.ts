import * as NodeDns from "@effect/platform-node/NodeDns"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Dam from "../../../src/dam/Dam.ts"
import * as Keys from "../../../src/dam/http/door/Keys.ts"
import * as HttpServer from "../../../src/dam/http/HttpServer.ts"
import * as Backup from "../../../src/dam/sqlite/Backup.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import { JobStore } from "../../../src/dam/store/JobStore.ts"
import { Engine } from "../../../src/dam/work/Engine.ts"
import * as Step from "../../../src/step/Step.ts"
import { ended, job } from "../../conformance/jobStore/Fixtures.ts"
import * as Upstream from "../../conformance/upstream.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "backup-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** What a copy says of itself. */
const inspect = (path: string) => {
  const db = new DatabaseSync(path, { readOnly: true })
  const ids = db.prepare("SELECT id FROM jobs ORDER BY seq").all()
  const integrity = db.prepare("PRAGMA integrity_check").all()
  db.close()
  return { ids: ids.map(({ id }) => String(id)), integrity: integrity.map((row) => row["integrity_check"]) }
}

const large = { step: Step.post("https://a.example/", { body: "x".repeat(10_000) }) }

describe("a backup", () => {
  it.live("is the database as of the moment it began, however much is written meanwhile", () =>
    Effect.gen(function* () {
      const place = yield* folder
      const path = join(place, "jobs.db")
      const store = yield* SqliteJobStore.make({ path })
      const before = Array.from({ length: 500 }, (_, n) => job(`before-${n}`, large))
      yield* Effect.forEach(before, store.enqueue, { concurrency: "unbounded", discard: true })
      let written = 0
      const writing = yield* Effect.forkChild(
        Effect.forever(Effect.suspend(() => store.enqueue(job(`meanwhile-${written++}`, large)))),
        { startImmediately: true }
      )
      const seen: Array<Backup.Progress> = []
      let writtenAt = 0
      const made = yield* Backup.copy(path, join(place, "copy.db"), (progress) => {
        if (seen.length === 0) writtenAt = written
        seen.push(progress)
      })
      assert.isAbove(written, writtenAt)
      yield* Fiber.interrupt(writing)
      const { ids, integrity } = inspect(made.file)
      assert.deepStrictEqual(integrity, ["ok"])
      assert.includeMembers(
        ids,
        before.map(({ id }) => id)
      )
      assert.isAtMost(ids.length, 500 + writtenAt)
      assert.isAbove(seen.length, 3)
      assert.deepStrictEqual(
        seen.map(({ done }) => done),
        seen.map(({ done }) => done).toSorted((one, other) => one - other)
      )
      assert.strictEqual(made.bytes, statSync(made.file).size)
      assert.strictEqual(statSync(made.file).mode & 0o777, 0o600)
      assert.notInclude(readdirSync(place).join(" "), ".part")
    })
  )

  it.live("overwrites nothing, and leaves nothing behind when it cannot be made", () =>
    Effect.gen(function* () {
      const place = yield* folder
      const path = join(place, "jobs.db")
      const to = join(place, "copy.db")
      const refused = (from: string, file = to) =>
        Effect.map(Effect.flip(Backup.copy(from, file)), ({ message }) => message)
      assert.match(yield* refused(path), /there is no database at .*jobs\.db/)
      assert.match(yield* refused(":memory:"), /a database in memory has no file/)
      writeFileSync(path, "")
      assert.match(yield* refused(path), /it is a database of another program/)
      rmSync(path)
      yield* Effect.scoped(SqliteJobStore.make({ path }))
      assert.match(yield* refused(path, join(place, "nowhere", "copy.db")), /no copy was made: /)
      writeFileSync(to, "a copy of yesterday")
      assert.match(yield* refused(path), /copy\.db is there already; choose another name/)
      assert.deepStrictEqual(
        readdirSync(place).filter((name) => name.startsWith("copy")),
        ["copy.db"]
      )
    })
  )

  it.live("leaves nothing behind when it is stopped", () =>
    Effect.gen(function* () {
      const place = yield* folder
      const path = join(place, "jobs.db")
      const store = yield* SqliteJobStore.make({ path })
      const many = Array.from({ length: 500 }, (_, n) => job(`j${n}`, large))
      yield* Effect.forEach(many, store.enqueue, { concurrency: "unbounded", discard: true })
      let stop = () => {}
      const copying = yield* Effect.forkChild(
        Backup.copy(path, join(place, "copy.db"), () => stop()),
        { startImmediately: false }
      )
      stop = () => copying.interruptUnsafe()
      yield* Fiber.await(copying)
      assert.deepStrictEqual(
        readdirSync(place).filter((name) => name.startsWith("copy")),
        []
      )
    })
  )
})

/** A dam of its own file, whose calls go to a server on loopback. */
const damOn = (path: string, options: Partial<Dam.DamOptions> = {}) => Dam.make({ path, ...options })

describe("a dam on a copy", () => {
  it.live("calls nothing, tells nothing and takes nothing until it is told to go on", () =>
    Effect.gen(function* () {
      const place = yield* folder
      const path = join(place, "jobs.db")
      const copy = join(place, "copy.db")
      const heard: Array<string> = []
      const upstream = yield* Upstream.http(({ path }, response) => {
        heard.push(path)
        response.end("ok")
      })
      const step = (name: string) =>
        Step.get(`${upstream.origin}/${name}`).pipe(Step.webhooks([{ url: `${upstream.origin}/told-${name}` }]))
      // one that waits in its lane, one whose moment has come by the time of the copy, one that ended long ago
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* SqliteJobStore.make({ path })
          const lane = new URL(upstream.origin).host
          yield* store.enqueue(job("waiting", { step: step("waiting"), lane }))
          yield* store.enqueue(job("over"))
          yield* store.start("over", 1)
          yield* store.finish("over", 1, ended({ state: "failed", deliveries: [] }))
          yield* store.enqueue(job("due", { step: step("due"), lane, createdAt: 1, notBefore: 2 }))
          yield* Backup.copy(path, copy)
        })
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { copiedAt, engine, store } = yield* damOn(copy, { executor: "sameThread" })
          assert.isNumber(copiedAt)
          const refused = yield* Effect.flip(engine.submit(job("new", { step: step("new") })))
          assert.isTrue(refused._tag === "IsCopy" && refused.copiedAt === copiedAt)
          yield* engine.steering.change(new URL(upstream.origin).host, "ann", { _tag: "Resume" })
          yield* TestClock.adjust("30 days")
          assert.deepInclude((yield* store.stats).jobs, { queued: 1, scheduled: 1, running: 0, failed: 1 })
          assert.deepStrictEqual(heard, [])
        }).pipe(Effect.provide(TestClock.layer()))
      )
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { copiedAt, store } = yield* damOn(copy, { resumeCopy: true })
          assert.isUndefined(copiedAt)
          yield* Effect.repeat(store.stats, { until: ({ jobs }) => jobs.succeeded === 2 })
          yield* Effect.repeat(store.stats, { until: ({ pendingDeliveries }) => pendingDeliveries === 0 })
          assert.deepStrictEqual(heard.toSorted(), ["/due", "/told-due", "/told-waiting", "/waiting"])
        })
      )
      // it is a copy no more
      yield* Effect.scoped(Effect.map(damOn(copy), ({ copiedAt }) => assert.isUndefined(copiedAt)))
    })
  )

  it.live("is made by a dam in process too, to an Effect program and to a promise", () =>
    Effect.gen(function* () {
      const place = yield* folder
      const dam = yield* damOn(join(place, "jobs.db"))
      assert.isAbove((yield* dam.backup(join(place, "copy.db"))).bytes, 0)
      const embedded = Dam.embedded({ path: join(place, "other.db") })
      const made = yield* Effect.promise(() => embedded.backup(join(place, "other-copy.db")))
      assert.strictEqual(made.file, join(place, "other-copy.db"))
      yield* Effect.promise(() => embedded[Symbol.asyncDispose]())
    })
  )

  it.live("takes no name that another one has got meanwhile", () =>
    Effect.gen(function* () {
      const place = yield* folder
      const dam = yield* damOn(join(place, "jobs.db"))
      const copy = Effect.result(dam.backup(join(place, "copy.db")))
      const both = yield* Effect.all([copy, copy], { concurrency: 2 })
      const refused = both.flatMap((made) => (made._tag === "Failure" ? [made.failure.message] : []))
      assert.lengthOf(refused, 1)
      assert.match(refused[0] ?? "", /copy\.db is there already; choose another name/)
      assert.deepStrictEqual(
        readdirSync(place).filter((name) => name.includes("copy")),
        ["copy.db"]
      )
      assert.deepStrictEqual(inspect(join(place, "copy.db")).integrity, ["ok"])
    })
  )
})

describe("POST /api/v1/backup", () => {
  const served = (place: string, options: HttpServer.HttpOptions) =>
    Effect.gen(function* () {
      const { backup, engine, store } = yield* damOn(join(place, "jobs.db"))
      const { url } = yield* HttpServer.make({
        port: 0,
        backups: { folder: join(place, "backups"), copy: (to) => backup(to) },
        ...options
      }).pipe(
        Effect.provideContext(Context.make(Engine, engine).pipe(Context.add(JobStore, store))),
        Effect.provide(NodeDns.layer)
      )
      return (headers: Record<string, string> = {}) =>
        Effect.promise(async () => {
          const answer = await fetch(`${url}/api/v1/backup`, { method: "POST", headers })
          const body: Record<string, unknown> = await answer.json()
          return { status: answer.status, body }
        })
    })

  it.live("makes one at a time, in the folder of the operator and under a name of its own", () =>
    Effect.gen(function* () {
      const place = yield* folder
      const post = yield* served(place, {})
      const both = yield* Effect.all([post(), post()], { concurrency: 2 })
      const made = both.find(({ status }) => status === 201)
      assert.match(String(made?.body["file"]), /^ezthrottle-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z\.db$/)
      assert.includeMembers(readdirSync(join(place, "backups")), [String(made?.body["file"])])
      for (const { body, status } of both) if (status !== 201) assert.strictEqual(body["code"], "backup_running")
      assert.strictEqual((yield* post()).status, 201)
    })
  )

  it.live("is refused without a folder, and to keys that are no operator's", () =>
    Effect.gen(function* () {
      const keys = Result.getOrThrow(Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme-1234") }]))
      const bare = yield* served(yield* folder, { backups: undefined })
      const none = yield* bare()
      assert.deepInclude(none.body, { code: "no_backup_dir" })
      assert.strictEqual(none.status, 409)
      const post = yield* served(yield* folder, { keys })
      const denied = yield* post({ authorization: "Bearer key-of-acme-1234" })
      assert.deepInclude(denied.body, { code: "operator_required" })
      assert.strictEqual(denied.status, 403)
      assert.strictEqual((yield* post()).status, 401)
      const role = "operator" as const
      const operators = Result.getOrThrow(
        Keys.make([{ customer: "acme", key: Redacted.make("key-of-acme-1234"), role }])
      )
      const allowed = yield* served(yield* folder, { keys: operators })
      assert.strictEqual((yield* allowed({ authorization: "Bearer key-of-acme-1234" })).status, 201)
    })
  )
})
