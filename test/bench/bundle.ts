/**
 * What `ezthrottle-effect/promise` and `ezthrottle-effect/fetch` weigh in a browser or worker, and how long they take to
 * import: their build in `dist` bundled with Effect by esbuild, minified, each chunk gzipped (level 9; 1 kB is 1,000 bytes). What is loaded at first is
 * the entry with all that it imports at once; the whole is that with what is loaded when it is used.
 *
 * Beside it the bare framework: the least program of the same kind that somebody would write with Effect alone, which is
 * one call over `HttpClient` with a time-out and retries, an answer and an error described by schemas, a service in a
 * layer, and a runtime to call it from promises. What the facade adds is the difference.
 *
 * Import times are medians over fresh processes of the platform's own clock, the two bundles taking turns. Budgets, all of
 * what is loaded at first: 62 kB (framework alone 47), 17 ms (framework alone 13); `fetch` 52 kB. They are not reached; what is
 * reached must not be lost again unnoticed, so it fails where one weighs a kilobyte and a half more than when that was written.
 */
import type * as Esbuild from "esbuild"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join, relative } from "node:path"
import { gzipSync } from "node:zlib"

// tsup brings esbuild along
const fromTsup = createRequire(createRequire(import.meta.url).resolve("tsup"))
const { build } = fromTsup("esbuild") as typeof Esbuild

const rounds = process.env["BENCH_QUICK"] === "1" ? 1 : 15

const framework = `
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"

const Answer = Schema.Struct({ id: Schema.String, count: Schema.Number })
class CallFailed extends Schema.TaggedError()("CallFailed", { cause: Schema.Unknown }) {}
class Calls extends Context.Service()("Calls") {}

const layer = Layer.effect(Calls, Effect.gen(function* () {
  const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
  return {
    call: (url) => client.get(url).pipe(
      Effect.flatMap(HttpClientResponse.schemaBodyJson(Answer)),
      Effect.timeout("30 seconds"),
      Effect.retry(Schedule.exponential("200 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 3 }))),
      Effect.mapError((cause) => new CallFailed({ cause }))
    )
  }
}))

const runtime = ManagedRuntime.make(layer.pipe(Layer.provide(FetchHttpClient.layer)))
export const call = (url, options) =>
  runtime.runPromise(Effect.flatMap(Calls, (calls) => calls.call(url)), options)
`

const programs: Record<string, string> = {
  "ezthrottle-effect/promise": `export * from "ezthrottle-effect/promise"`,
  "ezthrottle-effect/fetch": `export * from "ezthrottle-effect/fetch"`,
  "bare framework": framework
}

/** Kilobytes that are loaded at first at most. */
const bounds: Record<string, number> = { "ezthrottle-effect/promise": 67, "ezthrottle-effect/fetch": 61.5 }

const folder = mkdtempSync(join(tmpdir(), "bundle-"))

const gzipped = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length / 1000

const bundle = async (name: string, program: string) => {
  const { metafile, outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    outdir: join(folder, name.replaceAll(/\W/g, "-")),
    outExtension: { ".js": ".mjs" },
    absWorkingDir: folder,
    metafile: true,
    write: false,
    // esbuild remarks on imports that it leaves out because nothing of them is used
    logLevel: "error"
  })
  const bytesOf = new Map(outputFiles.map(({ contents, path }) => [relative(folder, path), contents]))
  for (const { contents, path } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, contents)
  }
  const entry = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === "<stdin>")?.[0] ?? ""
  const first = new Set([entry])
  // a Set visits what is added during the loop
  for (const chunk of first) {
    for (const { kind, path } of metafile.outputs[chunk]?.imports ?? []) {
      if (kind === "import-statement") first.add(path)
    }
  }
  const sum = (chunks: Iterable<string>, of: (bytes: Uint8Array) => number): number =>
    [...chunks].reduce((total, chunk) => total + of(bytesOf.get(chunk) ?? new Uint8Array()), 0)
  return {
    name,
    file: join(folder, entry),
    raw: sum(first, ({ length }) => length / 1000),
    first: sum(first, gzipped),
    whole: sum(bytesOf.keys(), gzipped)
  }
}

const importing = `
const from = performance.now()
await import(process.argv[1])
console.log(performance.now() - from)`

/** Milliseconds that a process of its own takes to import a file. */
const timeImport = (file: string): number =>
  Number(execFileSync(process.execPath, ["--input-type=module", "--eval", importing, file], { encoding: "utf8" }))

const bundles = await Promise.all(Object.entries(programs).map(([name, program]) => bundle(name, program)))
const times = bundles.map((): Array<number> => [])
for (let round = 0; round < rounds; round++) {
  for (const [index, { file }] of bundles.entries()) times[index]?.push(timeImport(file))
}

for (const [index, { first, name, raw, whole }] of bundles.entries()) {
  const sorted = (times[index] ?? []).toSorted((a, b) => a - b)
  const [fastest, median] = [sorted[0] ?? Number.NaN, sorted[Math.floor(sorted.length / 2)] ?? Number.NaN]
  console.log(
    `${name.padEnd(26)} ${first.toFixed(1).padStart(6)} kB gzipped at first (${raw.toFixed(0)} kB minified), ` +
      `${whole.toFixed(1).padStart(6)} kB with what is loaded later   ` +
      `import ${median.toFixed(1).padStart(5)} ms (fastest ${fastest.toFixed(1)})`
  )
  const most = bounds[name] ?? Number.POSITIVE_INFINITY
  if (first > most) {
    console.error(`${name} weighs more than ${most} kB: load what only some programs use when they use it`)
    process.exitCode = 1
  }
}

rmSync(folder, { recursive: true })
