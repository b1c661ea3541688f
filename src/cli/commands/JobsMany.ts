/** What `ezthrottle jobs export`, and `cancel` and `rerun` of all jobs that a filter finds, do. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import * as Output from "../output/Output.ts"
import { problem } from "../output/Problem.ts"
import * as Progress from "../output/Progress.ts"
import type { Query } from "../service/Query.ts"
import { Service } from "../service/Service.ts"
import { type actions as bulkActions, BulkDone } from "../../dam/api/BulkShapes.ts"
import { csvHead, csvLine } from "../../dam/api/JobLines.ts"
import { JobPage, type JobSummary } from "../../dam/api/JobShapes.ts"

type Summary = typeof JobSummary.Type

interface Page {
  readonly jobs: ReadonlyArray<Summary>
  readonly json: ReadonlyArray<Schema.Json>
  /** About how many there are in all, as the service counted. */
  readonly total: number
}

/** Goes through all jobs of a query, a page at a time. */
const eachPage = Effect.fnUntraced(function* <E, R>(
  query: Query,
  limit: number,
  use: (page: Page) => Effect.Effect<unknown, E, R>
) {
  const service = yield* Service
  let cursor: string | undefined
  let total = 0
  let seen = 0
  do {
    const { json, value } = yield* service.call({
      path: "/api/v1/jobs",
      query: {
        ...query,
        limit: Math.min(pageSize, limit - seen),
        cursor,
        ...(cursor === undefined ? { count: "true" } : {})
      },
      schema: JobPage
    })
    // more than are counted may be there
    seen += value.jobs.length
    total = Math.max(total, Math.min(limit, value.matches?.jobs ?? 0), seen)
    yield* use({ jobs: value.jobs, json: Output.listIn(json, "jobs"), total })
    cursor = value.cursor ?? undefined
  } while (cursor !== undefined && seen < limit)
  return seen
})

const pageSize = 200

export interface Export {
  readonly query: Query
  readonly format: "csv" | "ndjson"
  /** Where to; standard output where it is left out. */
  readonly file: string | undefined
  readonly limit: number
}

/** Writes jobs page by page, so that it takes no more memory for many. */
export const exportAll = (options: Export) =>
  Effect.scoped(
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const progress = yield* Progress.make
      const { file, format } = options
      const opened =
        file === undefined
          ? undefined
          : yield* Effect.mapError(files.open(file, { flag: "w", mode: 0o600 }), ({ message }) => unwritable(message))
      const write = (lines: ReadonlyArray<string>) => {
        if (lines.length === 0) return Effect.void
        if (opened === undefined) return Console.log(lines.join("\n"))
        const bytes = new TextEncoder().encode(`${lines.join("\n")}\n`)
        return Effect.mapError(opened.writeAll(bytes), ({ message }) => unwritable(message))
      }
      if (format === "csv") yield* write([csvHead])
      let done = 0
      const jobs = yield* eachPage(options.query, options.limit, ({ jobs, json, total }) =>
        Effect.andThen(
          write(
            format === "csv" ? jobs.map((job) => csvLine(job, Output.time)) : json.map((job) => JSON.stringify(job))
          ),
          Effect.suspend(() => {
            done += jobs.length
            return progress.show({ done, total, before: 0, failed: 0 })
          })
        )
      ).pipe(Effect.ensuring(progress.clear))
      yield* Output.note(`${jobs} jobs${file === undefined ? "" : ` in ${file}`}`)
    })
  )

const unwritable = (message: string) => problem("failed", `the file cannot be written: ${message}`)

export interface Many {
  readonly query: Query
  readonly verb: "cancel" | "rerun"
  /** Only says how many they are. */
  readonly dryRun: boolean
  /** So many a second. */
  readonly rps: number
}

