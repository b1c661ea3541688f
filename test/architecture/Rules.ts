import { builtinModules } from "node:module"
import { posix } from "node:path"
import ts from "typescript"
import { type Import, importsOf, linesOfCode, type Source } from "./Sources.ts"

const upToWire = ["step", "wire"]
const upToTransport = [...upToWire, "engine", "transport"]
const upToRun = [...upToTransport, "run"]

/** What the files of a folder may import besides each other: folders, or suites of one. A folder without a row is refused. */
const folders: Readonly<Record<string, ReadonlyArray<string>>> = {
  step: [],
  wire: ["step"],
  engine: upToWire,
  transport: [...upToWire, "engine"],
  presets: [...upToWire, "engine"],
  paced: [...upToTransport, "presets"],
  fetch: [...upToTransport, "presets", "paced"],
  run: upToTransport,
  receive: upToRun,
  dam: [...upToRun, "presets"],
  cluster: [...upToRun, "dam"],
  promise: upToRun,
  testing: [...upToRun, "receive", "dam", "promise"],
  // runs in a browser and knows the dam by its API alone
  page: ["dam/api"],
  cli: [...upToRun, "presets", "receive", "dam", "cluster", "promise", "testing"]
}

/** What a package entry may export from. An entry without a row is refused. */
const entries: Readonly<Record<string, ReadonlyArray<string>>> = {
  "index.ts": [...upToRun, "presets", "paced"],
  "fetch.ts": ["engine", "paced", "presets", "fetch"],
  "promise.ts": [...upToRun, "promise"],
  "testing.ts": [...upToRun, "testing"],
  "webhook.ts": [...upToWire, "receive"],
  "node.ts": [...upToTransport, "run", "receive"],
  "dam.ts": [...upToRun, "dam", "cluster"],
  "bin.ts": ["cli"]
}

/**
 * The suites of a large folder, from the ground up: one imports what stands before it, and nothing beside or after it. A
 * file or folder that stands nowhere is refused.
 */
const suites: Readonly<Record<string, ReadonlyArray<ReadonlyArray<string>>>> = {
  dam: [
    ["job"],
    ["store", "egress"],
    ["rows", "observe", "lane", "secrets", "plan", "intake"],
    ["sqlite", "postgres", "l8", "api"],
    ["deliver"],
    ["work"],
    ["http/door", "EmbeddedService.ts"],
    ["http/routes"],
    ["http"],
    ["embedded"],
    ["Dam.ts"],
    ["config"]
  ],
  cli: [["output"], ["service"], ["serving", "mcp"], ["commands"], ["main.ts"], ["start.ts"]]
}

/** Only what is reachable from these alone may touch Node, undici or a database driver. */
const nodeEntries: ReadonlyArray<string> = ["node.ts", "dam.ts", "bin.ts"]

const portablePackages: ReadonlyArray<string> = ["effect", "@noble/hashes"]

const isEntry = (path: string): boolean => !path.includes("/")

const isRelative = (specifier: string): boolean => specifier.startsWith(".")

const areaOf = (path: string): string => (isEntry(path) ? path : path.slice(0, path.indexOf("/")))

const targetOf = (edge: Import): string => posix.join(posix.dirname(edge.from), edge.specifier)

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/")

const isBuiltin = (specifier: string): boolean => specifier.startsWith("node:") || builtinModules.includes(specifier)

const edgesOf = (sources: ReadonlyArray<Source>): ReadonlyArray<Import> => sources.flatMap(importsOf)

const rowOf = (path: string): ReadonlyArray<string> | undefined => (isEntry(path) ? entries : folders)[areaOf(path)]

export const unknownAreas = (sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  sources
    .filter(({ path }) => rowOf(path) === undefined)
    .map(({ path }) => `${path} belongs to no known floor or entry`)

export const brokenEdges = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const known = new Set(sources.map(({ path }) => path))
  return edgesOf(sources)
    .filter(({ specifier }) => isRelative(specifier))
    .flatMap((edge) => {
      const target = targetOf(edge)
      if (!known.has(target)) return [`${edge.from} imports ${edge.specifier}, which is no source file`]
      const from = areaOf(edge.from)
      const to = areaOf(target)
      const stands = (rowOf(edge.from) ?? []).some((name) => name === to || target.startsWith(`${name}/`))
      const allowed = (from === to && !isEntry(edge.from)) || stands
      return allowed ? [] : [`${edge.from} may not import ${target}: ${from} does not stand on ${to}`]
    })
}

interface Suite {
  readonly name: string
  /** How high it stands; `-1` for what nobody has placed. */
  readonly floor: number
}

/** The innermost suite that holds a file; `undefined` outside the large folders. */
const suiteOf = (path: string): Suite | undefined => {
  const [area = "", ...rest] = path.split("/")
  const floors = suites[area]
  if (floors === undefined || rest.length === 0) return undefined
  const names = rest.map((_, depth) => rest.slice(0, depth + 1).join("/")).toReversed()
  const name = names.find((candidate) => floors.some((floor) => floor.includes(candidate)))
  return {
    name: `${area}/${name ?? rest[0]}`,
    floor: floors.findIndex((floor) => name !== undefined && floor.includes(name))
  }
}

