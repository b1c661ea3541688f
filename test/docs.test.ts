import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import * as Library from "./docs/Library.ts"
import { deadLinks, missingFiles, type Snippet, snippetsOf } from "./docs/Markdown.ts"

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const root = path("..")
const fixtures = path("./fixtures/docs")
const pages = globSync(["*.md", "docs/**/*.md"], { cwd: root }).toSorted()
// the quickstart is all of them in one process, and a step of CI by itself
const examples = globSync("docs/examples/*.ts", { cwd: root, exclude: ["docs/examples/quickstart.ts"] }).toSorted()

interface Ended {
  /** The exit code, or what ended the process instead. */
  readonly with: number | string
  readonly output: string
}

/** Runs TypeScript on this very Node, the package's name meaning the sources. */
const run = (cwd: string, ...files: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const { EZTHROTTLE_API_KEY: _, ...env } = process.env
    const child = spawn(process.execPath, ["--import", path("./docs/register.ts"), ...files], {
      cwd,
      env: {
        ...env,
        NO_COLOR: "1",
        DOCS_LIBRARY: join(folder, "library"),
        NODE_COMPILE_CACHE: join(folder, "compiled")
      },
      stdio: ["ignore", "pipe", "pipe"],
      // a program that does not end by itself is a fault; SIGKILL says which one it was
      timeout: 60_000,
      killSignal: "SIGKILL"
    })
    let output = ""
    child.stdout.on("data", (chunk) => (output += chunk))
    child.stderr.on("data", (chunk) => (output += chunk))
    child.on("error", reject)
    child.on("close", (code, signal) => resolve({ with: code ?? signal ?? "nothing", output }))
  })

mkdirSync(join(root, ".tmp"), { recursive: true })
const folder = mkdtempSync(join(root, ".tmp", "docs-"))

beforeAll(async () => {
  const programs = Library.textsOf(root, "{*,docs/**/*,test/fixtures/docs/*}.{md,ts}")
  await Library.bundle(root, join(folder, "library"), programs)
}, 60_000)

afterAll(() => rmSync(folder, { recursive: true }))

const fileOf = (snippet: Snippet): string => join(folder, snippet.file, `${snippet.line}.ts`)

const write = (snippets: ReadonlyArray<Snippet>): ReadonlyArray<string> =>
  snippets.map((snippet) => {
    const file = fileOf(snippet)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, snippet.code)
    return file
  })

const isTest = ({ code, use }: Snippet): boolean => use === "run" && /from "@effect\/vitest"/.test(code)

const programsOf = (from: string, page: string): ReadonlyArray<Snippet> =>
  snippetsOf(from, page).filter((snippet) => snippet.use === "run" && !isTest(snippet))

/** In a folder of its own, so that the files a snippet makes are no part of the repository. */
const runPage = (from: string, page: string): Promise<Ended> => {
  const files = write(programsOf(from, page))
  return run(join(folder, page), path("./docs/runSnippets.ts"), ...files)
}

/** The compiler's complaints about every checked snippet, by its page: one program, the options of the sources. */
const check = (): ReadonlyMap<string, ReadonlyArray<string>> => {
  const checked = [
    ...pages.flatMap((page) => snippetsOf(root, page)),
    ...["sound.md", "wrong-types.md"].flatMap((page) => snippetsOf(fixtures, page))
  ].filter(({ use }) => use !== "show")
  const written = new Map(write(checked).map((file, index) => [file, checked[index]]))
  const config = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root, {
    noUnusedLocals: false,
    noUnusedParameters: false
  })
  const program = ts.createProgram([...written.keys()], options)
  const found = [...written].flatMap(([file, snippet]) => {
    const source = program.getSourceFile(file)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) => {
        const line = source?.getLineAndCharacterOfPosition(start).line ?? 0
        const page = snippet?.file ?? file
        return { page, text: `${page}:${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}` }
      }
    )
  })
  const byPage = Map.groupBy(found, ({ page }) => page)
  return new Map(checked.map(({ file }) => [file, (byPage.get(file) ?? []).map(({ text }) => text)]))
}

let all: ReturnType<typeof check> | undefined

const complaints = (page: string): ReadonlyArray<string> => {
  const found = (all ??= check()).get(page)
  if (found === undefined) throw new Error(`${page} was not checked`)
  return found
}

