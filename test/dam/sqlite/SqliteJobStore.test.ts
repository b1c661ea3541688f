import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { JobStore } from "../../../src/dam/store/JobStore.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import type { SqliteOptions } from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Step from "../../../src/step/Step.ts"
import { attempt, delivery, ended, job, revealed, rich, secretsOf } from "../../conformance/jobStore/Fixtures.ts"
import { filing, suite } from "../../conformance/jobStore.ts"
import { straightly } from "../../conformance/jobStore/Straightly.ts"
import { suite as batches } from "../../conformance/jobStoreBatches.ts"
import { suite as deliveries } from "../../conformance/jobStoreDeliveries.ts"
import { suite as crowds } from "../../conformance/jobStoreCrowds.ts"
import { suite as failures } from "../../conformance/jobStoreFailures.ts"
import { suite as history } from "../../conformance/jobStoreHistory.ts"
import { suite as endpoints } from "../../conformance/jobStoreEndpoints.ts"
import { suite as l8 } from "../../conformance/jobStoreL8.ts"
import { suite as orders } from "../../conformance/jobStoreOrders.ts"
import { suite as credentials } from "../../conformance/jobStoreCredentials.ts"
import { suite as erasure } from "../../conformance/jobStoreErasure.ts"
import { suite as schedules } from "../../conformance/jobStoreSchedules.ts"
import { suite as search } from "../../conformance/jobStoreSearch.ts"
import { suite as notices } from "../../conformance/jobStoreNotices.ts"

/** A folder that is gone with its scope. */
const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "job-store-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

const file = Effect.map(folder, (path) => join(path, "jobs.db"))

const onFile = (options: Omit<SqliteOptions, "path">) =>
  Layer.effect(
    JobStore,
    Effect.flatMap(file, (path) => SqliteJobStore.make({ path, ...options }))
  )

// a thread costs a tenth of a second a case, so only one of them has it
const stores = {
  "file, a thread of its own": onFile({ executor: "worker" }),
  "file with an index of texts, the same thread": onFile({ executor: "sameThread", textSearch: true }),
  memory: SqliteJobStore.layer({ path: ":memory:", executor: "sameThread" })
}

for (const [name, store] of Object.entries(stores)) {
  suite(name, store)
  const straight = Layer.effect(JobStore, Effect.map(JobStore, straightly)).pipe(Layer.provide(store))
  filing(`${name}, without a fiber`, straight)
  crowds(`${name}, without a fiber`, straight)
  crowds(name, store)
  notices(name, store)
  deliveries(name, store)
  failures(name, store)
  history(name, store)
  endpoints(name, store)
  l8(name, store)
  search(name, store)
  schedules(name, store)
  orders(name, store)
  batches(name, store)
  credentials(name, store)
  erasure(name, store)
}

const executors = ["worker", "sameThread"] as const

const open = (options: SqliteOptions) => SqliteJobStore.make({ busyTimeout: 50, ...options })

/** Runs with a fresh file under each executor. */
const onEach = (
  sentence: string,
  test: (path: string, executor: "worker" | "sameThread") => Effect.Effect<void, unknown, Scope.Scope>
) => {
  for (const executor of executors) {
    it.effect(`${sentence} (${executor})`, () => Effect.flatMap(file, (path) => test(path, executor)))
  }
}

/** Why a store could not be opened. */
const refusal = (options: SqliteOptions) =>
  Effect.map(Effect.flip(Effect.scoped(open(options))), ({ _tag, message }) => `${_tag}: ${message}`)

/** Commits in the write-ahead log: frames that carry the size of the database. */
const commits = (path: string): number => {
  const log = readFileSync(`${path}-wal`)
  const frame = 24 + log.readUInt32BE(8)
  const salt = log.subarray(16, 24)
  let count = 0
  for (let at = 32; at + frame <= log.length; at += frame) {
    if (log.subarray(at + 8, at + 16).equals(salt) && log.readUInt32BE(at + 4) !== 0) count++
  }
  return count
}

