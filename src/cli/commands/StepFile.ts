/**
 * Reads a step that somebody wrote down: JSON or YAML, in the spelling of the wire (`retry_policy`) or in the step's
 * own (`retryPolicy`). A mistake is told with the place it stands at.
 */
import * as Effect from "effect/Effect"
import * as Yaml from "effect/encoding/Yaml"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { findFault } from "../../wire/JsonFault.ts"
import * as JsonText from "../../step/JsonText.ts"
import * as StepJson from "../../step/StepJson.ts"
import type { Step } from "../../step/StepModel.ts"
import * as Job from "../../wire/Job.ts"
import { type Problem, problem } from "../output/Problem.ts"

/** Reads the file, or standard input for `-`. */
export const read = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<Step, Problem, FileSystem.FileSystem | Stdio.Stdio> {
  const { document, name } = yield* readDocument(path)
  return yield* decode(name, document)
})

/** What stands in the file, or on standard input for `-`: JSON or YAML, whatever it means. */
export const readDocument = Effect.fnUntraced(function* (
  path: string
): Effect.fn.Return<
  { readonly name: string; readonly document: unknown; readonly text: string },
  Problem,
  FileSystem.FileSystem | Stdio.Stdio
> {
  const name = path === "-" ? "standard input" : path
  const text = yield* path === "-" ? readInput : readText(path)
  return { name, document: yield* Effect.fromResult(parse(name, text)), text }
})

/** Reads one line of a batch: JSON, and nothing else. */
export const fromLine = (name: string, text: string): Effect.Effect<Step, Problem> =>
  Effect.flatMap(Effect.fromResult(parseJson(name, text)), (document) => decode(name, document))

/** What is written in a file. */
export const readText = (path: string) =>
  FileSystem.FileSystem.use((files) => files.readFileString(path)).pipe(
    Effect.mapError((error) => unreadable(path, error))
  )

/** A file that is not there or cannot be read. */
export const unreadable = (path: string, { reason }: PlatformError, next?: string): Problem =>
  problem(
    "usage",
    reason._tag === "NotFound" ? `there is no file ${path}` : `${path} cannot be read (${reason._tag})`,
    { next, code: "unreadable_file" }
  )

/** All of standard input. */
export const readInput = Stdio.Stdio.use((stdio) => Stream.mkString(Stream.decodeText(stdio.stdin))).pipe(
  Effect.mapError(({ message }) => problem("usage", `standard input cannot be read: ${message}`))
)

const parse = (name: string, text: string): Result.Result<unknown, Problem> => {
  if (text.trim() === "") return Result.fail(bad(name, "is empty"))
  const isJson = /\.json$/i.test(name) || (!/\.ya?ml$/i.test(name) && /^\s*[{[]/.test(text))
  return isJson ? parseJson(name, text) : parseYaml(name, text)
}

/** A parser's own message would quote the text, and with it perhaps a secret; this one says where to look. */
const parseJson = (name: string, text: string): Result.Result<unknown, Problem> => {
  const fault = isDeep(text) ? undefined : findFault(text)
  if (fault !== undefined) return Result.fail(bad(`${name}${placeOf(text, fault.at)}`, fault.problem))
  return Result.try({ try: (): unknown => JsonText.parse(text), catch: () => bad(name, "is no JSON") })
}

const parseYaml = (name: string, text: string): Result.Result<unknown, Problem> =>
  Result.try({
    try: () => Yaml.parse(text),
    catch: (error) => bad(name, `is no YAML: ${error instanceof Error ? oneLine(error.message) : String(error)}`)
  })

const placeOf = (text: string, at: number): string => {
  const before = text.slice(0, at).split("\n")
  return `:${before.length}:${(before.at(-1) ?? "").length + 1}`
}

/** Deeper than a recursive reader could go; what may be so deep is refused when it is decoded. */
const isDeep = (text: string): boolean => (text.match(/[[{]/g)?.length ?? 0) > 2000

/** Decodes what was parsed, in the spelling it is written in. `name` is where it stands. */
export const decode = (name: string, document: unknown): Effect.Effect<Step, Problem> => {
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    return Effect.fail(bad(name, `holds ${Array.isArray(document) ? "a list" : "no object"}, and a step is one object`))
  }
  const wire = wireKey(document, "")
  if (wire === undefined) {
    return Effect.mapError(StepJson.decode(document), ({ field, problem }) =>
      bad(name, `${field}: ${problem === "Expected no excess property" ? "a step has no such field" : problem}`)
    )
  }
  return Effect.mapError(Effect.fromResult(Job.decode(document)), ({ code, field, nearest, problem }) =>
    bad(
      name,
      `${field}: ${problem}`,
      code === "unknown_field" && nearest === undefined
        ? `because of "${wire}" it is read in the spelling of the wire, which has no such field; spell all of it like retryPolicy for a step of your own`
        : undefined
    )
  )
}

/** The first key that only the spelling of the wire has. */
const wireKey = (value: object, at: string): string | undefined => {
  for (const [key, inner] of Object.entries(value)) {
    if (opaque.has(key)) continue
    const path = at === "" ? key : `${at}.${key}`
    if (key.includes("_") || key === "fallbackJob" || key === "onFailureTimeoutMs") return path
    const below = typeof inner === "object" && inner !== null && at.length < 200 ? wireKey(inner, path) : undefined
    if (below !== undefined) return below
  }
  return undefined
}

/** What stands below these is the user's own. */
const opaque: ReadonlySet<string> = new Set(["headers", "metadata"])

const bad = (
  name: string,
  text: string,
  next = 'see "Everything a step can say" in the README of the package'
): Problem => problem("usage", `${name}: ${text}`, { next, code: "bad_step" })

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, " ")
