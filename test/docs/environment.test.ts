/** The page of environment variables against the sources that read them. */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const textsOf = (pattern: string) =>
  globSync(pattern, { cwd: root }).map((file) => readFileSync(join(root, file), "utf8"))

/** Names that Config, a lookup of ours or Node is asked for, and whatever looks like one of ours. */
const forms = [
  /\b(?:Config\.\w+|variable|setting)\("([A-Z][A-Z0-9_]*)"\)/g,
  /\benv(?:\.|\["|\?\.)([A-Z][A-Z0-9_]*)/g,
  /\b((?:EZTHROTTLE|OTEL|L8|XDG)_[A-Z0-9_]*[A-Z0-9])\b/g
]
const namesIn = (text: string): ReadonlyArray<string> =>
  forms.flatMap((form) => [...text.matchAll(form)].map(([, name = ""]) => name))

const page = readFileSync(join(root, "docs/reference/environment.md"), "utf8")
const rows = page.split("\n").filter((line) => line.startsWith("| `"))
const listed = rows.flatMap((row) =>
  [...(row.split("|")[1] ?? "").matchAll(/`([A-Z0-9_]+)`/g)].map(([, name = ""]) => name)
)
const read = textsOf("src/**/*.{ts,tsx}").flatMap(namesIn)

describe("the page of environment variables", () => {
  it("has every variable that the sources read", () => {
    assert.include(read, "EZTHROTTLE_MASTER_KEY")
    assert.deepStrictEqual(
      [...new Set(read)].filter((name) => !listed.includes(name)),
      []
    )
  })

  it("has none that nobody reads, here or in the parts of Effect that the command is built with", () => {
    const theirs = textsOf("node_modules/effect/src/{observability,cli}/**/*.ts").join("\n")
    const signal = (name: string) => name.replace(/_(TRACES|METRICS|LOGS)_ENDPOINT$/, "_${signal}_ENDPOINT")
    assert.deepStrictEqual(
      listed.filter((name) => !read.includes(name) && !theirs.includes(signal(name))),
      []
    )
  })
})
