import { existsSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"

/** A fenced block of TypeScript and what its mark asks for. */
export interface Snippet {
  /** The markdown file, relative to the root it was read from. */
  readonly file: string
  /** Line of the opening fence, counted from 1. */
  readonly line: number
  /** The code, led by as many empty lines as stand before it in the file, so that positions agree. */
  readonly code: string
  readonly use: "run" | "check" | "show"
}

/** What may stand behind the opening ```` ```ts ````. */
const uses: Readonly<Record<string, Snippet["use"]>> = { "": "run", "no-run": "check", fragment: "show" }

interface Fence {
  readonly line: number
  readonly info: string
  readonly body: ReadonlyArray<string>
}

const parse = (text: string): { readonly fences: ReadonlyArray<Fence>; readonly prose: string } => {
  const fences: Array<Fence> = []
  const prose: Array<string> = []
  let open: { readonly mark: string; readonly indent: number; readonly line: number; info: string } | undefined
  let body: Array<string> = []
  text.split("\n").forEach((row, index) => {
    const [, indent = "", mark = "", info = ""] = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(row) ?? []
    if (open === undefined && mark !== "") {
      open = { mark, indent: indent.length, line: index + 1, info: info.trim() }
      body = []
    } else if (open === undefined) {
      prose.push(row)
    } else if (mark.startsWith(open.mark) && info.trim() === "") {
      fences.push({ line: open.line, info: open.info, body })
      open = undefined
    } else {
      body.push(row.slice(Math.min(open.indent, row.length - row.trimStart().length)))
    }
  })
  return { fences, prose: prose.join("\n").replaceAll(/`[^`\n]*`/g, "") }
}

/** The TypeScript blocks of a file; a mark nobody knows is an error, so that a slip cannot switch a check off. */
export const snippetsOf = (root: string, file: string): ReadonlyArray<Snippet> =>
  parse(readFileSync(join(root, file), "utf8")).fences.flatMap(({ line, info, body }) => {
    const [language = "", ...marks] = info.split(/\s+/)
    if (!["ts", "tsx", "mts", "cts", "typescript"].includes(language)) return []
    const use = language === "ts" ? uses[marks.join(" ")] : undefined
    if (use === undefined) {
      throw new Error(`${file}:${line}: write \`\`\`ts, \`\`\`ts no-run or \`\`\`ts fragment, not \`\`\`${info}`)
    }
    return [{ file, line, code: "\n".repeat(line) + body.join("\n") + "\n", use }]
  })

/** The anchor a heading gets: lower case, punctuation dropped, blanks to hyphens. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-")

const anchorsIn = (path: string): ReadonlyArray<string> =>
  // headings keep the text of inline code, which prose has lost
  [...readFileSync(path, "utf8").matchAll(/^#{1,6}\s+(.*)$/gm)].map(([, heading = ""]) => anchorOf(heading))

const linksOf = (prose: string): ReadonlyArray<string> => [
  ...[...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)].map(([, target = ""]) => target),
  ...[...prose.matchAll(/^\s*\[[^\]]+\]:\s+<?([^\s>]+)/gm)].map(([, target = ""]) => target)
]

/** Relative links that lead to no file below the root, or to no heading of the file they name. */
export const deadLinks = (root: string, file: string): ReadonlyArray<string> =>
  linksOf(parse(readFileSync(join(root, file), "utf8")).prose)
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target))
    .filter((target) => {
      const [path = "", anchor] = target.split("#")
      const resolved = path === "" ? join(root, file) : join(root, dirname(file), decodeURIComponent(path))
      if (!existsSync(resolved) || relative(root, resolved).startsWith("..")) return true
      return anchor !== undefined && resolved.endsWith(".md") && !anchorsIn(resolved).includes(anchor)
    })
    .map((target) => `${file} links to ${target}`)

/** Files of the repository that a page names in the midst of its text and that are not there. */
export const missingFiles = (root: string, file: string): ReadonlyArray<string> =>
  [...readFileSync(join(root, file), "utf8").matchAll(/`((?:\.ci|docs|src|test)\/[\w./-]+)`/g)]
    .flatMap(([, named = ""]) => (existsSync(join(root, named)) ? [] : [named]))
    .map((named) => `${file} names ${named}`)
