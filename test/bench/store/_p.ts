import * as Effect from "effect/Effect"
import { rmSync } from "node:fs"
import * as S from "../../../src/dam/SqliteJobStore.ts"
import { job } from "./Jobs.ts"
const C = Number(process.argv[2] ?? 512), N = 50_000
for (const s of ["", "-wal"]) rmSync("/tmp/st/p.db" + s, { force: true })
await Effect.runPromise(Effect.scoped(Effect.gen(function* () {
  const s = yield* S.make({ path: "/tmp/st/p.db" })
  const jobs = Array.from({ length: N }, job)
  const c = process.cpuUsage(), t = performance.now(), e = performance.eventLoopUtilization()
  yield* Effect.forEach(jobs, s.enqueue, { concurrency: C, discard: true })
  const u = process.cpuUsage(c)
  console.log("C", C, "wall us", ((performance.now() - t) * 1000 / N).toFixed(1), "user", (u.user / N).toFixed(1), "sys", (u.system / N).toFixed(1), "main ELU", performance.eventLoopUtilization(e).utilization.toFixed(2))
})))
