/**
 * The packed tarball in projects as people set them up: Next.js, webpack, Rspack, Jest, an old Node. What a machine cannot install is skipped,
 * with the reason.
 */
import { afterAll, assert, beforeAll, describe, it, type TestContext } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import * as Recipes from "../docs/Recipes.ts"
import * as DamProcess from "../system/support/DamProcess.ts"
import * as Loopback from "../system/support/Loopback.ts"
import { pack, type Packed, type Project, run } from "../system/support/Packed.ts"
import * as Program from "../system/support/Program.ts"

let packed: Packed

beforeAll(async () => {
  packed = await pack()
})

afterAll(async () => {
  await DamProcess.endAll()
  packed.remove()
})

/** A project with these packages, or a skipped test where they are not to be had. */
const projectWith = (context: TestContext, name: string, ...packages: ReadonlyArray<string>): Promise<Project> =>
  packed
    .project(name, ...packages)
    .catch((error: Error) =>
      context.skip(`${packages.join(", ")} is not to be had here: ${error.message.slice(0, 300)}`)
    )

const bin = ({ folder }: Project): string => join(folder, "node_modules/ezthrottle-effect/dist/bin.js")

const damOf = (project: Project): Promise<DamProcess.DamProcess> =>
  DamProcess.start(bin(project), ["--port", "0", "--db", join(project.folder, "served.db"), "--allow-private"])

describe("Next.js", () => {
  const next = ["next@16.4.6", "react@19.3.1", "react-dom@19.3.1", "typescript@6.0.3", "@types/react@19.3.3"]

  /** The programs of the guide, each in the file that its first line names. */
  const recipe = (world: Recipes.World): Readonly<Record<string, string>> =>
    Object.fromEntries(
      (Recipes.programs.get("Next.js") ?? []).map((code) => {
        const [, file = ""] = /^\s*\/\/ (\S+)\n/.exec(code) ?? []
        return [file, world.placed(code)]
      })
    )

  /** What the guide does not show: somebody who uses the dam, and a route of the other runtime. */
  const around = (world: Recipes.World): Readonly<Record<string, string>> => ({
    "next.config.ts": `export default { serverExternalPackages: ["ezthrottle-effect"] }`,
    "app/layout.tsx": `
      export default function Layout({ children }: { children: React.ReactNode }) {
        return <html><body>{children}</body></html>
      }`,
    "app/page.tsx": "export default function Page() { return <p>tea</p> }",
    "app/own/route.ts": `
      import { client } from "../../dam"
      export async function POST(): Promise<Response> {
        const { status } = await client.queueAndWait({ url: "${world.target}/own" })
        return Response.json({ status })
      }`,
    "instrumentation.ts": `
      export async function register() {
        // not left early: webpack follows an import that stands after a return
        if (process.env.NEXT_RUNTIME === "nodejs") {
          const { client } = await import("./dam")
          await client.queueAndWait({ url: "${world.target}/begun" })
        }
      }`,
    "app/edge/route.ts": `
      import { EZThrottle, Step, StepType } from "ezthrottle-effect/promise"
      export const runtime = "edge"
      const client = new EZThrottle()
      export async function POST(): Promise<Response> {
        const result = await new Step(client).type(StepType.FRUGAL).url("${world.target}/edge").execute()
        return Response.json(result)
      }`
  })

  const start = async (project: Project, env: Readonly<Record<string, string>>) => {
    const args = [join(project.folder, "node_modules/next/dist/bin/next"), "start", "-H", "127.0.0.1", "-p", "0"]
    const child: ChildProcess = spawn(process.execPath, args, {
      cwd: project.folder,
      env: { ...process.env, NODE_ENV: "production", ...env },
      stdio: ["ignore", "pipe", "inherit"]
    })
    const ended = once(child, "close")
    const url = await new Promise<string>((resolve, reject) => {
      void ended.then(() => reject(new Error("next start ended")))
      if (child.stdout === null) return reject(new Error("no output"))
      createInterface(child.stdout).on("line", (line) => {
        const [, found] = /Local:\s+(http:\S+)/.exec(line) ?? []
        if (found !== undefined) resolve(found)
      })
    })
    return { url, stop: async () => (child.kill(), await ended) }
  }

  let installed: Promise<Project> | undefined

  for (const bundler of ["turbopack", "webpack"]) {
    it(`builds without secrets by ${bundler}, and keeps the promises of the recipe`, async (context) => {
      const project = await (installed ??= projectWith(context, "next", ...next))
      const world = await Recipes.make()
      project.write({ ...around(world), ...recipe(world) })

      const quiet = { CI: "1", NEXT_TELEMETRY_DISABLED: "1", NODE_ENV: "production" }
      const secrets = { EZTHROTTLE_API_KEY: undefined, EZTHROTTLE_WEBHOOK_SECRET: undefined }
      const program = join(project.folder, "node_modules/next/dist/bin/next")
      const said = await run(project.folder, process.execPath, [program, "build", `--${bundler}`], {
        ...quiet,
        ...secrets
      })
      assert.match(said, /\/hooks/)

      const dam = await damOf(project)
      const environment = {
        ...quiet,
        EZTHROTTLE_API_KEY: "any",
        EZTHROTTLE_TRACKTAGS_URL: dam.url,
        EZTHROTTLE_URL: dam.url,
        EZTHROTTLE_WEBHOOK_SECRET: Recipes.webhookSecret
      }
      const create = [bin(project), "secrets", "create", "env:EZTHROTTLE_WEBHOOK_SECRET", "--url", dam.url]
      await run(project.folder, process.execPath, create, environment)
      const { stop, url } = await start(project, environment)
      const ask = async (request: Request): Promise<Response> =>
        fetch(new URL(new URL(request.url).pathname, url), {
          method: request.method,
          headers: { ...Object.fromEntries(request.headers), connection: "close" },
          body: await request.bytes()
        })
      const post = async (path: string) => (await ask(new Request(new URL(path, url), { method: "POST" }))).json()

      // the program that starts with the server, and two routes, which Next runs as modules of their own
      assert.deepStrictEqual(await post("/own"), { status: "success" })
      assert.deepInclude(await post("/edge"), { status: "success", response: "made /edge" })
      assert.sameMembers(
        world.calls.map(({ path }) => path),
        ["/begun", "/own", "/edge"]
      )
      world.forget()
      await Recipes.keepsItsPromises(world, ask)

      await stop()
      await world.close()
      dam.signal("SIGKILL")
      await dam.ended
    })
  }
})

