/**
 * The pace that finds itself beside what people use instead, in real time on loopback: 500 calls from cold, each client
 * before a limit of its own, all at once. Every figure is of the same run: the time over the least that anybody could
 * take, and how many calls were refused on the way.
 *
 * Nobody is told the limit but whose name says so; all keep ten calls in flight at most.
 */
import { execFileSync, spawn } from "node:child_process"
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Clients from "./finding/clients.ts"
import { least, limiters, rps, start, type Place, type Seen } from "./finding/Upstreams.ts"

const packages = ["bottleneck@2.19.5", "got@16.1.0", "ky@2.1.0", "p-queue@10.0.0", "p-retry@9.0.0"]
const told = "bottleneck, told the rate"
const queue = "p-queue and p-retry"
const peers = [queue, "got, ten at once", "ky, ten at once", told]
const { ours } = Clients
const clients = [...Clients.clients, ...peers]
const untold = clients.filter((client) => !client.includes("told the r") && !client.includes("told the l"))

const quick = process.env["BENCH_QUICK"] === "1"
const calls = quick ? 30 : 500
/** Who is not through by then is left behind: so many times the least. */
const patience = quick ? 1 : 3

const places = limiters.flatMap((limiter) =>
  [false, true].flatMap((isTold) => clients.map((client): Place => ({ client, limiter, isTold })))
)

const folder = mkdtempSync(join(tmpdir(), "finding-peers-"))
writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
copyFileSync(join(import.meta.dirname, "finding/peers.mjs"), join(folder, "peers.mjs"))
execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--silent", ...packages], {
  cwd: folder,
  stdio: ["ignore", "ignore", "inherit"]
})

const upstreams = await start(places, calls)
const urlsOf = (name: string) => upstreams.urls.filter((_, index) => places[index]?.client === name)

const urls = Object.fromEntries(peers.map((name) => [name, urlsOf(name)]))
const child = spawn(process.execPath, ["peers.mjs", JSON.stringify({ calls, rps, urls })], {
  cwd: folder,
  stdio: ["ignore", "inherit", "inherit"]
})
const children = [child, ...Clients.clients.map((name) => Clients.start(name, urlsOf(name), calls))]
const longest = Math.max(...limiters.map((limiter) => least(limiter, calls)))
await Promise.race([upstreams.all, new Promise((resolve) => setTimeout(resolve, patience * longest))])
const seen = await upstreams.seen()

const times = ({ limiter, took }: Seen) => took / least(limiter, calls)
const find = (at: Omit<Place, "client">, client: string) =>
  seen.find((one) => one.client === client && one.limiter === at.limiter && one.isTold === at.isTold)

const figures = (one: Seen) => {
  const time = one.accepted < calls ? `${one.accepted} calls by ${times(one).toFixed(2)}` : `x ${times(one).toFixed(2)}`
  const by = find(one, told)
  const beside =
    by === undefined || by.accepted < calls ? "" : ` (${(one.took / by.took).toFixed(2)} of the one told the rate)`
  return `${one.client.padEnd(28)}${time}${beside}`.padEnd(76) + `${one.refused} refused`
}

for (const isTold of [false, true]) {
  for (const limiter of limiters) {
    console.log(`\n${limiter}, ${isTold ? "told by headers" : "a bare 429"}`)
    for (const client of clients) {
      const one = find({ limiter, isTold }, client)
      if (one !== undefined) console.log(`  ${figures(one)}`)
    }
  }
}

const verdict = (is: boolean) => (is ? "yes" : "no ")

console.log("\nwanted of both of ours, by limit")
for (const isTold of [false, true]) {
  for (const limiter of limiters) {
    const others = untold
      .filter((client) => !ours.includes(client))
      .flatMap((client) => find({ limiter, isTold }, client) ?? [])
    const by = find({ limiter, isTold }, told)
    for (const client of ours) {
      const own = find({ limiter, isTold }, client)
      if (own === undefined || by === undefined) continue
      const refusals = Math.min(...others.map(({ refused }) => refused))
      // whoever is told a rate and is refused by a limit that counts refusals never gets out of them
      const spacing = by.accepted < calls ? 0 : own.took / by.took
      const faster = Math.min(...others.map(({ accepted, took }) => took / accepted)) / (own.took / own.accepted)
      const where = `${limiter}, ${isTold ? "told" : "bare"}, ${client}`
      const counts =
        limiter === "refused calls count"
          ? `, x ${faster.toFixed(2)} as fast as the fastest: ${verdict(faster >= 2)}`
          : ""
      console.log(
        `${where.padEnd(46)} a tenth of the refusals: ${verdict(own.refused <= refusals / 10)} (${own.refused} of ${refusals})` +
          `, 1.15 of the spacing: ${verdict(spacing <= 1.15)} (${spacing === 0 ? "it is not through" : spacing.toFixed(2)})${counts}`
      )
    }
  }
}

console.log(`\nwhere ${queue} is faster than the dam, and what it pays`)
for (const one of seen.filter(({ client }) => client === queue)) {
  const own = find(one, "the dam, find")
  if (own === undefined || one.accepted < calls || one.took >= own.took) continue
  const where = `${one.limiter}, ${one.isTold ? "told" : "bare"}`
  console.log(
    `  ${where.padEnd(30)} ${(one.took / own.took).toFixed(2)} of the time, ${one.refused} refused to ${own.refused}`
  )
}

for (const one of children) one.kill()
await upstreams.stop()
rmSync(folder, { recursive: true })
