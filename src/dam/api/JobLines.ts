/**
 * Jobs as lines of a file that a spreadsheet reads, wherever they are exported.
 *
 * @since 0.1.0
 */
import type { JobSummary } from "./JobShapes.ts"

type Summary = typeof JobSummary.Type

const columns: ReadonlyArray<
  readonly [name: string, of: (job: Summary, time: (at: number) => string) => string | number | null]
> = [
  ["job_id", (job) => job.job_id],
  ["status", (job) => job.status],
  ["delivery_status", (job) => job.delivery_status],
  ["method", (job) => job.method],
  ["url", (job) => job.url],
  ["lane", (job) => job.lane],
  ["created_at", (job, time) => time(job.created_at)],
  ["started_at", (job, time) => job.started_at && time(job.started_at)],
  ["finished_at", (job, time) => job.finished_at && time(job.finished_at)],
  ["due_at", (job, time) => job.due_at && time(job.due_at)],
  ["attempts_made", (job) => job.attempts_made],
  ["response_status", (job) => job.response_status],
  ["idempotent_key", (job) => job.idempotent_key],
  ["metadata", (job) => JSON.stringify(job.metadata)],
  ["rerun_of", (job) => job.rerun_of]
]

/**
 * The first line, which names the columns.
 *
 * @category encoding
 * @since 0.1.0
 */
export const csvHead: string = columns.map(([name]) => name).join(",")

/**
 * The line of a job; `time` writes moments.
 *
 * @category encoding
 * @since 0.1.0
 */
export const csvLine = (job: Summary, time: (at: number) => string): string =>
  columns.map(([, of]) => cell(of(job, time))).join(",")

/** A text that a spreadsheet would take for a formula gets a sign before it that makes it text. */
const cell = (value: string | number | null): string => {
  if (value === null || typeof value === "number") return `${value ?? ""}`
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
