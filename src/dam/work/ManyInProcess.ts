/** Batches and bulk for a client in the same process: the same port that a dam over HTTP has. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { asBatch } from "../../run/RemoteMany.ts"
import type { Batch, BatchPart, BulkDone, BulkRequest, ManyJobs } from "../../run/Service.ts"
import { BatchNotFound, ServiceError, WrongJobState } from "../../run/Service.ts"
import { type Failure, JobRefused, ServiceFailed, ServiceRateLimited } from "../../step/Failure.ts"
import type { Step } from "../../step/StepModel.ts"
import * as BatchView from "../../wire/BatchView.ts"
import * as Shapes from "../api/BatchShapes.ts"
import { summary } from "../api/JobShapes.ts"
import { breachIn, breachOfLimits, breachOfTree, jobOf } from "../intake/InProcess.ts"
import type { Limits } from "../intake/Limits.ts"
import { localCustomer } from "../job/JobKey.ts"
import * as Search from "../job/Search.ts"
import type { StoredBatch } from "../store/BatchRecords.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Overloaded } from "./Admission.ts"
import { type Line, lineOf as toLine } from "./BatchLines.ts"
import type { Engine } from "./Engine.ts"
import type { WrongState } from "./WrongState.ts"

/** What it works with. */
export interface Parts {
  readonly engine: Pick<Engine["Service"], "batches" | "bulk" | "callLimits">
  readonly limits: Limits | undefined
  /** Headers that are credentials beside those that always are. */
  readonly credentials: ReadonlyArray<string> | undefined
}

/** Makes it over a dam at work. */
export const make = (parts: Parts): ManyJobs => {
  const { batches, bulk } = parts.engine
  const change = (
    id: string,
    by: (batch: StoredBatch) => Effect.Effect<unknown, StoreError | Overloaded | WrongState>
  ) => Effect.flatMap(find(parts, id), (batch) => Effect.andThen(told(by(batch)), show(parts, id)))
  return {
    sendBatch: (part) => send(parts, part),
    batch: (id) => show(parts, id),
    awaitBatch: Effect.fnUntraced(function* (id) {
      while (true) {
        const batch = yield* find(parts, id)
        if (batch.isTold) return yield* show(parts, id)
        // looked at now and then as well: it may have ended between the look and the wait
        yield* Effect.timeoutOrElse(batches.changed(batch), { duration: lookAgain, orElse: () => Effect.void })
      }
    }),
    cancelBatch: (id) => change(id, batches.cancel),
    rerunBatch: (id) =>
      Effect.flatMap(find(parts, id), (batch) =>
        Effect.flatMap(told(batches.rerun(batch)), (made) => show(parts, made.id))
      ),
    bulk: (request) => {
      const wanted = { action: request.action, filter: filterOf(request) }
      return request.dryRun === true
        ? Effect.map(told(bulk.preview(wanted)), ({ counted, examples }) =>
            doneOf({ jobs: counted.jobs, isExact: counted.isExact, skipped: 0, cursor: undefined }, examples)
          )
        : Effect.map(told(bulk.run(wanted)), ({ cursor, done, examples, skipped }) =>
            doneOf({ jobs: done, isExact: true, skipped, cursor }, examples)
          )
    }
  }
}

const lookAgain = 2000

const find = ({ engine }: Parts, id: string): Effect.Effect<StoredBatch, ServiceError> =>
  Effect.flatMap(told(engine.batches.get(localCustomer, id)), (batch) =>
    batch === undefined
      ? Effect.fail(new ServiceError({ reason: new BatchNotFound({ batchId: id }) }))
      : Effect.succeed(batch)
  )

const show = Effect.fnUntraced(function* (parts: Parts, id: string): Effect.fn.Return<Batch, ServiceError> {
  const { batches } = parts.engine
  const batch = yield* find(parts, id)
  const counts = yield* told(batches.counts(batch))
  const refused = yield* told(batches.notes(batch, "Refused", 0, named))
  const duplicates = yield* told(batches.notes(batch, "Duplicate", 0, named))
  const view = BatchView.readJson(Shapes.view(batch, { counts, refused, duplicates }))
  return asBatch(Result.getOrThrow(view))
})

const named = 100

