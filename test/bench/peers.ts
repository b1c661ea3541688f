/**
 * What people use instead, beside a dam, at equal work in one run: one POST per job to a target on loopback, taken durably,
 * its result told to a webhook, 64 at once.
 *
 * The peers are installed beside their files by their own package.json; Redis and Postgres are the machine's, and who needs
 * what is not there is left out. `BENCH_BEFORE` names the `dist` of another build to measure in turns with this one,
 * `BENCH_QUICK=1` asks for a short run, `BENCH_ROUNDS` for more than one, and arguments name the contenders wanted.
 */
import { execFileSync, fork } from "node:child_process"
import { once } from "node:events"
import { existsSync, chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startWorld, type World } from "./dam/load.ts"
import type { Place } from "./peers/Contender.ts"
import { microsOf, watchMemory } from "./peers/Processes.ts"
import { endStarted, startDam, startPostgres, startRedis, started, type Server } from "./peers/Servers.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const jobs = quick ? 300 : 10_000
const warm = quick ? 50 : 2000
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 1)
const atOnce = 64
const here = join(import.meta.dirname, "peers")
const own = join(import.meta.dirname, "../../dist")
const before = process.env["BENCH_BEFORE"]

interface Entry {
  readonly name: string
  readonly file: string
  readonly server: (folder: string) => Promise<Server | undefined>
  readonly needs: string
  readonly storesResults: boolean
  readonly dist: string
}

const peer = (name: string, file: string, needs: "Redis" | "Postgres"): ReadonlyArray<Entry> =>
  [false, true].map((storesResults) => ({
    name: storesResults ? `${name}, results stored` : name,
    file,
    server: needs === "Redis" ? startRedis : startPostgres,
    needs,
    storesResults,
    dist: own
  }))

const ours = (label: string, dist: string): ReadonlyArray<Entry> => [
  {
    name: `the dam over HTTP${label}`,
    file: "damHttp",
    server: (folder) => startDam(folder, join(dist, "bin.js"), atOnce),
    needs: "",
    storesResults: true,
    dist
  },
  {
    name: `the dam embedded${label}`,
    file: "damEmbedded",
    server: async (folder) => ({ at: `${folder}.db`, pid: 0, version: "SQLite", stop: async () => undefined }),
    needs: "",
    storesResults: true,
    dist
  }
]

const entries = [
  ...ours("", own),
  ...(before === undefined ? [] : ours(", before", before)),
  ...peer("BullMQ", "bullmq", "Redis"),
  ...peer("pg-boss", "pgBoss", "Postgres"),
  ...peer("graphile-worker", "graphileWorker", "Postgres")
]

/** Lines of a contender's own file that are neither empty nor a comment. */
const linesOf = (file: string) =>
  readFileSync(join(here, `${file}.ts`), "utf8")
    .split("\n")
    .filter((line) => !/^\s*($|\/\/|\/\*|\*)/.test(line)).length

const measure = async (entry: Entry, world: World, toldBefore: number, folder: string) => {
  const server = await entry.server(folder)
  if (server === undefined) return undefined
  const place: Place = {
    target: `${world.upstream}/`,
    webhook: `${world.receiver}/`,
    database: server.at,
    atOnce,
    storesResults: entry.storesResults
  }
  const child = fork(join(here, "Runner.ts"), [entry.file, JSON.stringify(place)], {
    env: { ...process.env, BENCH_DIST: entry.dist }
  })
  started.add(child)
  const roots = [child.pid ?? 0, server.pid].filter((pid) => pid > 0)
  await once(child, "message")
  child.send({ first: 0, jobs: warm })
  await Promise.all([once(child, "message"), world.told(toldBefore + warm)])

  const memory = watchMemory(roots)
  const micros = microsOf(roots)
  const from = performance.now()
  child.send({ first: warm, jobs })
  const submitted = once(child, "message").then(() => performance.now() - from)
  await Promise.all([submitted, world.told(toldBefore + warm + jobs)])
  const seconds = (performance.now() - from) / 1000
  const figures = {
    perSecond: jobs / seconds,
    taken: jobs / ((await submitted) / 1000),
    cpu: (microsOf(roots) - micros) / jobs,
    mebibytes: memory(),
    version: server.version
  }
  const ended = once(child, "exit")
  child.disconnect()
  await ended
  await server.stop()
  return figures
}

const install = () => {
  if (existsSync(join(here, "node_modules"))) return
  const options = ["--no-package-lock", "--prefer-offline", "--no-audit", "--no-fund", "--silent"]
  execFileSync("npm", ["install", ...options], { cwd: here, stdio: ["ignore", "ignore", "inherit"] })
}

const whole = (value: number) => Math.round(value).toLocaleString("en").padStart(7)

const durable = async (world: World, wanted: ReadonlyArray<Entry>) => {
  console.log(
    `${jobs.toLocaleString("en")} jobs, ${atOnce} at once\n${"".padEnd(34)} jobs/s  taken/s  µs CPU/job  MiB  lines`
  )
  let told = 0
  for (let round = 0; round < rounds; round++) {
    for (const [index, entry] of wanted.entries()) {
      const figures = await measure(entry, world, told, join(folder, `${round}-${index}`))
      if (figures === undefined) {
        console.log(`${entry.name.padEnd(34)} left out: there is no ${entry.needs} on this machine`)
        continue
      }
      told += warm + jobs
      const { cpu, mebibytes, perSecond, taken, version } = figures
      console.log(
        `${entry.name.padEnd(34)}${whole(perSecond)}  ${whole(taken)}  ${whole(cpu)}  ${whole(mebibytes)}  ` +
          `${String(linesOf(entry.file)).padStart(4)}  ${version}`
      )
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), "peers-"))
// the user that Postgres runs as must get through
chmodSync(folder, 0o755)
const chosen = process.argv.slice(2)
const clear = async () => {
  await endStarted()
  rmSync(folder, { recursive: true, force: true })
}
// whoever stops the run stops what it has started
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => clear().finally(() => process.exit(1)))
try {
  install()
  const world = await startWorld()
  try {
    await durable(
      world,
      entries.filter(({ file }) => chosen.length === 0 || chosen.includes(file))
    )
  } finally {
    await world.stop()
  }
} finally {
  await clear()
}
