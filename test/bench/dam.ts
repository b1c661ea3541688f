/**
 * What a dam does on this machine, as its own process built from the package, next to the budgets: durable admissions,
 * the way from accept to webhook, how many statements a job takes, how exactly it keeps a pace, how long the log of the
 * database grows, and what a backlog and idle lanes cost. `BENCH_BACKLOG=1000000` adds the backlog of a million;
 * `node test/bench/dam.ts admissions endToEnd` runs these parts only. `BENCH_CONFIG` stands in every configuration
 * besides, such as `text_search: on`.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { load, startWorld, type World } from "./dam/load.ts"
import type { Counted } from "./dam/statements.ts"

const quick = process.env["BENCH_QUICK"] === "1"
const bin = process.env["BENCH_BIN"] ?? join(import.meta.dirname, "../../dist/bin.js")
const nodeArgs = process.env["BENCH_NODE_ARGS"]?.split(" ") ?? []
const folder = mkdtempSync(join(tmpdir(), "dam-bench-"))
const connections = 64

const number = (value: number) => Math.round(value).toLocaleString("en")

const quantile = (sorted: Float64Array, part: number) =>
  ((sorted[Math.floor((sorted.length - 1) * part)] ?? 0) / 1000).toFixed(1)

const mebibytes = (pid: number | undefined) => {
  const [, kibibytes = "0"] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return Math.round(Number(kibibytes) / 1024)
}

/** Microseconds of processor time that a process has used, and of its threads those that matter. */
const cpuOf = (pid: number | undefined) => {
  const threads = readdirSync(`/proc/${pid}/task`).map((task) => {
    const stat = readFileSync(`/proc/${pid}/task/${task}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return {
      main: Number(task) === pid,
      store: stat.includes("ezthrottle-sto"),
      user: Number(fields[11]),
      system: Number(fields[12])
    }
  })
  const of = (some: typeof threads) => ({
    user: some.reduce((sum, { user }) => sum + user, 0) * TICK,
    system: some.reduce((sum, { system }) => sum + system, 0) * TICK
  })
  return {
    "main thread": of(threads.filter(({ main }) => main)),
    store: of(threads.filter(({ store }) => store)),
    others: of(threads.filter(({ main, store }) => !main && !store))
  }
}

/** Linux counts processor time in hundredths of a second. */
const TICK = 10_000

/** Says what each job cost the threads of a dam. */
const costs = (pid: number | undefined) => {
  const before = cpuOf(pid)
  return (jobs: number) => {
    const parts = Object.entries(cpuOf(pid)).map(([name, { system, user }]) => {
      const from = before[name as keyof typeof before]
      const each = (micros: number) => (micros / jobs).toFixed(0)
      return `${name} ${each(user - from.user)} + ${each(system - from.system)}`
    })
    return `µs of processor each, own + kernel: ${parts.join(", ")}`
  }
}

/** Bytes that the main thread of a dam has allocated by its last collection: what each found beyond what the one before left. */
const garbageOf = ({ output }: Pick<Dam, "output">): number => {
  const heaps = new Map<string, { readonly left: number; readonly sum: number }>()
  for (const [, heap = "", found, left] of output().matchAll(/^\[\d+:(0x\w+)\].*?([\d.]+) \([\d.]+\) -> ([\d.]+) /gm)) {
    const before = heaps.get(heap) ?? { left: 0, sum: 0 }
    heaps.set(heap, { left: Number(left), sum: before.sum + Math.max(0, Number(found) - before.left) })
  }
  // the other heap is that of the store
  return Math.max(0, ...Array.from(heaps.values(), ({ sum }) => sum)) * 1024 * 1024
}

interface Dam {
  readonly db: string
  readonly port: number
  readonly pid: number | undefined
  readonly readyAfter: string
  /** What V8 has told since the start. */
  readonly output: () => string
  readonly stop: () => Promise<unknown>
}

/** Hosts without a pace of their own are called so rarely that what is queued stays queued. */
const start = async (
  name: string,
  hosts: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = {}
): Promise<Dam> => {
  const config = join(folder, `${name}.yaml`)
  const paces = Object.entries(hosts).map(([host, pace]) => `    "${host}": ${pace}\n`)
  writeFileSync(
    config,
    `${process.env["BENCH_CONFIG"] ?? ""}\npacing:\n  default: { rps: 0.01, max_concurrent: 1 }\n${paces.length === 0 ? "" : `  hosts:\n${paces.join("")}`}`
  )
  const db = join(folder, `${name}.db`)
  const dam = spawn(
    process.execPath,
    [...nodeArgs, "--trace-gc", bin, "dam", "--port", "0", "--db", db, "--config", config, "--allow-private"],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...env }
    }
  )
  let output = ""
  const [, port = ""] = await new Promise<RegExpExecArray>((resolve, reject) => {
    dam.on("exit", () => reject(new Error(output)))
    dam.stdout.on("data", (chunk) => {
      output += chunk
      const found = /listening {2}http:\/\/127\.0\.0\.1:(\d+)[\s\S]*ready after (\d+) ms/.exec(output)
      if (found !== null) resolve(found)
    })
  })
  return {
    db,
    port: Number(port),
    pid: dam.pid,
    readyAfter: /ready after (\d+ ms)/.exec(output)?.[1] ?? "",
    output: () => output,
    stop: () => {
      const ended = once(dam, "exit")
      dam.kill("SIGTERM")
      return ended
    }
  }
}

const admissions = async (world: World) => {
  const dam = await start("admissions", {})
  const options = { port: dam.port, connections, target: `${world.upstream}/`, webhook: undefined }
  await load({ ...options, jobs: quick ? 100 : 20_000, name: "warm" })
  const jobs = quick ? 1000 : 100_000
  const cost = costs(dam.pid)
  const { latencies, micros, seconds } = await load({ ...options, jobs, name: "measured" })
  console.log(
    `durable admissions, ${connections} connections: ${number(jobs / seconds)} a second (budget 15,000), ` +
      `p50 ${quantile(latencies, 0.5)} ms, p99 ${quantile(latencies, 0.99)} ms; started in ${dam.readyAfter}\n  ` +
      `${cost(jobs)}, load generator ${(micros / jobs).toFixed(0)}`
  )
  await dam.stop()
}

const endToEnd = async (world: World) => {
  const free = "{ rps: 1000000, max_concurrent: 256 }"
  const dam = await start("whole", { [world.upstream]: free, [`webhook@${world.receiver}`]: free })
  const options = { port: dam.port, connections, target: `${world.upstream}/`, webhook: `${world.receiver}/` }
  const warm = quick ? 100 : 5000
  await load({ ...options, jobs: warm, name: "warm" })
  await world.told(warm)
  const jobs = quick ? 500 : 20_000
  const cost = costs(dam.pid)
  const garbage = garbageOf(dam)
  const started = performance.now()
  const submitted = load({ ...options, jobs, name: "measured" })
  await world.told(warm + jobs)
  const seconds = (performance.now() - started) / 1000
  await submitted
  console.log(
    `accept to webhook, upstream unlimited: ${number(jobs / seconds)} jobs a second (budget 3,000)\n  ${cost(jobs)}\n  ` +
      `garbage of the main thread: ${((garbageOf(dam) - garbage) / jobs / 1024).toFixed(0)} KB each (budget 60)`
  )
  await dam.stop()
}

/** Statements of a dam that took so many jobs, its start among them; to a webhook, where one is named. */
const counted = async (world: World, name: string, jobs: number, webhook: string | undefined) => {
  const out = join(folder, `${name}.json`)
  const free = "{ rps: 1000000, max_concurrent: 256 }"
  const hosts = webhook === undefined ? {} : { [world.upstream]: free, [`webhook@${world.receiver}`]: free }
  const dam = await start(name, hosts, {
    BENCH_STATEMENTS: out,
    NODE_OPTIONS: `--import ${join(import.meta.dirname, "dam/statements.ts")}`
  })
  const told = webhook === undefined ? undefined : world.told(world.hooks() + jobs)
  await load({ port: dam.port, connections, jobs, target: `${world.upstream}/`, webhook, name })
  await told
  await dam.stop()
  const { messages, statements }: Counted = JSON.parse(readFileSync(out, "utf8"))
  const each = (count: number) => (count / jobs).toFixed(2)
  const often = Object.entries(statements).sort(([, one], [, other]) => other - one)
  const sum = often.reduce((total, [, count]) => total + count, 0)
  if (process.env["BENCH_STATEMENTS"] !== undefined) {
    for (const [sql, count] of often.slice(0, 30)) console.log(`    ${each(count)}  ${sql.slice(0, 100)}`)
  }
  return `${each(sum)} statements, ${each(messages)} messages back`
}

const statements = async (world: World) => {
  const jobs = quick ? 500 : 20_000
  console.log(
    `statements of a job, admission: ${await counted(world, "counted", jobs, undefined)} (budget 2)\n  ` +
      `accept to webhook: ${await counted(world, "countedWhole", jobs, `${world.receiver}/`)} (budget 9)`
  )
}

/** The longest that the log of the database gets while jobs are taken. */
const log = async (world: World) => {
  const dam = await start("log", {})
  const jobs = quick ? 2000 : 250_000
  let longest = 0
  const look = setInterval(() => (longest = Math.max(longest, statSync(`${dam.db}-wal`).size)), 5)
  const cost = costs(dam.pid)
  const { seconds } = await load({
    port: dam.port,
    connections,
    jobs,
    target: `${world.upstream}/`,
    webhook: undefined,
    name: "log"
  })
  clearInterval(look)
  const size = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`
  console.log(
    `log of the database, ${number(jobs)} admissions at ${number(jobs / seconds)} a second: ${size(longest)} at most, ` +
      `${size(statSync(`${dam.db}-wal`).size)} after them (budget 16)\n  ${cost(jobs)}`
  )
  await dam.stop()
}

const accuracy = async (world: World, rps: number) => {
  const seconds = quick ? 2 : 60
  const dam = await start(`pace-${rps}`, { [world.upstream]: `{ rps: ${rps}, max_concurrent: 100 }` })
  // more than can run, the time of their submission included, so that the lane never runs dry
  const jobs = Math.ceil(rps * (seconds * 1.5 + 10))
  await load({ port: dam.port, connections: 8, jobs, target: `${world.upstream}/`, webhook: undefined, name: "pace" })
  await world.calls()
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const calls = await world.calls()
  const [first = 0] = calls
  const last = calls.at(-1) ?? 0
  const achieved = ((calls.length - 1) * 1000) / (last - first)
  const most = Math.max(...calls.map((at, place) => place - calls.findIndex((other) => other > at - 1000) + 1))
  console.log(
    `pace of ${rps} a second, kept for ${((last - first) / 1000).toFixed(0)} s: ${achieved.toFixed(2)} a second ` +
      `(${(((achieved - rps) / rps) * 100).toFixed(2)} %), at most ${most} in any second`
  )
  await dam.stop()
}

const backlog = async (world: World, jobs: number) => {
  const dam = await start(`backlog-${jobs}`, {})
  const options = { port: dam.port, connections, target: `${world.upstream}/`, webhook: undefined }
  const before = mebibytes(dam.pid)
  const filled = await load({ ...options, jobs, name: "backlog" })
  const { latencies } = await load({ ...options, connections: 1, jobs: quick ? 50 : 2000, name: "more" })
  console.log(
    `${number(jobs)} queued in one lane: filled at ${number(jobs / filled.seconds)} a second, one more takes ` +
      `${quantile(latencies, 0.5)} ms alone; resident ${before} MiB empty, ${mebibytes(dam.pid)} MiB now`
  )
  await dam.stop()
  const again = await start(`backlog-${jobs}`, {})
  console.log(
    `  started again in ${again.readyAfter}, resident ${mebibytes(again.pid)} MiB` +
      (jobs >= 1_000_000 ? " (budget 300)" : "")
  )
  await again.stop()
}

const parts = {
  admissions,
  endToEnd,
  statements,
  log,
  accuracy: async (world: World) => {
    for (const rps of quick ? [50] : [10, 200]) await accuracy(world, rps)
  },
  backlog: async (world: World) => {
    for (const jobs of quick ? [1000] : [1000, 100_000]) await backlog(world, jobs)
    if (process.env["BENCH_BACKLOG"] !== undefined) await backlog(world, Number(process.env["BENCH_BACKLOG"]))
  }
}

const chosen = process.argv.slice(2)
const world = await startWorld()
for (const [name, part] of Object.entries(parts)) if (chosen.length === 0 || chosen.includes(name)) await part(world)
await world.stop()
rmSync(folder, { recursive: true })
