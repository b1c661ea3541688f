/**
 * `ezthrottle batches submit`: every line of a file, or every row of a table, becomes a job of one batch. The dam knows how
 * far it is, so whoever runs the command again goes on there; nothing is kept here.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { hash } from "node:crypto"
import { basename, resolve } from "node:path"
import type * as Shapes from "../../dam/api/BatchShapes.ts"
import { fill } from "../../engine/Filling.ts"
import type { Step } from "../../step/StepModel.ts"
import { makeStep } from "../../step/StepValue.ts"
import * as Output from "../output/Output.ts"
import { type Problem, problem } from "../output/Problem.ts"
import * as Progress from "../output/Progress.ts"
import type { Service } from "../service/Service.ts"
import * as Batches from "./Batches.ts"
import * as CsvRows from "./CsvRows.ts"
import * as StepFile from "./StepFile.ts"
import * as Submitting from "./Submitting.ts"

export interface Options {
  readonly file: string
  /** Names the batch. Defaults to one that is made of the name of the file and where it is. */
  readonly id: string | undefined
  /** A step whose places are filled from the columns of each row; with it the file is CSV. */
  readonly template: string | undefined
  readonly together: boolean
  readonly webhook: string | undefined
  readonly onComplete: string | undefined
  readonly onAnyFailure: string | undefined
}

type Batch = typeof Shapes.Batch.Type

/** A line as it is sent; an empty one is a line too. */
type Lines = Stream.Stream<string, Problem, FileSystem.FileSystem | Service>

export const run = (options: Options) =>
  Effect.scoped(
    Effect.gen(function* () {
      const id = options.id ?? idOf(options.file)
      const template = options.template === undefined ? undefined : yield* templateOf(options.template)
      const lines = template === undefined ? ofFile(options.file, id) : ofTable(options.file, template, id)
      const total = yield* Stream.runFold(
        lines,
        () => 0,
        (count) => count + 1
      )
      const before = yield* Batches.find(id)
      if (before !== undefined && before.status !== "open") return yield* Effect.fail(over(id, before))
      const head = yield* headOf(options)
      const progress = yield* Progress.make
      const start = yield* Clock.currentTimeMillis
      const known = before?.lines ?? 0
      // corrected lines may be anywhere before
      const from = (before?.refused ?? 0) > 0 ? 0 : known
      let first = from + 1
      let batch = before
      const send = (part: ReadonlyArray<string>, isLast: boolean) =>
        Effect.gen(function* () {
          const text = [...(first === 1 ? [head] : []), ...part].map((line) => `${line}\n`).join("")
          batch = yield* Batches.send(id, { first, text, isLast, together: options.together })
          first += part.length
          yield* progress.show({ done: batch.lines, total, before: known, failed: batch.refused })
        })
      yield* lines.pipe(
        Stream.drop(from),
        Stream.grouped(partSize),
        Stream.runForEach((part) => send(part, false)),
        Effect.onExit(() => progress.clear),
        Effect.onInterrupt(() => Effect.suspend(() => Output.note(left(options, id, batch, total)))),
        Effect.tapError(() => Effect.suspend(() => Output.note(left(options, id, batch, total))))
      )
      // with refused lines it stays open, so that corrected ones can come
      if ((batch?.refused ?? 0) === 0) yield* send([], true)
      const elapsed = (yield* Clock.currentTimeMillis) - start
      yield* summarise(options, id, { batch, known, total, elapsed })
    })
  )

const partSize = 500

/** The same for the same file, wherever the command is run. */
const idOf = (file: string): string => {
  const name = basename(file)
    .replaceAll(/[^A-Za-z0-9._~-]+/g, "-")
    .slice(0, 60)
  return `${name}-${hash("sha256", resolve(file), "hex").slice(0, 8)}`
}

const over = (id: string, { accepted, status }: Batch): Problem =>
  problem("usage", `batch ${id} is ${status} and has ${accepted} jobs: what is in the file was handed over already`, {
    next: "to hand it over once more, give it another name with --id",
    code: "batch_over"
  })

const left = ({ file }: Options, id: string, batch: Batch | undefined, total: number): string =>
  `${batch?.lines ?? 0} of ${total} lines are handed over; run the same command again to go on (batch ${id} of ${file})`

const textOf = (path: string) =>
  Stream.unwrap(Effect.map(FileSystem.FileSystem, (files) => files.stream(path))).pipe(
    Stream.decodeText,
    Stream.mapError((error) => StepFile.unreadable(path, error, "a batch is a file with one job as JSON on each line"))
  )

