import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { type AddressInfo, connect, createServer } from "node:net"
import { join } from "node:path"
import { type Built, build, root } from "./support/Built.ts"
import { ask, type DamProcess, endAll, start } from "./support/DamProcess.ts"
import * as Loopback from "./support/Loopback.ts"

const guide = readFileSync(join(root, "docs/guide/behind-a-proxy.md"), "utf8")

/** The file of the guide that is written in this language. */
const fileIn = (language: string): string => {
  const [, text] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(guide) ?? []
  assert.isDefined(text)
  return text ?? ""
}

/** What nginx does where nobody has told it more. */
const plain = `events {}
http {
  server {
    listen 8000;
    location / { proxy_pass http://127.0.0.1:8080; }
  }
}
`

const proxies = [
  { name: "nginx", text: fileIn("nginx"), command: nginx },
  { name: "nginx as it comes, over HTTP/1.0", text: plain, command: nginx },
  { name: "HAProxy", text: fileIn("haproxy"), command: (file: string) => ["haproxy", "-f", file, "-db"] },
  {
    name: "Caddy",
    text: fileIn("caddyfile"),
    command: (file: string) => ["caddy", "run", "--config", file, "--adapter", "caddyfile"]
  }
]

function nginx(file: string, folder: string): ReadonlyArray<string> {
  return ["nginx", "-c", file, "-p", folder, "-e", "stderr", "-g", `daemon off; pid ${folder}/nginx.pid;`]
}

const isInstalled = (program: string) => spawnSync(program, [program === "caddy" ? "version" : "-v"]).status === 0

let built: Built
let upstream: Loopback.Loopback
const running = new Set<ChildProcess>()

beforeAll(async () => {
  built = await build()
  upstream = await Loopback.upstream()
})

afterEach(async () => {
  for (const child of running) child.kill()
  running.clear()
  await endAll()
})

afterAll(async () => {
  await upstream.close()
  built.remove()
})

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true))
    socket.once("error", () => resolve(false))
    socket.once("connect", () => socket.destroy())
  })

/** A dam with the proxy before it; tells where the proxy listens. */
const before = async (dam: DamProcess, { command, text }: (typeof proxies)[number]): Promise<string> => {
  const folder = mkdtempSync(join(built.folder, "proxy-"))
  const port = await freePort()
  const file = join(folder, "proxy.conf")
  const told = text.replaceAll("127.0.0.1:8080", `127.0.0.1:${dam.port}`).replaceAll("8000", String(port))
  writeFileSync(file, told)
  const [program = "", ...args] = command(file, folder)
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: folder } })
  running.add(child)
  let errors = ""
  child.stderr.on("data", (chunk) => (errors += chunk))
  const ended = new Promise<never>((_, reject) => {
    child.on("exit", (code) => reject(new Error(`${program} ended with ${code}: ${errors}`)))
  })
  ended.catch(() => undefined)
  while (!(await Promise.race([isOpen(port), ended]))) continue
  return `http://127.0.0.1:${port}`
}

describe("a dam behind", () => {
  for (const proxy of proxies) {
    const [program = ""] = proxy.command("", "")
    // the reason is part of the name: what is not installed here is tried where it is
    const name = isInstalled(program) ? proxy.name : `${proxy.name} (${program} is not installed here)`
    it.skipIf(!isInstalled(program))(
      `${name} takes jobs, answers waits and streams events as they come`,
      async () => {
        const keys = { EZTHROTTLE_DAM_KEYS: "acme:key-of-acme" }
        const dam = await start(built.bin, ["--port", "0", "--db", ":memory:", "--allow-private"], { env: keys })
        const url = await before(dam, proxy)
        const headers = { authorization: "Bearer key-of-acme" }
        const submitted = await ask(`${url}/api/v1/jobs`, {
          body: { url: `${upstream.url}/status/200`, method: "POST", body: "b".repeat(100_000) },
          headers
        })
        assert.strictEqual(submitted.status, 201, JSON.stringify(submitted.body))
        const { job_id: id } = submitted.body
        const waited = await ask(`${url}/api/v1/jobs/${id}/wait`, { headers })
        assert.deepStrictEqual([waited.status, waited.body.status], [200, "succeeded"])
        const stream = await fetch(`${url}/api/v1/jobs/${id}/stream`, { headers })
        assert.include(await stream.text(), "event: completed")
        const later = await ask(`${url}/api/v1/jobs`, {
          body: { url: `${upstream.url}/status/200`, retry_at: Date.now() + 3_600_000 },
          headers
        })
        const live = await fetch(`${url}/api/v1/jobs/${later.body.job_id}/stream`, { headers })
        const first = await live.body?.getReader().read()
        assert.include(new TextDecoder().decode(first?.value), "event: queued")
        assert.strictEqual((await ask(`${url}/health`)).status, 200)
        assert.strictEqual((await ask(`${url}/api/v1/jobs`)).status, 401)
        const signedIn = await ask(`${url}/session`, { body: { api_key: "key-of-acme" }, headers: { origin: url } })
        assert.strictEqual(signedIn.status, proxy.text === plain ? 403 : 200)
      },
      60_000
    )
  }
})