describe("webpack and Rspack", () => {
  let upstream: Loopback.Loopback

  beforeAll(async () => {
    upstream = await Loopback.upstream()
  })

  afterAll(() => upstream.close())

  const config = `
    const common = { mode: "production", performance: false }
    const library = { library: { type: "module" }, module: true, chunkFormat: "module" }
    export default [
      {
        ...common,
        entry: "./facade.mjs",
        target: ["web", "es2022"],
        experiments: { outputModule: true },
        output: { ...library, filename: "web.mjs" }
      },
      { ...common, entry: "./later.mjs", target: "node22", output: { filename: "node.cjs" } },
      { ...common, entry: "./own.mjs", target: "node22", output: { filename: "own.cjs" } }
    ]`

  const bundlers = [
    {
      name: "webpack",
      packages: ["webpack@5.113.0", "webpack-cli@7.3.1"],
      command: ["node_modules/webpack/bin/webpack.js"]
    },
    {
      name: "rspack",
      packages: ["@rspack/core@2.3.3", "@rspack/cli@2.2.8"],
      command: ["node_modules/.bin/rspack", "build"]
    }
  ] as const

  for (const { command, name, packages } of bundlers) {
    it(`bundles the facade for browsers and for Node, and a dam with its thread: ${name}`, async (context) => {
      const project = await projectWith(context, name, ...packages)
      project.write({
        [`${name}.config.mjs`]: config,
        "facade.mjs": Program.facade,
        "later.mjs": Program.facade + Program.runsLater,
        "own.mjs": Program.dam,
        "web.mjs": `import { run } from "./dist/web.mjs"\n${Program.runs}`
      })
      const [program, ...args] = command
      await project.node(program, ...args)
      const dam = await damOf(project)
      for (const file of ["web.mjs", "dist/node.cjs"]) {
        Program.keepsItsPromises(await project.node(file, dam.url, upstream.url))
      }
      const said = await project.node("dist/own.cjs", join(project.folder, "own.db"), upstream.url)
      assert.strictEqual(said.trim(), "job success")
    })
  }
})

