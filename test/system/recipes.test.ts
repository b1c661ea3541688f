/** The recipes of docs/guide/recipes.md for other runtimes than Node, on the package as it is built. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Esbuild from "esbuild"
import { execFile } from "node:child_process"
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { Miniflare } from "miniflare"
import * as Support from "../cli/support.ts"
import * as Recipes from "../docs/Recipes.ts"
import { build, type Built, root } from "./support/Built.ts"

// tsup brings esbuild along
const fromTsup = createRequire(createRequire(import.meta.url).resolve("tsup"))
const { build: bundle } = fromTsup("esbuild") as typeof Esbuild

let built: Built

beforeAll(async () => {
  built = await build()
  const installed = join(built.folder, "node_modules/ezthrottle-effect")
  mkdirSync(installed, { recursive: true })
  copyFileSync(join(root, "package.json"), join(installed, "package.json"))
  symlinkSync(join(built.folder, "dist"), join(installed, "dist"))
  // Deno resolves what a project depends on
  const dependencies = { "ezthrottle-effect": "*" }
  writeFileSync(join(built.folder, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }))
})

afterAll(() => built.remove())

const programOf = (heading: string): string => {
  const [code, ...others] = Recipes.programs.get(heading) ?? []
  if (code === undefined || others.length > 0) throw new Error(`${heading} should have one program`)
  return code
}

const fresh = Effect.gen(function* () {
  const dam = yield* Support.dam()
  const world = yield* Effect.acquireRelease(Effect.promise(Recipes.make), ({ close }) => Effect.promise(close))
  const environment = {
    EZTHROTTLE_API_KEY: "any",
    EZTHROTTLE_TRACKTAGS_URL: dam.url,
    EZTHROTTLE_URL: dam.url,
    EZTHROTTLE_WEBHOOK_SECRET: Recipes.webhookSecret
  }
  const secret = yield* Support.run(["secrets", "create", "env:EZTHROTTLE_WEBHOOK_SECRET"], environment)
  assert.strictEqual(secret.code, 0, secret.err)
  return { dam, environment, world }
})

describe("the recipe", () => {
  it.live("for workers runs on workerd without Node's compatibility", () =>
    Effect.gen(function* () {
      const { environment, world } = yield* fresh
      const entry = join(built.folder, "worker.ts")
      writeFileSync(entry, world.placed(programOf("Workers")))
      const outfile = join(built.folder, "worker.mjs")
      const conditions = ["worker", "browser", "import", "default"]
      const common = { bundle: true, format: "esm", platform: "browser", logLevel: "error" } as const
      yield* Effect.promise(() => bundle({ ...common, entryPoints: [entry], outfile, conditions }))
      const worker = yield* Effect.acquireRelease(
        Effect.sync(
          () =>
            new Miniflare({
              modules: true,
              scriptPath: outfile,
              compatibilityDate: "2026-01-01",
              bindings: environment,
              host: "127.0.0.1",
              port: 0,
              // what a worker prints is no part of this test
              handleRuntimeStdio: (out: Readable, err: Readable) => void [out.resume(), err.resume()]
            })
        ),
        (worker) => Effect.promise(() => worker.dispose())
      )
      const url = yield* Effect.promise(() => worker.ready)
      yield* Effect.promise(() =>
        Recipes.keepsItsPromises(world, async (request) =>
          fetch(new URL(new URL(request.url).pathname, url), {
            method: request.method,
            headers: { ...Object.fromEntries(request.headers), connection: "close" },
            body: await request.bytes()
          })
        )
      )
    })
  )

  const runtimes: Readonly<Record<string, ReadonlyArray<string>>> = {
    Bun: ["bun", "run"],
    Deno: ["deno", "run", "--no-lock", "--allow-net", "--allow-env"]
  }

  for (const [name, [command = "", ...args]] of Object.entries(runtimes)) {
    it.live(`for Bun and Deno runs on ${name}, and forwards where the target is down`, () =>
      Effect.gen(function* () {
        const { environment, world } = yield* fresh
        const file = join(built.folder, `price.${name}.ts`)
        writeFileSync(file, world.placed(programOf("Bun and Deno")))
        const print = () =>
          new Promise<string>((resolve, reject) => {
            const env = { ...process.env, ...environment, NO_COLOR: "1", DENO_DIR: join(built.folder, "deno") }
            execFile(
              join(root, "node_modules/.bin", command),
              [...args, file],
              { cwd: built.folder, env },
              (error, out) => (error === null ? resolve(out.trim()) : reject(error))
            )
          })
        assert.strictEqual(yield* Effect.promise(print), "made /price")
        world.setDown(true)
        assert.match(yield* Effect.promise(print), /^job job_\w{26}$/)
      })
    )
  }
})
