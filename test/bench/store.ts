/**
 * What the SQLite store does on this machine: durable enqueues with group commit, whole job cycles, and what a page of
 * a lane, a start and a position cost, with the memory it takes, at growing backlogs.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import type { NewJob } from "../../src/dam/Job.ts"
import type { JobStore } from "../../src/dam/JobStore.ts"
import * as SqliteJobStore from "../../src/dam/SqliteJobStore.ts"
import * as Step from "../../src/step/Step.ts"

type Store = JobStore["Service"]

const quick = process.env["BENCH_QUICK"] === "1"

const lane = "api.example.com:443"

let made = 0

const newJob = (): NewJob => {
  const id = crypto.randomUUID()
  const digest = `${id.replaceAll("-", "")}${String(made++).padStart(32, "0")}`
  return {
    id,
    customer: "local",
    dialect: "cloud",
    keyScope: "local",
    key: digest,
    keyGiven: false,
    payload: digest,
    step: Step.post("https://api.example.com/orders", {
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ order: made, note: "x".repeat(350) })
    }),
    lane,
    account: "",
    isolated: false,
    createdAt: made,
    notBefore: undefined,
    parent: undefined,
    rerunOf: undefined,
    traceparent: undefined
  }
}

/** Runs `total` of something, so many at a time, and answers how many a second. */
const rate = (total: number, concurrency: number, one: (place: number) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    const started = performance.now()
    yield* Effect.forEach(Array.from({ length: total }).keys(), one, { concurrency, discard: true })
    return Math.round(total / ((performance.now() - started) / 1000))
  })

const fill = (store: Store, jobs: number) => rate(jobs, 2048, () => store.enqueue(newJob()))

const response = {
  _tag: "Response" as const,
  status: 200,
  headers: { "content-type": "application/json" },
  body: new Uint8Array(200)
}

const cycle = (store: Store) =>
  Effect.gen(function* () {
    const job = newJob()
    yield* store.enqueue(job)
    const started = yield* store.start(job.id, 1)
    const epoch = started?.epoch ?? 0
    yield* store.record(job.id, epoch, {
      path: 0,
      racer: 0,
      kind: "start",
      region: undefined,
      at: 1,
      pause: 0,
      latency: 1,
      ending: { _tag: "Answered", status: 200, retryAfter: undefined },
      response
    })
    yield* store.finish(job.id, epoch, {
      state: "succeeded",
      at: 2,
      result: { response, responses: [], region: undefined, path: 0, error: undefined },
      children: [],
      deliveries: []
    })
  })

const microseconds = (repeats: number, one: Effect.Effect<unknown, unknown>) =>
  Effect.map(
    rate(repeats, 1, () => one),
    (perSecond) => `${Math.round(1_000_000 / perSecond)} µs`
  )

const mebibytes = () => `${Math.round(process.memoryUsage.rss() / 1024 / 1024)} MiB`

const withStore = <E>(use: (store: Store) => Effect.Effect<void, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "store-bench-"))),
    (folder) => Effect.scoped(Effect.flatMap(SqliteJobStore.make({ path: join(folder, "jobs.db") }), use)),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )

const throughput = withStore((store) =>
  Effect.gen(function* () {
    const total = quick ? 500 : 100_000
    yield* fill(store, quick ? 100 : 20_000)
    for (const concurrency of [1, 64, 512, 2048]) {
      const jobs = concurrency === 1 ? total / 20 : total
      const perSecond = yield* rate(jobs, concurrency, () => store.enqueue(newJob()))
      console.log(`enqueue, ${concurrency} at once: ${perSecond} jobs/s`)
    }
    for (const concurrency of [64, 512]) {
      console.log(
        `enqueue, start, record, finish, ${concurrency} at once: ${yield* rate(total / 5, concurrency, () => cycle(store))} jobs/s`
      )
    }
  })
)

const backlog = (jobs: number) =>
  withStore((store) =>
    Effect.gen(function* () {
      console.log(`\nbacklog of ${jobs} jobs`)
      console.log(`  filled at ${yield* fill(store, jobs)} jobs/s, resident ${mebibytes()}`)
      const more = quick ? 200 : 20_000
      console.log(`  one more job: ${1_000_000 / (yield* fill(store, more))} µs`)
      const pages = quick ? 10 : 500
      console.log(`  page of 64 at the front: ${yield* microseconds(pages, store.page(lane, "", 0, 64))}`)
      console.log(`  page of 64 in the middle: ${yield* microseconds(pages, store.page(lane, "", jobs / 2, 64))}`)
      console.log(
        `  lanes: ${yield* microseconds(pages, store.lanes)}, stats: ${yield* microseconds(pages, store.stats)}`
      )
      const last = newJob()
      yield* store.enqueue(last)
      console.log(`  position of the last: ${yield* microseconds(3, store.position(last.id))}`)
      console.log(`  list of 50: ${yield* microseconds(10, store.list({ customer: "local", limit: 50 }))}`)
      const front = yield* store.page(lane, "", 0, pages)
      console.log(
        `  start: ${1_000_000 / (yield* rate(front.length, 64, (place) => store.start(front[place]?.id ?? "", 1)))} µs`
      )
      console.log(`  ${Math.round((yield* store.stats).bytes / 1024 / 1024)} MiB on disk, resident ${mebibytes()}`)
    })
  )

const program = Effect.gen(function* () {
  yield* throughput
  for (const jobs of quick ? [1000] : [1000, 100_000, 1_000_000]) yield* backlog(jobs)
})

await Effect.runPromise(program)