describe("Jest", () => {
  const behaviour = `
    const client = new EZThrottle({ service: Dam.embedded({ path: "orders.db" }) })
    const { status } = await client.queueAndWait({
      url: "http://127.0.0.1:9/",
      retryPolicy: { maxRetries: 0, maxReroutes: 0 }
    })
    await client[Symbol.asyncDispose]()
    expect(status).toBe("failed")
    const pretended = createTestClient()
    expect(typeof pretended).toBe("object")`

  const named = { EZThrottle: "promise", Dam: "dam", createTestClient: "testing", fetchHandler: "webhook" }

  it("runs tests that are ES modules, and tests that are CommonJS", async (context) => {
    const project = await projectWith(context, "jest", "jest@30.5.2")
    const lines = (line: (name: string, entry: string) => string) =>
      Object.entries(named)
        .map(([name, entry]) => line(`{ ${name} }`, JSON.stringify(`ezthrottle-effect/${entry}`)))
        .join("\n")
    const file = (head: string, inside: string) => `${head}\ntest("a dam", async () => {${inside}${behaviour}\n})`
    project.write({
      "jest.config.json": JSON.stringify({
        testMatch: ["**/*.test.?js"],
        moduleFileExtensions: ["js", "mjs", "cjs", "json"],
        transform: {},
        maxWorkers: 1
      }),
      "esm.test.mjs": file(
        lines((name, entry) => `import ${name} from ${entry}`),
        ""
      ),
      "cjs.test.cjs": file(
        "",
        lines((name, entry) => `const ${name} = require(${entry})`)
      )
    })
    const said = await run(
      project.folder,
      process.execPath,
      ["--experimental-vm-modules", "node_modules/jest/bin/jest.js", "--json"],
      { NODE_ENV: "test" }
    )
    assert.deepInclude(JSON.parse(said), { numPassedTests: 2, numFailedTestSuites: 0 })
  })
})

describe("Node 20", () => {
  it("calls, hands over and receives, and is told which Node a dam takes", async (context) => {
    const name = `node-${process.platform}-${process.arch}`
    const project = await projectWith(context, "old", `${name}@20.20.2`)
    const old = join(project.folder, "node_modules", name, "bin/node")
    assert.strictEqual((await project.run(old, "--version")).trim(), "v20.20.2")
    project.write({
      "facade.mjs": Program.facade + Program.runs,
      "loads.mjs": `import "ezthrottle-effect"\nimport "ezthrottle-effect/testing"`,
      "needs.mjs": `
        for (const entry of ["dam", "node"]) {
          await import("ezthrottle-effect/" + entry).catch(({ message }) => console.log(message))
        }`
    })
    const upstream = await Loopback.upstream()
    const dam = await damOf(project)
    Program.keepsItsPromises(await project.run(old, "facade.mjs", dam.url, upstream.url))
    await upstream.close()
    await project.run(old, "loads.mjs")
    const needs = "this part of ezthrottle-effect (/dam, /node) needs Node 22.19 or newer; this is 20.20.2\n"
    assert.strictEqual(await project.run(old, "needs.mjs"), needs + needs)
    const refused = await project.run(old, bin(project), "dam").catch(({ message }: Error) => message)
    assert.include(refused, "\nezthrottle needs Node 22.19 or newer; this is 20.20.2\n")
  })
})
