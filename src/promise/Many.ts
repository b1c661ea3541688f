/**
 * Thousands of jobs, a few at a time: what was handed over is forgotten, what is still to come is not asked for yet.
 *
 * @since 0.1.0
 */
import { EZThrottleError } from "./Errors.ts"
import type { JobOptions } from "./JobOptions.ts"
import * as Given from "./Given.ts"
import type { JobAnswer } from "./Results.ts"
import type { CallOptions } from "./Running.ts"

/**
 * How far `submitMany` is.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmitCount {
  /** Jobs that were taken, duplicates included. */
  readonly accepted: number
  /** Those of them that were known already. */
  readonly duplicates: number
  /** Jobs that were not taken; without `onFailure` the first one ends it. */
  readonly failed: number
}

/**
 * What `submitMany` takes beside the jobs.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubmitManyOptions extends CallOptions {
  /** How many are under way at once. Defaults to `128`. */
  readonly concurrency?: number | undefined
  /** Told after each job: how far it is, the answer, and the job's place in what was given. */
  readonly onProgress?: ((count: SubmitCount, answer: JobAnswer, index: number) => void) | undefined
  /** Told of a job that was not taken; then the others go on. Without it the first failure rejects, and nothing else is begun. */
  readonly onFailure?: ((error: unknown, job: JobOptions, index: number) => void) | undefined
}

/** Hands over what is given, a few at a time. */
export const submitMany = async (
  submit: (job: JobOptions, options: CallOptions) => Promise<JobAnswer>,
  jobs: Iterable<JobOptions> | AsyncIterable<JobOptions>,
  options: SubmitManyOptions = {}
): Promise<SubmitCount> => {
  Given.checkNames(options, ["concurrency", "onProgress", "onFailure", "signal"], "submitMany.")
  const { concurrency = 128, onFailure, onProgress, signal } = options
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new EZThrottleError("submitMany.concurrency: Expected a whole number of at least 1")
  }
  const source = iteratorOf(jobs)
  const count = { accepted: 0, duplicates: 0, failed: 0 }
  let next = 0
  const broken: Array<unknown> = []
  const work = async (): Promise<void> => {
    while (broken.length === 0) {
      const { done, value } = await source.next()
      if (done === true) return
      const index = next++
      try {
        const answer = await submit(value, { signal })
        count.accepted++
        if (answer.duplicate === true) count.duplicates++
        onProgress?.({ ...count }, answer, index)
      } catch (error) {
        count.failed++
        // whoever gives up wants none of the rest
        if (onFailure === undefined || signal?.aborted === true) broken.push(error)
        else onFailure(error, value, index)
      }
    }
  }
  // what the source, or a callback, throws ends it too, once the others are done with the job in their hands
  await Promise.all(Array.from({ length: concurrency }, () => work().catch((error: unknown) => broken.push(error))))
  if (broken.length > 0) {
    await source.return?.()
    throw broken[0]
  }
  return count
}

const iteratorOf = (
  jobs: Iterable<JobOptions> | AsyncIterable<JobOptions>
): AsyncIterator<JobOptions> | Iterator<JobOptions> => {
  if (typeof jobs === "object" && jobs !== null) {
    if (Symbol.asyncIterator in jobs) return jobs[Symbol.asyncIterator]()
    if (Symbol.iterator in jobs) return jobs[Symbol.iterator]()
  }
  throw new EZThrottleError("submitMany: Expected the jobs as a list or as something that is iterated")
}
