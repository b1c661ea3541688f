import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import type * as Esbuild from "esbuild"
import { gzipSync } from "node:zlib"
import { deadLinks } from "../docs/Markdown.ts"
import { root } from "./support/Built.ts"
import * as DamProcess from "./support/DamProcess.ts"
import * as Loopback from "./support/Loopback.ts"
import { manifest, pack, type Packed, type Project } from "./support/Packed.ts"
import * as Program from "./support/Program.ts"

/** What a consumer writes for each sub-path that package.json publishes: `ezthrottle-effect/promise`. */
const entries: ReadonlyArray<string> = Object.keys(manifest.exports).map((key) => manifest.name + key.slice(1))

let packed: Packed
let project: Project
let folder: string
let published: ReadonlyArray<string>

const node = (file: string, text: string): Promise<string> => {
  project.write({ [file]: text })
  return project.node(file)
}

const tsc = join(root, "node_modules/typescript7/lib/tsc.js")
const tsc6 = join(root, "node_modules/typescript/lib/tsc.js")

/** Compiles one file the way a strict project does, declarations of every package included. */
const compile = (file: string, lines: ReadonlyArray<string>, compiler = tsc): Promise<string> => {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    target: "es2023",
    module: "nodenext",
    types: ["node"]
  }
  project.write({ [file]: lines.join("\n"), [`${file}.json`]: JSON.stringify({ compilerOptions, files: [file] }) })
  return project.node(compiler, "--project", `${file}.json`)
}

beforeAll(async () => {
  packed = await pack()
  published = packed.published
  project = await packed.project("consumer")
  folder = project.folder
})

afterAll(() => packed.remove())

