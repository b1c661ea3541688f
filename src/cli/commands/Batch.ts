/** `ezthrottle submit --file`: every line of a file is a job, and an interrupted run is gone on with. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Journal from "./Journal.ts"
import * as Output from "../output/Output.ts"
import { exits, type Problem, problem } from "../output/Problem.ts"
import * as Progress from "../output/Progress.ts"
import { Service } from "../service/Service.ts"
import { patiently } from "../service/Patience.ts"
import * as StepFile from "./StepFile.ts"
import * as Submitting from "./Submitting.ts"

export interface Options {
  readonly file: string
  readonly journal: string
  /** Where the lines go that were refused. */
  readonly failed: string
  /** How many are under way at once. */
  readonly concurrency: number
}

type Outcome =
  | { readonly _tag: "Accepted"; readonly entry: Journal.Entry }
  | { readonly _tag: "Refused"; readonly line: number; readonly text: string; readonly problem: Problem }

interface Tally {
  readonly refused: ReadonlyArray<Extract<Outcome, { readonly _tag: "Refused" }>>
  readonly accepted: number
  readonly duplicates: number
}

export const run = (options: Options) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { target } = yield* Service
      const total = yield* Stream.runFold(
        lines(options.file),
        () => 0,
        (count) => count + 1
      )
      const journal = yield* Journal.open(options.journal, target.url)
      const progress = yield* Progress.make
      const start = yield* Clock.currentTimeMillis
      const before = journal.known.size
      let tally: Tally = { refused: [], accepted: 0, duplicates: 0 }
      const settle = (outcomes: ReadonlyArray<Outcome>) =>
        Effect.gen(function* () {
          const entries = outcomes.flatMap((outcome) => (outcome._tag === "Accepted" ? [outcome.entry] : []))
          yield* journal.append(entries)
          tally = {
            refused: [...tally.refused, ...outcomes.filter((outcome) => outcome._tag === "Refused")],
            accepted: tally.accepted + entries.length,
            duplicates: tally.duplicates + entries.filter(({ duplicate }) => duplicate).length
          }
          const done = before + tally.accepted + tally.refused.length
          yield* progress.show({ done, total, before, failed: tally.refused.length })
        })
      yield* lines(options.file).pipe(
        Stream.mapEffect((line) => (isKnown(journal, line) ? changed(journal, options, line) : Effect.succeed(line))),
        Stream.filter((line) => !isKnown(journal, line)),
        Stream.mapEffect((line) => submit(options.file, journal, line), {
          concurrency: options.concurrency,
          unordered: true
        }),
        Stream.runForEachArray(settle),
        Effect.onExit(() =>
          Effect.andThen(
            progress.clear,
            Effect.suspend(() => keepRefused(options.failed, tally))
          )
        ),
        Effect.onInterrupt(() => Effect.suspend(() => Output.note(left(options, before + tally.accepted, total)))),
        Effect.tapError(() => Effect.suspend(() => Output.note(left(options, before + tally.accepted, total))))
      )
      const elapsed = (yield* Clock.currentTimeMillis) - start
      yield* summarise(options, tally, { before, total, elapsed })
    })
  )

const left = ({ journal }: Options, done: number, total: number): string =>
  `${done} of ${total} are handed over; run the same command again to go on (${journal} says where)`

interface Line {
  /** Counted from 1, empty ones too. */
  readonly number: number
  readonly text: string
}

/** Lines that say something. */
const lines = (path: string) =>
  Stream.unwrap(Effect.map(FileSystem.FileSystem, (files) => files.stream(path))).pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.zipWithIndex,
    Stream.map(([text, index]): Line => ({ text, number: index + 1 })),
    Stream.filter(({ text }) => text.trim() !== ""),
    Stream.mapError((error) => StepFile.unreadable(path, error, "a batch is a file with one job as JSON on each line"))
  )