/** Does something to every job that a query finds, no faster than it was told. What could not be done is counted. */
export const doAll = Effect.fnUntraced(function* ({ dryRun, query, rps, verb }: Many) {
  if (dryRun) return yield* preview(query, verb)
  const service = yield* Service
  const progress = yield* Progress.make
  const failures: Array<string> = []
  let done = 0
  const act = (id: string, total: number) =>
    Effect.gen(function* () {
      const path = `/api/v1/jobs/${encodeURIComponent(id)}/${verb}`
      yield* service
        .call({ method: "POST", path, schema: Schema.Json })
        .pipe(
          Effect.catchTag("Problem", (failure) =>
            failure.code === "wrong_state" || failure.code === "job_not_found"
              ? Effect.sync(() => failures.push(`${id}: ${failure.message}`))
              : Effect.fail(failure)
          )
        )
      done++
      yield* progress.show({ done, total, before: 0, failed: failures.length })
      yield* Effect.sleep(1000 / rps)
    })
  yield* eachPage(query, Number.MAX_SAFE_INTEGER, ({ jobs, total }) =>
    Effect.forEach(jobs, ({ job_id }) => act(job_id, total), { discard: true })
  ).pipe(Effect.ensuring(progress.clear))
  for (const failure of failures.slice(0, toldAtMost)) yield* Console.error(failure)
  const well = done - failures.length
  yield* Output.print({ [verb]: well, not_done: failures.length }, () => `${well} jobs ${words[verb]}`)
  if (failures.length > 0) {
    yield* Effect.fail(problem("partly", `${failures.length} of ${done} could not be done`))
  }
})

const preview = Effect.fnUntraced(function* (query: Query, verb: Many["verb"]) {
  const { value } = yield* Service.use((service) =>
    service.call({ path: "/api/v1/jobs", query: { ...query, limit: 1, count: "true" }, schema: JobPage })
  )
  const { is_exact = false, jobs = 0 } = value.matches ?? {}
  yield* Output.print({ jobs, is_exact }, () => `${is_exact ? "" : "at least "}${jobs} jobs would be ${words[verb]}`)
})

const words = { cancel: "cancelled", rerun: "run again" }
const toldAtMost = 20

export interface Bulk {
  readonly action: (typeof bulkActions)[number]
  readonly query: Query
  readonly dryRun: boolean
}

/** Has the dam do something to every job that a query finds, in as few calls as it takes. */
export const bulk = Effect.fnUntraced(function* ({ action, dryRun, query }: Bulk) {
  const service = yield* Service
  const progress = yield* Progress.make
  let jobs = 0
  let skipped = 0
  let isExact = true
  let cursor: string | null = null
  do {
    const { value }: { readonly value: typeof BulkDone.Type } = yield* service.call({
      method: "POST",
      path: "/api/v1/jobs/bulk",
      body: { action, filter: filterOf(query), dry_run: dryRun, cursor },
      schema: BulkDone,
      timeout: "1 minute"
    })
    jobs += value.jobs
    skipped += value.skipped
    isExact &&= value.is_exact
    cursor = value.cursor
    yield* progress.show({ done: jobs, total: jobs, before: 0, failed: skipped })
  } while (cursor !== null)
  yield* progress.clear
  yield* Output.print({ action, dry_run: dryRun, jobs, is_exact: isExact, skipped }, () =>
    dryRun
      ? `${isExact ? "" : "at least "}${jobs} jobs would be ${bulkWords[action]}`
      : `${jobs} jobs ${bulkWords[action]}${skipped === 0 ? "" : `, ${skipped} were in another state by then`}`
  )
})

const bulkWords = { ...words, delete: "deleted" }

/** The query of a list as a filter: what it does not say is left out. */
const filterOf = ({ metadata = [], ...query }: Query): Schema.JsonObject => ({
  ...Object.fromEntries(
    Object.entries(query).flatMap(([name, value]): ReadonlyArray<[string, Schema.Json]> =>
      value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [[name, value as Schema.Json]]
    )
  ),
  ...(Array.isArray(metadata) && metadata.length > 0
    ? {
        metadata: Object.fromEntries(
          metadata.map((pair: string) => [pair.slice(0, pair.indexOf(":")), pair.slice(pair.indexOf(":") + 1)])
        )
      }
    : {})
})
