/**
 * What a page of a search takes at the store, its reading thread included: jobs in 200 lanes, a tenth of them failed, and words that
 * many, one and no job has. The slowest of several; a search that finds too little in one answer is followed to its end. Then
 * the rest fail too, and all of them are grouped.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { performance } from "node:perf_hooks"
import * as Search from "../../src/dam/job/Search.ts"
import * as SqliteJobStore from "../../src/dam/sqlite/SqliteJobStore.ts"
import type { FailureFilter } from "../../src/dam/store/FailureRecords.ts"
import type { JobFilter } from "../../src/dam/store/JobRecords.ts"
import * as Step from "../../src/step/Step.ts"
import { ended, job } from "../conformance/jobStore/Fixtures.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const total = quick ? 2_000 : 100_000
const lanes = 200
const folder = mkdtempSync(join(tmpdir(), "search-"))

const jobOf = (n: number) =>
  job(`job_${String(n).padStart(26, "0")}`, {
    lane: `host${n % lanes}.example:443`,
    createdAt: n,
    step: Step.post(`https://host${n % lanes}.example/v1/orders/${n}?page=${n % 7}`, {
      body: JSON.stringify({ order: n, text: "x".repeat(300) })
    }).pipe(Step.metadata({ order: String(n), shop: String(n % 50) }))
  })

const failed = (n: number) =>
  ended({
    state: "failed",
    at: total + n,
    result: {
      response: undefined,
      responses: [],
      region: undefined,
      path: 0,
      error: { tag: "TimedOut", message: `nobody answered call ${n} in 30 seconds` }
    }
  })

const searches: ReadonlyArray<readonly [q: string, filter?: Partial<JobFilter>]> = [
  [""],
  [`job_${String(total - 5).padStart(26, "0")}`],
  ["job_0000000000000000000000"],
  ["host7.example"],
  ["host7.example:443/v1/orders/7"],
  ["host7.example nothing"],
  ["shop=7"],
  ["shop=7 order=57"],
  ["orders"],
  ["answered", { states: ["failed"] }],
  ["answered", { oldestFirst: true }],
  ["orders/20?page"],
  ["nothing"],
  ["", { createdFrom: 10, createdTo: 200 }],
  ["", { createdFrom: 10, createdTo: 200, states: ["failed"] }],
  ["", { createdFrom: 10, createdTo: 200, states: ["queued"] }],
  ["", { createdFrom: total - 200, oldestFirst: true }],
  ["nothing", { createdFrom: 10, createdTo: 200, states: ["failed"] }],
  ["shop=7", { createdFrom: 10, createdTo: 200, states: ["failed"] }]
]

const groupings: ReadonlyArray<Partial<FailureFilter>> = [
  { customer: "local" },
  { customer: "local", sort: "largest", limit: 200 },
  { customer: "local", host: "host7.example" },
  { customer: "local", from: total + 10, to: total + 200 },
  {}
]

const program = Effect.gen(function* () {
  const store = yield* SqliteJobStore.make({ path: join(folder, "jobs.db") })
  const numbers = Array.from({ length: total }, (_, n) => n)
  yield* Effect.forEach(numbers, (n) => store.enqueue(jobOf(n)), { concurrency: 2048, discard: true })
  const fail = (some: ReadonlyArray<number>) =>
    Effect.forEach(
      some,
      (n) => {
        const { id } = jobOf(n)
        return Effect.andThen(store.start(id, 1), store.finish(id, 1, failed(n)))
      },
      { concurrency: 512, discard: true }
    )
  yield* fail(numbers.filter((n) => n % 10 === 0))
  console.log(`${total.toLocaleString("en")} jobs in ${lanes} lanes; milliseconds of the slowest of 5 answers`)
  for (const [q, filter] of searches) {
    const asked = { customer: "local", search: Search.parse(q), ...filter }
    let slowest = 0
    let slowestCount = 0
    let answers = 0
    let found = 0
    for (let round = 0; round < 5; round++) {
      answers = 0
      found = 0
      let cursor: string | undefined
      do {
        const began = performance.now()
        const page = yield* store.list({ ...asked, limit: 50, cursor })
        slowest = Math.max(slowest, performance.now() - began)
        cursor = page.cursor
        found += page.jobs.length
        answers++
      } while (cursor !== undefined && found < 50)
      const began = performance.now()
      yield* store.count(asked)
      slowestCount = Math.max(slowestCount, performance.now() - began)
    }
    const how = filter === undefined ? "" : ` ${JSON.stringify(filter)}`
    console.log(
      `${`"${q}"${how}`.padEnd(48)} page ${slowest.toFixed(1).padStart(6)}  count ${slowestCount.toFixed(1).padStart(6)}  ${found} found in ${answers}`
    )
  }
  yield* fail(numbers.filter((n) => n % 10 !== 0))
  for (const filter of groupings) {
    let slowest = 0
    let groups = 0
    for (let round = 0; round < 5; round++) {
      const began = performance.now()
      groups = (yield* store.failures({ sort: "newest", limit: 50, ...filter })).groupCount
      slowest = Math.max(slowest, performance.now() - began)
    }
    console.log(`failures ${JSON.stringify(filter)}`.padEnd(64) + `${slowest.toFixed(1).padStart(6)}  ${groups} groups`)
  }
})

await Effect.runPromise(Effect.scoped(program)).finally(() => rmSync(folder, { recursive: true }))
