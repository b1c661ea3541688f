/**
 * How much the dam takes from whoever calls it.
 *
 * @since 0.1.0
 */

/**
 * The limits of intake. `/health` reports them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  /** Bytes of a request body. */
  readonly bodyBytes: number
  /** Bytes of a request line and its headers together. */
  readonly requestHeaderBytes: number
  /** Headers of a request. */
  readonly requestHeaders: number
  /** Milliseconds in which the head of a request must have arrived. */
  readonly headTimeout: number
  /** Milliseconds in which a whole request must have arrived. */
  readonly requestTimeout: number
  /** Objects and lists inside each other. */
  readonly jsonDepth: number
  /** Keys of all objects of a body. */
  readonly jsonKeys: number
  /** Bytes of a URL of a job or webhook. */
  readonly urlBytes: number
  /** Characters of a job's method. */
  readonly methodLength: number
  /** Status codes in one list of a job. */
  readonly codes: number
  /** Bytes of an idempotency key. */
  readonly keyBytes: number
  /** Headers of one job. */
  readonly jobHeaders: number
  /** Bytes of the names and values of one job's headers. */
  readonly jobHeaderBytes: number
  /** Bytes of one job's metadata as JSON. */
  readonly metadataBytes: number
  /** Names at the top of one job's metadata. */
  readonly metadataKeys: number
  /** Levels of a job's tree; a line of fallbacks is one. */
  readonly treeDepth: number
  /** Jobs of a tree. */
  readonly treeNodes: number
  /** Webhooks of one job. */
  readonly webhooks: number
  /** Limits that one job draws on. */
  readonly draws: number
  /** Regions of one job or webhook. */
  readonly regions: number
  /** The most that `max_retries` and `max_reroutes` may ask for. */
  readonly retries: number
  /** How far ahead `retry_at` may lie, in milliseconds. */
  readonly retryAhead: number
  /** The longest that `timeout_ms` of a fallback's trigger may be, in milliseconds. */
  readonly triggerMillis: number
  /** The longest that `attempt_timeout_ms` may be, in milliseconds. */
  readonly attemptMillis: number
  /** The longest that `on_failure_timeout_ms` and `total_timeout_ms` may be, in milliseconds. */
  readonly deadlineMillis: number
  /** Bytes of bodies that are being read at the same time. */
  readonly readingBytes: number
  /** Requests that wait for the end of a job. */
  readonly waiting: number
  /** Permits that one customer holds or waits for; with 0 there are none. */
  readonly permits: number
  /** Event streams on one job. */
  readonly streamsPerJob: number
  /** Event streams of one customer, or of one `user_id` of it. */
  readonly streamsPerAccount: number
  /** Event streams in all. */
  readonly streams: number
  /** The longest a `/wait` or a wait for a permit is held open, in milliseconds; less than the minute that proxies wait for an answer. */
  readonly waitMillis: number
}

/**
 * The limits where none are configured.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaults: Limits = {
  bodyBytes: 1_048_576,
  requestHeaderBytes: 16_384,
  requestHeaders: 100,
  headTimeout: 10_000,
  requestTimeout: 60_000,
  jsonDepth: 64,
  jsonKeys: 10_000,
  urlBytes: 8192,
  methodLength: 32,
  codes: 100,
  keyBytes: 255,
  jobHeaders: 64,
  jobHeaderBytes: 16_384,
  metadataBytes: 16_384,
  metadataKeys: 256,
  treeDepth: 8,
  treeNodes: 64,
  webhooks: 16,
  draws: 16,
  regions: 16,
  retries: 100,
  retryAhead: 30 * 24 * 60 * 60 * 1000,
  triggerMillis: 24 * 60 * 60 * 1000,
  attemptMillis: 3_600_000,
  deadlineMillis: 30 * 24 * 60 * 60 * 1000,
  readingBytes: 67_108_864,
  waiting: 2000,
  permits: 1000,
  streamsPerJob: 16,
  streamsPerAccount: 256,
  streams: 10_000,
  waitMillis: 45_000
}

/**
 * Makes limits; what is left out keeps its default.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Partial<Limits> = {}): Limits => ({ ...defaults, ...options })

/**
 * Encodes limits as `/health` reports them, in snake_case.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toJson = (self: Limits): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(self).map(([name, value]: [string, number]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value
    ])
  )
