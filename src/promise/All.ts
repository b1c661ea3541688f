/**
 * Batches and bulk, as callers of the facade write them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Json } from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Client from "../run/ClientService.ts"
import type { Batch } from "../run/Service.ts"
import * as SubmitAll from "../run/SubmitAll.ts"
import { EZThrottleError, toError } from "./Errors.ts"
import * as Given from "./Given.ts"
import { type JobOptions, toStep } from "./JobOptions.ts"
import { filterOf, type ListJobsOptions } from "./Listing.ts"
import { batchView, type BatchView, type JobView } from "./Results.ts"
import { type CallOptions, run, type Runtime } from "./Running.ts"

/**
 * What `submitAll` takes beside the jobs.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmitAllOptions extends CallOptions {
  /** Names the batch: handed over again under its name, it goes on where it was. Defaults to one that is drawn. */
  readonly batchId?: string | undefined
  /** All of the jobs, or none. Defaults to `false`, each as it comes. */
  readonly together?: boolean | undefined
  /** Told once all have ended, with a summary. */
  readonly webhookUrl?: string | undefined
  readonly metadata?: Readonly<Record<string, Json>> | undefined
  /** Becomes a job once all have ended. */
  readonly onComplete?: JobOptions | undefined
  /** Becomes a job at the first that failed. */
  readonly onAnyFailure?: JobOptions | undefined
  /** Told after each part how far the batch is. */
  readonly onProgress?: ((batch: BatchView) => void) | undefined
}

/**
 * What `bulkJobs` does, and to which jobs: those that `listJobs` would tell of.
 *
 * @category models
 * @since 0.1.0
 */
export interface BulkOptions {
  readonly action: "cancel" | "rerun" | "delete"
  /** An empty one is all jobs. */
  readonly filter: Omit<ListJobsOptions, "sort">
  /** Only tells how many there are. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
}

/**
 * What `bulkJobs` did.
 *
 * @category models
 * @since 0.1.0
 */
export interface BulkResult {
  /** To how many it was done; of a dry run, to how many it would be. */
  readonly jobs: number
  /** `false` where there are at least so many. */
  readonly is_exact: boolean
  /** To how many it could not be done: they were in another state by then. */
  readonly skipped: number
  /** A few of them. */
  readonly examples: ReadonlyArray<JobView>
}

/** Hands over what is given as one batch. */
export const submitAll = async (
  runtime: Runtime,
  jobs: Iterable<JobOptions> | AsyncIterable<JobOptions>,
  options: SubmitAllOptions = {}
): Promise<BatchView> => {
  Given.checkNames(options, names, "submitAll.")
  const { onAnyFailure, onComplete, onProgress, signal, ...others } = options
  const given = {
    ...others,
    onComplete: onComplete && (await toStep(onComplete)),
    onAnyFailure: onAnyFailure && (await toStep(onAnyFailure)),
    onProgress: onProgress && ((batch: Batch) => onProgress(batchView(batch)))
  }
  const steps = Stream.mapEffect(
    Stream.fromAsyncIterable(each(jobs), (error) => error),
    (job) => Effect.tryPromise({ try: () => toStep(job), catch: (error) => error })
  )
  const all = Effect.flatMap(Client.EZThrottle, ({ many }) => SubmitAll.submitAll(many, steps, given))
  return run(runtime, Effect.mapBoth(all, { onFailure: errorOf, onSuccess: batchView }), { signal })
}

const names = ["batchId", "together", "webhookUrl", "metadata", "onComplete", "onAnyFailure", "onProgress", "signal"]

async function* each(jobs: Iterable<JobOptions> | AsyncIterable<JobOptions>): AsyncGenerator<JobOptions> {
  if (typeof jobs !== "object" || jobs === null || !(Symbol.asyncIterator in jobs || Symbol.iterator in jobs)) {
    throw new EZThrottleError("submitAll: Expected the jobs as a list or as something that is iterated")
  }
  yield* jobs
}

/** Which batch it was, and how to go on, stands in the message. */
const errorOf = (error: unknown): unknown =>
  error instanceof SubmitAll.BatchBroken
    ? new EZThrottleError(error.message, retryAtOf(error), { cause: error })
    : toError(error)

const retryAtOf = ({ reason: { reason } }: SubmitAll.BatchBroken): number | null =>
  reason._tag === "ServiceRateLimited" ? (reason.retryAt ?? null) : null

/** Does something to all jobs that a filter finds, until all is done. */
export const bulkJobs = async (runtime: Runtime, given: BulkOptions, options?: CallOptions): Promise<BulkResult> => {
  Given.checkNames(given, ["action", "filter", "dryRun"], "bulkJobs.")
  // one that was forgotten must not mean all jobs
  if (typeof given.filter !== "object" || given.filter === null) {
    throw new EZThrottleError("bulkJobs.filter: Expected an object; an empty one is all jobs")
  }
  const { limit: _, sort: _order, ...filter } = filterOf(given.filter)
  const request = { action: given.action, filter, dryRun: given.dryRun }
  const all = Effect.gen(function* () {
    const { bulk } = (yield* Client.EZThrottle).many
    const first = yield* bulk(request)
    let { cursor, jobs, skipped } = first
    while (cursor !== undefined) {
      const next = yield* bulk({ ...request, cursor })
      jobs += next.jobs
      skipped += next.skipped
      cursor = next.cursor
    }
    return {
      jobs,
      is_exact: first.isExact,
      skipped,
      examples: first.examples.map(({ answer, jobId, status }) => ({ ...answer, job_id: jobId, status }))
    }
  })
  return run(
    runtime,
    Effect.mapError(all, (error) => toError(error)),
    options
  )
}
