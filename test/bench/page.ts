/**
 * What the page does with a dam full of jobs, next to the budgets: how soon a view shows its first rows (1 s), how soon
 * the dam answers a search (300 ms), what an open page takes of the dam while its lanes move, and by how much it slows
 * admissions (5 %): processor time of the dam's main thread for each, turn by turn with and without a page.
 *
 * Beside what passed on the clock stands what was worked for it, in the dam and in the browser: on a machine that others
 * use too the clock tells of them.
 *
 * `node test/bench/page.ts views search` runs these parts only; `BENCH_QUICK=1` shows in a short run that it works.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Page } from "playwright-core"
import * as Chromium from "../system/support/Browser.ts"
import { endAll, start } from "../system/support/DamProcess.ts"
import { fill } from "../system/support/Filled.ts"
import { load } from "./dam/load.ts"

const isQuick = process.env["BENCH_QUICK"] === "1"
const jobs = isQuick ? 1000 : 100_000
const lanes = 200
const rounds = isQuick ? 1 : 5

const root = join(import.meta.dirname, "../..")
const bin = process.env["BENCH_BIN"] ?? join(root, "dist/bin.js")
mkdirSync(join(root, ".tmp"), { recursive: true })
const folder = mkdtempSync(join(root, ".tmp", "page-bench-"))

const upstream = createServer((_, response) => response.end("done"))
await new Promise<void>((resolve) => void upstream.listen(0, "127.0.0.1", () => resolve()))
const { port } = upstream.address() as AddressInfo

const config = join(folder, "dam.yaml")
writeFileSync(config, "pacing: { default: { rps: 0.5, max_concurrent: 2 } }\n")
const path = join(folder, "dam.db")
const ids = await fill({ path, jobs, lanes, port, now: Date.now() })
const names = join(root, "test/system/support/names.ts")
const dam = await start(bin, ["--port", "0", "--db", path, "--config", config, "--allow-private"], {
  nodeArgs: ["--import", names]
})
const browser = await Chromium.open()

const sum = (of: ReadonlyArray<number>): number => of.reduce((total, one) => total + one, 0)

const median = (of: ReadonlyArray<number>): number => of.toSorted((one, other) => one - other)[of.length >> 1] ?? 0

const lane = encodeURIComponent(`host-000.example:${port}`)

/** Opens a view in a browser that has never seen it; answers when it showed the first of what it is opened for, and the work. */
const shownAfter = async (place: string, first: string) => {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  await page.addInitScript((first) => {
    const look = () => {
      if (document.querySelector(first) === null) requestAnimationFrame(look)
      else requestAnimationFrame(() => document.documentElement.setAttribute("data-shown", String(performance.now())))
    }
    requestAnimationFrame(look)
  }, first)
  const cdp = await context.newCDPSession(page)
  await cdp.send("Performance.enable")
  const before = processorTime().all
  await page.goto(`${dam.url}/${place}`)
  const shown = await page.waitForFunction(() => document.documentElement.getAttribute("data-shown"))
  const after = Number(await shown.jsonValue())
  const inDam = processorTime().all - before
  const { metrics } = await cdp.send("Performance.getMetrics")
  const inPage = 1000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0)
  await context.close()
  return { after, inDam, inPage }
}

const row = "tbody td a"
const chart = ".chart canvas"
const places: ReadonlyArray<readonly [place: string, first: string]> = [
  ["#/", row],
  ["#/?span=7d", chart],
  ["#/jobs", row],
  ["#/jobs?count=true&limit=200", row],
  ["#/jobs?q=orders&status=failed", row],
  [`#/jobs/${ids.succeeded}`, ".waterfall li"],
  ["#/dead", row],
  [`#/lanes/${lane}?span=7d`, chart]
]

const views = async () => {
  for (const [place, first] of places) {
    const shown = []
    for (let round = 0; round < rounds; round++) shown.push(await shownAfter(place, first))
    const took = shown.map(({ after }) => after)
    const slowest = Math.max(...took)
    const work = `${median(shown.map(({ inDam }) => inDam)).toFixed(0)} ms of the dam, ${median(shown.map(({ inPage }) => inPage)).toFixed(0)} of the page`
    console.log(
      `${place.padEnd(42)} ${median(took).toFixed(0).padStart(5)} ms, slowest ${slowest.toFixed(0)} (budget 1000); ${work}`
    )
  }
}

const searches = ["", "q=host-007.example", "q=shop%3Dshop-7", "q=answered", "q=nothing", "sort=oldest", "count=true"]

