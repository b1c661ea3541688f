/** The dam behind limiters that people use, as they are published: it keeps what they allow and wastes little of it. */
import { afterAll, beforeAll, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./support/Built.ts"
import * as Limiters from "./support/Limiters.ts"

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

const limiters: ReadonlyArray<Limiters.Limiter> = [
  Limiters.telling("express-rate-limit, legacy", 1000),
  Limiters.telling("express-rate-limit, draft-6"),
  Limiters.telling("express-rate-limit, draft-8"),
  Limiters.telling("@fastify/rate-limit"),
  Limiters.telling("@fastify/rate-limit, draft"),
  Limiters.telling("koa-ratelimit", 1000),
  Limiters.telling("hono-rate-limiter, draft-6"),
  Limiters.telling("hono-rate-limiter, draft-7"),
  Limiters.telling("rate-limiter-flexible"),
  // it tells both in whole seconds, rounded up, and its window begins with a call
  Limiters.telling("@nestjs/throttler, two names", 1000),
  // what flows back call by call has no window: each wait of a second may end in a refusal
  { name: "governor", blurMillis: 0, refusals: 9 }
]

let folder: string
let running: Limiters.Limiters

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
  running = await Limiters.start(folder, process.execPath, ["limiters.mjs"])
})

afterAll(() => {
  running.stop()
  rmSync(folder, { recursive: true, force: true })
})

describe("behind", () => {
  for (const limiter of limiters) {
    it.concurrent(`${limiter.name}, every job succeeds, in good time and with at most one refusal a window`, () =>
      Limiters.holds(running, limiter)
    )
  }
})
