/**
 * What the page weighs: how soon it shows a dam full of jobs, what it takes in the browser, and what the dam spends on
 * it while its lanes move. The dam's own work goes on with and without a reader, so what is told is the difference.
 *
 * `BENCH_PAGE_JOBS=100000 node test/bench/page.ts` is the full form, 30 seconds a part; without, a short run shows that
 * it works.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { Agent, createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as Chromium from "../system/support/Browser.ts"
import { endAll, start } from "../system/support/DamProcess.ts"

const isFull = process.env["BENCH_PAGE_JOBS"] !== undefined
const jobs = Number(process.env["BENCH_PAGE_JOBS"] ?? 2000)
const seconds = isFull ? 30 : 2
const lanes = 200

const root = join(import.meta.dirname, "../..")
const bin = process.env["BENCH_BIN"] ?? join(root, "dist/bin.js")
mkdirSync(join(root, ".tmp"), { recursive: true })
const folder = mkdtempSync(join(root, ".tmp", "page-bench-"))

const upstream = createServer((_, response) => response.end("done"))
await new Promise<void>((resolve) => void upstream.listen(0, "127.0.0.1", () => resolve()))
const { port } = upstream.address() as AddressInfo

const config = join(folder, "dam.yaml")
writeFileSync(config, "pacing: { default: { rps: 0.5, max_concurrent: 2 } }\n")
const names = join(root, "test/system/support/names.ts")
const args = ["--port", "0", "--db", join(folder, "dam.db"), "--config", config, "--allow-private"]
const dam = await start(bin, args, { nodeArgs: ["--import", names] })

const agent = new Agent({ keepAlive: true, maxSockets: 32 })
const submit = (n: number) =>
  new Promise<void>((resolve, reject) => {
    const url = `http://host-${String(n % lanes).padStart(3, "0")}.example:${port}/${n}`
    const body = JSON.stringify({ url, method: "POST", body: "x".repeat(200), idempotent_key: `job-${n}` })
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) }
    request(`${dam.url}/api/v1/jobs`, { method: "POST", agent, headers }, (answer) => {
      answer
        .resume()
        .on("end", () => (answer.statusCode === 201 ? resolve() : reject(new Error(`${answer.statusCode}`))))
    })
      .on("error", reject)
      .end(body)
  })

let next = 0
const client = async () => {
  while (next < jobs) await submit(next++)
}
await Promise.all(Array.from({ length: 32 }, client))
agent.destroy()

/** Seconds of processor time of the dam, threads included. */
const processorTime = (): number => {
  const stat = readFileSync(`/proc/${dam.pid}/stat`, "utf8")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** How much of a core the dam takes. */
const share = async (): Promise<number> => {
  const before = processorTime()
  await sleep(1000 * seconds)
  return (100 * (processorTime() - before)) / seconds
}

const browser = await Chromium.open()
const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 900 } })
const page = await context.newPage()
const cdp = await context.newCDPSession(page)
await cdp.send("Performance.enable")

const measured: Array<string> = []
for (const place of ["#/", "#/jobs"]) {
  await page.goto("about:blank")
  await sleep(isFull ? 3000 : 200)
  const alone = await share()
  await page.goto(`${dam.url}/${place}`)
  await page.locator("td a").first().waitFor()
  const shown = await page.evaluate(() => performance.now())
  const open = await share()
  const { metrics } = await cdp.send("Performance.getMetrics")
  const metric = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? 0
  const heap = metric("JSHeapUsedSize") / 1e6
  const busy = (100 * metric("TaskDuration")) / (shown / 1000 + seconds)
  measured.push(
    `${place.padEnd(7)} shown after ${Math.round(shown)} ms, heap ${heap.toFixed(1)} MB, ` +
      `browser ${busy.toFixed(1)} % of a core; dam ${alone.toFixed(1)} % alone, ${open.toFixed(1)} % with it: ` +
      `${(open - alone).toFixed(1)} % for the page`
  )
}
console.log(`${jobs.toLocaleString("en")} jobs in ${lanes} lanes, ${seconds} s each`)
console.log(measured.join("\n"))

await browser.close()
await endAll()
upstream.closeAllConnections()
upstream.close()
rmSync(folder, { recursive: true })
