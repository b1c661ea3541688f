import * as Result from "effect/Result"
import { rmSync } from "node:fs"
import * as Engine from "../src/dam/SqliteEngine.ts"
import * as Rows from "../src/dam/SqliteRows.ts"
import * as Step from "../src/step/Step.ts"
import { DatabaseSync } from "node:sqlite"
const V7 = process.argv[4] === "7"
const P = "/tmp/st/e.db"
for (const s of ["", "-wal", "-shm"]) rmSync(P + s, { force: true })
const e = Result.getOrThrow(Engine.make({ path: P, busyTimeout: 1000, maxBytes: undefined }))
let n = 0
const job = () => { const id = V7 ? Date.now().toString(16).padStart(12, '0') + '-7' + crypto.randomUUID().slice(10) : crypto.randomUUID(); const d = id.replaceAll("-", "") + String(n++).padStart(32, "0"); return Rows.encodeJob({ id, customer: "local", dialect: "cloud", keyScope: "local", key: d, keyGiven: false, payload: d, step: Step.post("https://api.example.com/orders", { headers: { "content-type": "application/json" }, body: "x".repeat(370) }), lane: "api.example.com:443", account: "", isolated: false, createdAt: n, notBefore: undefined, parent: undefined, rerunOf: undefined, traceparent: undefined }) }
const total = Number(process.argv[2] ?? 100000), G = Number(process.argv[3] ?? 512)
let enc = 0, run = 0
for (let i = 0; i < total; i += G) {
  const t0 = performance.now(); const g = Array.from({ length: G }, () => ["enqueue", job()] as const); const t1 = performance.now()
  e.run(g); const t2 = performance.now(); enc += t1 - t0; run += t2 - t1
  if ((i / G | 0) % Math.ceil(total / G / 10) === 0) { console.log(i, "enc us", (enc / (G) * 1000 / Math.max(1,(total/G/10))).toFixed(1), "run us/job", (run * 1000 / G / Math.ceil(total/G/10)).toFixed(1)); enc = 0; run = 0 }
}
e.close()
const db = new DatabaseSync(P)
for (const q of ["SELECT min(lane) FROM jobs WHERE state = 'queued'", "SELECT min(lane) FROM jobs WHERE state = 'queued' AND lane > 'a'", "SELECT min(account) FROM jobs WHERE state = 'queued' AND lane = 'a' AND account > 'x'", "SELECT count(*) FROM jobs WHERE state='queued' AND lane='x' AND seq < 5",
 "SELECT lane FROM jobs INDEXED BY jobs_queued WHERE state = 'queued' ORDER BY lane LIMIT 1"]) console.log(q, db.prepare("explain query plan " + q).all().map((r) => r["detail"]))
