import { assert, describe, it } from "@effect/vitest"
import { DatabaseSync } from "node:sqlite"
import { failureCommands } from "../../../src/dam/sqlite/FailureCommands.ts"
import { migrations } from "../../../src/dam/sqlite/Tables.ts"

const columns = `INSERT INTO jobs (seq, id, customer, dialect, key_scope, key, key_given, payload, lane, account,
  isolated, created_at, quorum, state, finished_at, failed_status, failed_reason)`

/** So many failed jobs of 300 hosts, one each millisecond. */
const failed = (total: number) => {
  const db = new DatabaseSync(":memory:")
  for (const migration of migrations) db.exec(migration)
  db.exec(`
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${total})
    ${columns} SELECT n, 'job_' || n, 'acme', 'cloud', 'acme', 'k', 1, 'p', 'host' || (n % 300) || '.example:443', 'acc',
      0, n, 1, 'failed', n, iif(n % 3 = 0, NULL, 500 + n % 3), iif(n % 3 = 0, 'AttemptTimedOut', 'Rejected') FROM n`)
  return db
}

const all = { from: 0, to: Number.MAX_SAFE_INTEGER, host: undefined, sort: "newest", limit: 3 } as const

/** Its index tells all of a group: 100,000 are counted without a look at a job. */
describe("failures of a database", () => {
  it("are all counted up to a hundred thousand, and beyond it says from when on they are", () => {
    const db = failed(100_002)
    const { failures } = failureCommands(db)
    for (const customer of ["acme", undefined]) {
      const { groups, ...rest } = failures({ customer, ...all })
      assert.deepStrictEqual(rest, { groupCount: 300, lookedAt: 100_000, isExact: false, since: 2 })
      assert.deepStrictEqual(
        groups.map(({ id, last_at }) => [id, last_at]),
        [2, 1, 0].map((n) => [`job_${100_000 + n}`, 100_000 + n])
      )
      const whole = failures({ customer, ...all, from: 3 })
      assert.deepStrictEqual([whole.lookedAt, whole.isExact, whole.since], [100_000, true, 3])
      const host = failures({ customer, ...all, from: 3, host: "host7.example" })
      assert.deepStrictEqual(
        host.groups.map(({ jobs, lane }) => [lane, jobs]),
        [["host7.example:443", 334]]
      )
    }
    db.close()
  })

  it("are grouped out of an index, and no job is read for it", () => {
    const db = failed(1)
    const texts: Array<string> = []
    const prepare = db.prepare.bind(db)
    db.prepare = (sql) => {
      texts.push(sql)
      return prepare(sql)
    }
    failureCommands(db)
    const grouping = texts.filter((sql) => sql.includes("min(finished_at)"))
    assert.lengthOf(grouping, 6)
    for (const sql of grouping) {
      const plan = prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail))
      assert.isTrue(
        plan.some((detail) => detail.includes("USING COVERING INDEX jobs_failed")),
        plan.join("\n")
      )
    }
    db.close()
  })
})
