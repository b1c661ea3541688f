import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { join } from "node:path"
import { type Built, build } from "./support/Built.ts"
import { endAll, start } from "./support/DamProcess.ts"

let built: Built

beforeAll(async () => {
  built = await build()
})

afterEach(endAll)

afterAll(() => built.remove())

interface Ended {
  readonly code: number | string
  readonly out: string
  readonly err: string
}

interface Running {
  readonly signal: (name: NodeJS.Signals) => void
  readonly ended: Promise<Ended>
}

/** The command as somebody types it whose output goes elsewhere. */
const launch = (args: ReadonlyArray<string>, environment: Readonly<Record<string, string>> = {}): Running => {
  const { EZTHROTTLE_API_KEY: _, EZTHROTTLE_URL: __, NO_COLOR: ___, FORCE_COLOR: ____, ...env } = process.env
  const child = spawn(process.execPath, [built.bin, ...args], {
    env: { ...env, XDG_CONFIG_HOME: built.folder, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    // a command that does not end by itself is a fault; SIGKILL says which one it was
    timeout: 60_000,
    killSignal: "SIGKILL"
  })
  let out = ""
  let err = ""
  child.stdout.on("data", (chunk) => (out += chunk))
  child.stderr.on("data", (chunk) => (err += chunk))
  return {
    signal: (name) => child.kill(name),
    ended: new Promise((resolve, reject) => {
      child.on("error", reject)
      child.on("close", (code, signal) => resolve({ code: code ?? signal ?? "nothing", out, err }))
    })
  }
}

const run = (args: ReadonlyArray<string>, environment?: Readonly<Record<string, string>>) =>
  launch(args, environment).ended

const place = () => mkdtempSync(join(built.folder, "cli-"))

// eslint-disable-next-line no-control-regex -- what a colour begins with
const colour = /\x1b\[/

/** A dam behind a door that lets so many submissions pass and holds the others until it is told. */
const door = (dam: string, passes: number) =>
  new Promise<{
    readonly server: Server
    readonly url: string
    readonly held: Promise<void>
    readonly open: () => void
  }>((resolve) => {
    let left = passes
    let isOpen = false
    let tellHeld = () => {}
    const held = new Promise<void>((done) => (tellHeld = done))
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk) => chunks.push(chunk))
      request.on("end", async () => {
        const answer = await fetch(dam + request.url, {
          method: request.method ?? "GET",
          headers: { "content-type": "application/json" },
          body: Buffer.concat(chunks)
        })
        const text = await answer.text()
        // taken over by the dam, and the answer never arrives: the worst moment for a Ctrl-C
        if (!isOpen && left-- <= 0) return tellHeld()
        response.writeHead(answer.status, { "content-type": "application/json" })
        response.end(text)
      })
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" ? address?.port : 0
      resolve({ server, url: `http://127.0.0.1:${port}`, held, open: () => (isOpen = true) })
    })
  })

