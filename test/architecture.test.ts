import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { bansBroken } from "./architecture/Bans.ts"
import {
  barrelImports,
  barrels,
  brokenEdges,
  brokenSuites,
  heavyFacade,
  heavyThreads,
  impureEntries,
  longFiles,
  unbrowsable,
  undeclaredPackages,
  unknownAreas,
  unportableReach
} from "./architecture/Rules.ts"
import { linesOfCode, parse, readSources } from "./architecture/Sources.ts"
import { planted } from "./simulation/Planted.ts"

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

const manifestOf = (relative: string) => JSON.parse(readFileSync(path(relative), "utf8"))

const own = manifestOf("../package.json")

const declared = Object.keys({ ...own.dependencies, ...own.peerDependencies })

/** `effect/http` is published as the index of a folder; so says the package itself. */
const isBarrel = (specifier: string): boolean => {
  const [, name, rest] = /^(effect|@effect\/[^/]+)(\/.*)?$/.exec(specifier) ?? []
  if (name === undefined) return false
  const target = manifestOf(`../node_modules/${name}/package.json`).exports[`.${rest ?? ""}`]
  return typeof target === "string" && target.endsWith("/index.js")
}

const rules = {
  unbrowsable,
  heavyFacade,
  heavyThreads,
  unknownAreas,
  brokenEdges,
  brokenSuites,
  unportableReach,
  barrels,
  impureEntries,
  bansBroken,
  barrelImports: (sources: Parameters<typeof barrelImports>[0]) => barrelImports(sources, isBarrel),
  undeclaredPackages: (sources: Parameters<typeof undeclaredPackages>[0]) => undeclaredPackages(sources, declared),
  longFiles: (sources: Parameters<typeof longFiles>[0]) => longFiles(sources, 300)
}

describe("the sources", () => {
  const sources = readSources(path("../src"))
  const holds = (rule: keyof typeof rules) => assert.deepStrictEqual(rules[rule](sources), [])

  it("are there to be judged", () => assert.isNotEmpty(sources))
  it("belong to a known floor or entry", () => holds("unknownAreas"))
  it("import downwards only, type imports included", () => holds("brokenEdges"))
  it("import downwards inside the large folders too, suite by suite", () => holds("brokenSuites"))
  it("reach Node, undici and drivers from the Node entries only", () => holds("unportableReach"))
  it("reach nothing from the page that a browser has not", () => holds("unbrowsable"))
  it("import Effect by module path, never through a barrel", () => holds("barrelImports"))
  it("import declared packages only", () => holds("undeclaredPackages"))
  it("give the thread that writes nothing heavy to load", () => holds("heavyThreads"))
  it("give the facade's first call nothing heavy to load", () => holds("heavyFacade"))
  it("have no barrels besides the entries", () => holds("barrels"))
  it("keep entries to exports", () => holds("impureEntries"))
  it("have no file above 300 lines of code", () => holds("longFiles"))
  it("take time, chance and failure from services", () => holds("bansBroken"))
})

describe("the faults that a simulation must tell", () => {
  it("each fit the sources in one place, so that each is put in", () => {
    const places = Object.entries(planted).flatMap(([name, changes]) =>
      changes.map(({ file, from }) => [name, readFileSync(path(`../src/${file}`), "utf8").split(from).length - 1])
    )
    assert.isNotEmpty(places)
    assert.deepStrictEqual(
      places.filter(([, count]) => count !== 1),
      []
    )
  })
})

