/** The built `ezthrottle-effect/webhook` where it says that it runs: Deno, Bun and workerd, each with its own server. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Esbuild from "esbuild"
import { type ChildProcess, spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { createRequire } from "node:module"
import { createInterface } from "node:readline"
import { Miniflare } from "miniflare"
import * as Ed25519 from "../../src/wire/Ed25519.ts"
import * as EzthrottleSignature from "../../src/wire/EzthrottleSignature.ts"
import * as StandardWebhooksKeys from "../../src/wire/StandardWebhooksKeys.ts"
import { bodyOf } from "../receive/support.ts"
import { build, type Built, root } from "./support/Built.ts"

// tsup brings esbuild along
const fromTsup = createRequire(createRequire(import.meta.url).resolve("tsup"))
const { build: bundle } = fromTsup("esbuild") as typeof Esbuild

const secret = "whk_a_secret_of_this_test"
const signer = await Effect.runPromise(
  Ed25519.signingKey(new Uint8Array(32).fill(7)).pipe(Effect.provide(Ed25519.layer))
)
const publicKey = StandardWebhooksKeys.publicKeyOf(signer)

let built: Built

beforeAll(async () => {
  built = await build()
})

afterAll(() => built.remove())

/** A program for one runtime: the receiver, and how this runtime serves it. */
const program = async (name: string, serving: string): Promise<string> => {
  const entry = join(built.folder, `${name}.entry.js`)
  writeFileSync(
    entry,
    `import { fetchHandler } from "./dist/webhook.js"
    const handled = []
    const webhook = fetchHandler({
      secrets: ${JSON.stringify(secret)},
      publicKeys: ${JSON.stringify(publicKey)},
      handle: (event) => {
        handled.push(event.jobId)
        if (event.metadata.fail && handled.filter((id) => id === event.jobId).length === 1) throw new Error("not now")
      }
    })
    const serve = async (request) => request.method === "GET" ? Response.json(handled) : webhook(request)
    ${serving}`
  )
  const outfile = join(built.folder, `${name}.mjs`)
  const conditions = ["worker", "browser", "import", "default"]
  const common = { bundle: true, format: "esm", platform: "browser", logLevel: "error" } as const
  await bundle({ ...common, entryPoints: [entry], outfile, conditions })
  return outfile
}

interface Running {
  readonly url: string
  readonly stop: () => Promise<void>
}

/** Starts a program that prints its port. */
const start = async (command: string, ...args: ReadonlyArray<string>): Promise<Running> => {
  const child: ChildProcess = spawn(command, args, {
    cwd: built.folder,
    env: { ...process.env, NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_DIR: join(built.folder, "deno") },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let said = ""
  child.stderr?.on("data", (chunk) => (said += chunk))
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  const port = await new Promise<string>((resolve, reject) => {
    child.once("error", reject)
    void ended.then(() => reject(new Error(`${command} ended: ${said}`)))
    if (child.stdout === null) return reject(new Error("no output"))
    createInterface(child.stdout).on("line", (line) => {
      const [, port] = /^port (\d+)$/.exec(line) ?? []
      if (port !== undefined) resolve(port)
    })
  })
  return {
    url: `http://127.0.0.1:${port}/`,
    stop: async () => {
      child.kill("SIGKILL")
      await ended
    }
  }
}

const runtimes: Readonly<Record<string, () => Promise<Running>>> = {
  Deno: async () => {
    const serving = `const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, serve)
      console.log("port " + server.addr.port)`
    const deno = join(root, "node_modules/.bin/deno")
    return start(deno, "run", "--no-config", "--no-lock", "--allow-net=127.0.0.1", await program("deno", serving))
  },
  Bun: async () => {
    const serving = `const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: serve })
      console.log("port " + server.port)`
    return start(join(root, "node_modules/.bin/bun"), "run", await program("bun", serving))
  },
  workerd: async () => {
    const worker = new Miniflare({
      modules: true,
      scriptPath: await program("workerd", "export default { fetch: serve }"),
      compatibilityDate: "2026-01-01",
      host: "127.0.0.1",
      port: 0
    })
    return { url: String(await worker.ready), stop: () => worker.dispose() }
  }
}

const post = (url: string, body: string, headers: object) =>
  fetch(url, { method: "POST", body, headers: { ...headers, connection: "close" } })

describe.each(Object.entries(runtimes))("the receiver on %s", (_, launch) => {
  it("handles events signed by secret and by key once, and refuses forged ones", async () => {
    const { stop, url } = await launch()
    const timestamp = Math.floor(Date.now() / 1000)
    const shared = (body: string) => ({
      [EzthrottleSignature.headerName]: EzthrottleSignature.sign({ body, secrets: secret, timestamp })
    })
    const statuses: Array<number> = []
    const tell = async (body: string, headers: object) => {
      const answer = await post(url, body, headers)
      statuses.push(answer.status)
      return answer.json()
    }

    const plain = bodyOf({ jobId: "by-secret", metadata: { text: "héllo 你好 🚀" } })
    assert.deepStrictEqual(await tell(plain, shared(plain)), { status: "handled" })
    assert.deepStrictEqual(await tell(plain, shared(plain)), { status: "duplicate" })
    await tell(`${plain} `, shared(plain))

    const keyed = bodyOf({ jobId: "by-key" })
    const headers = await Effect.runPromise(
      StandardWebhooksKeys.sign({ id: "msg_1", body: keyed, keys: signer, timestamp }).pipe(
        Effect.provide(Ed25519.layer)
      )
    )
    assert.deepStrictEqual(await tell(keyed, headers), { status: "handled" })
    await tell(`${keyed} `, headers)

    const failing = bodyOf({ jobId: "twice", metadata: { fail: true } })
    await tell(failing, shared(failing))
    await tell(failing, shared(failing))
    assert.deepStrictEqual(statuses, [200, 200, 401, 200, 401, 500, 200])

    const handled = await fetch(url, { headers: { connection: "close" } })
    assert.deepStrictEqual(await handled.json(), ["by-secret", "by-key", "twice", "twice"])
    await stop()
  })
})