export const brokenSuites = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => [
  ...sources.flatMap(({ path }) => (suiteOf(path)?.floor === -1 ? [`${path} stands in no known suite`] : [])),
  ...edgesOf(sources)
    .filter(({ specifier }) => isRelative(specifier))
    .flatMap((edge) => {
      const target = targetOf(edge)
      const from = suiteOf(edge.from)
      const to = suiteOf(target)
      if (from === undefined || to === undefined || areaOf(edge.from) !== areaOf(target)) return []
      return from.name === to.name || from.floor > to.floor
        ? []
        : [`${edge.from} may not import ${target}: ${from.name} does not stand on ${to.name}`]
    })
]

/** Everything one entry pulls in, each file and package with the path of imports that leads to it. */
const reach = (
  sources: ReadonlyArray<Source>,
  entry: string,
  counts: (edge: Import) => boolean = () => true
): ReadonlyMap<string, ReadonlyArray<string>> => {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const seen = new Map<string, ReadonlyArray<string>>([[entry, [entry]]])
  // a Map visits what is added during the loop, so this is a breadth-first walk
  for (const [path, chain] of seen) {
    const source = byPath.get(path)
    if (source === undefined) continue
    for (const edge of importsOf(source).filter(counts)) {
      const next = isRelative(edge.specifier) ? targetOf(edge) : edge.specifier
      if (!seen.has(next)) seen.set(next, [...chain, next])
    }
  }
  return seen
}

export const unportableReach = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const files = new Set(sources.map(({ path }) => path))
  return [...files]
    .filter((path) => isEntry(path) && !nodeEntries.includes(path))
    .flatMap((entry) =>
      [...reach(sources, entry)]
        .filter(([path]) => !files.has(path) && !isRelative(path) && !portablePackages.includes(packageOf(path)))
        .map(([, chain]) => chain.join(" -> "))
    )
}

/** A browser has neither Node nor the packages that the build does not put into the page. */
export const unbrowsable = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const files = new Set(sources.map(({ path }) => path))
  return sources
    .filter(({ path }) => areaOf(path) === "page")
    .flatMap(({ path }) =>
      [...reach(sources, path, ({ isType }) => !isType)]
        .filter(([name]) => !files.has(name) && !isRelative(name) && !inBrowser.includes(packageOf(name)))
        .map(([, chain]) => chain.join(" -> "))
    )
}

/** The thread that writes starts with every dam: what decodes and what runs effects costs it most of that time. */
export const heavyThreads = (sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  sources
    .filter(({ path }) => path.endsWith("Worker.ts"))
    .flatMap(({ path }) =>
      [...reach(sources, path, ({ isType }) => !isType)]
        .filter(([name]) => name === "effect/Schema" || name === "effect/Effect")
        .map(([, chain]) => chain.join(" -> "))
    )

const heavy = /^effect\/(Schema\w*|Config|DateTime|Stream|http\/.*)$/

/** Their first call loads no decoder, no calendar and no client of Effect's: most of what a page would wait for. */
export const heavyFacade = (sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  ["promise.ts", "fetch.ts"].flatMap((entry) =>
    [...reach(sources, entry, ({ isLater, isType }) => !isLater && !isType)]
      .filter(([name]) => heavy.test(name))
      .map(([, chain]) => chain.join(" -> "))
  )

/** A package path that is a folder's index pulls in the folder; `exports` of the package says which ones are. */
export const barrelImports = (
  sources: ReadonlyArray<Source>,
  isBarrel: (specifier: string) => boolean
): ReadonlyArray<string> =>
  edgesOf(sources)
    .filter(({ specifier }) => isBarrel(specifier))
    .map(({ from, specifier }) => `${from} imports the barrel ${specifier}`)

/** The build puts into the page whatever it imports. */
const bundled: ReadonlyArray<string> = ["preact", "uplot"]

const inBrowser: ReadonlyArray<string> = [...bundled, "effect"]

/** An optional peer that bundlers must not see; a source of its own also names it where its types come from. */
const hidden = "dam/postgres/Driver.ts imports computed: `${from}/"

export const undeclaredPackages = (
  sources: ReadonlyArray<Source>,
  declared: ReadonlyArray<string>
): ReadonlyArray<string> =>
  edgesOf(sources)
    .filter(({ specifier }) => !isRelative(specifier) && !isBuiltin(specifier))
    .filter(({ from, specifier }) => !(areaOf(from) === "page" && bundled.includes(packageOf(specifier))))
    .filter(({ specifier }) => !declared.includes(packageOf(specifier)))
    .map(({ from, specifier }) => `${from} imports ${specifier}, which package.json does not declare`)
    .filter((problem) => !problem.startsWith(hidden))

const isReexport = (statement: ts.Statement): boolean =>
  ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement) || ts.isExportAssignment(statement)

export const impureEntries = (sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  sources
    .filter(({ path, tree }) => isEntry(path) && !tree.statements.every(isReexport))
    .map(({ path }) => `${path} is an entry and does more than export`)

export const barrels = (sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  sources
    .filter(({ path, tree }) => !isEntry(path) && tree.statements.every(isReexport))
    .map(({ path }) => `${path} only passes on what others export`)

export const longFiles = (sources: ReadonlyArray<Source>, ceiling: number): ReadonlyArray<string> =>
  sources
    .map((source) => ({ path: source.path, lines: linesOfCode(source) }))
    .filter(({ lines }) => lines > ceiling)
    .map(({ path, lines }) => `${path} has ${lines} lines of code, more than ${ceiling}`)
