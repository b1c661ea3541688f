/** What `ezthrottle schedules apply` does: a file of schedules becomes what the dam has, all of it or nothing. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Shapes from "../../dam/api/ScheduleShapes.ts"
import * as Globals from "../output/Globals.ts"
import * as Output from "../output/Output.ts"
import { exits, Problem, problem } from "../output/Problem.ts"
import { Service } from "../service/Service.ts"
import * as StepFile from "./StepFile.ts"

type Applied = typeof Shapes.SchedulesApplied.Type

interface Options {
  readonly file: string
  readonly deletes: boolean
  readonly dryRun: boolean
}

/** Shows what would change, and has it done in one call unless it is to be shown only. */
export const apply = Effect.fnUntraced(function* ({ deletes, dryRun, file }: Options) {
  const service = yield* Service
  const { document, name, text } = yield* StepFile.readDocument(file)
  const read = decode(document)
  if (Result.isFailure(read)) {
    return yield* problem("usage", `${name}: expected schedules, each under its name`, {
      next: `write it as { schedules: { NAME: { cron: "30 2 * * *", zone: UTC, job: { url: "https://..." } } } }`,
      code: "bad_schedules"
    })
  }
  const { schedules } = read.success
  const ask = (isDry: boolean) =>
    service
      .call({
        method: "PUT",
        path: "/api/v1/schedules",
        schema: Shapes.SchedulesApplied,
        body: { schedules, delete: deletes, dry_run: isDry }
      })
      .pipe(Effect.mapError((refusal) => placed(refusal, { name, text, names: Object.keys(schedules) })))
  const planned = yield* ask(true)
  if (!(yield* Globals.Json)) yield* Console.log(difference(yield* Output.paint, planned.value))
  const { json, value } = dryRun ? planned : yield* ask(false)
  yield* Output.print(json, () => summary(value))
})

const decode = Schema.decodeUnknownResult(
  Schema.Struct({ schedules: Schema.Record(Schema.String, Schema.JsonObject) }),
  { onExcessProperty: "error" }
)

/** A line for each schedule that changes, and how many do not. */
const difference = (paint: Output.Paint, { added, changed, deleted, kept, unchanged }: Applied): string =>
  [
    ...added.map((name) => paint("green", `+ ${Output.plain(name, 128)}`)),
    ...changed.map(({ fields, name }) => paint("yellow", `~ ${Output.plain(name, 128)} (${fields.join(", ")})`)),
    ...deleted.map((name) => paint("red", `- ${Output.plain(name, 128)}`)),
    ...kept.map((name) => `? ${Output.plain(name, 128)} is not in the file and stays; --delete ends it`),
    `${unchanged.length} unchanged`
  ].join("\n")

const summary = ({ added, changed, deleted, dry_run: isDry }: Applied): string => {
  const counts = `${added.length} added, ${changed.length} changed, ${deleted.length} deleted`
  return isDry ? `dry run: nothing was applied (${counts})` : `applied: ${counts}`
}

interface File {
  readonly name: string
  readonly text: string
  /** Of the schedules in it. */
  readonly names: ReadonlyArray<string>
}

/** A refusal of one of the entries, at its line; any other as it is. */
const placed = (refusal: Problem, { name, names, text }: File): Problem => {
  const [field = ""] = /^schedules\..*?(?=: )/s.exec(refusal.problem) ?? []
  // names may have dots: the longest that fits is meant
  const [entry] = names
    .filter((one) => field === `schedules.${one}` || field.startsWith(`schedules.${one}.`))
    .toSorted((one, other) => other.length - one.length)
  if (entry === undefined) return refusal
  const below = field
    .slice(`schedules.${entry}`.length)
    .split(/[.[\]]+/)
    .filter((part) => part !== "")
  return new Problem({
    ...refusal,
    exit: exits.usage,
    problem: `${name}:${lineOf(text, ["schedules", entry, ...below])}: ${refusal.problem}`,
    next: "nothing was applied",
    passesAfter: undefined
  })
}

/** The line of a place in the file, or of what stands around it; counted from 1. */
const lineOf = (text: string, path: ReadonlyArray<string>): number => {
  const lines = text.split("\n")
  let parent = -1
  for (const key of path) {
    const found = childLine(lines, parent, key)
    // what is written in one line has no line of its own
    if (found === undefined) break
    parent = found
  }
  return Math.max(parent, 0) + 1
}

const childLine = (lines: ReadonlyArray<string>, parent: number, key: string): number | undefined => {
  const around = parent === -1 ? -1 : indentOf(lines[parent] ?? "")
  let depth: number | undefined
  for (let index = parent + 1; index < lines.length; index++) {
    const line = lines[index] ?? ""
    if (/^\s*([#}\]].*|---.*|\{)?$/.test(line)) continue
    const indent = indentOf(line)
    if (indent <= around) return undefined
    depth ??= indent
    if (indent === depth && keyOf(line) === key) return index
  }
  return undefined
}

const indentOf = (line: string): number => line.length - line.trimStart().length

const keyOf = (line: string): string | undefined => {
  const [, double, single, plain] = /^\s*(?:"([^"]*)"|'([^']*)'|([^\s"'#{][^:]*?))\s*:/.exec(line) ?? []
  return double ?? single ?? plain
}
