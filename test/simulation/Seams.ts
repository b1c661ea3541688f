/**
 * Puts the simulation under the dam: SQLite on a simulated disk, chance from a seed; and faults into its sources, where
 * some are asked for by name. Loaded before everything else.
 */
import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"
import { fileURLToPath } from "node:url"
import { planted } from "./Planted.ts"

const own = (name: string) => new URL(name, import.meta.url).href

const places = new Map([
  ...(process.env["SQLITE"] === "node" ? [] : [["/src/dam/sqlite/Sqlite.ts", own("./WasmSqlite.ts")] as const]),
  ["/src/dam/sqlite/Ownership.ts", own("./Owner.ts")],
  ["/src/dam/sqlite/Standing.ts", own("./Stand.ts")]
])

const asked = process.env["PLANTED"]
const changes = asked === undefined ? [] : planted[asked]
if (changes === undefined) throw new Error(`no fault has the name ${asked}`)

registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === "node:crypto" && context.parentURL?.includes("/src/") === true) {
      return { url: own("./SeededCrypto.ts"), shortCircuit: true }
    }
    const found = next(specifier, context)
    const instead = [...places].find(([end]) => found.url.endsWith(end))?.[1]
    return instead === undefined ? found : { ...found, url: instead }
  },
  load: (url, context, next) => {
    const own = changes.filter(({ file }) => url.endsWith(`/src/${file}`))
    if (own.length === 0) return next(url, context)
    const source = own.reduce(
      (text, { file, from, to }) => {
        if (!text.includes(from)) throw new Error(`the fault "${asked}" does not fit src/${file} any more`)
        return text.replace(from, () => to)
      },
      readFileSync(fileURLToPath(url), "utf8")
    )
    return { format: "module-typescript", source, shortCircuit: true }
  }
})