describe("ezthrottle as a process", () => {
  it("stops a batch at Ctrl-C, and goes on with it without handing anything over twice", async () => {
    const folder = place()
    const dam = await start(built.bin, ["--port", "0", "--db", join(folder, "dam.db"), "--allow-private"])
    const way = await door(dam.url, 120)
    const file = join(folder, "jobs.ndjson")
    const tomorrow = Date.now() + 86_400_000
    const jobs = Array.from({ length: 300 }, (_, n) => ({
      url: `http://127.0.0.1:9/${n}`,
      retryAt: tomorrow,
      // half of the keys are drawn, and would be others if they were drawn again
      ...(n % 2 === 0 ? { idempotentStrategy: "UNIQUE" } : {})
    }))
    writeFileSync(file, jobs.map((job) => `${JSON.stringify(job)}\n`).join(""))
    const first = launch(["submit", "--file", file, "--url", way.url])
    await way.held
    first.signal("SIGINT")
    const stopped = await first.ended
    assert.strictEqual(stopped.code, 130, stopped.err)
    assert.strictEqual(stopped.out, "")
    assert.match(stopped.err, /of 300 are handed over; run the same command again to go on .*\nezthrottle: stopped\n$/)
    assert.notMatch(stopped.err, colour)
    const known = readFileSync(`${file}.journal`, "utf8").trimEnd().split("\n").length - 1
    assert.isAbove(known, 0)
    assert.isAtMost(known, 120)

    way.open()
    const second = await run(["submit", "--file", file, "--url", way.url, "--json"])
    assert.strictEqual(second.code, 0, second.err)
    const summary = JSON.parse(second.out)
    assert.deepInclude(summary, { total: 300, accepted: 300 - known, refused: 0, handed_over_before: known })
    assert.isAtLeast(summary.duplicates, 1)
    const listed = await run(["jobs", "list", "--limit", "1000", "--json", "--url", dam.url])
    const urls: ReadonlyArray<string> = JSON.parse(listed.out).jobs.map(({ url }: { url: string }) => url)
    assert.strictEqual(urls.length, 300)
    assert.strictEqual(new Set(urls).size, 300)
    way.server.close()
    way.server.closeAllConnections()
  })

  it("stops waiting for a job at Ctrl-C and at SIGTERM, with the code that says so", async () => {
    const dam = await start(built.bin, ["--port", "0", "--db", join(place(), "dam.db"), "--allow-private"])
    const file = join(place(), "job.json")
    writeFileSync(file, JSON.stringify({ url: "http://127.0.0.1:9/", retryAt: Date.now() + 86_400_000 }))
    const { out } = await run(["submit", file, "--url", dam.url])
    for (const [name, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143]
    ] as const) {
      let asked = () => {}
      const isAsked = new Promise<void>((done) => (asked = done))
      const silent = createServer(() => asked())
      const url = await new Promise<string>((resolve) =>
        silent.listen(0, "127.0.0.1", () => {
          const address = silent.address()
          resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`)
        })
      )
      const waiting = launch(["jobs", "wait", out.trim(), "--url", url])
      await isAsked
      waiting.signal(name)
      const ended = await waiting.ended
      assert.deepStrictEqual([ended.code, ended.err], [code, "ezthrottle: stopped\n"])
      silent.close()
      silent.closeAllConnections()
    }
  })

  it("colours nothing that goes elsewhere, unless it is forced to, and never against NO_COLOR", async () => {
    const dam = await start(built.bin, ["--port", "0", "--db", join(place(), "dam.db")])
    const args = ["doctor", "--url", dam.url, "--db", "/nowhere/dam.db"]
    assert.notMatch((await run(args)).out, colour)
    assert.match((await run(args, { FORCE_COLOR: "1" })).out, colour)
    assert.notMatch((await run(args, { FORCE_COLOR: "1", NO_COLOR: "1" })).out, colour)
  })

  it("ends with the code that the reference names", async () => {
    const dam = await start(built.bin, ["--port", "0", "--db", join(place(), "dam.db")])
    const missing = "job_00000000000000000000000000"
    const codes = await Promise.all(
      [
        ["jobs", "list", "--url", dam.url],
        ["jobs", "lst"],
        ["jobs", "show", missing, "--url", dam.url]
      ].map((args) => run(args))
    )
    assert.deepStrictEqual(
      codes.map(({ code }) => code),
      [0, 2, 6]
    )
    for (const { err } of codes.slice(1)) assert.strictEqual(err.trimEnd().split("\n").length, 1, err)
  })

  it("prints completions for every shell", async () => {
    for (const shell of ["bash", "zsh", "fish", "powershell"]) {
      const { code, out } = await run(["--completions", shell])
      assert.strictEqual(code, 0)
      for (const command of ["submit", "explain", "rotate"]) assert.include(out, command, shell)
    }
  })
})
