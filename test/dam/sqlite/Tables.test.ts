import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { defaults } from "../../../src/dam/deliver/Schedule.ts"
import * as SqliteJobStore from "../../../src/dam/sqlite/SqliteJobStore.ts"
import * as Step from "../../../src/step/Step.ts"
import { applicationId, migrations } from "../../../src/dam/sqlite/Tables.ts"
import { revealed } from "../../conformance/jobStore/Fixtures.ts"

const step = JSON.stringify(Step.webhooks(Step.get("https://a.example/"), [{ url: "https://hooks.example/a" }]))
const result = '{"response":{"status":200,"headers":{},"size":2},"responses":[],"region":null,"path":0,"error":null}'

/** What every version has written: a job in each state, its attempt, its result, its deliveries, a secret, a pace. */
const written = `
  INSERT INTO jobs (seq, id, customer, dialect, key_scope, key, key_digest, key_given, payload, lane, account, isolated,
    created_at, quorum, state, delivery_state, epoch, due_at, finished_at, settled_at) VALUES
    (1, 'queued', 'acme', 'cloud', 'acme', 'k1', x'01', 1, 'p', 'a.example:443', 'acc', 0, 1, 1, 'queued', 'none', 0, NULL, NULL, NULL),
    (2, 'running', 'acme', 'cloud', 'acme', 'k2', x'02', 1, 'p', 'a.example:443', 'acc', 0, 2, 1, 'running', 'none', 1, NULL, NULL, NULL),
    (3, 'parked', 'acme', 'cloud', 'acme', 'k3', x'03', 1, 'p', 'a.example:443', 'acc', 0, 3, 1, 'parked', 'none', 1, 50, NULL, NULL),
    (4, 'told', 'acme', 'cloud', 'acme', 'k4', x'04', 1, 'p', 'a.example:443', 'acc', 0, 4, 1, 'succeeded', 'pending', 1, NULL, 9, NULL),
    (5, 'untold', 'acme', 'cloud', 'acme', 'k5', x'05', 1, 'p', 'a.example:443', 'acc', 0, 5, 1, 'succeeded', 'undelivered', 1, NULL, 9, 10);
  INSERT INTO payloads (seq, step) SELECT seq, '${step}' FROM jobs;
  INSERT INTO results (seq, result, bodies) VALUES (4, '${result}', x'6f6b'), (5, '${result}', x'6f6b');
  INSERT INTO deliveries (n, id, seq, job_id, customer, place, url, regions, votes, lane, state, attempts, due_at) VALUES
    (1, 'told:0', 4, 'told', 'acme', 0, 'https://hooks.example/a', '[]', 1, 'hooks.example:443', 'pending', '[]', 20),
    (2, 'untold:0', 5, 'untold', 'acme', 0, 'https://hooks.example/a', '[]', 1, 'hooks.example:443', 'dead',
      '[{"at":9,"latency":1,"status":500,"error":null,"excerpt":null}]', 10);
  INSERT INTO delivery_bodies (n, body) VALUES (1, x'7b7d'), (2, x'7b7d');
  INSERT INTO secrets VALUES ('acme', 'a secret of sixteen', NULL);
  INSERT INTO paces (lane, account, rps, seen_at) VALUES ('a.example:443', '', 7, 5);
`

describe("a file of an earlier version", () => {
  for (const version of migrations.keys()) {
    it.effect(`is brought up to date with everything in it (${version + 1} of ${migrations.length})`, () =>
      Effect.gen(function* () {
        const folder = mkdtempSync(join(tmpdir(), "tables-"))
        yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
        const path = join(folder, "jobs.db")
        const db = new DatabaseSync(path)
        for (const migration of migrations.slice(0, version + 1)) db.exec(migration)
        db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version + 1}`)
        db.exec(written)
        // from the fourth on a dead letter says why
        if (version >= 3) db.exec("UPDATE deliveries SET reason = 'receiver_gone', dead_at = 11 WHERE state = 'dead'")
        db.close()

        const store = yield* SqliteJobStore.make({ path, executor: "sameThread" })
        assert.deepStrictEqual((yield* store.stats).jobs, {
          scheduled: 0,
          queued: 1,
          parked: 1,
          running: 1,
          succeeded: 2,
          failed: 0,
          cancelled: 0
        })
        assert.strictEqual(yield* store.recover, 1)
        yield* store.release(60)
        for (const id of ["queued", "running", "parked"]) {
          assert.deepInclude(yield* store.start(id, 70), {
            id,
            state: "running",
            key: `k${id === "queued" ? 1 : id === "running" ? 2 : 3}`
          })
        }
        assert.strictEqual((yield* store.get("told"))?.result?.response?.status, 200)
        const { deliveries } = yield* store.dueDeliveries(20, 10, new Set())
        assert.deepStrictEqual(
          deliveries.map(({ begunAt, id, spent }) => [id, begunAt, spent]),
          [["told:0", 20, 0]]
        )
        yield* store.settleDelivery(
          "told:0",
          { at: 21, latency: 1, status: 204, error: undefined, excerpt: undefined },
          { _tag: "Delivered" },
          defaults.endpoints
        )
        assert.strictEqual((yield* store.get("told"))?.deliveryState, "delivered")
        const { deadLetters } = yield* store.deadLetters({ customer: "acme", limit: 10 })
        assert.deepStrictEqual(
          deadLetters.map(({ dead, id }) => [id, dead]),
          [["untold:0", version < 3 ? { reason: "attempts_exhausted", at: 10 } : { reason: "receiver_gone", at: 11 }]]
        )
        assert.strictEqual((yield* store.replay({ customer: "acme", limit: 10 }, 80, 0)).replayed, 1)
        assert.strictEqual(revealed(yield* store.secrets("acme"))?.primary, "a secret of sixteen")
        assert.deepInclude((yield* store.paces)[0], { lane: "a.example:443", rps: 7 })
        assert.deepStrictEqual(yield* store.steering, [])
        assert.isUndefined(yield* store.setting("webhook_key"))
        assert.deepStrictEqual(yield* store.l8Trusts(10), [])
        assert.strictEqual(yield* store.sweep(1000, 100), 1)
      })
    )
  }

  it.effect("has what failed in it grouped by its reason, also where a result makes no sense", () =>
    Effect.gen(function* () {
      const folder = mkdtempSync(join(tmpdir(), "tables-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const path = join(folder, "jobs.db")
      const db = new DatabaseSync(path)
      const version = migrations.findIndex((migration) => migration.includes("failed_reason"))
      for (const migration of migrations.slice(0, version)) db.exec(migration)
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}`)
      db.exec(`${written}
        UPDATE jobs SET state = 'failed', finished_at = seq;
        DELETE FROM results;
        INSERT INTO results (seq, result, bodies) VALUES
          (1, '{"response":{"status":503},"error":{"tag":"Rejected","message":"answered 503"}}', x''),
          (2, '{"error":{"tag":"DeadlineExceeded","message":"too late"}}', x''),
          (3, 'no JSON', x'');`)
      db.close()
      const store = yield* SqliteJobStore.make({ path, executor: "sameThread" })
      const { groups } = yield* store.failures({ sort: "largest", limit: 10 })
      assert.deepStrictEqual(
        groups.map(({ jobs, newest, status, tag }) => [jobs, status, tag, newest.id, newest.message]),
        [
          [3, undefined, undefined, "untold", undefined],
          [1, undefined, "DeadlineExceeded", "running", "too late"],
          [1, 503, "Rejected", "queued", "answered 503"]
        ]
      )
    })
  )
})
