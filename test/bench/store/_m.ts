import * as Effect from "effect/Effect"
import { rmSync } from "node:fs"
import * as S from "../../../src/dam/SqliteJobStore.ts"
import { job } from "./Jobs.ts"
const C = Number(process.argv[2] ?? 512), N = Number(process.argv[3] ?? 100_000)
for (const s of ["", "-wal"]) rmSync("/tmp/st/m.db" + s, { force: true })
const m = (w: string) => { const u = process.memoryUsage(); console.log(w, Object.entries(u).map(([k, v]) => k + " " + Math.round(v / 1048576)).join(", ")) }
m("start")
await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
  const s = yield* S.make({ path: "/tmp/st/m.db" })
  m("open")
  for (let i = 0; i < 4; i++) {
    const c = process.cpuUsage(), t = performance.now()
    yield* Effect.forEach(Array.from({ length: N / 4 }).keys(), () => Effect.suspend(() => s.enqueue(job())), { concurrency: C, discard: true })
    const u = process.cpuUsage(c)
    console.log("us", ((performance.now() - t) * 4000 / N).toFixed(1), "user", (u.user * 4 / N).toFixed(1)); m("filled")
  }
})))
m("closed")
