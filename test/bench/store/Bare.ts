import { randomUUID } from "node:crypto"
import { performance } from "node:perf_hooks"
import { DatabaseSync } from "node:sqlite"

/** Inserts rows of a job's size in groups of 512, as durably as the store, and answers the microseconds of one. */
export const bare = (path: string, total: number): number => {
  const db = new DatabaseSync(path)
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
  db.exec("PRAGMA wal_autocheckpoint = 16000; PRAGMA cache_size = -65536")
  db.exec("CREATE TABLE jobs (seq INTEGER PRIMARY KEY, lane TEXT, state TEXT, key TEXT UNIQUE, step TEXT)")
  db.exec("CREATE INDEX jobs_by_lane ON jobs (lane, state, seq)")
  const insert = db.prepare("INSERT INTO jobs (lane, state, key, step) VALUES (?, ?, ?, ?)")
  const step = "x".repeat(500)
  const started = performance.now()
  for (let group = 0; group < total / 512; group++) {
    db.exec("BEGIN IMMEDIATE")
    for (let row = 0; row < 512; row++) insert.run("api.example.com:443", "queued", randomUUID(), step)
    db.exec("COMMIT")
  }
  const elapsed = performance.now() - started
  db.close()
  return (elapsed * 1000) / total
}
