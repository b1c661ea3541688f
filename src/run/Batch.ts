/**
 * Batches: jobs by the thousand, as one.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type { Step } from "../step/StepModel.ts"

/**
 * What is said of a batch as a whole.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchOptions {
  /** All of its jobs, or none: they are shown once the last line is there. Defaults to `false`, each as it comes. */
  readonly together?: boolean | undefined
  /** Told once all have ended, with a summary. */
  readonly webhookUrl?: string | undefined
  readonly metadata?: Step["metadata"] | undefined
  /** Becomes a job once all have ended; it takes from the summary as from an answer. */
  readonly onComplete?: Step | undefined
  /** Becomes a job at the first that failed. */
  readonly onAnyFailure?: Step | undefined
}

/**
 * Some steps of a batch, in their order.
 *
 * @category models
 * @since 0.1.0
 */
export interface BatchPart {
  readonly batchId: string
  /** The number of the first step, counted from 1. */
  readonly first: number
  readonly steps: ReadonlyArray<Step>
  /** Whether no step is to come. */
  readonly isLast: boolean
  readonly options: BatchOptions
}

/**
 * A batch as the service reports it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch {
  readonly batchId: string
  /** `open`, `showing`, `running` or `ended`. */
  readonly status: string
  /** Every step up to here was taken or refused. */
  readonly lines: number
  readonly accepted: number
  readonly duplicates: number
  readonly refused: number
  /** Jobs by their states. */
  readonly jobs: Readonly<Record<string, number>>
  /** The first hundred that were refused, by their numbers. */
  readonly refusedLines: ReadonlyArray<{ readonly line: number; readonly code: string; readonly error: string }>
  /** The service's whole answer, unchanged. */
  readonly answer: { readonly [key: string]: Schema.Json }
}
