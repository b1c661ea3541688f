/**
 * What became of each line of a batch, beside the batch: one line of JSON for each line that was taken over. Whoever
 * runs the batch again goes on where it says.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { hash } from "node:crypto"
import * as Idempotency from "../../engine/Idempotency.ts"
import { type Problem, problem } from "../output/Problem.ts"

export interface Journal {
  /** Keys that are drawn are drawn from it. */
  readonly run: string
  /** Lines that were taken over by an earlier run, counted from 1, with their digests. */
  readonly known: ReadonlyMap<number, string>
  readonly append: (entries: ReadonlyArray<Entry>) => Effect.Effect<void, Problem>
}

const Header = Schema.Struct({
  journal: Schema.Literal("ezthrottle submit"),
  version: Schema.Literal(1),
  run: Schema.String,
  url: Schema.String
})

const Entry = Schema.Struct({
  line: Schema.Int,
  digest: Schema.String,
  job_id: Schema.String,
  duplicate: Schema.Boolean
})
export type Entry = typeof Entry.Type

/** Tells one line from another. */
export const digestOf = (line: string): string => hash("sha256", line, "hex").slice(0, 16)

/** Opens it for as long as the scope lasts, or begins it. */
export const open = Effect.fnUntraced(function* (
  path: string,
  url: string
): Effect.fn.Return<Journal, Problem, FileSystem.FileSystem | Scope.Scope> {
  const files = yield* FileSystem.FileSystem
  const unusable = (text: string, next: string) => problem("usage", `${path}: ${text}`, { next, code: "bad_journal" })
  const orUnusable = <A, R>(effect: Effect.Effect<A, PlatformError, R>) =>
    Effect.mapError(effect, ({ reason }) =>
      unusable(`cannot be written (${reason._tag})`, "name another place with --journal")
    )
  const text = (yield* orUnusable(files.exists(path))) ? yield* orUnusable(files.readFileString(path)) : ""
  const [first = "", ...lines] = text.split("\n")
  const header = first === "" ? undefined : Result.getOrElse(decodeHeader(first), () => null)
  if (header === null) {
    return yield* Effect.fail(unusable("is no journal of a batch", "name another place with --journal"))
  }
  if (header !== undefined && header.url !== url) {
    return yield* Effect.fail(
      unusable(`belongs to a batch for ${header.url}`, `go on with --url ${header.url}, or remove it to begin anew`)
    )
  }
  const run = header?.run ?? (yield* Idempotency.freshKey)
  const known = new Map<number, string>()
  for (const line of lines) {
    // the last one may be torn by a crash: that line is sent again, and is a duplicate
    const entry = Result.getOrElse(decodeEntry(line), () => undefined)
    if (entry !== undefined) known.set(entry.line, entry.digest)
  }
  const file = yield* orUnusable(files.open(path, { flag: "a", mode: 0o600 }))
  const write = (text: string) => orUnusable(file.writeAll(encoder.encode(text)))
  if (header === undefined) {
    yield* write(`${JSON.stringify({ journal: "ezthrottle submit", version: 1, run, url })}\n`)
  } else if (!text.endsWith("\n")) yield* write("\n")
  return {
    run,
    known,
    append: (entries) =>
      entries.length === 0 ? Effect.void : write(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""))
  }
})

const decodeHeader = Schema.decodeUnknownResult(Schema.fromJsonString(Header))
const decodeEntry = Schema.decodeUnknownResult(Schema.fromJsonString(Entry))
const encoder = new TextEncoder()
