/**
 * The sources and what programs import of Effect, bundled once, so that a process that runs a snippet or an example
 * reads a few files and not several hundred. The layout is that of `dist`, with Effect's modules beside it.
 */
import type * as Esbuild from "esbuild"
import { globSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, join } from "node:path"

// tsup brings esbuild along
const fromTsup = createRequire(createRequire(import.meta.url).resolve("tsup"))

const effectModules = (programs: ReadonlyArray<string>): ReadonlyArray<string> =>
  programs.flatMap((code) =>
    [...code.matchAll(/from "((?:effect|@effect\/platform-node)\/[^"]+)"/g)].map(([, name = ""]) => name)
  )

/** The thread stands beside only; the build of the package puts it inside as well: `tsup.config.ts`. */
const threadBeside: Esbuild.Plugin = {
  name: "thread-beside",
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]dam[\\/]sqlite[\\/]Thread\.ts$/ }, () => ({
      contents: 'export const program = new URL("./dam/sqliteWorker.js", import.meta.url)'
    }))
}

/** Bundles into `folder`: the entries of the package, the thread of its store, and every module these programs name. */
export const bundle = async (root: string, folder: string, programs: ReadonlyArray<string>): Promise<void> => {
  const { build } = fromTsup("esbuild") as typeof Esbuild
  const entries = globSync("src/*.ts", { cwd: root })
    .filter((file) => basename(file) !== "bin.ts")
    .map((file) => [basename(file, ".ts"), join(root, file)])
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries([
      ...entries,
      ["dam/sqliteWorker", join(root, "src/dam/sqlite/sqliteWorker.ts")],
      ...effectModules(['from "effect/Equal"', ...programs]).map((name) => [name, name])
    ]),
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22",
    logLevel: "error",
    plugins: [threadBeside],
    // a CommonJS module in the bundle asks for Node's own ones
    banner: {
      js: `import { createRequire as requireFor } from "node:module"; const require = requireFor(import.meta.url);`
    }
  })
}

/** The programs of this folder and everything beside them. */
export const textsOf = (root: string, pattern: string): ReadonlyArray<string> =>
  globSync(pattern, { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"))
