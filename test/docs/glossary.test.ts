import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (file: string): string => readFileSync(`${root}/${file}`, "utf8")

const glossary = "docs/reference/glossary.md"

const words = [
  "account",
  "attempt",
  "dead letter",
  "delivery",
  "egress",
  "endpoint",
  "epoch",
  "exchange",
  "gate",
  "hold",
  "lane",
  "limit",
  "pace",
  "parked",
  "path",
  "permit",
  "queue",
  "region",
  "repeat",
  "replay",
  "reroute",
  "rerun",
  "retry",
  "runner",
  "step"
]

/** The page's headings with what stands below each, the table of names at its end left out. */
const entries = read(glossary)
  .split("\n## ")
  .slice(1, -1)
  .map((entry) => {
    const [word = "", ...lines] = entry.split("\n")
    return { word, meaning: lines.join(" ").trim() }
  })

describe("the glossary", () => {
  it("has an entry for each word, in alphabetical order, and no other", () => {
    assert.deepStrictEqual(words, words.toSorted())
    assert.deepStrictEqual(
      entries.map(({ word }) => word),
      words
    )
  })

  it("says of each word what it means, in a few sentences", () => {
    for (const { meaning, word } of entries) {
      assert.match(meaning, /\.$/, word)
      assert.isBelow(meaning.split(/\s+/).length, 75, word)
    }
  })

  it("names every word once at its top, by what it belongs to", () => {
    const [top = ""] = read(glossary).split("\n## ")
    const named = Array.from(top.matchAll(/\[([^\]]+)\]\(#([^)]+)\)/g), ([, word = "", anchor = ""]) => ({
      word,
      anchor
    }))
    assert.sameDeepMembers(
      named,
      words.map((word) => ({ word, anchor: word.replace(" ", "-") }))
    )
  })

  it("is linked from the README and from pages that use its words", () => {
    const pages = ["README.md", ...globSync("docs/guide/*.md", { cwd: root })]
    const linking = pages.filter((page) => /\]\([^)]*reference\/glossary\.md/.test(read(page)))
    assert.includeMembers(linking, [
      "README.md",
      "docs/guide/dam.md",
      "docs/guide/deliveries.md",
      "docs/guide/operating.md",
      "docs/guide/retry.md"
    ])
  })
})
