import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Dam from "../../../src/dam/Dam.ts"
import * as SealedJobs from "../../../src/dam/secrets/SealedJobs.ts"
import * as Vault from "../../../src/dam/secrets/Vault.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Firing from "../../../src/engine/schedule/Firing.ts"
import * as Step from "../../../src/step/Step.ts"
import { ended, job } from "../../conformance/jobStore/Fixtures.ts"

const masterKey = Redacted.make(Buffer.alloc(32, 1).toString("base64"))

const inFolder = (sentence: string, test: (folder: string, db: string) => Effect.Effect<void, unknown, Scope.Scope>) =>
  it.effect(sentence, () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "sealed-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      yield* test(folder, join(folder, "jobs.db"))
    })
  )

const open = (path: string, isSealed = true) =>
  Effect.gen(function* () {
    const store = yield* SqliteJobStore.make({ path, executor: "sameThread" })
    return SealedJobs.make(store, isSealed ? yield* Vault.sealer(masterKey) : undefined, ["x-tenant"])
  })

const bytesIn = (path: string) =>
  readdirSync(path)
    .map((name) => readFileSync(join(path, name), "latin1"))
    .join("")

const authorised = (name: string) =>
  Step.post(`https://a.example/${name}`, { headers: { Authorization: `canary ${name}`, "x-plain": "seen" } })

const step = authorised("self").pipe(
  Step.fallback(authorised("fallback")),
  Step.onSuccess(authorised("child").pipe(Step.onFailure(authorised("grandchild")))),
  Step.webhooks([{ url: "https://hooks.example/" }])
)

