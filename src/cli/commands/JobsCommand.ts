/** `ezthrottle jobs`: the flags, and what becomes of them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { actions as bulkActions } from "../../dam/api/BulkShapes.ts"
import * as Flags from "./Flags.ts"
import * as Globals from "../output/Globals.ts"
import * as JobFilters from "./JobFilters.ts"
import * as Jobs from "./Jobs.ts"
import * as JobsMany from "./JobsMany.ts"
import * as Moments from "../output/Moments.ts"
import { problem } from "../output/Problem.ts"
import { talking } from "./Running.ts"

const id = Argument.String("job-id").pipe(Argument.withDescription("The id that `submit` printed"))
const ids = Argument.String("job-id").pipe(Argument.withDescription("One or more job ids"), Argument.atLeast(1))

const list = Command.make(
  "list",
  { ...JobFilters.flags, oldest: JobFilters.oldest, limit: Flags.limit },
  ({ limit, oldest, ...given }) =>
    talking(
      Effect.flatMap(JobFilters.queryOf(given), (query) =>
        Jobs.list({ ...query, sort: oldest ? "oldest" : undefined }, limit)
      )
    )
).pipe(
  Command.withDescription("Lists jobs, the newest first."),
  Command.withShortDescription("List jobs"),
  Command.withExamples([
    { command: "ezthrottle jobs list --status failed --since 2h", description: "What failed in the last two hours" },
    {
      command: "ezthrottle jobs list --host api.example.com --metadata order=7 --json",
      description: "For a program"
    }
  ])
)

const exportAll = Command.make(
  "export",
  {
    ...JobFilters.flags,
    oldest: JobFilters.oldest,
    format: Flag.Literals("format", ["csv", "ndjson"]).pipe(
      Flag.withDescription("How a job is written: a line of CSV, or of JSON (ndjson)"),
      Flag.withDefault("ndjson")
    ),
    output: Flags.text("output", "FILE", "Where to; standard output where it is left out").pipe(Flag.optional),
    limit: Flag.Int("limit").pipe(
      Flag.filter(
        (limit) => limit > 0,
        () => "a limit is at least 1"
      ),
      Flag.withMetavar("N"),
      Flag.withDescription("How many at most (all)"),
      Flag.optional
    )
  },
  ({ format, limit, oldest, output, ...given }) =>
    talking(
      Effect.flatMap(JobFilters.queryOf(given), (query) =>
        JobsMany.exportAll({
          query: { ...query, sort: oldest ? "oldest" : undefined },
          format,
          file: Option.getOrUndefined(output),
          limit: Option.getOrElse(limit, () => Number.MAX_SAFE_INTEGER)
        })
      )
    )
).pipe(
  Command.withDescription("Writes jobs as CSV or JSON lines, page by page, all that the filters leave."),
  Command.withShortDescription("Write jobs as CSV or JSON lines"),
  Command.withExamples([
    {
      command: "ezthrottle jobs export --status failed --since 7d --format csv --output failed.csv",
      description: "What failed in a week, for a spreadsheet"
    }
  ])
)

const show = Command.make("show", { id }, (input) => talking(Jobs.show(input.id))).pipe(
  Command.withDescription("Shows one job: its state, every attempt, its webhooks and its answer."),
  Command.withShortDescription("Show one job with attempts, webhooks and answer"),
  Command.withExamples([
    { command: "ezthrottle jobs show job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "All there is to know about a job" }
  ])
)

const watch = Command.make("watch", { id }, (input) => talking(Jobs.watch(input.id))).pipe(
  Command.withDescription(
    "Follows a job while it waits and runs, to its end. Ends with 3 when the job failed or was cancelled."
  ),
  Command.withShortDescription("Follow a job to its end"),
  Command.withExamples([
    { command: "ezthrottle jobs watch job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Each change as it happens" }
  ])
)

const wait = Command.make("wait", { id, timeout: Flags.timeout("How long at most") }, (input) =>
  talking(Jobs.wait(input.id, input.timeout))
).pipe(
  Command.withDescription(
    "Waits for the end of a job and shows it. Ends with 3 when the job failed or was cancelled, with 8 when the time passed first."
  ),
  Command.withShortDescription("Wait for the end of a job"),
  Command.withExamples([
    {
      command: "ezthrottle jobs wait job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P --timeout 30s",
      description: "At most half a minute"
    }
  ])
)

const many = {
  ids: Argument.String("job-id").pipe(
    Argument.withDescription("Job ids; without any, those that the filters find"),
    Argument.atLeast(0)
  ),
  ...JobFilters.flags,
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("Say how many jobs the filters find, and do nothing"),
    Flag.withDefault(false)
  ),
  rps: Flags.rps("How many jobs a second, of those that the filters find (20)")
}

/** Some jobs by their ids, or all that the filters find: one or the other, so that nobody hits all by a slip. */
const doing = (
  verb: "cancel" | "rerun",
  those: (ids: ReadonlyArray<string>) => ReturnType<typeof Jobs.cancel | typeof Jobs.rerun>,
  usually: ReadonlyArray<string>
) =>
  Effect.fnUntraced(function* ({
    dryRun,
    ids,
    rps,
    ...given
  }: JobFilters.Given & {
    readonly ids: ReadonlyArray<string>
    readonly dryRun: boolean
    readonly rps: Option.Option<number>
  }) {
    const isFiltered = JobFilters.isAny(given)
    if (ids.length > 0 ? isFiltered || dryRun : !isFiltered) {
      return yield* Effect.fail(
        problem(
          "usage",
          ids.length > 0 ? "job ids leave nothing to filter" : "neither job ids nor a filter are given",
          {
            next: `name jobs, or say which with filters such as --q or --since, first with --dry-run`
          }
        )
      )
    }
    if (ids.length > 0) return yield* those(ids)
    const query = yield* JobFilters.queryOf(given)
    yield* JobsMany.doAll({
      query: { ...query, status: given.status.length > 0 ? given.status : usually },
      verb,
      dryRun,
      rps: Option.getOrElse(rps, () => 20)
    })
  })