describe("the packed package, installed in an empty folder", () => {
  it("publishes what was built, what is to be read, and nothing else", () => {
    const others = published.filter((file) => !file.startsWith("dist/") && !file.startsWith("docs/"))
    assert.deepStrictEqual(others.toSorted(), ["CHANGELOG.md", "LICENSE", "README.md", "package.json"])
    const read = /^docs\/((guide|reference|decisions)\/[\w-]+\.md|images\/[\w-]+\.png|dashboards\/[\w-]+\.json)$/
    assert.deepStrictEqual(
      published.filter((file) => file.startsWith("docs/") && !read.test(file)),
      []
    )
    const page = published.filter((file) => file.startsWith("dist/dam/page/")).map((file) => file.slice(14))
    assert.deepStrictEqual(page.toSorted(), ["icon.svg", "index.html", "page.js", "style.css"])
    const code = published.filter((file) => file.startsWith("dist/") && !file.startsWith("dist/dam/page/"))
    assert.deepStrictEqual(
      code.filter((file) => !/\.(js|js\.map|d\.ts)$/.test(file)),
      []
    )
    const unmapped = code.filter((file) => file.endsWith(".js") && !published.includes(`${file}.map`))
    assert.deepStrictEqual(unmapped, [])
    assert.isTrue(published.some((file) => file.endsWith(".js")))
  })

  it("has a guide and a reference whose links, headings and pictures are in the package", () => {
    const pages = published.filter((file) => file.endsWith(".md"))
    assert.includeMembers(Array.from(pages), ["README.md", "docs/guide/dam.md", "docs/reference/glossary.md"])
    const installed = join(folder, "node_modules", manifest.name)
    assert.deepStrictEqual(
      pages.flatMap((page) => deadLinks(installed, page)),
      []
    )
  })

  it("says where its guides are to whoever reads it where relative links lead nowhere", () => {
    const readme = readFileSync(join(folder, "node_modules", manifest.name, "README.md"), "utf8")
    const [, path = "nowhere"] = new RegExp(`node_modules/${manifest.name}/([\\w/]+)`).exec(readme) ?? []
    assert.isTrue(published.some((file) => file.startsWith(`${path}/`)))
  })

  it("has a page of less than 100 kB, compressed, that asks for nothing from elsewhere", () => {
    const files = published.filter((file) => file.startsWith("dist/dam/page/"))
    const texts = files.map((file) => readFileSync(join(folder, "node_modules", manifest.name, file)))
    assert.isBelow(
      texts.reduce((sum, text) => sum + gzipSync(text).length, 0),
      100_000
    )
    const html = String(texts[files.indexOf("dist/dam/page/index.html")])
    const asked = Array.from(html.matchAll(/(?:src|href)="([^"]*)"/g), ([, url = ""]) => url)
    assert.isNotEmpty(asked)
    for (const url of asked) assert.include(files, `dist/dam${url}`)
  })

  for (const entry of entries) {
    const specifier = JSON.stringify(entry)

    it(`exports the same names from ${entry} to import and to require`, async () => {
      const names = JSON.parse(
        await node("esm.mjs", `import * as all from ${specifier}; console.log(JSON.stringify(Object.keys(all)))`)
      )
      const required = JSON.parse(
        await node("cjs.cjs", `console.log(JSON.stringify(Object.keys(require(${specifier}))))`)
      )
      assert.isNotEmpty(names)
      // Node adds the mark for CommonJS callers where there is a default export
      assert.deepStrictEqual(
        required.filter((name: string) => name !== "__esModule"),
        names
      )
    })
  }

  it("has commands that start", async () => {
    for (const name of Object.keys(manifest.bin)) {
      const said = await project.node(join("node_modules", ".bin", name), "--version")
      assert.strictEqual(said.trim(), `ezthrottle v${manifest.version}`)
    }
  })

  it("tells those who start it by npx what they can type", async () => {
    const npx = (...args: ReadonlyArray<string>) =>
      project.run("npx", "--no", "--", "ezthrottle-effect", ...args).catch(({ message }: Error) => message)
    for (const args of [["--help"], ["jobs", "list", "--help"], ["jobs", "wait"], ["doctor"]]) {
      const said = await npx(...args)
      assert.notMatch(said, /(?<=[`\s])ezthrottle [<a-z-]/)
      // what it has to say depends on this machine
      if (args[0] !== "doctor") assert.match(said, /(?<=[`\s])npx ezthrottle-effect [<a-z-]/)
    }
  })

  it("tells an old Node in one line which one its dam takes, before undici fails on it", async () => {
    // what this Node has, an older one lacks; the long tests ask a real one
    const pretence = `
      import { syncBuiltinESMExports } from "node:module"
      import zlib from "node:zlib"
      delete zlib.createZstdDecompress
      syncBuiltinESMExports()
      Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })`
    const told = entries.map(
      (entry) => `await import("${entry}").then(() => "loads", ({ message }) => message).then(console.log)`
    )
    const said = await node("old.mjs", [pretence, ...told].join("\n"))
    const needed = "this part of ezthrottle-effect (/dam, /node) needs Node 22.19 or newer; this is 20.20.2"
    assert.deepStrictEqual(
      said.trim().split("\n"),
      entries.map((entry) => (/\/(dam|node)$/.test(entry) ? needed : "loads"))
    )
  })

  it("has a dam that finds its writing thread and keeps a job in a file", async () => {
    const said = await node(
      "embedded.mjs",
      `
import { Dam } from "ezthrottle-effect/dam"
import { EZThrottle } from "ezthrottle-effect/promise"
import { createServer } from "node:http"
const target = createServer((_, response) => response.end("called")).listen(0, "127.0.0.1")
await new Promise((resolve) => target.once("listening", resolve))
{
  await using client = new EZThrottle({ service: Dam.embedded({ path: "embedded.db" }) })
  const done = await client.queueAndWait({ url: "http://127.0.0.1:" + target.address().port + "/" })
  console.log(JSON.stringify(done))
}
target.close()
`
    )
    assert.include(said, "called")
    assert.isTrue(existsSync(join(folder, "embedded.db")))
  })

  it("has declarations that a strict ES module compiles against with TypeScript 6, and that know every entry's names", () => {
    const lines = [
      ...entries.map((entry, index) => `import * as entry${index} from ${JSON.stringify(entry)}`),
      "type IsAny<A> = 0 extends 1 & A ? true : false",
      ...entries.flatMap((_, index) => [
        `const typed${index}: IsAny<typeof entry${index}> = false`,
        `const named${index}: [keyof typeof entry${index}] extends [never] ? false : true = true`,
        `console.log(typed${index}, named${index})`
      ]),
      // the official SDK types every result as any
      `import { EZThrottle, Step } from ${JSON.stringify(`${manifest.name}/promise`)}`,
      "declare const client: EZThrottle",
      "type Results = [",
      "  IsAny<Awaited<ReturnType<typeof client.submitJob>>>,",
      "  IsAny<Awaited<ReturnType<typeof client.queueAndWait>>>,",
      "  IsAny<Awaited<ReturnType<Step['execute']>>>",
      "]",
      "const results: Results = [false, false, false]",
      "console.log(results)"
    ]
    return compile("strict.mts", lines, tsc6)
  })

  it("has declarations that strict CommonJS compiles against with TypeScript 7", () =>
    compile("strict.cts", [
      ...entries.map((entry, index) => `import entry${index} = require(${JSON.stringify(entry)})`),
      `console.log(${entries.map((_, index) => `entry${index}`).join(", ")})`
    ]))
})