const send = Effect.fnUntraced(function* (
  parts: Parts,
  { batchId, first, isLast, options, steps }: BatchPart
): Effect.fn.Return<Batch, ServiceError> {
  const { batches } = parts.engine
  const opened = yield* told(
    batches.open({
      customer: localCustomer,
      id: batchId,
      together: options.together === true,
      webhook: options.webhookUrl,
      metadata: options.metadata ?? {},
      onComplete: options.onComplete,
      onAnyFailure: options.onAnyFailure
    })
  )
  let { batch } = opened
  const through = first + steps.length - 1
  const again = batch.refused === 0 ? [] : yield* told(batches.notes(batch, "Refused", first - 1, steps.length))
  const refusedBefore = new Set(again.map(({ line }) => line))
  const lines: Array<Line> = []
  for (const [place, step] of steps.entries()) {
    const line = first + place
    if (line > batch.through || refusedBefore.has(line)) lines.push(yield* lineOf(parts, line, step))
  }
  if (options.together === true) {
    const bad = lines.find((line) => "_tag" in line)
    if (bad !== undefined && "_tag" in bad) return yield* refusal(`line ${bad.line}: ${bad.problem}`)
  }
  while (batch.state === "open" && lines.length > 0) {
    const { through: known } = batch
    const olds = lines.filter(({ line }) => line <= known)
    if (olds.length > 0) yield* told(batches.take(batch, { lines: olds, through: known, isAgain: true }))
    const news = lines.filter(({ line }) => line > known)
    if (through <= known) break
    if (first > known + 1) return yield* refusal(`it has its lines up to ${known}; send line ${known + 1} next`)
    const taken = yield* told(batches.take(batch, { lines: news, through, isAgain: false }))
    if (taken.batch === undefined) break
    batch = taken.batch
    // there may have been room for some
    if (taken.isTaken && batch.through >= through) break
  }
  if (isLast) yield* told(batches.close(batch))
  return yield* show(parts, batchId)
})

const lineOf = ({ credentials, engine, limits }: Parts, line: number, step: Step): Effect.Effect<Line> =>
  Effect.map(
    jobOf({ step, key: keyOf(step), retryAt: undefined, traceparent: undefined }, credentials),
    (job): Line => {
      const breach =
        (limits === undefined ? breachOfTree(step) : breachIn(step, limits, job.createdAt)) ??
        breachOfLimits(step, engine.callLimits)
      return breach === undefined
        ? toLine(line, job)
        : { _tag: "Refused", line, code: breach.code, field: breach.field, problem: breach.problem }
    }
  )

const keyOf = ({ idempotency }: Step): string | undefined =>
  idempotency._tag === "Custom" ? idempotency.key : undefined

const refusal = (received: string) => new ServiceError({ reason: new JobRefused({ status: 400, received }) })

const filterOf = ({ cursor, filter }: BulkRequest) => {
  const { deliveryStatus, q, status, ...same } = filter
  return {
    ...same,
    cursor,
    customer: localCustomer,
    states: status,
    deliveryStates: deliveryStatus,
    search: q === undefined ? undefined : Search.parse(q)
  }
}

const doneOf = (
  done: Omit<BulkDone, "examples">,
  examples: ReadonlyArray<Parameters<typeof summary>[0]>
): BulkDone => ({
  ...done,
  examples: examples.map((job) => ({ jobId: job.id, status: job.state, answer: summary(job) }))
})

/** What the dam will not do, as a client of its service is told. */
const told = <A>(done: Effect.Effect<A, StoreError | Overloaded | WrongState>): Effect.Effect<A, ServiceError> =>
  done.pipe(
    Effect.catch((error) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fail(new ServiceError({ reason: reasonOf(error, now) })))
    )
  )

const reasonOf = (error: StoreError | Overloaded | WrongState, now: number): Failure | WrongJobState => {
  switch (error._tag) {
    case "WrongState":
      return new WrongJobState({ jobId: error.jobId, detail: error.message })
    case "Overloaded":
      return new ServiceRateLimited({ detail: error.message, retryAt: now + error.retryAfterSeconds * 1000 })
    default:
      return new ServiceFailed({ status: 503, received: error.message })
  }
}
