/**
 * Preloaded into the process that runs an example or the snippets of a page: the package by its own name means the
 * bundled sources, and each `// => value` comment is compared. The process ends with 1 when one did not hold or was not reached.
 */
import type * as EffectEqual from "effect/Equal"
import { createRequire, registerHooks } from "node:module"
import { relative } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { formatWithOptions, inspect, isDeepStrictEqual } from "node:util"
import type * as Expectations from "./Expectations.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const require = createRequire(import.meta.url)
/** What test/docs/Library.ts made of the sources and of Effect. */
const library = pathToFileURL(`${process.env["DOCS_LIBRARY"]}/`)
const bundled = /^(effect|@effect\/platform-node)\//
const Equal: typeof EffectEqual = await import(new URL("effect/Equal.js", library).href)
const pending = new Set<string>()
let failed = false

const fail = (place: string, message: string): void => {
  failed = true
  process.stderr.write(`${place}: ${message}\n`)
}

// a snippet lies in <folder>/<page>.md/<line>.ts and carries the line numbers of its page
const nameOf = (url: string): string =>
  relative(root, fileURLToPath(url)).replace(/^\.tmp\/[^/]+\/(.*\.md)\/\d+\.ts$/, "$1")

const asText = (...values: ReadonlyArray<unknown>): string =>
  formatWithOptions({ breakLength: Infinity, compact: true, colors: false }, ...values)

const settle = (place: string, holds: boolean, seen: string, promised: string): void => {
  pending.delete(place)
  if (!holds) fail(place, `expected ${promised}, but it is ${seen}`)
}

const expectationsOf = (file: string) => ({
  equals: <A>(line: number, actual: A, expected: () => unknown): A => {
    const promised = expected()
    const holds = isDeepStrictEqual(actual, promised) || Equal.equals(actual, promised)
    settle(`${file}:${line}`, holds, inspect(actual), inspect(promised))
    return actual
  },
  prints:
    (line: number, promised: string) =>
    (...values: ReadonlyArray<unknown>): void => {
      const seen = asText(...values)
      settle(`${file}:${line}`, seen === promised, seen, promised)
      console.log(...values)
    }
})

const ours = (url: string): boolean => {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return false
  const path = relative(root, fileURLToPath(url))
  return !/^(\.\.|src\/|test\/docs\/|node_modules\/)/.test(path)
}

registerHooks({
  resolve: (specifier, context, next) => {
    const [, entry] = /^ezthrottle-effect(?:\/(.+))?$/.exec(specifier) ?? [specifier, null]
    if (entry !== null) return next(new URL(`${entry ?? "index"}.js`, library).href, context)
    return bundled.test(specifier) && ours(context.parentURL ?? "")
      ? next(new URL(`${specifier}.js`, library).href, context)
      : next(specifier, context)
  },
  load: (url, context, next) => {
    const loaded = next(url, context)
    const source = ours(url) ? String(loaded.source) : ""
    if (!/\/\/\s*=>/.test(source)) return loaded
    const { rewrite }: typeof Expectations = require("./Expectations.ts")
    const file = nameOf(url)
    const { code, lines, mistakes } = rewrite(file, source)
    for (const { line, message } of mistakes) fail(`${file}:${line}`, message)
    for (const line of lines) pending.add(`${file}:${line}`)
    return { ...loaded, source: code }
  }
})

Object.assign(globalThis, { expectationsOf })

process.on("exit", () => {
  for (const place of pending) fail(place, "the program ended without reaching this line")
  if (failed) process.exitCode = 1
})
