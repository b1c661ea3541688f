/**
 * What a cold start costs: from the start of a Node process to its first handled event, which calls a server on loopback
 * once. The function is the AWS Lambda recipe of docs/guide/recipes.md over the package in `dist`, as installed and
 * bundled into one file by esbuild; beside it the least that Node does itself, which is to start, and to call `fetch`.
 *
 * Medians over fresh processes, the sides taking turns: milliseconds on the clock as seen from outside, and of processor
 * time.
 */
import type * as Esbuild from "esbuild"
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { snippetsOf } from "../docs/Markdown.ts"
import { startServer } from "./support/server.ts"

// tsup brings esbuild along
const fromTsup = createRequire(createRequire(import.meta.url).resolve("tsup"))
const { build } = fromTsup("esbuild") as typeof Esbuild

const rounds = process.env["BENCH_QUICK"] === "1" ? 1 : 15
const root = fileURLToPath(new URL("../..", import.meta.url))
const server = await startServer()
mkdirSync(join(root, ".tmp"), { recursive: true })
// below the root, where the package is found by its own name
const folder = mkdtempSync(join(root, ".tmp", "coldstart-"))

const recipe = snippetsOf(root, "docs/guide/recipes.md").find(({ code }) => code.includes("export const handler"))?.code
if (recipe === undefined) throw new Error("the recipe for AWS Lambda is gone")

const first = `
const event = { rawPath: "/orders", headers: {}, body: '{"id":"1"}', isBase64Encoded: false }
const { statusCode } = await handler(event)
const { system, user } = process.cpuUsage()
process.stdout.write(JSON.stringify({ statusCode, cpu: (system + user) / 1000 }))
process.exit()`

const sides: Readonly<Record<string, { readonly code: string; readonly isBundled?: boolean }>> = {
  "node, and nothing": { code: `const handler = async () => ({ statusCode: 200 })` },
  "node, and fetch": {
    code: `const handler = async ({ body }) => {
      const answer = await fetch("${server.url}", { method: "POST", body })
      return { statusCode: answer.status, body: await answer.text() }
    }`
  },
  "the recipe, bundled": { code: recipe, isBundled: true },
  "the recipe, as installed": { code: recipe }
}

const files = new Map<string, string>()
for (const [name, { code, isBundled = false }] of Object.entries(sides)) {
  const file = join(folder, `${name.replaceAll(/\W/g, "-")}.mjs`)
  await build({
    stdin: {
      contents: code.replace(/https:\/\/api\.example\.com/, server.url) + first,
      loader: "ts",
      resolveDir: folder
    },
    bundle: isBundled,
    minify: isBundled,
    format: "esm",
    platform: "node",
    target: "node22",
    outfile: file,
    logLevel: "error"
  })
  files.set(name, file)
}

const start = (file: string): Promise<{ readonly wall: number; readonly cpu: number }> =>
  new Promise((resolve, reject) => {
    const from = performance.now()
    const env = { ...process.env, EZTHROTTLE_WEBHOOK_SECRET: "a-secret-of-this-benchmark" }
    const child = spawn(process.execPath, [file], { env, stdio: ["ignore", "pipe", "inherit"] })
    let said = ""
    let wall = Number.NaN
    child.stdout.on("data", (chunk) => {
      said += chunk
      wall = performance.now() - from
    })
    child.on("error", reject)
    child.on("close", () => {
      const { cpu, statusCode } = JSON.parse(said || "{}")
      if (statusCode === 200) resolve({ wall, cpu })
      else reject(new Error(`${file} answered ${said}`))
    })
  })

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const times = new Map([...files.keys()].map((name) => [name, { wall: Array<number>(), cpu: Array<number>() }]))
// the first round warms up the disk
for (let round = -1; round < rounds; round++) {
  for (const [name, file] of files) {
    const { cpu, wall } = await start(file)
    if (round < 0) continue
    times.get(name)?.wall.push(wall)
    times.get(name)?.cpu.push(cpu)
  }
}

const bare = times.get("node, and fetch") ?? { wall: [], cpu: [] }
for (const [name, { cpu, wall }] of times) {
  const beside = `${(median(wall) / median(bare.wall)).toFixed(2)} (cpu ${(median(cpu) / median(bare.cpu)).toFixed(2)})`
  console.log(
    `${name.padEnd(25)} ${median(wall).toFixed(0).padStart(4)} ms to the first handled event, ` +
      `cpu ${median(cpu).toFixed(0).padStart(4)}   ${beside} x node and fetch`
  )
}

await server.stop()
rmSync(folder, { recursive: true })