describe("TypeScript", () => {
  it("compiles against it without the DOM's library, as far as Effect's own declarations go", async () => {
    const compilerOptions = { strict: true, skipLibCheck: false, noEmit: true, target: "es2022", lib: ["es2022"] }
    project.write({
      "dom.mts": entries.map((entry) => `export * as _${entries.indexOf(entry)} from "${entry}"`).join("\n"),
      "dom.json": JSON.stringify({
        compilerOptions: { ...compilerOptions, module: "node16", types: ["node"] },
        files: ["dom.mts"]
      })
    })
    const said = await project.node(tsc, "--project", "dom.json").catch(({ message }: Error) => message)
    // Effect names CryptoKey and JsonWebKey, which Node's types do not declare
    const ours = said.split("\n").filter((line) => / error TS/.test(line) && !line.startsWith("node_modules/effect/"))
    assert.deepStrictEqual(ours, [])
  })

  it("makes a program of module node16 that is CommonJS and imports it when it runs", async () => {
    const compilerOptions = { strict: true, skipLibCheck: true, target: "es2022", module: "node16", types: ["node"] }
    project.write({
      "later.cts": `
        const main = async (): Promise<void> => {
          const { EZThrottle } = await import("ezthrottle-effect/promise")
          const client = new EZThrottle({ apiKey: "any" })
          console.log(typeof client.submitJob)
        }
        void main()
      `,
      "later.json": JSON.stringify({ compilerOptions, files: ["later.cts"] })
    })
    await project.node(tsc, "--project", "later.json")
    assert.strictEqual((await project.node("later.cjs")).trim(), "function")
  })
})

