import { DatabaseSync } from "node:sqlite"
import { hash, randomBytes } from "node:crypto"
import { rmSync } from "node:fs"
const run = (name: string, pragma: string, key: () => string | Uint8Array, N = 400) => {
  const P = "/tmp/st/r.db"; for (const s of ["", "-wal", "-shm"]) rmSync(P + s, { force: true })
  const db = new DatabaseSync(P); db.exec("pragma locking_mode=exclusive; pragma journal_mode=wal; pragma synchronous=full; create table j(id integer primary key, host text, state text, key , body text); create index a on j(host, state); create unique index b on j(key);" + pragma)
  const ins = db.prepare("insert into j(host,state,key,body) values(?,?,?,?)"); const b = "x".repeat(400)
  const t = performance.now(), c = process.cpuUsage(); let commit = 0
  for (let i = 0; i < N; i++) { db.exec("begin immediate"); for (let k = 0; k < 512; k++) ins.run("api.example.com", "queued", key(), b); const q = performance.now(); db.exec("commit"); commit += performance.now() - q }
  const u = process.cpuUsage(c); const J = N * 512
  console.log(name.padEnd(40), "wall", ((performance.now() - t) * 1000 / J).toFixed(1), "user", (u.user / J).toFixed(1), "sys", (u.system / J).toFixed(1), "commit", (commit * 1000 / J).toFixed(1))
  db.close()
}
let n = 0
const seq = () => "k" + String(n++).padStart(9, "0")
for (let i = 0; i < 2; i++) {
run("seq", "", seq)
run("uuid default", "", () => crypto.randomUUID())
run("uuid ckpt 4000", "pragma wal_autocheckpoint=4000", () => crypto.randomUUID())
run("uuid ckpt 16000", "pragma wal_autocheckpoint=16000", () => crypto.randomUUID())
run("16B ckpt 16000", "pragma wal_autocheckpoint=16000", () => randomBytes(16))
run("16B ckpt 64000", "pragma wal_autocheckpoint=64000", () => randomBytes(16))
run("6B ckpt 16000", "pragma wal_autocheckpoint=16000", () => randomBytes(6))
run("16B ckpt 16000 cache64", "pragma cache_size=-65536; pragma wal_autocheckpoint=16000", () => randomBytes(16))
}
