/**
 * What a FRUGAL step that succeeds costs, beside bare `fetch` and bare `undici.request`, in one run against one server:
 * 32 calls in flight, each side's body read, microseconds per call on the clock and of processor time, medians of
 * rounds in which the sides take turns. Budgets of processor time: the facade over undici at most 0.75 of `fetch`, which
 * a long run holds it to; wanted and not held yet: a step over undici 0.95 of `undici.request`, a step over `fetch` 1.1 and
 * the facade over `fetch` 1.2 of `fetch`.
 */
import { type Cost, start } from "./support/racer.ts"
import { startServer } from "./support/server.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const calls = quick ? 320 : 8_000
const rounds = quick ? 1 : 9

const server = await startServer()
const racers = await Promise.all(
  ["fetch", "undici"].map((name) => start(new URL(`frugal/${name}.ts`, import.meta.url), server.url))
)

const costs = new Map<string, Array<Cost>>()
// the first two rounds warm up
for (let round = quick ? 0 : -2; round < rounds; round++) {
  for (const racer of racers) {
    for (const name of racer.names) {
      const cost = await racer.measure(name, calls)
      if (round >= 0) costs.set(name, [...(costs.get(name) ?? []), cost])
    }
  }
}

const median = (name: string, of: keyof Cost): number => {
  const sorted = (costs.get(name) ?? []).map((cost) => cost[of]).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const beside = (name: string, other: string): string =>
  `${(median(name, "wall") / median(other, "wall")).toFixed(2)} (cpu ${(median(name, "cpu") / median(other, "cpu")).toFixed(2)})`

for (const name of costs.keys()) {
  console.log(
    `${name.padEnd(18)} ${median(name, "wall").toFixed(1).padStart(6)} us/call, cpu ${median(name, "cpu").toFixed(1).padStart(6)}   ` +
      `${beside(name, "fetch")} x fetch   ${beside(name, "undici.request")} x undici.request`
  )
}

// a short run does not warm up, so its ratios mean nothing
const ratio = median("facade over undici", "cpu") / median("fetch", "cpu")
if (!quick && !(ratio <= 0.75)) {
  console.error(`the facade over undici costs ${ratio.toFixed(2)} of fetch, which is more than 0.75`)
  process.exitCode = 1
}

for (const racer of racers) racer.stop()
await server.stop()
