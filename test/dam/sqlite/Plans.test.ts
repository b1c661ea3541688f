import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import * as Search from "../../../src/dam/job/Search.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import type { DeadLetterFilter } from "../../../src/dam/store/DeliveryRecords.ts"
import type { JobFilter } from "../../../src/dam/store/JobRecords.ts"

/** Statements that may read all of something, and why that is right. Everything else goes to its rows by an index. */
const exceptions: ReadonlyArray<readonly [beginsWith: string, because: string]> = [
  ["SELECT count(*) FROM jobs WHERE state =", "once, when a file is opened"],
  ["SELECT 'queued' AS state, lane, count(*)", "once, when a file is opened"],
  ["SELECT state, lane, count(*) AS jobs FROM jobs", "once, when a file is opened"],
  ["SELECT count(*) FROM deliveries WHERE state =", "once, when a file is opened"],
  ["SELECT count(*) FROM endpoints", "once, when a file is opened, of those that fail"],
  ["SELECT count(*) FROM sqlite_schema", "once, when a file is opened, of a table of forty rows"],
  ["SELECT 1 FROM pragma_module_list WHERE", "once, when a file is opened, of what SQLite has"],
  ["SELECT seq FROM texts_due", "of what ended since the index was filled, and no further than the limit"],
  ["SELECT max(seq) FROM sqlite_sequence", "once, when a file is opened, of a table of one row"],
  ["UPDATE jobs SET state = 'queued' WHERE state = 'running'", "once, at a start, of the jobs that ran"],
  [
    "UPDATE jobs SET due_at = due_at + ? WHERE state = 'parked'",
    "when somebody sets the clock, of the jobs that pause"
  ],
  ["UPDATE deliveries INDEXED BY deliveries_pending SET due_at", "when somebody sets the clock, of those that wait"],
  ["SELECT * FROM secrets", "once, when a file is sealed"],
  ["SELECT * FROM paces", "once, at a start, of the lanes that were learnt"],
  ["SELECT * FROM steering", "once, at a start, of the lanes that an operator steers"],
  ["SELECT * FROM schedules ORDER BY", "once, at a start, and where an operator lists them, of all schedules"],
  [
    "SELECT * FROM orders WHERE customer = ? ORDER BY",
    "of the orders of one customer that are stopped, and no further than the limit"
  ],
  ["SELECT DISTINCT follower.leader_id", "at a start and once a minute, of the jobs that share an answer"],
  [
    "SELECT * FROM batches INDEXED BY batches_due",
    "of an index that holds only those for which something is to be done"
  ],
  ["SELECT * FROM limits", "once, at a start, of the limits that operators have defined"],
  ["SELECT * FROM limit_levels", "once, at a start, of what was left of limits"],
  [
    "SELECT count(*) AS jobs FROM jobs INDEXED BY jobs_drawing",
    "when a limit is deleted, of the jobs that draw on some and have not ended"
  ],
  ["SELECT count(*) AS count FROM l8_nonces", "of at most as many as L8 remembers"],
  ["SELECT count(*) AS endpoints FROM endpoints WHERE status = 'disabled'", "of an index that holds the disabled only"],
  ["SELECT * FROM l8_trust ORDER BY origin LIMIT", "of an index in its order, and no further than the limit"],
  ["WITH RECURSIVE found (lane)", "of an index in its order, and only to its first entry; then it leaps"],
  ["SELECT count(*) AS jobs FROM (SELECT 1 FROM jobs INDEXED BY jobs_queued", "of what its limit has let through"],
  [
    "SELECT n, due_at FROM deliveries WHERE state = 'pending'",
    "of an index in its order, and no further than the limit"
  ],
  [
    "SELECT lane, failed_status, failed_reason, count(*) AS jobs",
    "of as many failures as one answer looks at, out of an index that holds all there is to group by"
  ],
  ["SELECT count(*) AS jobs, min(finished_at) AS since", "of as many failures as one answer looks at, and one"],
  ["SELECT * FROM notices", "of what operators were told and is not over"],
  ["SELECT customer, url, status, reason, failures", "every ten seconds, of the endpoints that fail"],
  ["SELECT * FROM endpoints WHERE customer = ?", "of the endpoints of one customer that fail; sorted for people"]
]

