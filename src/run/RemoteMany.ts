/** Jobs by the thousand at a dam: batches, and what is done to all that a filter finds. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { excerpt, type Failure, JobRefused } from "../step/FailureModel.ts"
import type { Step } from "../step/StepModel.ts"
import type { DirectAnswer, EzthrottleApi } from "../transport/EzthrottleApi.ts"
import * as BatchView from "../wire/BatchView.ts"
import * as Job from "../wire/Job.ts"
import { errorIn } from "../wire/Proxy.ts"
import * as Keys from "./Keys.ts"
import type { Batch, BatchOptions, BatchPart } from "./Batch.ts"
import { type Reason, refusalOf } from "./RemoteJobs.ts"
import { BatchNotFound, type BulkRequest, type ManyJobs, NotOffered, ServiceError, WrongJobState } from "./Service.ts"

type Api = EzthrottleApi["Service"]

/** Makes it over calls to the service. */
export const make = (api: Api, options: Job.EncodeOptions): ManyJobs => {
  const ofBatch = (batchId: string, below: string, method: "GET" | "POST" = "GET") =>
    Effect.mapBoth(
      api.direct({
        method,
        path: `/api/v1/batches/${encodeURIComponent(batchId)}${below}`,
        read: (answer) => reading(answer, batchId, BatchView.read)
      }),
      { onFailure: (reason) => new ServiceError({ reason }), onSuccess: asBatch }
    )
  const awaitBatch = (batchId: string): Effect.Effect<Batch, ServiceError> =>
    Effect.flatMap(ofBatch(batchId, "/wait"), (batch) =>
      batch.status === "ended"
        ? Effect.succeed(batch)
        : Effect.delay(
            // a dam that goes down answers at once
            Effect.suspend(() => awaitBatch(batchId)),
            lookAgain
          )
    )
  return {
    sendBatch: (part) =>
      Effect.fromResult(bodyOf(part, options)).pipe(
        Effect.flatMap((text) =>
          api.direct({
            method: "POST",
            path: `/api/v1/batches?batch_id=${encodeURIComponent(part.batchId)}&first=${part.first}&open=${!part.isLast}${part.options.together === true ? "&together=true" : ""}`,
            type: "application/x-ndjson",
            body: text,
            read: (answer) => reading(answer, part.batchId, BatchView.read)
          })
        ),
        Effect.mapBoth({ onFailure: (reason) => new ServiceError({ reason }), onSuccess: asBatch })
      ),
    batch: (batchId) => ofBatch(batchId, ""),
    awaitBatch,
    cancelBatch: (batchId) => ofBatch(batchId, "/cancel", "POST"),
    rerunBatch: (batchId) => ofBatch(batchId, "/rerun", "POST"),
    bulk: (request) =>
      Effect.mapBoth(
        api.direct({
          method: "POST",
          path: "/api/v1/jobs/bulk",
          body: JSON.stringify(bulkJson(request)),
          read: (answer) => reading(answer, "", BatchView.readDone)
        }),
        {
          onFailure: (reason) => new ServiceError({ reason }),
          onSuccess: ({ cursor, examples, is_exact: isExact, jobs, skipped }) => ({
            jobs,
            isExact,
            skipped,
            examples: examples.map((answer) => ({
              jobId: String(answer["job_id"]),
              status: String(answer["status"]),
              answer
            })),
            cursor: cursor ?? undefined
          })
        }
      )
  }
}

/** Between one wait and the next. */
const lookAgain = "500 millis"

/** What of a view is a batch to callers. */
export const asBatch = ({ answer, wire }: BatchView.BatchView): Batch => ({
  batchId: wire.batch_id,
  status: wire.status,
  lines: wire.lines,
  accepted: wire.accepted,
  duplicates: wire.duplicates,
  refused: wire.refused,
  jobs: wire.jobs,
  refusedLines: wire.refused_lines.map(({ code, error = "", line }) => ({ line, code, error })),
  answer
})

/** The first part says in a line of its own what is said of all. */
const bodyOf = ({ first, options, steps }: BatchPart, encoding: Job.EncodeOptions) =>
  Result.gen(function* () {
    const lines = first === 1 ? [JSON.stringify({ batch: yield* headOf(options, encoding) })] : []
    for (const step of steps) lines.push(JSON.stringify(yield* encoded(step, encoding)))
    return lines.map((line) => `${line}\n`).join("")
  })

const headOf = ({ metadata, onAnyFailure, onComplete, webhookUrl }: BatchOptions, encoding: Job.EncodeOptions) =>
  Result.gen(function* () {
    return {
      ...(metadata === undefined ? {} : { metadata }),
      ...(webhookUrl === undefined ? {} : { webhook_url: webhookUrl }),
      ...(onComplete === undefined ? {} : { on_complete: yield* encoded(onComplete, encoding) }),
      ...(onAnyFailure === undefined ? {} : { on_any_failure: yield* encoded(onAnyFailure, encoding) })
    }
  })

const encoded = (step: Step, options: Job.EncodeOptions) =>
  Job.encode({ step, key: Keys.keyFor(step, false), retryAt: undefined }, options)

const bulkJson = ({ action, cursor, dryRun = false, filter }: BulkRequest) => {
  const { createdFrom, createdTo, deliveryStatus, rerunOf, ...same } = filter
  return {
    action,
    dry_run: dryRun,
    ...(cursor === undefined ? {} : { cursor }),
    // what is undefined is left out
    filter: {
      ...same,
      delivery_status: deliveryStatus,
      rerun_of: rerunOf,
      created_from: createdFrom,
      created_to: createdTo
    }
  }
}

const reading = <A>(
  answer: DirectAnswer,
  batchId: string,
  read: (body: string) => Result.Result<A, Failure>
): Result.Result<A, Reason | BatchNotFound | NotOffered | WrongJobState> => {
  const { body, status } = answer
  const { code, error } = errorIn(body)
  const detail = excerpt(error ?? body)
  if (code === "batch_not_found") return Result.fail(new BatchNotFound({ batchId }))
  if (code === "wrong_state") return Result.fail(new WrongJobState({ jobId: batchId, detail }))
  if (code !== undefined && (status === 400 || status === 409 || status === 413 || status === 422)) {
    return Result.fail(new JobRefused({ status, received: detail }))
  }
  const refusal = refusalOf(batchId, answer)
  if (refusal?._tag === "CannotAwait") return Result.fail(new NotOffered({ operation: "batches of jobs" }))
  return refusal === undefined ? read(body) : Result.fail(refusal)
}