const isKnown = (journal: Journal.Journal, { number }: Line): boolean => journal.known.has(number)

/** What was handed over must still be what stands there, or the numbers of the lines mean nothing any more. */
const changed = (journal: Journal.Journal, options: Options, line: Line): Effect.Effect<Line, Problem> =>
  journal.known.get(line.number) === Journal.digestOf(line.text)
    ? Effect.succeed(line)
    : Effect.fail(
        problem("usage", `${options.file}:${line.number} is not the line that was handed over`, {
          next: `put it back, or remove ${options.journal} to begin anew`,
          code: "changed_file"
        })
      )

const submit = (file: string, journal: Journal.Journal, line: Line) =>
  Effect.gen(function* () {
    const name = `${file}:${line.number}`
    const step = yield* StepFile.fromLine(name, line.text)
    const job = yield* Submitting.encode(step).pipe(
      Effect.provideService(Random.Random, Submitting.drawnFrom(`${journal.run}:${line.number}`))
    )
    const { value } = yield* patiently(Submitting.send(job))
    return {
      _tag: "Accepted",
      entry: {
        line: line.number,
        digest: Journal.digestOf(line.text),
        job_id: value.job_id,
        duplicate: value.duplicate === true
      }
    } satisfies Outcome
  }).pipe(
    Effect.catch((problem): Effect.Effect<Outcome, Problem> =>
      isOfLine(problem)
        ? Effect.succeed({ _tag: "Refused", line: line.number, text: line.text, problem })
        : Effect.fail(problem)
    )
  )

/** What is wrong with one line leaves the others alone; what is wrong with the service ends the run. */
const isOfLine = ({ code, exit, passesAfter }: Problem): boolean =>
  passesAfter === undefined && (exit === exits.usage || exit === exits.failed) && !ofService.has(code)

const ofService: ReadonlySet<string> = new Set(["no_such_route", "not_offered", "malformed_answer", "bad_journal"])

/** The refused lines with their reasons; the file of an earlier run goes when there are none. */
const keepRefused = (path: string, { refused }: Tally) =>
  FileSystem.FileSystem.use((files) =>
    refused.length === 0
      ? files.remove(path, { force: true })
      : files.writeFileString(
          path,
          refused
            .toSorted((one, other) => one.line - other.line)
            .map(
              ({ line, problem, text }) =>
                `${JSON.stringify({ line, code: problem.code, error: problem.problem, job: text })}\n`
            )
            .join(""),
          { mode: 0o600 }
        )
  ).pipe(Effect.catch(({ message }) => Output.note(`${path} could not be written: ${message}`)))

const summarise = Effect.fnUntraced(function* (
  options: Options,
  { accepted, duplicates, refused }: Tally,
  { before, elapsed, total }: { readonly before: number; readonly elapsed: number; readonly total: number }
) {
  const rate = elapsed <= 0 ? 0 : Math.round((accepted * 1000) / elapsed)
  yield* Output.print(
    {
      total,
      accepted,
      duplicates,
      refused: refused.length,
      handed_over_before: before,
      elapsed_ms: elapsed,
      failed_file: refused.length === 0 ? null : options.failed
    },
    (paint) =>
      Output.facts(paint, [
        ["lines", String(total)],
        ["handed over", `${accepted}${duplicates === 0 ? "" : `, ${duplicates} of them known already`}`],
        ["before", before === 0 ? undefined : `${before}, by an earlier run (${options.journal})`],
        ["refused", refused.length === 0 ? undefined : paint("red", `${refused.length}, see ${options.failed}`)],
        ["took", `${Output.span(elapsed)}, ${rate} per second`]
      ])
  )
  if (refused.length === 0) return
  const [first] = refused
  yield* Effect.fail(
    problem("partly", `${refused.length} of ${total} lines were refused, the first: ${first?.problem.problem}`, {
      next: `correct them in ${options.file} and run the same command again: only they are sent`
    })
  )
})