describe("SqliteJobStore", () => {
  onEach("keeps nothing in the file of what an erased job said before it was changed", (path, executor) =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const jobs = yield* open({ path, executor })
          const said = (body: string) => Step.post("https://a.example/", { body: body.repeat(100) })
          yield* jobs.enqueue(job("one", { step: said("canary") }))
          const before = (yield* jobs.get("one"))!
          yield* jobs.change({ job: { ...before, step: said("other") }, isRetimed: false, revision: undefined, now: 1 })
          yield* jobs.finishIdle("one", ended({ state: "cancelled" }))
          assert.strictEqual(yield* jobs.erase("one", 9), "erased")
        })
      )
      const bytes = readFileSync(path, "latin1")
      assert.notInclude(bytes, "canary")
      assert.notInclude(bytes, "otherother")
    })
  )

  onEach("has everything there after it was closed and opened again", (path, executor) =>
    Effect.gen(function* () {
      const before = yield* Effect.scoped(
        Effect.gen(function* () {
          const jobs = yield* open({ path, executor })
          for (const id of ["ended", "running", "parked"]) {
            yield* jobs.enqueue(rich(id))
            yield* jobs.start(id, 1)
            yield* jobs.record(id, 1, attempt())
          }
          yield* jobs.park("parked", 1, { dueAt: 500, heldSince: 40 })
          yield* jobs.finish("ended", 1, ended({ deliveries: [delivery("ended", 0)], children: [job("child")] }))
          yield* jobs.setSecrets("local", secretsOf("p", "s"))
          return yield* everything(jobs)
        })
      )
      const jobs = yield* open({ path, executor })
      const after = yield* everything(jobs)
      assert.deepStrictEqual(
        { ...after, stats: { ...after.stats, bytes: 0 } },
        { ...before, stats: { ...before.stats, bytes: 0 } }
      )
      assert.deepInclude(after.stats.jobs, { succeeded: 1, running: 1, parked: 1, queued: 1 })
      assert.strictEqual((yield* jobs.enqueue(job("again", { key: "key of child" })))._tag, "Duplicate")
    })
  )

  onEach("says so when the file can only be read", (path, executor) =>
    Effect.gen(function* () {
      yield* Effect.scoped(open({ path, executor }))
      chmodSync(path, 0o444)
      // an administrator may write whatever the mode says; SQLite can be told not to
      const readOnly = process.getuid?.() === 0 ? `file:${path}?mode=ro` : path
      assert.match(yield* refusal({ path: readOnly, executor }), /^StorageFailed: .*jobs\.db.*: it can only be read/)
    })
  )

  onEach("says so when the file is no database, or a damaged one", (path, executor) =>
    Effect.gen(function* () {
      writeFileSync(path, "this is a letter, not a database\n".repeat(100))
      assert.match(yield* refusal({ path, executor }), /jobs\.db: it is damaged or no SQLite database/)
      rmSync(path)
      yield* Effect.scoped(Effect.flatMap(open({ path, executor }), (jobs) => jobs.enqueue(job("one"))))
      const bytes = readFileSync(path)
      writeFileSync(path, bytes.fill(0x5a, 200))
      assert.match(yield* refusal({ path, executor }), /jobs\.db: it is damaged or no SQLite database/)
    })
  )

  onEach("leaves the file of another program or of a newer version alone", (path, executor) =>
    Effect.gen(function* () {
      const other = new DatabaseSync(path)
      other.exec("CREATE TABLE theirs (a)")
      other.close()
      assert.match(yield* refusal({ path, executor }), /jobs\.db: it is a database of another program/)
      rmSync(path)
      yield* Effect.scoped(open({ path, executor }))
      const newer = new DatabaseSync(path)
      newer.exec("PRAGMA user_version = 99")
      newer.close()
      assert.match(yield* refusal({ path, executor }), /jobs\.db: it was written by a newer version \(99/)
    })
  )

  onEach("says so when the folder does not exist", (path, executor) =>
    Effect.gen(function* () {
      assert.match(yield* refusal({ path: join(path, "none", "jobs.db"), executor }), /it cannot be opened; its folder/)
    })
  )

  onEach("owns its file: a second store is refused until the first is closed", (path, executor) =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* open({ path, executor })
          assert.match(yield* refusal({ path, executor }), /another dam is using it/)
        })
      )
      yield* open({ path, executor })
    })
  )

  onEach("fails writes when the disk is full, still reads, and goes on when there is room again", (path, executor) =>
    Effect.gen(function* () {
      const jobs = yield* open({ path, executor, maxBytes: 600_000 })
      const large = { step: Step.post("https://a.example/", { body: "x".repeat(60_000) }) }
      for (const id of ["one", "two"]) {
        yield* jobs.enqueue(job(id, large))
        yield* jobs.finishIdle(id, ended({ state: "cancelled" }))
      }
      const more = Array.from({ length: 20 }, (_, n) => jobs.enqueue(job(`more-${n}`, large)))
      const exits = yield* Effect.forEach(more, Effect.exit, { concurrency: 1 })
      const refused = exits.findIndex(Exit.isFailure)
      assert.isAbove(refused, 0)
      const full = yield* Effect.flip(jobs.enqueue(job("full", large)))
      assert.strictEqual(full._tag, "StorageFull")
      assert.isUndefined(yield* jobs.get("full"))
      assert.strictEqual((yield* jobs.get("one"))?.id, "one")
      assert.strictEqual((yield* jobs.stats).jobs.queued, exits.filter(Exit.isSuccess).length)
      assert.strictEqual(yield* jobs.sweep(99, 10), 2)
      assert.strictEqual((yield* jobs.enqueue(job("full", large)))._tag, "Stored")
    })
  )

  it.effect("shares one commit among those who wait for it", () =>
    Effect.gen(function* () {
      const path = yield* file
      const jobs = yield* open({ path })
      const before = commits(path)
      const many = Array.from({ length: 500 }, (_, n) => job(`j${n}`))
      yield* Effect.forEach(many, jobs.enqueue, { concurrency: "unbounded" })
      assert.isAtMost(commits(path) - before, 3)
    })
  )

  it.effect("keeps its log short, however much is written", () =>
    Effect.gen(function* () {
      const path = yield* file
      const jobs = yield* open({ path })
      const large = { step: Step.post("https://a.example/", { body: "x".repeat(20_000) }) }
      const many = Array.from({ length: 2500 }, (_, n) => job(`j${n}`, large))
      yield* Effect.forEach(many, jobs.enqueue, { concurrency: 100, discard: true })
      assert.isAtMost(statSync(`${path}-wal`).size, 20 * 1024 * 1024)
    })
  )

  it.effect("writes while it reads: a list that finds nothing among many holds nobody up", () =>
    Effect.gen(function* () {
      const jobs = yield* open({ path: yield* file })
      const many = Array.from({ length: 20_000 }, (_, n) => job(`j${n}`))
      yield* Effect.forEach(many, jobs.enqueue, { concurrency: "unbounded", discard: true })
      const list = jobs.list({ customer: "local", account: "nobody", limit: 10 })
      // the thread that reads has begun
      assert.deepStrictEqual((yield* list).jobs, [])
      const order: Array<string> = []
      const lists = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 50 }), () => list, { concurrency: "unbounded" }).pipe(
          Effect.andThen(Effect.sync(() => order.push("lists")))
        ),
        { startImmediately: true }
      )
      yield* jobs.enqueue(job("one more"))
      order.push("one more")
      yield* Fiber.join(lists)
      assert.deepStrictEqual(order, ["one more", "lists"])
      const seen = yield* jobs.list({ customer: "local", limit: 1 })
      assert.strictEqual(seen.jobs[0]?.id, "one more")
    })
  )

  onEach("answers after the commit, never before", (path, executor) =>
    Effect.gen(function* () {
      const jobs = yield* open({ path, executor })
      for (let n = 0; n < 20; n++) {
        const before = commits(path)
        yield* jobs.enqueue(job(`j${n}`))
        assert.strictEqual(commits(path), before + 1)
      }
    })
  )

  onEach("writes what was handed in before it closes, and fails what comes later", (path, executor) =>
    Effect.gen(function* () {
      const many = Array.from({ length: 2000 }, (_, n) => job(`j${n}`))
      const jobs = yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open({ path, executor })
          // nobody waits for the answers: the fibers live on when the store closes
          yield* Effect.forEach(many, (one) => Effect.forkDetach(store.enqueue(one), { startImmediately: true }))
          return store
        })
      )
      const late = yield* Effect.flip(jobs.enqueue(job("late")))
      assert.strictEqual(late._tag, "StorageFailed")
      assert.strictEqual((yield* (yield* open({ path, executor })).stats).jobs.queued, 2000)
    })
  )

  it.effect("takes back what is interrupted before it was handed to the thread", () =>
    Effect.gen(function* () {
      const jobs = yield* open({ path: yield* file })
      const fiber = yield* Effect.forkChild(jobs.enqueue(job("one")), { startImmediately: true })
      yield* Effect.sync(() => fiber.interruptUnsafe())
      yield* jobs.enqueue(job("two"))
      assert.isUndefined(yield* jobs.get("one"))
    })
  )
})

const everything = (jobs: JobStore["Service"]) =>
  Effect.all({
    list: jobs.list({ customer: "local", limit: 50 }),
    stats: jobs.stats,
    lanes: jobs.lanes,
    deliveries: jobs.deliveries("ended"),
    secrets: Effect.map(jobs.secrets("local"), revealed),
    page: jobs.page("a.example:443", "acc", 0, 10)
  })
