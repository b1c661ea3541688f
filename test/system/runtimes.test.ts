/** The dam on other runtimes than Node, on the package as it is built: it works, or refuses before it takes a job. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { build, type Built, root } from "./support/Built.ts"
import * as Loopback from "./support/Loopback.ts"

let built: Built
let upstream: Loopback.Loopback

beforeAll(async () => {
  built = await build()
  upstream = await Loopback.upstream()
  const installed = join(built.folder, "node_modules/ezthrottle-effect")
  mkdirSync(installed, { recursive: true })
  copyFileSync(join(root, "package.json"), join(installed, "package.json"))
  symlinkSync(join(built.folder, "dist"), join(installed, "dist"))
  const dependencies = { "ezthrottle-effect": "*" }
  writeFileSync(join(built.folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }))
  writeFileSync(
    join(built.folder, "program.ts"),
    `import { Dam } from "ezthrottle-effect/dam"
import { EZThrottle } from "ezthrottle-effect/promise"
const [path, url] = process.argv.slice(2)
const client = new EZThrottle({ service: Dam.embedded({ path }) })
const { status } = await client.queueAndWait({ url: url + "/job", webhooks: [{ url: url + "/hook" }] })
await client.idle()
console.log("job " + status)
await client[Symbol.asyncDispose]()
`
  )
})

afterAll(async () => {
  await upstream.close()
  built.remove()
})

const run = (command: string, args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number; readonly out: string; readonly err: string }>((resolve) => {
    const env = { ...process.env, NO_COLOR: "1", DENO_DIR: join(built.folder, "deno") }
    execFile(join(root, "node_modules/.bin", command), args, { cwd: built.folder, env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    )
  })

describe("a dam", () => {
  it("runs a job and tells its webhook on Deno", async () => {
    const db = join(built.folder, "deno.db")
    const { code, err, out } = await run("deno", ["run", "-A", "--no-lock", "program.ts", db, upstream.url])
    assert.strictEqual(out.trim(), "job success", err)
    assert.strictEqual(code, 0)
    const seen = await upstream.until((all) => all.length >= 2)
    assert.deepStrictEqual(
      seen.map(({ path }) => path),
      ["/job", "/hook"]
    )
  }, 60_000)

  it("is refused on Bun in one line, in process and as a command, before it takes a job", async () => {
    const lacks = /^(ezthrottle: )?a dam does not run on Bun [\d.]+: its undici cannot be told where a call may go/m
    const db = join(built.folder, "bun.db")
    const embedded = await run("bun", ["run", "program.ts", db, upstream.url])
    assert.notStrictEqual(embedded.code, 0)
    assert.match(embedded.err, /a dam does not run on Bun/)
    const served = await run("bun", [join(built.folder, "dist/bin.js"), "dam", "--db", db, "--port", "0"])
    assert.strictEqual(served.code, 1)
    assert.match(served.err, lacks)
    assert.strictEqual(served.err.trimEnd().split("\n").length, 1)
    assert.strictEqual(served.out, "")
    assert.isFalse(existsSync(db))
  }, 60_000)
})