const cancel = Command.make("cancel", many, (input) =>
  talking(doing("cancel", Jobs.cancel, ["scheduled", "queued", "running", "parked"])(input))
).pipe(
  Command.withDescription(
    "Cancels jobs that have not ended; a call under way is interrupted. By their ids, or all that filters find."
  ),
  Command.withShortDescription("Cancel jobs"),
  Command.withExamples([
    { command: "ezthrottle jobs cancel job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Stop a job for good" },
    { command: "ezthrottle jobs cancel --q api.example.com/v1/ --dry-run", description: "How many would be cancelled" }
  ])
)

const runNow = Command.make("run-now", { ids }, (input) => talking(Jobs.runNow(input.ids))).pipe(
  Command.withDescription(
    "Queues jobs that wait for a moment: scheduled ones, and those that pause between attempts. Their lane's pace and holds stay."
  ),
  Command.withShortDescription("Run scheduled and parked jobs now"),
  Command.withExamples([
    { command: "ezthrottle jobs run-now job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Not to wait for its time" }
  ])
)

const change = Command.make(
  "change",
  {
    id,
    priority: Flag.Literals("priority", ["high", "normal", "low"]).pipe(
      Flag.withDescription("How soon it has its turn"),
      Flag.optional
    ),
    delay: Moments.span("delay", "Not before this time from now").pipe(Flag.optional),
    at: Moments.flag("at", "Not before this moment: a date"),
    body: Flags.text("body", "TEXT", "Another body").pipe(Flag.optional),
    header: Flags.text("header", "NAME=VALUE", "A header to set, to take away without a value; may be repeated").pipe(
      Flag.atLeast(0)
    ),
    revision: Flag.Int("revision").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Only if it is this revision, as `jobs show --json` says; 0 of one that was never changed"),
      Flag.optional
    )
  },
  ({ at, body, delay, header, id: job, priority, revision }) =>
    talking(
      Effect.gen(function* () {
        const moment = yield* Moments.resolve(at)
        const to = {
          ...Option.match(priority, { onNone: () => ({}), onSome: (one) => ({ priority: one }) }),
          ...Option.match(delay, { onNone: () => ({}), onSome: (millis) => ({ delay_ms: millis }) }),
          ...(moment === undefined ? {} : { retry_at: moment }),
          ...Option.match(body, { onNone: () => ({}), onSome: (text) => ({ body: text }) }),
          ...(header.length === 0 ? {} : { headers: Object.fromEntries(header.map(headerIn)) })
        }
        if (Object.keys(to).length === 0) return yield* problem("usage", "nothing to change is given")
        yield* Jobs.change(job, to, Option.getOrUndefined(revision))
      })
    )
).pipe(
  Command.withDescription(
    "Changes a job that is scheduled, queued or parked: its priority, time, body or headers. Its key stays; what is not given stays too."
  ),
  Command.withShortDescription("Change a job that waits"),
  Command.withExamples([
    {
      command: "ezthrottle jobs change job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P --priority low",
      description: "Let others go first"
    },
    { command: "ezthrottle jobs change job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P --delay 5m", description: "In five minutes" }
  ])
)