describe("the rules bite", () => {
  const sources = readSources(path("./fixtures/architecture"))
  const finds = (rule: keyof typeof rules, expected: ReadonlyArray<string>) =>
    assert.deepStrictEqual(rules[rule](sources), expected)

  it("on a folder or an entry nobody has placed", () =>
    finds("unknownAreas", [
      "extra.ts belongs to no known floor or entry",
      "helpers/Thing.ts belongs to no known floor or entry"
    ]))

  it("on a thread that loads what it has no use for", () =>
    finds("heavyThreads", ["dam/sqlite/slowWorker.ts -> dam/sqlite/Heavy.ts -> effect/Schema"]))

  it("on a facade that loads at once what it needs later", () =>
    finds("heavyFacade", ["promise.ts -> promise/Heavy.ts -> effect/Schema"]))

  it("on every syntax that looks up a floor", () =>
    finds("brokenEdges", [
      "engine/FromAnEntry.ts may not import index.ts: engine does not stand on index.ts",
      "engine/Nowhere.ts imports ../step/Gone.ts, which is no source file",
      "engine/Sideways.ts may not import testing/Fake.ts: engine does not stand on testing",
      "extra.ts may not import step/Sound.ts: extra.ts does not stand on step",
      "page/FromTheDam.ts may not import dam/lane/Sound.ts: page does not stand on dam",
      "step/UpByDynamicImport.ts may not import wire/Sound.ts: step does not stand on wire",
      "step/UpByInlineType.ts may not import wire/Sound.ts: step does not stand on wire",
      "step/UpByReexport.ts may not import wire/Sound.ts: step does not stand on wire",
      "step/UpByRequire.ts may not import wire/Sound.ts: step does not stand on wire",
      "step/UpByType.ts may not import wire/Sound.ts: step does not stand on wire",
      "step/UpByValue.ts may not import wire/Sound.ts: step does not stand on wire"
    ]))

  it("on what stands in no suite, and on imports of a suite beside or above", () =>
    finds("brokenSuites", [
      "dam/Unplaced.ts stands in no known suite",
      "cli/service/Up.ts may not import cli/commands/Sound.ts: cli/service does not stand on cli/commands",
      "dam/job/UpByType.ts may not import dam/store/Sound.ts: dam/job does not stand on dam/store",
      "dam/lane/Sideways.ts may not import dam/secrets/Sound.ts: dam/lane does not stand on dam/secrets"
    ]))

  it("on a portable entry that reaches Node through others, naming the way", () =>
    finds("unportableReach", [
      "index.ts -> run/Interpreter.ts -> transport/OverSockets.ts -> node:net",
      "index.ts -> run/Interpreter.ts -> transport/OverUndici.ts -> undici"
    ]))

  it("on a page that reaches Node through what it may import, but not through types", () =>
    finds("unbrowsable", ["page/FromTheContract.ts -> dam/api/OnNode.ts -> node:buffer"]))

  it("on Effect's barrels", () =>
    finds("barrelImports", [
      "step/FromBarrel.ts imports the barrel effect",
      "step/FromBarrel.ts imports the barrel effect/http"
    ]))

  it("on packages that are not declared and on computed imports", () =>
    finds("undeclaredPackages", [
      "step/ByComputedPath.ts imports computed: path, which package.json does not declare",
      "step/FromUndeclared.ts imports express, which package.json does not declare"
    ]))

  it("on a barrel", () => finds("barrels", ["wire/Barrel.ts only passes on what others export"]))

  it("on an entry with code of its own", () =>
    finds("impureEntries", ["webhook.ts is an entry and does more than export"]))

  it("on every banned expression, however it is reached, outside the excepted files", () =>
    finds("bansBroken", [
      "promise/Excepted.ts:3 uses Math.random",
      "promise/Excepted.ts:5 uses setTimeout",
      "run/Banned.ts:1 uses Date.now",
      "run/Banned.ts:2 uses new Date",
      "run/Banned.ts:3 uses Math.random",
      "run/Banned.ts:4 uses setTimeout",
      "run/Banned.ts:5 uses setInterval",
      "run/Banned.ts:6 uses async",
      "run/Banned.ts:8 uses try",
      "run/Banned.ts:14 uses Date.now",
      "run/Banned.ts:15 uses Math.random",
      "run/Banned.ts:16 uses setTimeout",
      "run/Banned.ts:17 uses setInterval",
      "run/Banned.ts:19 uses async",
      "run/Banned.ts:20 uses async",
      "run/Banned.ts:20 uses async"
    ]))

  it("on the first line of code above the ceiling, comments and blank lines left out", () => {
    const source = parse("step/Long.ts", "/** one\n * two */\nexport const a = {\n  // three\n\n  b: `\n`\n}\n")
    assert.strictEqual(linesOfCode(source), 4)
    assert.deepStrictEqual(longFiles([source], 4), [])
    assert.deepStrictEqual(longFiles([source], 3), ["step/Long.ts has 4 lines of code, more than 3"])
  })
})
