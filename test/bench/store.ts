/**
 * What the SQLite store does on this machine: durable enqueues with group commit, whole job cycles, and what a page of
 * a lane, a start and a position cost, with the memory it takes, at growing backlogs. Each part runs in a process of
 * its own; next to it stands what bare `node:sqlite` does with rows of that size in the same minute.
 */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import type { JobStore } from "../../src/dam/store/JobStore.ts"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import { bare } from "./store/Bare.ts"
import { answered, attempt, ended, job, lane } from "./store/Jobs.ts"

type Store = JobStore["Service"]

const quick = process.env["BENCH_QUICK"] === "1"

/** Runs `total` of something, so many at a time, and answers the microseconds of one. */
const micros = (total: number, concurrency: number, one: (place: number) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const started = performance.now()
    yield* Effect.forEach(Array.from({ length: total }).keys(), one, { concurrency, discard: true })
    return ((performance.now() - started) * 1000) / total
  })

const perSecond = (micros: number) => `${Math.round(1_000_000 / micros).toLocaleString("en")} jobs/s`

const each = (micros: number) => `${micros.toFixed(micros < 100 ? 1 : 0)} µs`

const mebibytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`

const withStore = <E>(path: string, use: (store: Store) => Effect.Effect<void, E>) =>
  Effect.scoped(Effect.flatMap(SqliteJobStore.make({ path }), use))

const enqueues = (store: Store, jobs: number, concurrency = 2048) =>
  micros(jobs, concurrency, () => Effect.suspend(() => store.enqueue(job())))

const throughput = (path: string) => {
  const total = quick ? 512 : 102_400
  const raw = bare(`${path}.bare`, total)
  console.log(`bare node:sqlite, groups of 512, one random key: ${perSecond(raw)}`)
  return withStore(path, (store) =>
    Effect.gen(function* () {
      yield* enqueues(store, quick ? 100 : 20_000)
      console.log(`enqueue, one after the other: ${perSecond(yield* enqueues(store, total / 64, 1))}`)
      for (const concurrency of [64, 512, 2048]) {
        const one = yield* enqueues(store, total, concurrency)
        console.log(`enqueue, ${concurrency} at once: ${perSecond(one)}, ${(one / raw).toFixed(2)} x bare`)
      }
      for (const concurrency of [64, 512]) {
        const one = yield* micros(total / 4, concurrency, () => cycle(store))
        console.log(`enqueue, start, record, finish, ${concurrency} at once: ${perSecond(one)}`)
      }
    })
  )
}

const cycle = (store: Store) =>
  Effect.gen(function* () {
    const one = job()
    yield* store.enqueue(one)
    const epoch = (yield* store.start(one.id, 1))?.epoch ?? 0
    yield* store.record(one.id, epoch, attempt(answered))
    yield* store.finish(one.id, epoch, ended(answered))
  })

const fill = (path: string, jobs: number) =>
  withStore(path, (store) =>
    Effect.map(enqueues(store, jobs), (one) =>
      console.log(`backlog of ${jobs.toLocaleString("en")} jobs, filled at ${perSecond(one)}`)
    )
  )

const backlog = (path: string, jobs: number) => {
  const before = performance.now()
  return withStore(path, (store) =>
    Effect.gen(function* () {
      console.log(`  opened in ${Math.round(performance.now() - before)} ms`)
      const pages = quick ? 10 : 500
      const page = (after: number) => micros(pages, 1, () => store.page(lane, "", after, 64))
      console.log(`  page of 64 at its front: ${each(yield* page(0))}, in its middle: ${each(yield* page(jobs / 2))}`)
      const lanes = yield* micros(pages, 1, () => store.lanes)
      console.log(`  lanes: ${each(lanes)}, stats: ${each(yield* micros(pages, 1, () => store.stats))}`)
      const front = yield* store.page(lane, "", 0, pages)
      const start = yield* micros(front.length, 64, (place) => store.start(front[place]?.id ?? "", 1))
      const list = yield* micros(10, 1, () => store.list({ customer: "local", limit: 50 }))
      console.log(`  start: ${each(start)}, list of 50: ${each(list)}`)
      const [, last] = (yield* store.list({ customer: "local", limit: 2 })).jobs
      console.log(`  position of the last: ${each(yield* micros(3, 1, () => store.position(last?.id ?? "")))}`)
      console.log(`  resident: ${mebibytes(process.memoryUsage.rss())}`)
      console.log(`  one more job: ${each(yield* enqueues(store, quick ? 200 : 20_000, 64))}, 64 at once`)
      const { bytes } = yield* store.stats
      console.log(`  on disk: ${mebibytes(bytes)}, resident after those: ${mebibytes(process.memoryUsage.rss())}`)
    })
  )
}

const [part, path = "", count = "0"] = process.argv.slice(2)

const again = (...args: ReadonlyArray<string>) => {
  const { status } = spawnSync(process.execPath, [import.meta.filename, ...args], { stdio: "inherit" })
  if (status !== 0) process.exitCode = 1
}

switch (part) {
  case "throughput":
    await Effect.runPromise(throughput(path))
    break
  case "fill":
    await Effect.runPromise(fill(path, Number(count)))
    break
  case "backlog":
    await Effect.runPromise(backlog(path, Number(count)))
    break
  default: {
    const folder = mkdtempSync(join(tmpdir(), "store-bench-"))
    again("throughput", join(folder, "throughput.db"))
    for (const jobs of quick ? [1000] : [1000, 100_000, 1_000_000]) {
      again("fill", join(folder, `${jobs}.db`), String(jobs))
      again("backlog", join(folder, `${jobs}.db`), String(jobs))
    }
    rmSync(folder, { recursive: true })
  }
}
