import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Search from "../../../src/dam/job/Search.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as TextIndex from "../../../src/dam/sqlite/TextIndex.ts"
import type { JobStore } from "../../../src/dam/store/JobStore.ts"
import * as Step from "../../../src/step/Step.ts"
import { ended, job } from "../../conformance/jobStore/Fixtures.ts"

type Store = JobStore["Service"]

const customer = job("any").customer

/** Uses a store on a file, then closes it. */
const onFile = <A, E>(path: string, textSearch: boolean, use: (store: Store) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(SqliteJobStore.make({ path, executor: "sameThread", textSearch }), use))

const file = Effect.gen(function* () {
  const folder = mkdtempSync(join(tmpdir(), "texts-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
  return join(folder, "jobs.db")
})

const call = (store: Store, id: string, url = `https://a.example/orders/${id}`) =>
  store.enqueue(job(id, { step: Step.get(url) }))

const fail = (store: Store, id: string, message: string) =>
  Effect.andThen(
    store.start(id, 1),
    store.finish(
      id,
      1,
      ended({
        state: "failed",
        result: { response: undefined, responses: [], region: undefined, path: 0, error: { tag: "TimedOut", message } }
      })
    )
  )

const found = (store: Store, q: string) =>
  Effect.map(store.list({ customer, limit: 50, search: Search.parse(q) }), ({ cursor, jobs }) => [
    ...jobs.map(({ id }) => id),
    ...(cursor === undefined ? [] : ["and more"])
  ])

/** How many rows a statement finds in the file. */
const rowsOf = (path: string, sql: string) => {
  const db = new DatabaseSync(path)
  const rows = db.prepare(sql).all()
  db.close()
  return rows
}

describe("an index of texts", () => {
  it.effect("leads to the jobs, where a search would have to look at too many", () =>
    Effect.gen(function* () {
      const path = yield* file
      const large = Step.post("https://a.example/", { body: "x".repeat(12 * 1024 * 1024) })
      const searched = (textSearch: boolean) =>
        onFile(path, textSearch, (store) =>
          Effect.gen(function* () {
            while ((yield* store.fillTexts(2)) > 0);
            const answers = [yield* found(store, "needle"), yield* found(store, "answered needle")]
            const count = yield* store.count({ customer, search: Search.parse("needle") })
            return [...answers, count]
          })
        )
      yield* onFile(path, false, (store) =>
        Effect.gen(function* () {
          yield* call(store, "wanted", "https://a.example/needle")
          yield* call(store, "other", "https://a.example/other")
          for (const id of ["wanted", "other"]) yield* fail(store, id, "nobody answered")
          for (let n = 0; n < 3; n++) yield* store.enqueue(job(`large${n}`, { step: large }))
        })
      )
      const tired = [["and more"], ["and more"], { jobs: 0, isExact: false }]
      assert.deepStrictEqual(yield* searched(false), tired)
      assert.deepStrictEqual(yield* searched(true), [["wanted"], ["wanted"], { jobs: 1, isExact: true }])
      assert.deepStrictEqual(yield* searched(false), tired)
    })
  )

  it.effect("goes on where it stopped at the next start, with the errors that came behind its back", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* onFile(path, true, (store) =>
        Effect.gen(function* () {
          for (const id of ["a", "b", "c"]) yield* call(store, id)
          assert.strictEqual(yield* store.fillTexts(2), 2)
          yield* fail(store, "a", "nobody answered")
          // it is not in the index yet, which will find its error with the rest
          yield* fail(store, "c", "nobody answered")
          assert.deepStrictEqual(yield* found(store, "answered"), ["c", "a"])
        })
      )
      assert.deepStrictEqual(rowsOf(path, "SELECT value FROM settings WHERE name = 'texts'"), [{ value: "2" }])
      assert.deepStrictEqual(rowsOf(path, "SELECT seq FROM texts_due"), [{ seq: 1 }])
      yield* onFile(path, true, (store) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* found(store, "answered"), ["c", "a"])
          assert.strictEqual(yield* store.fillTexts(100), 2)
          assert.strictEqual(yield* store.fillTexts(100), 0)
          assert.deepStrictEqual(yield* found(store, "answered"), ["c", "a"])
        })
      )
      assert.deepStrictEqual(rowsOf(path, "SELECT seq FROM texts_due"), [])
      assert.deepStrictEqual(rowsOf(path, `SELECT rowid AS seq FROM texts WHERE texts MATCH '"ans"'`), [
        { seq: 1 },
        { seq: 3 }
      ])
    })
  )

  it.effect("lets go of what is deleted, and of all its room when it is turned off", () =>
    Effect.gen(function* () {
      const path = yield* file
      yield* onFile(path, true, (store) =>
        Effect.gen(function* () {
          for (const id of ["a", "b"]) yield* call(store, id)
          yield* fail(store, "a", "nobody answered")
          yield* store.fillTexts(100)
          yield* store.sweep(1000, 10)
          assert.deepStrictEqual(yield* found(store, "orders"), ["b"])
        })
      )
      assert.deepStrictEqual(rowsOf(path, `SELECT rowid AS seq FROM texts WHERE texts MATCH '"ord"'`), [{ seq: 2 }])
      yield* onFile(path, false, (store) =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* found(store, "orders"), ["b"])
          assert.strictEqual(yield* store.fillTexts(100), 0)
          yield* fail(store, "b", "nobody answered")
        })
      )
      assert.deepStrictEqual(rowsOf(path, "SELECT name FROM sqlite_schema WHERE name LIKE 'texts%'"), [
        { name: "texts_due" }
      ])
      assert.deepStrictEqual(rowsOf(path, "SELECT * FROM settings WHERE name = 'texts'"), [])
      assert.deepStrictEqual(rowsOf(path, "SELECT * FROM texts_due"), [])
      // and begins anew when it is turned on again
      const again = yield* onFile(path, true, (store) => Effect.andThen(store.fillTexts(100), found(store, "answered")))
      assert.deepStrictEqual(again, ["b"])
    })
  )

  it.effect("holds the URL and the error, and no part of a header, a body, metadata or an answer", () =>
    Effect.gen(function* () {
      const path = yield* file
      const step = Step.post("https://a.example/orders", { body: "bodytext" }).pipe(
        Step.header("x-note", "headertext"),
        Step.header("authorization", "credentialtext"),
        Step.metadata({ note: "metadatatext" }),
        Step.webhooks([{ url: "https://hooks.example/webhooktext" }])
      )
      yield* onFile(path, true, (store) =>
        Effect.gen(function* () {
          yield* store.enqueue(job("j", { step }))
          yield* fail(store, "j", "gone")
          yield* store.fillTexts(100)
        })
      )
      const db = new DatabaseSync(path)
      db.exec("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, texts, row)")
      const held = db
        .prepare("SELECT term FROM temp.vocabulary ORDER BY term")
        .all()
        .map(({ term }) => String(term))
      db.close()
      const text = "https://a.example/orders\ngone"
      const groups = new Set(Array.from({ length: text.length - 2 }, (_, at) => text.slice(at, at + 3)))
      assert.deepStrictEqual(held, [...groups].toSorted())
    })
  )

  for (const textSearch of [false, true]) {
    it.effect(`is not stopped by a job that is damaged, and neither is a search (${textSearch ? "on" : "off"})`, () =>
      Effect.gen(function* () {
        const path = yield* file
        yield* onFile(path, textSearch, (store) =>
          Effect.gen(function* () {
            for (const id of ["a", "b", "c"]) yield* call(store, id)
            for (const id of ["a", "b"]) yield* fail(store, id, "nobody answered")
          })
        )
        rowsOf(path, "UPDATE payloads SET step = '{' WHERE seq = 2")
        rowsOf(path, "UPDATE results SET result = '{' WHERE seq = 1")
        yield* onFile(path, textSearch, (store) =>
          Effect.gen(function* () {
            assert.deepStrictEqual(yield* found(store, "orders"), ["c", "a"])
            yield* store.fillTexts(100)
            assert.deepStrictEqual(yield* found(store, "orders"), ["c", "a"])
            assert.deepStrictEqual(yield* found(store, "answered"), ["b"])
            assert.deepStrictEqual(yield* found(store, "null"), [])
          })
        )
      })
    )
  }

  it("says so where SQLite has no FTS5, and only where it is wanted", () => {
    const without: Pick<DatabaseSync, "prepare" | "exec"> = {
      prepare: () => Object.assign(Object.create(null), { get: () => undefined }),
      exec: () => undefined
    }
    assert.match(String(TextIndex.settle(without, true)), /FTS5.*turn it off/)
    assert.isUndefined(TextIndex.settle(without, false))
  })
})
