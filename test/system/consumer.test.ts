import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { deadLinks } from "../docs/Markdown.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

/** What a consumer writes for each sub-path that package.json publishes: `ezthrottle-effect/promise`. */
const entries: ReadonlyArray<string> = Object.keys(manifest.exports).map((key) => manifest.name + key.slice(1))

const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(command, args, { cwd, env: { ...process.env, NO_COLOR: "1" } }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`))
    )
  })

let folder: string
let published: ReadonlyArray<string>

const node = (file: string, text: string): Promise<string> => {
  writeFileSync(join(folder, file), text)
  return run(folder, process.execPath, file)
}

/** Compiles one file the way a strict project does, declarations of every package included. */
const compile = (file: string, lines: ReadonlyArray<string>): Promise<string> => {
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
  writeFileSync(join(folder, file), lines.join("\n"))
  writeFileSync(join(folder, `${file}.json`), JSON.stringify({ compilerOptions, files: [file] }))
  return run(folder, process.execPath, join(root, "node_modules/typescript/lib/tsc.js"), "--project", `${file}.json`)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "consumer-"))
  const [packed] = JSON.parse(await run(root, "npm", "pack", "--silent", "--json", "--pack-destination", folder))
  published = packed.files.map((file: { readonly path: string }) => file.path)
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true }))
  const versions = ["effect", "@types/node"].map((name) => `${name}@${manifest.devDependencies[name]}`)
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund"]
  await run(folder, "npm", "install", ...quiet, join(folder, packed.filename), ...versions)
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

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
      const said = await run(folder, process.execPath, join("node_modules", ".bin", name), "--version")
      assert.strictEqual(said.trim(), `ezthrottle v${manifest.version}`)
    }
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

  it("has declarations that a strict ES module compiles against, and that know every entry's names", () =>
    compile("strict.mts", [
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
    ]))

  it("has declarations that strict CommonJS compiles against", () =>
    compile("strict.cts", [
      ...entries.map((entry, index) => `import entry${index} = require(${JSON.stringify(entry)})`),
      `console.log(${entries.map((_, index) => `entry${index}`).join(", ")})`
    ]))
})