const filters: ReadonlyArray<Partial<JobFilter>> = [
  {},
  { states: ["queued"] },
  { lane: "a.example:443" },
  { lane: "a.example:443#key", metadata: { order: "1" } },
  { lane: "a.example:443", account: "acc", states: ["failed", "queued"] },
  { account: "acc" },
  { createdFrom: 5, createdTo: 9 },
  { deliveryStates: ["pending"] },
  { deliveryStates: ["undelivered"] },
  { deliveryStates: ["undelivered", "delivered"], states: ["succeeded"] },
  { metadata: { order: "1" } },
  { metadata: { order: "1", other: "2" }, lane: "a.example:443", createdFrom: 5 },
  { parent: "p" },
  { parent: "p", rerunOf: "r", metadata: { order: "1" }, lane: "a.example:443" },
  { order: "o" },
  { order: "o", priority: "low", states: ["queued"] },
  { priority: "high" },
  { priority: "normal", lane: "a.example:443" },
  { batch: "b" },
  { batch: "b", states: ["failed"], metadata: { order: "1" }, lane: "a.example:443", oldestFirst: true },
  { rerunOf: "r", states: ["failed"], createdFrom: 5, deliveryStates: ["undelivered"] },
  { oldestFirst: true, rerunOf: "r", search: Search.parse("a.example text") },
  { oldestFirst: true },
  { oldestFirst: true, metadata: { order: "1" } },
  ...[
    "job_",
    "job_01j9",
    "a.example",
    "a.example:443/v1 text",
    "order=1 a.example",
    "free text",
    "job_01j9 a.example x=1"
  ].map((q) => ({ search: Search.parse(q) }))
]

const wanted: ReadonlyArray<Partial<DeadLetterFilter>> = [
  {},
  { deliveryId: "d" },
  { jobId: "j" },
  { host: "a.example", since: 4, until: 9 },
  { url: "https://a.example/", since: 4, endedSince: 2, reasons: ["attempts_exhausted"] }
]

/** Everything that is prepared while a store is opened and asked for whatever depends on a filter. */
const prepared = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const texts = new Set<string>()
      const { prepare } = DatabaseSync.prototype
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          DatabaseSync.prototype.prepare = function (this: DatabaseSync, sql: string) {
            texts.add(sql)
            return Reflect.apply(prepare, this, [sql])
          }
        }),
        () => Effect.sync(() => void (DatabaseSync.prototype.prepare = prepare))
      )
      const store = yield* SqliteJobStore.make({ path, executor: "sameThread", textSearch: true })
      for (const filter of filters) {
        yield* store.list({ customer: "local", limit: 10, ...filter })
        yield* store.count({ customer: "local", ...filter })
      }
      for (const customer of ["local", undefined]) yield* store.failures({ customer, sort: "largest", limit: 10 })
      for (const filter of wanted) {
        yield* store.deadLetters({ customer: "local", limit: 10, ...filter })
        yield* store.replay({ customer: "local", limit: 10, ...filter }, 1, 0)
        yield* store.purge({ customer: "local", ...filter }, 10)
      }
      return [...texts]
    })
  )

/** Where SQLite would read all of a table, an index or a state, or sort what it read. The lock is another database. */
const slow = (db: DatabaseSync, sql: string): ReadonlyArray<string> =>
  /^(?:PRAGMA|BEGIN|COMMIT|SAVEPOINT|RELEASE)|owner\b(?!')/.test(sql)
    ? []
    : db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail))
        // the rows of a recursive query, of a list that came as JSON, those that FTS5 finds, and one row that is no table's
        .filter((detail) =>
          /^SCAN (?!found$|json_each|texts VIRTUAL TABLE INDEX \d+:[M=]|CONSTANT ROW)|TEMP B-TREE|\(state=\?\)/.test(
            detail
          )
        )

/** A store's statements, and a way to look at them. */
const opened = Effect.gen(function* () {
  const folder = mkdtempSync(join(tmpdir(), "plans-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
  const path = join(folder, "jobs.db")
  const texts = yield* prepared(path)
  const db = new DatabaseSync(path, { readOnly: true })
  yield* Effect.addFinalizer(() => Effect.sync(() => db.close()))
  return { db, texts }
})

describe("statements of the SQLite store", () => {
  it.effect("go to their rows by an index, and sort nothing", () =>
    Effect.gen(function* () {
      const { db, texts } = yield* opened
      assert.isAbove(texts.length, 100)
      const excepted = (sql: string) => exceptions.filter(([beginsWith]) => sql.startsWith(beginsWith))
      const found = texts.flatMap((sql) => {
        const details = excepted(sql).length > 0 ? [] : slow(db, sql)
        return details.length === 0 ? [] : [`${sql.replaceAll(/\s+/g, " ")}\n  ${details.join("\n  ")}`]
      })
      assert.deepStrictEqual(found, [])
      for (const [beginsWith] of exceptions) {
        assert.isTrue(
          texts.some((sql) => sql.startsWith(beginsWith)),
          `nothing begins with ${beginsWith} any more`
        )
      }
    })
  )

  it.effect("walk through jobs between where a window begins and where it ends", () =>
    Effect.gen(function* () {
      const { db, texts } = yield* opened
      const walks = texts.filter((sql) => sql.startsWith("SELECT jobs.seq FROM"))
      assert.isAbove(walks.length, 10)
      for (const sql of walks) {
        const [walked] = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
        assert.match(String(walked?.["detail"]), /(?:rowid|seq)>\? AND (?:rowid|seq)<\?\)$/, sql)
      }
    })
  )
})