const search = async () => {
  for (const query of [
    ...searches,
    `q=${ids.failed}`,
    `q=orders%2F4&count=true`,
    "status=failed&count=true&q=answered"
  ]) {
    const took: Array<number> = []
    let found = 0
    const before = processorTime().all
    for (let round = 0; round < rounds; round++) {
      const began = performance.now()
      const answer = await fetch(`${dam.url}/api/v1/jobs?limit=50&${query}`)
      found = (await answer.json()).jobs.length
      took.push(performance.now() - began)
    }
    const slowest = Math.max(...took)
    const work = ((processorTime().all - before) / rounds).toFixed(0)
    console.log(
      `search ${query.padEnd(35)} ${median(took).toFixed(0).padStart(5)} ms, slowest ${slowest.toFixed(0)} (budget 300); ${work} ms of the dam; ${found} found`
    )
  }
}

/** Milliseconds that threads of the dam were on a processor: of the main one, and of all. */
const processorTime = () => {
  const all = readdirSync(`/proc/${dam.pid}/task`).map((task) => {
    const [onProcessor = "0"] = readFileSync(`/proc/${dam.pid}/task/${task}/schedstat`, "utf8").split(" ")
    return { isMain: Number(task) === dam.pid, millis: Number(onProcessor) / 1e6 }
  })
  const of = (some: typeof all) => some.reduce((total, { millis }) => total + millis, 0)
  return { main: of(all.filter(({ isMain }) => isMain)), all: of(all) }
}

/** How much of a core the dam takes. */
const share = async (): Promise<number> => {
  const seconds = isQuick ? 1 : 20
  const before = processorTime().all
  await sleep(1000 * seconds)
  return (processorTime().all - before) / (10 * seconds)
}

const watched = async (place: string): Promise<Page> => {
  const page = await browser.newPage({ locale: "en-US", viewport: { width: 1280, height: 900 } })
  await page.goto(`${dam.url}/${place}`)
  await page.locator("tbody td a").first().waitFor()
  return page
}

const open = async () => {
  for (const place of ["#/", "#/?span=24h", "#/jobs"]) {
    const alone = await share()
    const page = await watched(place)
    const cdp = await page.context().newCDPSession(page)
    await cdp.send("Performance.enable")
    const together = await share()
    const { metrics } = await cdp.send("Performance.getMetrics")
    const heap = (metrics.find(({ name }) => name === "JSHeapUsedSize")?.value ?? 0) / 1e6
    await page.close()
    console.log(
      `open ${place.padEnd(11)} dam ${alone.toFixed(1)} % of a core alone, ${together.toFixed(1)} % with it: ` +
        `${(together - alone).toFixed(1)} % for the page; heap ${heap.toFixed(1)} MB`
    )
  }
}

let turn = 0

/** Microseconds of the main thread for each admission. */
const admitted = async (): Promise<number> => {
  const jobs = isQuick ? 200 : 10_000
  const target = `http://127.0.0.1:${port}/`
  const options = { port: dam.port, connections: 64, target, webhook: undefined }
  const before = processorTime().main
  await load({ ...options, jobs, name: `turn-${turn++}` })
  return (1000 * (processorTime().main - before)) / jobs
}

const admissions = async () => {
  await admitted()
  for (const place of ["#/", "#/jobs"]) {
    const without: Array<number> = []
    const within: Array<number> = []
    for (let pair = 0; pair < (isQuick ? 1 : 12); pair++) {
      // whichever comes first has the emptier file
      for (const isOpen of pair % 2 === 0 ? [false, true] : [true, false]) {
        const page = isOpen ? await watched(place) : undefined
        const cost = await admitted()
        ;(isOpen ? within : without).push(cost)
        await page?.close()
      }
    }
    const more = 100 * (sum(within) / sum(without) - 1)
    const all = (costs: ReadonlyArray<number>) => costs.map((cost) => cost.toFixed(1)).join(" ")
    console.log(
      `admissions with ${place} open: ${more.toFixed(1)} % more of the main thread each (budget 5): ` +
        `${median(without).toFixed(1)} µs without (${all(without)}), ${median(within).toFixed(1)} with (${all(within)})`
    )
  }
}

const parts = { views, search, open, admissions }
const chosen = process.argv.slice(2)
console.log(`${jobs.toLocaleString("en")} jobs in ${lanes} lanes`)
for (const [name, part] of Object.entries(parts)) if (chosen.length === 0 || chosen.includes(name)) await part()

await browser.close()
await endAll()
upstream.closeAllConnections()
upstream.close()
rmSync(folder, { recursive: true })