describe("jobs of a dam with a master key", () => {
  inFolder("keep none of a batch in it, of its lines or of what its end starts", (folder, db) =>
    Effect.gen(function* () {
      const store = yield* open(db)
      const { batch } = yield* store.openBatch({
        customer: "local",
        id: "b",
        together: true,
        webhook: undefined,
        metadata: {},
        onComplete: step,
        onAnyFailure: step,
        rerunOf: undefined,
        createdAt: 1
      })
      assert.deepStrictEqual([batch.onComplete, batch.onAnyFailure], [step, step])
      const line = job("line", { step, batch: { number: batch.number, id: "b", line: 1 } })
      yield* store.addLines({ batch, after: 0, through: 1, jobs: [line], notes: [], at: 1 })
      assert.notInclude(bytesIn(folder), "canary")
      yield* store.closeBatch(batch.number, 2)
      yield* store.showLines(batch.number, 3, 10)
      assert.deepStrictEqual((yield* store.get("line"))?.step, step)
      assert.deepStrictEqual((yield* store.batch("local", "b"))?.onComplete, step)
      assert.deepStrictEqual((yield* store.batches("local", undefined, 1)).batches[0]?.onAnyFailure, step)
      const next = yield* store.openBatch({ ...batch, id: "next", together: false })
      const again = { ...line, id: "again", batch: { number: next.batch.number, id: "next", line: 1 } }
      const met = yield* store.addLines({ batch: next.batch, after: 0, through: 1, jobs: [again], notes: [], at: 4 })
      assert.deepStrictEqual(met._tag === "Known" && met.known[0]?.job.step, step)
      assert.notInclude(bytesIn(folder), "canary")
    })
  )

  inFolder("keep none of a schedule in it either", (folder, db) =>
    Effect.gen(function* () {
      const store = yield* open(db)
      const schedule = {
        customer: "local",
        name: "nightly",
        generation: "one",
        timing: { cron: "@daily" },
        rules: { overlap: "skip", catchUp: "last", catchUpMost: 1 },
        step,
        progress: Firing.begin(1),
        lookAt: 2,
        createdAt: 1,
        changedAt: 1
      } as const
      yield* store.saveSchedule(schedule)
      assert.notInclude(bytesIn(folder), "canary")
      assert.deepStrictEqual((yield* store.schedule("local", "nightly"))?.step, step)
      assert.deepStrictEqual((yield* store.schedules())[0]?.step, step)
    })
  )

  inFolder("tell all the same which calls are identical", (_, db) =>
    Effect.gen(function* () {
      const store = yield* open(db)
      const same = (id: string, whose = "canary") => job(id, { step: Step.coalesce(authorised(whose)) })
      yield* Effect.forEach([same("one"), same("two"), same("three", "other")], store.enqueue)
      assert.deepStrictEqual(yield* store.following("one", 10), ["two"])
      const two = (yield* store.get("two"))!
      yield* store.change({ job: two, isRetimed: false, now: 1 })
      assert.deepStrictEqual(yield* store.following("one", 10), ["two"])
    })
  )

  inFolder("keep none of a change in it either", (folder, db) =>
    Effect.gen(function* () {
      const store = yield* open(db)
      yield* store.enqueue(job("one"))
      const before = (yield* store.get("one"))!
      yield* store.change({ job: { ...before, step: authorised("changed") }, isRetimed: false, now: 1 })
      assert.notInclude(bytesIn(folder), "canary")
      assert.deepStrictEqual((yield* store.get("one"))?.step, authorised("changed"))
    })
  )

  inFolder("keep no credential in the file, and have them all when they are read", (folder, db) =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const jobs = yield* open(db)
          yield* jobs.enqueue(job("one", { step, key: "k" }))
          // kept in memory until its start
          assert.deepStrictEqual((yield* jobs.start("one", 1))?.step, step)
          assert.deepStrictEqual((yield* jobs.get("one"))?.step, step)
          yield* jobs.finish("one", 1, ended({ children: [job("child", { step: authorised("born") })] }))
          yield* jobs.enqueue(job("two", { step }))
          yield* jobs.finishIdle(
            "two",
            ended({ state: "cancelled", children: [job("kin", { step: authorised("kin") })] })
          )
        })
      )
      assert.notInclude(bytesIn(folder), "canary")
      assert.include(bytesIn(folder), "seen")
      const jobs = yield* open(db)
      const listed = (yield* jobs.list({ customer: "local", limit: 10 })).jobs
      assert.deepStrictEqual(
        listed.map((one) => [one.id, one.step]),
        [
          ["kin", authorised("kin")],
          ["two", step],
          ["child", authorised("born")],
          ["one", step]
        ]
      )
      assert.deepStrictEqual((yield* jobs.start("child", 2))?.step, authorised("born"))
      const asker = (token: string) =>
        Step.post("https://a.example/ask", { headers: { Authorization: token, "X-Tenant": "canary" } })
      yield* jobs.enqueue(job("asker", { step: asker("canary 1"), key: "asked" }))
      const other = yield* jobs.enqueue(job("other", { step: asker("canary 2"), key: "asked" }))
      assert.deepStrictEqual(other, { _tag: "CredentialsDiffer", jobId: "asker" })
      assert.notInclude(bytesIn(folder), "canary")
      const again = yield* jobs.enqueue(job("again", { step, key: "k" }))
      assert.deepStrictEqual(again._tag === "Duplicate" ? again.job.step : undefined, step)
    })
  )

  inFolder("read what was written without one", (_, db) =>
    Effect.gen(function* () {
      yield* Effect.scoped(Effect.flatMap(open(db, false), (jobs) => jobs.enqueue(job("one", { step }))))
      assert.deepStrictEqual((yield* (yield* open(db)).get("one"))?.step, step)
    })
  )

  inFolder("say so when a sealed value was put into another's place", (_, db) =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.flatMap(open(db), (jobs) =>
          Effect.all([jobs.enqueue(job("one", { step })), jobs.enqueue(job("two", { step }))])
        )
      )
      const file = new DatabaseSync(db)
      file.exec("UPDATE payloads SET step = (SELECT step FROM payloads WHERE seq = 1) WHERE seq = 2")
      file.close()
      const jobs = yield* open(db)
      assert.strictEqual((yield* jobs.get("one"))?.id, "one")
      assert.match((yield* Effect.flip(jobs.get("two"))).message, /a sealed header of job two was changed/)
    })
  )

  inFolder("are sealed by a dam that has one, beside its secrets", (folder, db) =>
    Effect.gen(function* () {
      const { store } = yield* Dam.make({ path: db, executor: "sameThread", masterKey })
      yield* store.enqueue(job("one", { step, lane: "a.example:443" }))
      yield* store.setSecrets("local", { primary: Redacted.make("canary of sixteen"), secondary: undefined })
      assert.notInclude(bytesIn(folder), "canary")
      assert.deepStrictEqual((yield* store.get("one"))?.step, step)
    })
  )
})
