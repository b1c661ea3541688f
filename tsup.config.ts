/**
 * The build, as package.json describes it, with some additions.
 *
 * A namespace that an entry exports (`export * as Step`) becomes an object filled by a call, and a call at the top of a
 * module is something that no bundler may drop: every program that imports one name would carry all the others with it.
 * Marked as pure, the object goes when nobody asks for it; `test/bench/bundle.ts` shows the difference, 8 kB gzipped.
 *
 * The entries for Node alone begin with a look at its version, which no bundler may put elsewhere or leave out.
 *
 * The program of the store's threads is a part of the module that starts them, too: decision 0051.
 */
import type * as Esbuild from "esbuild"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename } from "node:path"
import { defineConfig, type Options } from "tsup"
import own from "./package.json" with { type: "json" }

type Plugin = NonNullable<Options["plugins"]>[number]

// line for line, so that source maps stay true
const pureNamespaces: Plugin = {
  name: "pure-namespaces",
  renderChunk: (code) => ({
    code: code
      .replaceAll(/^var (\w+) = \{\};\n__export\(\1, /gm, "var $1 = /* @__PURE__ */\n__export({}, ")
      .replace(/^(var __export = \(target, all\) => \{\n(?:  .*\n)+)\};/m, "$1  return target; };")
  })
}

const requireNeeded =
  "this bundle is an ES module without `require`, which undici needs: have esbuild make it with --format=cjs or with " +
  "--packages=external, or begin it with --banner:js=\"import { createRequire } from 'node:module'; const require = " +
  'createRequire(import.meta.url)"'

const nodeEntries = ["dam.js", "node.js"]

// in the first line, so that source maps stay true
const nodeOnly: Plugin = {
  name: "node-only",
  renderChunk: (code, { path }) =>
    nodeEntries.includes(basename(path)) ? { code: `import "./nodeOnly.js"; ${code}` } : undefined
}

// `require` is written behind the build, which would make it a call of its own. Nothing but esbuild, bundling to an ES module,
// answers it in these words: there undici would end the program with them, and nobody would know what to do
const requireTold: Plugin = {
  name: "require-told",
  renderChunk: (code, { path }) =>
    basename(path) === "nodeOnly.js"
      ? {
          code: `${code}
try {
  require("node:net");
} catch (cause) {
  if (String(cause).includes("Dynamic require")) throw new Error(${JSON.stringify(requireNeeded)});
}
`
        }
      : undefined
}

// whoever passes their code on passes their licence on with it
const licenceOf = (name: string): string => `${name}\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}`

// tsup brings esbuild along
const { build } = createRequire(createRequire(import.meta.url).resolve("tsup"))("esbuild") as typeof Esbuild

const threadWithin: NonNullable<Options["esbuildPlugins"]>[number] = {
  name: "thread-within",
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]dam[\\/]sqlite[\\/]Thread\.ts$/ }, async ({ path }) => {
      const { outputFiles } = await build({
        entryPoints: [path.replace("Thread.ts", "sqliteWorker.ts")],
        bundle: true,
        write: false,
        minify: true,
        format: "esm",
        platform: "node",
        target: own.tsup.target,
        banner: { js: `/*!\n${licenceOf("effect")}\n*/` },
        // without a name, a stack trace would hold the whole of it at every line
        footer: { js: "//# sourceURL=ezthrottle-store.mjs" }
      })
      const text = outputFiles.map((file) => file.text).join("")
      // not in the form by which bundlers know a file to take along
      const contents = `
        import { existsSync } from "node:fs"
        const here = import.meta.url
        const beside = here === undefined ? undefined : new URL("dam/sqliteWorker.js", here)
        export const program = beside !== undefined && existsSync(beside)
          ? beside
          : new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(text)}))`
      return { contents }
    })
}

const bundled = ["preact", "uplot", "effect"]
const licences = bundled.map(licenceOf).join("\n\n")

// the dam serves it as it is: nothing is left to fetch elsewhere, and nothing to build for whoever installs it
const page: Options = {
  entry: {
    "dam/page/page": "src/page/Page.tsx",
    "dam/page/style": "src/page/style.css",
    "dam/page/index": "src/page/index.html",
    "dam/page/icon": "src/page/icon.svg"
  },
  loader: { ".html": "copy", ".svg": "copy" },
  format: ["esm"],
  platform: "browser",
  target: "es2022",
  minify: true,
  banner: { js: `/*!\n${licences}\n*/` },
  noExternal: bundled.map((name) => new RegExp(`^${name}(/|$)`))
}

export default defineConfig([
  { ...(own.tsup as Options), plugins: [pureNamespaces, nodeOnly, requireTold], esbuildPlugins: [threadWithin] },
  page
])