/** What stands in each line, as it travels; one that makes no sense goes as it is, and the dam says what is wrong. */
const ofFile = (path: string, id: string): Lines =>
  textOf(path).pipe(
    Stream.splitLines,
    Stream.zipWithIndex,
    Stream.mapEffect(([text, at]) =>
      text.trim() === ""
        ? Effect.succeed("")
        : Effect.flatMap(StepFile.fromLine(`${path}:${at + 1}`, text), (step) => encoded(step, `${id}:${at + 1}`)).pipe(
            Effect.catch(() => Effect.succeed(text))
          )
    )
  )

/** A template that takes nothing from a row would make the same call of each, of which all but one count as known. */
const templateOf = (path: string) =>
  Effect.filterOrFail(
    StepFile.read(path),
    ({ fills, idempotency }) =>
      idempotency._tag === "Unique" || fills.some(({ from }) => from.startsWith("/metadata/")),
    () =>
      problem("usage", `${path} takes nothing from the rows: each of them would be the same call`, {
        next: `say what stands where: "fills": [{ "into": "/body/name", "from": "/metadata/NAME-OF-COLUMN" }]`,
        code: "bad_template"
      })
  )

/** The template filled from each row: its fills take from `/metadata/COLUMN`. */
const ofTable = (path: string, template: Step, id: string): Lines =>
  CsvRows.rows(path, textOf(path)).pipe(
    Stream.zipWithIndex,
    Stream.mapEffect(([row, at]) => {
      const name = `${path}: row ${at + 1}`
      if (row === undefined) return Effect.fail(problem("usage", `${name} has not as many cells as the first one`))
      return Effect.fromResult(
        Result.mapError(fill(template, { response: undefined, metadata: row }), ({ message }) =>
          problem("usage", `${name}: ${message}`, {
            next: `the template takes from columns as "from": "/metadata/${Object.keys(row)[0] ?? "COLUMN"}"`,
            code: "bad_template"
          })
        )
      ).pipe(
        Effect.flatMap((step) =>
          encoded(makeStep({ ...step, metadata: { ...row, ...step.metadata } }), `${id}:${at + 1}`)
        )
      )
    })
  )

const encoded = (step: Step, seed: string) =>
  Effect.map(Submitting.encode(step).pipe(Effect.provideService(Random.Random, Submitting.drawnFrom(seed))), (job) =>
    JSON.stringify(job)
  )

/** The line before all others. */
const headOf = Effect.fnUntraced(function* ({ onAnyFailure, onComplete, webhook }: Options) {
  const step = (path: string | undefined) =>
    path === undefined ? Effect.undefined : Effect.flatMap(StepFile.read(path), Submitting.encode)
  return JSON.stringify({
    batch: {
      ...(webhook === undefined ? {} : { webhook_url: webhook }),
      on_complete: (yield* step(onComplete)) ?? null,
      on_any_failure: (yield* step(onAnyFailure)) ?? null
    }
  })
})

interface Handed {
  readonly batch: Batch | undefined
  readonly known: number
  readonly total: number
  readonly elapsed: number
}

const summarise = Effect.fnUntraced(function* (options: Options, id: string, { batch, elapsed, known, total }: Handed) {
  const { accepted = 0, duplicates = 0, refused = 0, refused_lines: lines = [] } = batch ?? {}
  const rate = elapsed <= 0 ? 0 : Math.round(((total - known) * 1000) / elapsed)
  yield* Output.print(
    { batch_id: id, total, accepted, duplicates, refused, handed_over_before: known, elapsed_ms: elapsed },
    (paint) =>
      Output.facts(paint, [
        ["batch", id],
        ["lines", String(total)],
        ["jobs", `${accepted}${duplicates === 0 ? "" : `, and ${duplicates} that were known already`}`],
        ["before", known === 0 ? undefined : `${known}, by an earlier run`],
        ["refused", refused === 0 ? undefined : paint("red", String(refused))],
        ["took", `${Output.span(elapsed)}, ${rate} per second`]
      ])
  )
  if (refused === 0) return
  for (const { error = "", line } of lines.slice(0, toldAtMost)) yield* Output.note(`${options.file}:${line} ${error}`)
  yield* Effect.fail(
    problem("partly", `${refused} of ${total} lines were refused`, {
      next: `correct them in ${options.file} and run the same command again, or leave them out with \`ezthrottle batches close ${id}\``
    })
  )
})

const toldAtMost = 20