describe("the documentation", { concurrent: true }, () => {
  it("has snippets that compile", () => {
    const withSnippets = pages.filter((page) => snippetsOf(root, page).some(({ use }) => use !== "show"))
    assert.isAbove(withSnippets.length, 10)
    assert.deepStrictEqual(withSnippets.flatMap(complaints), [])
  }, 60_000)

  it("links to files and headings that exist", () =>
    assert.deepStrictEqual(
      pages.flatMap((page) => deadLinks(root, page)),
      []
    ))

  it("names files that exist", () =>
    assert.deepStrictEqual(
      pages.flatMap((page) => missingFiles(root, page)),
      []
    ))

  for (const page of pages.filter((page) => programsOf(root, page).length > 0)) {
    it(`${page} does what its snippets say`, async () => {
      const ended = await runPage(root, page)
      assert.strictEqual(ended.with, 0, ended.output)
    }, 60_000)
  }

  for (const snippet of pages.flatMap((page) => snippetsOf(root, page)).filter(isTest)) {
    describe(`${snippet.file}:${snippet.line}, a test,`, async () => {
      for (const file of write([snippet])) await import(file)
    })
  }

  it("docs/examples/quickstart.ts runs every example", () => {
    const quickstart = readFileSync(join(root, "docs/examples/quickstart.ts"), "utf8")
    const missing = examples.filter((example) => !quickstart.includes(`"./${basename(example)}"`))
    assert.deepStrictEqual(missing, [])
  })

  for (const example of examples) {
    it(`${example} runs and ends by itself`, async () => {
      const ended = await run(root, example)
      assert.strictEqual(ended.with, 0, ended.output)
    }, 60_000)
  }
})

describe("the checks bite", { concurrent: true }, () => {
  const said = async (page: string) => {
    const ended = await runPage(fixtures, page)
    assert.strictEqual(ended.with, 1, ended.output)
    return ended.output.split("\n").filter((line) => /^[\w-]+\.md|^Error|^the process/.test(line))
  }

  it("yet let a sound page pass", async () => {
    assert.deepStrictEqual(deadLinks(fixtures, "sound.md"), [])
    assert.deepStrictEqual(complaints("sound.md"), [])
    const uses = snippetsOf(fixtures, "sound.md").map(({ use }) => use)
    assert.deepStrictEqual(uses, ["run", "check", "show", "run"])
    const ended = await runPage(fixtures, "sound.md")
    assert.deepStrictEqual(ended, { with: 0, output: "9 { nested: { list: [ 1, 2 ] } }\n" })
  })

  it("on a wrong value, a value never reached and a comment that compares nothing", async () =>
    assert.deepStrictEqual(await said("wrong-value.md"), [
      "wrong-value.md:5: expected 4, but it is 3",
      "wrong-value.md:6: expected something else, but it is printed",
      "wrong-value.md:18: no statement ends in front of it",
      "wrong-value.md:20: `two of them` is no expression",
      "wrong-value.md:11: the program ended without reaching this line"
    ]))

  it("on a snippet that throws, and go on with the next", async () =>
    assert.deepStrictEqual(await said("throws.md"), [
      "Error: this block fails",
      "throws.md:8: expected 2, but it is 1"
    ]))

  it("on a snippet that ends the process before the others ran", async () =>
    assert.deepStrictEqual(await said("ends-early.md"), ["the process ended with 2 snippets not finished"]))

  it("on a snippet that does not compile, run or not", () =>
    assert.deepStrictEqual(complaints("wrong-types.md"), [
      "wrong-types.md:4: Type 'number' is not assignable to type 'string'.",
      "wrong-types.md:9: Expected 1-2 arguments, but got 3."
    ]))

  it("on a mark that means nothing", () =>
    assert.throws(() => snippetsOf(fixtures, "unknown-mark.md"), /unknown-mark\.md:1: write ```ts.*not ```ts norun/))

  it("on links that lead nowhere", () =>
    assert.deepStrictEqual(deadLinks(fixtures, "dead-links.md"), [
      "dead-links.md links to docs/gone.md",
      "dead-links.md links to docs/other.md#nothing",
      "dead-links.md links to #nowhere",
      "dead-links.md links to picture.png",
      "dead-links.md links to ../wire-inputs.ts",
      "dead-links.md links to ../missing/"
    ]))

  it("on files that are not there", () =>
    assert.deepStrictEqual(missingFiles(fixtures, "dead-links.md"), ["dead-links.md names docs/gone.ts"]))

  it("on an example with a wrong value", async () => {
    const ended = await run(root, path("./fixtures/docs/example.ts"))
    assert.strictEqual(ended.with, 1)
    assert.include(ended.output, "test/fixtures/docs/example.ts:1: expected 3, but it is 2")
  })
})
