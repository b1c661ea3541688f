/** The servers that contenders need, each in a folder of its own. What the machine does not have is `undefined`. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"

export interface Server {
  /** What a contender is told of it. */
  readonly at: string
  readonly pid: number
  readonly version: string
  readonly stop: () => Promise<unknown>
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : 0
}

/** What runs for this run, so that it ends with it, however that ends. */
export const started = new Set<ChildProcess>()

/** Resolves once none of it writes any more. */
export const endStarted = () =>
  Promise.all(
    Array.from(started, async (child) => {
      if (child.exitCode === null && child.signalCode === null) await ending(child, "SIGINT")()
    })
  )

/** Resolves once it says so. */
const saying = (child: ChildProcess, words: RegExp): Promise<RegExpExecArray> =>
  new Promise((resolve, reject) => {
    started.add(child)
    let output = ""
    const hear = (chunk: Buffer) => {
      output += chunk
      const found = words.exec(output)
      if (found !== null) resolve(found)
    }
    child.stdout?.on("data", hear)
    child.stderr?.on("data", hear)
    child.on("error", reject)
    child.on("exit", () => reject(new Error(output)))
  })

const ending = (child: ChildProcess, signal: NodeJS.Signals) => async () => {
  const ended = once(child, "exit")
  child.kill(signal)
  await ended
}

const versionIn = (text: string) => /\d+\.\d+(\.\d+)?/.exec(text)?.[0] ?? ""

/** Redis of the machine, or unpacked from Debian's packages. */
const redisBinary = (folder: string): { readonly path: string; readonly env: NodeJS.ProcessEnv } | undefined => {
  const packages = ["redis-tools", "libjemalloc2", "liblzf1", "libatomic1"]
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" })
    return { path: "redis-server", env: process.env }
  } catch {
    try {
      execFileSync("apt-get", ["download", ...packages], { cwd: folder, stdio: "ignore" })
      for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb")))
        execFileSync("dpkg", ["-x", file, "."], { cwd: folder, stdio: "ignore" })
      const [libraries = ""] = globSync("usr/lib/*-linux-gnu", { cwd: folder })
      // the package of the server is but a link to this
      const path = join(folder, "redis-server")
      execFileSync("cp", [join(folder, "usr/bin/redis-check-rdb"), path])
      return { path, env: { ...process.env, LD_LIBRARY_PATH: join(folder, libraries) } }
    } catch {
      return undefined
    }
  }
}

/** Redis that answers once what was written is on the disk. */
export const startRedis = async (folder: string): Promise<Server | undefined> => {
  mkdirSync(folder)
  const found = redisBinary(folder)
  if (found === undefined) return undefined
  const { env, path } = found
  const port = await freePort()
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
  const durable = ["--appendonly", "yes", "--appendfsync", "always"]
  const child = spawn(path, [...args, ...durable], { env, stdio: ["ignore", "pipe", "pipe"] })
  await saying(child, /Ready to accept connections/)
  const version = `Redis ${versionIn(execFileSync(path, ["--version"], { env, encoding: "utf8" }))}`
  return { at: `redis://127.0.0.1:${port}`, pid: child.pid ?? 0, version, stop: ending(child, "SIGTERM") }
}

/** Postgres refuses to run as root: then it runs as its own user. */
const postgresUser = () => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

/** Postgres as it comes, with more memory and fewer checkpoints. */
const postgresSettings = {
  shared_buffers: "512MB",
  max_wal_size: "4GB",
  checkpoint_timeout: "30min",
  max_connections: "150",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: ""
}

export const startPostgres = async (folder: string): Promise<Server | undefined> => {
  const [binaries] = globSync("/usr/lib/postgresql/*/bin").toSorted().toReversed()
  if (binaries === undefined || !existsSync(join(binaries, "initdb"))) return undefined
  mkdirSync(folder)
  const user = postgresUser()
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, "data")
  const quiet = { ...user, cwd: folder, stdio: "ignore" } as const
  execFileSync(join(binaries, "initdb"), ["-D", data, "-A", "trust", "-U", "bench"], quiet)
  const port = await freePort()
  const settings = Object.entries(postgresSettings).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  const child = spawn(join(binaries, "postgres"), ["-D", data, "-p", String(port), ...settings], {
    ...user,
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"]
  })
  await saying(child, /ready to accept connections/)
  const version = `Postgres ${versionIn(execFileSync(join(binaries, "postgres"), ["--version"], { encoding: "utf8" }))}`
  const at = `postgres://bench@127.0.0.1:${port}/postgres`
  return { at, pid: child.pid ?? 0, version, stop: ending(child, "SIGINT") }
}

/** A dam built from a package, with a pace that holds nothing back. */
export const startDam = async (folder: string, bin: string, atOnce: number): Promise<Server> => {
  mkdirSync(folder)
  const config = join(folder, "dam.yaml")
  const unlimited = `{ rps: 1000000, max_concurrent: ${atOnce} }`
  writeFileSync(config, `pacing:\n  default: ${unlimited}\n  receivers: ${unlimited}\n`)
  chmodSync(folder, 0o700)
  const args = ["dam", "--port", "0", "--db", join(folder, "dam.db"), "--config", config, "--allow-private"]
  const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "inherit"] })
  const [, port = ""] = await saying(child, /listening {2}http:\/\/127\.0\.0\.1:(\d+)/)
  return { at: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, version: "SQLite", stop: ending(child, "SIGTERM") }
}