const headerIn = (pair: string): readonly [name: string, value: string | null] => {
  const at = pair.indexOf("=")
  return at < 0 ? [pair, null] : [pair.slice(0, at), pair.slice(at + 1)]
}

const erase = Command.make("erase", { ids }, (input) => talking(Jobs.erase(input.ids))).pipe(
  Command.withDescription(
    "Takes out of the dam what ended jobs have sent and received. Their ids, keys, states and times are kept."
  ),
  Command.withShortDescription("Erase what ended jobs have sent and received"),
  Command.withExamples([
    { command: "ezthrottle jobs erase job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Nothing of its content is left" }
  ])
)

const rerun = Command.make("rerun", many, (input) => talking(doing("rerun", Jobs.rerun, ["failed"])(input))).pipe(
  Command.withDescription(
    "Makes a new job of each finished one: the same call under a new id. By their ids, or all that filters find: those that failed, unless --status says otherwise."
  ),
  Command.withShortDescription("Run finished jobs again, as new ones"),
  Command.withExamples([
    { command: "ezthrottle jobs rerun job_01JD9Q6Z7Y8X9W0V1T2S3R4Q5P", description: "Once more, from the start" },
    { command: "ezthrottle jobs rerun --q api.example.com --since 2h --rps 5", description: "All that failed there" }
  ])
)

const bulk = Command.make(
  "bulk",
  {
    action: Argument.Literals("action", bulkActions).pipe(
      Argument.withDescription("What is done: cancel, rerun, or delete of jobs that have ended")
    ),
    ...JobFilters.flags,
    dryRun: many.dryRun
  },
  ({ action, dryRun, ...given }) =>
    talking(
      Effect.gen(function* () {
        if (!JobFilters.isAny(given)) {
          return yield* Effect.fail(
            problem("usage", "no filter is given", {
              next: "say which jobs, such as with --q or --batch, first with --dry-run"
            })
          )
        }
        const { status, ...query } = yield* JobFilters.queryOf(given)
        yield* JobsMany.bulk({ action, dryRun, query: given.status.length === 0 ? query : { ...query, status } })
      })
    )
).pipe(
  Command.withDescription(
    "Cancels, runs again or deletes all jobs that the filters find, in one call: as fast as the dam can. To spread them over " +
      "time use `jobs cancel` and `jobs rerun` with --rps."
  ),
  Command.withShortDescription("Cancel, rerun or delete all that filters find, at once"),
  Command.withExamples([
    { command: "ezthrottle jobs bulk cancel --batch may --dry-run", description: "How many would be cancelled" },
    { command: "ezthrottle jobs bulk delete --q api.example.com --until 7d", description: "What ended there long ago" }
  ])
)

export const command = Command.make("jobs").pipe(
  Command.withDescription("Looks at jobs, waits for them, stops and repeats them."),
  Command.withShortDescription(
    "List, export, show, watch, wait for, cancel, hasten, change, rerun, erase and delete jobs"
  ),
  Command.withExamples([{ command: "ezthrottle jobs list --status queued", description: "What waits" }]),
  Command.withSubcommands([list, exportAll, show, watch, wait, cancel, runNow, change, rerun, erase, bulk]),
  Command.withGlobalFlags(Globals.service)
)
