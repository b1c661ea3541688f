/** What strictness costs: `StrictJson.parse` against decoding and `JSON.parse` alone, on bodies of jobs. */
import { parse } from "../../src/wire/StrictJson.ts"

const quick = process.env["BENCH_QUICK"] === "1"

const job = (bytes: number) => ({
  url: "https://api.example.com/v1/orders",
  method: "POST",
  headers: { "content-type": "application/json", "x-request-id": "6f9619ff-8b86-d011-b42d-00c04fc964ff" },
  body: JSON.stringify({ order: 4711, note: "x".repeat(bytes) }),
  metadata: { customer: "c_1", attempt: 1, tags: ["a", "b"] },
  webhooks: [{ url: "https://hooks.example.com/done", has_quorum_vote: true }],
  regions: ["iad", "lax", "ord"],
  retry_policy: { max_retries: 3, max_reroutes: 2, retry_codes: [429, 503], reroute_codes: [500, 502, 504] }
})

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const micros = (run: () => unknown, times: number): number => {
  const started = performance.now()
  for (let count = 0; count < times; count++) run()
  return ((performance.now() - started) * 1000) / times
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

for (const [name, filling] of [
  ["a job", 0],
  ["a job with a body of 64 KiB", 65_536]
] as const) {
  const bytes = new TextEncoder().encode(JSON.stringify(job(filling)))
  const times = quick ? 10 : filling === 0 ? 50_000 : 2_000
  const lax = () => JSON.parse(strict.decode(bytes))
  const careful = () => parse(bytes)
  const figures: Array<readonly [number, number]> = []
  for (let round = 0; round < (quick ? 1 : 7); round++) figures.push([micros(lax, times), micros(careful, times)])
  const ours = median(figures.map(([, second]) => second))
  const ratio = median(figures.map(([first, second]) => second / first))
  console.log(`${name} (${bytes.length} bytes): ${ratio.toFixed(2)} × JSON.parse, ${ours.toFixed(2)} µs`)
}
