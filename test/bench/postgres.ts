/**
 * What a job costs over Postgres beside SQLite, in one run and in turns: taken in, and its whole life of being taken in,
 * begun, ended with a webhook, and told. Processor time is of this process, its thread that writes included, and of all
 * processes of the server; wall time says how fast both are on this disk.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import * as PostgresJobStore from "../../src/dam/postgres/PostgresJobStore.ts"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import type { JobStore } from "../../src/dam/store/JobStore.ts"
import type { StoreError } from "../../src/dam/store/StoreError.ts"
import { delivery } from "../conformance/jobStore/Fixtures.ts"
import { begin } from "../support/Postgres.ts"
import { answered, ended, job } from "./store/Jobs.ts"

type Store = JobStore["Service"]

const quick = process.env["BENCH_QUICK"] === "1"
const jobs = quick ? 200 : Number(process.env["JOBS"] ?? 20_000)
const rounds = quick ? 1 : 3

const server = await begin(true)
if ("missing" in server) {
  console.log(`not tried: ${server.missing}`)
  process.exit(0)
}

/** Processor seconds of the server: its first process and all that this one has begun, those that ended included. */
const ofServer = (): number => {
  const first = server.pid()
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .reduce((sum, pid) => {
      const [, , , , , , , , , , , , , ...times] = statOf(pid)
      const isIts = Number(pid) === first || Number(statOf(pid)[3]) === first
      const counted = Number(pid) === first ? times.slice(0, 4) : times.slice(0, 2)
      return isIts ? sum + counted.reduce((total, ticks) => total + Number(ticks), 0) / 100 : sum
    }, 0)
}

const statOf = (pid: string): ReadonlyArray<string> => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8")
    return [pid, "", ...text.slice(text.lastIndexOf(")") + 2).split(" ")]
  } catch {
    return []
  }
}

const measured = (name: string, run: Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const before = { wall: performance.now(), own: process.cpuUsage(), server: ofServer() }
    yield* run
    const own = process.cpuUsage(before.own)
    const wall = (performance.now() - before.wall) / 1000
    const micros = (seconds: number) => `${((seconds * 1_000_000) / jobs).toFixed(1)} µs`
    console.log(
      `${name}: ${Math.round(jobs / wall).toLocaleString("en")} jobs/s, processor of this process ` +
        `${micros((own.user + own.system) / 1_000_000)}, of Postgres ${micros(ofServer() - before.server)}`
    )
  })

const many = (one: () => Effect.Effect<unknown, unknown>) =>
  Effect.forEach(Array.from({ length: jobs }).keys(), one, { concurrency: 512, discard: true })

const rule = { failures: 20, failingMillis: 1, probeMillis: 1 }

const life = (store: Store) =>
  Effect.gen(function* () {
    const one = job()
    yield* store.enqueue(one)
    const epoch = (yield* store.start(one.id, 1))?.epoch ?? 0
    yield* store.finish(one.id, epoch, { ...ended(answered), deliveries: [delivery(one.id, 0)] })
    const attempt = { at: 1, latency: 1, status: 200, error: undefined, excerpt: undefined }
    yield* store.settleDelivery(`${one.id}-0`, attempt, { _tag: "Delivered" }, rule)
  })

const round = (name: string, make: Effect.Effect<Store, StoreError, Scope.Scope>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* make
      yield* measured(
        `${name}, taken in`,
        many(() => Effect.suspend(() => store.enqueue(job())))
      )
      yield* measured(
        `${name}, a whole life`,
        many(() => Effect.suspend(() => life(store)))
      )
    })
  )

const folder = mkdtempSync(join(tmpdir(), "postgres-bench-"))
for (let turn = 0; turn < rounds; turn++) {
  await Effect.runPromise(round("SQLite", SqliteJobStore.make({ path: join(folder, `${turn}.db`) })))
  await Effect.runPromise(round("Postgres", PostgresJobStore.make({ url: Redacted.make(server.url()) })))
}
rmSync(folder, { recursive: true })
await server.stop()
