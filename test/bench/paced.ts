/**
 * A paced `fetch` beside what people put before `fetch` instead, in memory and with no durability: 4,000 calls asked for at
 * once, 64 in flight, against one server on loopback. Microseconds of processor time per call, medians of rounds in which
 * the sides take turns. The peers are installed in a folder that goes when it is done; they are no dependencies of the
 * package.
 */
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { type Cost, start } from "./support/racer.ts"
import { startServer } from "./support/server.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const calls = quick ? 320 : 4_000
const rounds = quick ? 1 : 5

const folder = mkdtempSync(join(tmpdir(), "paced-peers-"))
const peers = join(folder, "peers.mjs")
writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
writeFileSync(
  peers,
  'export { default as Bottleneck } from "bottleneck"\nexport { default as PQueue } from "p-queue"\n'
)
execFileSync(
  "npm",
  ["install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", "bottleneck@2.19.5", "p-queue@10.0.0"],
  { cwd: folder, stdio: ["ignore", "ignore", "inherit"] }
)

const server = await startServer()
const racer = await start(new URL("paced/sides.ts", import.meta.url), server.url, pathToFileURL(peers).href)
const costs = new Map<string, Array<Cost>>(racer.names.map((name) => [name, []]))
// the first two rounds warm up
for (let round = quick ? 0 : -2; round < rounds; round++) {
  for (const name of racer.names) {
    const cost = await racer.measure(name, calls)
    if (round >= 0) costs.get(name)?.push(cost)
  }
}

const median = (name: string): number => {
  const sorted = (costs.get(name) ?? []).map(({ cpu }) => cpu).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

for (const name of racer.names) {
  const ratio = (median(name) / median("fetch alone")).toFixed(2)
  console.log(`${name.padEnd(12)} cpu ${median(name).toFixed(1).padStart(6)} us/call   ${ratio} x fetch alone`)
}

racer.stop()
await server.stop()
rmSync(folder, { recursive: true })