describe("bundled", () => {
  // tsup and vitest bring them along
  const brought = (by: string, name: string) => createRequire(createRequire(import.meta.url).resolve(by))(name)
  const esbuild: typeof Esbuild = brought("tsup", "esbuild")

  /** What is left to somebody else to resolve. */
  const imports = /^\s*import\b|\brequire\(/m

  // imports of what is no file beside the one that imports it
  const others = /(?:^|;)\s*import\s*(?:[\w$\s{},*]+from\s*)?["'](?!\.\/)|\brequire\(/m

  let upstream: Loopback.Loopback
  let dam: DamProcess.DamProcess

  beforeAll(async () => {
    upstream = await Loopback.upstream()
    const args = ["--port", "0", "--db", join(folder, "served.db"), "--allow-private"]
    dam = await DamProcess.start(join(folder, "node_modules/ezthrottle-effect/dist/bin.js"), args)
    project.write({
      "facade.mjs": Program.facade + Program.runs,
      "later.mjs": Program.facade + Program.runsLater,
      "own.mjs": Program.dam
    })
  })

  afterAll(async () => {
    await DamProcess.endAll()
    await upstream.close()
  })

  // the dam knows how to do without its address
  const logOverride = { "empty-import-meta": "silent" } as const

  const esbuilt = async (entry: string, outfile: string, options: Esbuild.BuildOptions) => {
    const paths = { entryPoints: [join(folder, entry)], outfile: join(folder, outfile), absWorkingDir: folder }
    const { warnings } = await esbuild.build({ bundle: true, logLevel: "error", ...paths, ...options })
    assert.deepStrictEqual(warnings, [])
  }

  const keepsItsPromises = async (file: string) =>
    Program.keepsItsPromises(await project.node(file, dam.url, upstream.url))

  it("for browsers by esbuild calls, hands over and receives, and needs nothing of Node", async () => {
    await esbuilt("facade.mjs", "esbuild/browser.mjs", { format: "esm", platform: "browser", target: "es2022" })
    assert.notMatch(readFileSync(join(folder, "esbuild/browser.mjs"), "utf8"), imports)
    await keepsItsPromises("esbuild/browser.mjs")
  })

  it("for Node by esbuild calls, hands over and receives, as CommonJS too", async () => {
    await esbuilt("later.mjs", "esbuild/node.cjs", { format: "cjs", platform: "node", target: "node22" })
    await keepsItsPromises("esbuild/node.cjs")
  })

  it("for browsers by Vite calls, hands over and receives, and needs nothing of Node", async () => {
    const vite = brought("vitest", "vite")
    const lib = { entry: join(folder, "facade.mjs"), formats: ["es"], fileName: "browser" }
    await vite.build({
      root: folder,
      configFile: false,
      logLevel: "error",
      build: { lib, outDir: "vite", target: "es2022" }
    })
    // it keeps apart what is loaded later
    const chunks = readdirSync(join(folder, "vite")).filter((name) => name.endsWith("js"))
    assert.isAbove(chunks.length, 1)
    for (const chunk of chunks) assert.notMatch(readFileSync(join(folder, "vite", chunk), "utf8"), others)
    await keepsItsPromises("vite/browser.mjs")
  })

  it("a program with a dam has its thread within, as CommonJS by esbuild", async () => {
    await esbuilt("own.mjs", "esbuild/within.cjs", { format: "cjs", platform: "node", logOverride })
    const said = await project.node("esbuild/within.cjs", join(folder, "within.db"), upstream.url)
    assert.strictEqual(said.trim(), "job success")
  })

  it("a program with a dam says what an ES module by esbuild lacks, and runs with it", async () => {
    const plain = { format: "esm", platform: "node" } as const
    await esbuilt("own.mjs", "esbuild/lacks.mjs", plain)
    const said = await project.node("esbuild/lacks.mjs").catch(({ message }: Error) => message)
    assert.include(said, "Error: this bundle is an ES module without `require`, which undici needs")
    const [, js = ""] = /--banner:js="([^"]*)"/.exec(said) ?? []
    await esbuilt("own.mjs", "esbuild/has.mjs", { ...plain, banner: { js } })
    const done = await project.node("esbuild/has.mjs", join(folder, "has.db"), upstream.url)
    assert.strictEqual(done.trim(), "job success")
  })

  it("a program with a dam stays small with --packages=external, and keeps a job in a file", async () => {
    await esbuilt("own.mjs", "esbuild/own.mjs", { format: "esm", platform: "node", packages: "external" })
    assert.isBelow(readFileSync(join(folder, "esbuild/own.mjs")).length, 2000)
    const db = join(folder, "own.db")
    assert.strictEqual((await project.node("esbuild/own.mjs", db, upstream.url)).trim(), "job success")
    assert.isTrue(existsSync(db))
    assert.includeMembers(
      upstream.seen.map(({ path }) => path),
      ["/queued", "/hook"]
    )
  })
})
