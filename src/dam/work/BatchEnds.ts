/** What the end of a batch starts, and its first failure: a job of each, filed once, and the webhook for the whole. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { fill } from "../../engine/Filling.ts"
import * as Fills from "../../step/Fills.ts"
import * as Step from "../../step/Step.ts"
import { changed } from "../../step/StepValue.ts"
import * as BatchShapes from "../api/BatchShapes.ts"
import { accountOf } from "../job/LaneName.ts"
import { newJob } from "../job/NewJob.ts"
import type { StoredBatch } from "../store/BatchRecords.ts"
import type { Finish } from "../store/JobRecords.ts"
import type { BatchParts } from "./BatchParts.ts"

/** How many lines of each kind a summary names. */
const named = 100

/** Tells the end: the job of its step, then the webhook in the commit that notes both. */
export const end = Effect.fnUntraced(function* (parts: BatchParts, batch: StoredBatch) {
  const { ends, store } = parts
  const summary = yield* summaryOf(parts, batch)
  const job = batch.onComplete && (yield* file(parts, batch, { step: batch.onComplete, name: "complete", summary }))
  const notice = batch.webhook === undefined ? undefined : yield* noticeOf(parts, batch, batch.webhook, summary)
  yield* Effect.uninterruptible(
    Effect.andThen(
      store.endTold(batch.number, job, notice),
      Effect.sync(() => ends.deliver(new Set((notice?.finish.deliveries ?? []).map(({ lane }) => lane))))
    )
  )
})

/** Tells the first failure. */
export const failure = Effect.fnUntraced(function* (parts: BatchParts, batch: StoredBatch, step: Step.Step) {
  const job = yield* file(parts, batch, { step, name: "failure", summary: yield* summaryOf(parts, batch) })
  yield* parts.store.failureTold(batch.number, job)
})

/** The bytes of a summary: what is shown of the batch. */
const summaryOf = Effect.fnUntraced(function* ({ store }: BatchParts, batch: StoredBatch) {
  const view = BatchShapes.view(batch, {
    counts: yield* store.batchCounts(batch.number),
    refused: yield* store.lineNotes(batch.number, "Refused", 0, named),
    duplicates: yield* store.lineNotes(batch.number, "Duplicate", 0, named)
  })
  return new TextEncoder().encode(JSON.stringify(view))
})

interface Filing {
  readonly step: Step.Step
  readonly name: "complete" | "failure"
  readonly summary: Uint8Array
}

/** Files the job of a step under its key, and answers its id; one that was filed before is that very job. */
const file = Effect.fnUntraced(function* (
  { credentials, newId, submit }: BatchParts,
  { customer, id, metadata, number }: StoredBatch,
  { name, step, summary }: Filing
) {
  const jobId = yield* newId
  const at = yield* Clock.currentTimeMillis
  const whole = summed(step, summary, { batch: id, ...metadata })
  const job = newJob({
    id: jobId,
    at,
    customer,
    dialect: "cloud",
    // no user has a line break in its name
    keyScope: `${customer}\n\nbatches`,
    key: `batch:${number}:${name}`,
    // a key of its own would be known already where another batch ends with the same step
    step: changed(whole, { metadata: { batch: id, ...whole.metadata }, idempotency: { _tag: "Hash" } }),
    credentials,
    isolated: false,
    traceparent: undefined
  })
  // it takes its turn with what else its customer submits
  const enqueued = yield* submit({ ...job, account: accountOf(customer, step.request.headers) })
  switch (enqueued._tag) {
    case "Stored":
      return jobId
    case "Duplicate":
      return enqueued.job.id
    default:
      return enqueued.jobId
  }
})

/** A step takes from the summary as from an answer; one that takes nothing and has no body has the summary as its body. */
const summed = (step: Step.Step, summary: Uint8Array, metadata: Step.Step["metadata"]): Step.Step => {
  const headers = { "content-type": "application/json" }
  if (Fills.takes(step)) {
    const response = { _tag: "Response", status: 200, headers, body: summary } as const
    // one that cannot be filled is a job too, which fails when it is run
    return Result.getOrElse(fill(step, { response, metadata }), () => step)
  }
  const { body, headers: own, method } = step.request
  if (body !== undefined || !hasBody.has(method)) return step
  const request = { ...step.request, headers: { ...headers, ...own }, body: new TextDecoder().decode(summary) }
  return changed(step, { request })
}

const hasBody: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"])

/** The webhook is told like that of a job: by one that has ended. */
const noticeOf = Effect.fnUntraced(function* (
  { ends, newId }: BatchParts,
  { customer, id, number }: StoredBatch,
  url: string,
  body: Uint8Array
) {
  const { laneOf } = ends.runner
  const jobId = yield* newId
  const at = yield* Clock.currentTimeMillis
  const job = newJob({
    id: jobId,
    at,
    step: Step.post(url).pipe(Step.webhooks([{ url }]), Step.metadata({ batch: id })),
    key: `batch:${number}:webhook`,
    customer,
    dialect: "cloud",
    keyScope: `${customer}\n\nbatches`,
    isolated: false,
    traceparent: undefined
  })
  const delivery = {
    id: `${jobId}:0`,
    jobId,
    customer,
    index: 0,
    url,
    regions: [],
    hasQuorumVote: true,
    lane: laneOf(url),
    body
  }
  const finish: Finish = { state: "succeeded", at, result: told, children: [], deliveries: [delivery], quorum: 1 }
  return { job, finish }
})

/** Nobody was called. */
const told = { response: undefined, responses: [], region: undefined, path: 0, error: undefined }
