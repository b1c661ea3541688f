/** What `ezthrottle batches` does. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Shapes from "../../dam/api/BatchShapes.ts"
import * as Output from "../output/Output.ts"
import { exits, problem } from "../output/Problem.ts"
import { patiently } from "../service/Patience.ts"
import { type Call, Service } from "../service/Service.ts"

type Batch = typeof Shapes.Batch.Type
type Summary = typeof Shapes.BatchSummary.Type

export const list = (limit: number) =>
  Effect.gen(function* () {
    const service = yield* Service
    const { json, value } = yield* service.call({
      path: "/api/v1/batches",
      query: { limit: Math.min(limit, 200) },
      schema: Shapes.BatchPage
    })
    yield* Output.print(json, (paint) => table(paint, value.batches))
  })

const table = (paint: Output.Paint, batches: ReadonlyArray<Summary>): string =>
  batches.length === 0
    ? "no batches"
    : Output.table(
        paint,
        ["BATCH", "STATUS", "LINES", "JOBS", "DUPLICATES", "REFUSED", "CREATED"],
        batches.map((batch) => [
          Output.plain(batch.batch_id, 100),
          batch.cancelled ? `${batch.status}, cancelled` : batch.status,
          String(batch.lines),
          String(batch.accepted),
          String(batch.duplicates),
          String(batch.refused),
          Output.time(batch.created_at)
        ])
      )

/** A batch with where its jobs are, and what became no job. */
const whole = (paint: Output.Paint, batch: Batch): string =>
  [
    table(paint, [batch]),
    `jobs: ${
      Object.entries(batch.jobs)
        .filter(([, count]) => count > 0)
        .map(([state, count]) => `${count} ${state}`)
        .join(", ") || "none"
    }`,
    ...(batch.on_complete_job === null ? [] : [`its end started ${batch.on_complete_job}`]),
    ...(batch.on_any_failure_job === null ? [] : [`its first failure started ${batch.on_any_failure_job}`]),
    ...(batch.rerun_of === null ? [] : [`runs what failed of ${Output.plain(batch.rerun_of, 100)}`]),
    ...batch.refused_lines.map(({ error = "", line }) => `line ${line} is refused: ${Output.plain(error, 200)}`)
  ].join("\n")

export const show = (id: string) => one({ path: pathOf(id), schema: Shapes.Batch })

export const cancel = (id: string) => one({ method: "POST", path: `${pathOf(id)}/cancel`, schema: Shapes.Batch })

export const rerun = (id: string) => one({ method: "POST", path: `${pathOf(id)}/rerun`, schema: Shapes.Batch })

const one = Effect.fnUntraced(function* (call: Call<Batch>) {
  const service = yield* Service
  const { json, value } = yield* service.call(call)
  yield* Output.print(json, (paint) => whole(paint, value))
})

/** Says that no line is to come. */
export const close = Effect.fnUntraced(function* (id: string) {
  const known = yield* Effect.flatMap(Service, (service) => service.call({ path: pathOf(id), schema: Shapes.Batch }))
  const { lines, together } = known.value
  const closed = yield* send(id, { first: lines + 1, text: "", isLast: true, together })
  yield* Output.print({ ...closed }, (paint) => whole(paint, closed))
})

/** Waits for the end of all jobs. */
export const wait = Effect.fnUntraced(function* (id: string, timeout: number) {
  const service = yield* Service
  const until = (yield* Clock.currentTimeMillis) + timeout
  while (true) {
    const left = until - (yield* Clock.currentTimeMillis)
    const { json, value } = yield* service.call({
      path: `${pathOf(id)}/wait`,
      query: { timeout_ms: Math.max(0, Math.min(longestPoll, left)) },
      schema: Shapes.Batch
    })
    if (value.status === "ended") {
      yield* Output.print(json, (paint) => whole(paint, value))
      const failed = value.jobs["failed"] ?? 0
      if (failed === 0) return
      return yield* Effect.fail(
        problem("endedBadly", `${failed} of ${value.accepted} jobs failed`, {
          next: `look with \`ezthrottle jobs list --batch ${id} --status failed\`, run them again with \`ezthrottle batches rerun ${id}\``
        })
      )
    }
    if ((yield* Clock.currentTimeMillis) >= until) {
      return yield* Effect.fail(problem("timedOut", `batch ${id} has not ended; it goes on`))
    }
  }
})

const longestPoll = 20_000

/** The batch of an id; `undefined`: there is none. */
export const find = (id: string) =>
  Service.use((service) => service.call({ path: pathOf(id), schema: Shapes.Batch })).pipe(
    Effect.map(({ value }): Batch | undefined => value),
    Effect.catchTag("Problem", (failure) => (failure.exit === exits.notFound ? Effect.undefined : Effect.fail(failure)))
  )

/** Lines as they are handed over. */
export interface Part {
  /** The number of the first of them. */
  readonly first: number
  readonly text: string
  readonly isLast: boolean
  readonly together: boolean
}

/** Hands over some lines; what passes is waited out. */
export const send = (id: string, { first, isLast, text, together }: Part) =>
  patiently(
    Service.use((service) =>
      service.call({
        method: "POST",
        path: "/api/v1/batches",
        query: {
          batch_id: id,
          first,
          ...(isLast ? {} : { open: "true" }),
          ...(together ? { together: "true" } : {})
        },
        lines: text,
        schema: Shapes.Batch
      })
    )
  ).pipe(Effect.map(({ value }) => value))

const pathOf = (id: string): string => `/api/v1/batches/${encodeURIComponent(id)}`
