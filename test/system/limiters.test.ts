/** The dam behind limiters that people use, as they are published: it keeps what they allow and wastes little of it. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Dam } from "../../src/dam.ts"
import { EZThrottle } from "../../src/promise.ts"
import { root } from "./support/Built.ts"

const packages = [
  "@fastify/rate-limit@11.2.0",
  "@hono/node-server@2.1.9",
  "@nestjs/common@12.5.1",
  "@nestjs/core@12.5.1",
  "@nestjs/platform-express@12.5.1",
  "@nestjs/throttler@6.7.1",
  "express-rate-limit@8.7.5",
  "express@5.3.0",
  "fastify@5.12.8",
  "hono-rate-limiter@0.5.4",
  "hono@4.13.19",
  "koa-ratelimit@6.0.0",
  "koa@3.3.0",
  "rate-limiter-flexible@11.4.0",
  "reflect-metadata@0.2.2",
  "rxjs@7.8.2"
]

/** Of the limiters' own: three calls in two seconds, so twelve take three windows beyond the first. */
const windowMillis = 2000
const jobs = 12
const windows = 4

interface Limiter {
  readonly name: string
  /** How much later than its window ends it says so, being told as whole seconds of a clock. */
  readonly blurMillis: number
  /** How often it may refuse, where it announces nothing before. */
  readonly refusals: number
}

const telling = (name: string, blurMillis = 0): Limiter => ({ name, blurMillis, refusals: windows })

const limiters: ReadonlyArray<Limiter> = [
  telling("express-rate-limit, legacy", 1000),
  telling("express-rate-limit, draft-6"),
  telling("express-rate-limit, draft-8"),
  telling("@fastify/rate-limit"),
  telling("koa-ratelimit", 1000),
  telling("hono-rate-limiter, draft-6"),
  telling("hono-rate-limiter, draft-7"),
  telling("rate-limiter-flexible"),
  // it tells both in whole seconds, rounded up, and its window begins with a call
  telling("@nestjs/throttler, two names", 1000),
  // what flows back call by call has no window: each wait of a second may end in a refusal
  { name: "governor", blurMillis: 0, refusals: 9 }
]

interface Seen {
  readonly name: string
  readonly status: number
  readonly at: number
}

let folder: string
let servers: ChildProcess
let ports: Readonly<Record<string, number>>
const seen: Array<Seen> = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "limiters-"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  copyFileSync(join(root, "test/system/support/limiters.mjs"), join(folder, "limiters.mjs"))
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--silent"]
  await new Promise<void>((resolve, reject) => {
    execFile("npm", ["install", ...quiet, ...packages], { cwd: folder }, (error, _, errors) =>
      error === null ? resolve() : reject(new Error(errors, { cause: error }))
    )
  })
  servers = spawn(process.execPath, ["limiters.mjs"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] })
  ports = await new Promise((resolve, reject) => {
    servers.once("close", () => reject(new Error("the limiters have ended")))
    if (servers.stdout === null) return reject(new Error("the limiters say nothing"))
    createInterface(servers.stdout).on("line", (line) => {
      const said = JSON.parse(line)
      if (said.ports === undefined) seen.push(said)
      else resolve(said.ports)
    })
  })
})

afterAll(() => {
  servers.kill("SIGKILL")
  rmSync(folder, { recursive: true, force: true })
})

describe("behind", () => {
  for (const { blurMillis, name, refusals } of limiters) {
    it.concurrent(`${name}, every job succeeds, in good time and with at most one refusal a window`, async () => {
      const pacing = { pace: { rps: 20, maxConcurrent: 2 } }
      const service = Dam.embedded({ path: ":memory:", executor: "sameThread", pacing })
      const client = new EZThrottle({ service })
      const results = await Promise.all(
        Array.from({ length: jobs }, (_, n) =>
          client.queueAndWait({ url: `http://127.0.0.1:${ports[name]}/${n}`, timeout: 60_000 })
        )
      )
      await client[Symbol.asyncDispose]()
      assert.deepStrictEqual(
        results.map(({ status }) => status),
        results.map(() => "success")
      )
      const calls = seen.filter((call) => call.name === name)
      const took = Math.max(...calls.map(({ at }) => at)) - Math.min(...calls.map(({ at }) => at))
      assert.isAtMost(calls.filter(({ status }) => status === 429).length, refusals)
      // what is left is spread, so the last call of the last window comes towards its end
      assert.isAtMost(took, 1.25 * windows * (windowMillis + blurMillis))
    })
  }
})
