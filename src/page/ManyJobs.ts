/** All jobs that a list is of: found page by page, exported, and each done something to at a pace. */
import * as Schema from "effect/Schema"
import { csvHead, csvLine } from "../dam/api/JobLines.ts"
import { JobPage } from "../dam/api/JobShapes.ts"
import { ask, type JobSummary, Problem } from "./Api.ts"
import { exactly } from "./Format.ts"
import { allOf, type Wanted } from "./JobQuery.ts"

/** What is told while it goes on. */
export interface Progress {
  readonly done: number
  /** `undefined` while nobody knows. */
  readonly total: number | undefined
  readonly refused: number
}

interface Under {
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
}

/** Finds all jobs that fit, at most so many, in the order of the list. */
export const find = async (wanted: Wanted, most: number, { onProgress, signal }: Under) => {
  const found: Array<JobSummary> = []
  let cursor: string | null = ""
  while (cursor !== null && found.length < most) {
    const page: typeof JobPage.Type = await ask(JobPage, allOf(wanted, cursor), { signal })
    found.push(...page.jobs)
    cursor = page.cursor
    onProgress({ done: found.length, total: undefined, refused: 0 })
  }
  return { jobs: found.slice(0, most), isWhole: cursor === null && found.length <= most }
}

export const formats: Readonly<Record<string, (jobs: ReadonlyArray<JobSummary>) => string>> = {
  csv: (jobs) => [csvHead, ...jobs.map((job) => csvLine(job, exactly))].map((line) => `${line}\n`).join(""),
  ndjson: (jobs) => jobs.map((job) => `${JSON.stringify(job)}\n`).join("")
}

/** Hands a text to the browser as a file. */
export const save = (name: string, text: string): void => {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(new Blob([text]))
  link.download = name
  link.click()
  // the browser has it by then
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

export type Verb = "cancel" | "rerun"

/** Does it to each, no faster than so many a second. What a job refuses is counted; anything else ends it. */
export const doAll = async (
  jobs: ReadonlyArray<JobSummary>,
  { onProgress, rps, signal, verb }: Under & { readonly verb: Verb; readonly rps: number }
): Promise<Progress> => {
  let refused = 0
  const began = performance.now()
  for (const [index, { job_id: id }] of jobs.entries()) {
    await until(began + (index * 1000) / rps, signal)
    await ask(Schema.Unknown, `/api/v1/jobs/${encodeURIComponent(id)}/${verb}`, { method: "POST", signal }).catch(
      (cause: unknown) => {
        // it went on meanwhile, or is gone
        if (!(cause instanceof Problem && [404, 409].includes(cause.status))) throw cause
        refused++
      }
    )
    onProgress({ done: index + 1, total: jobs.length, refused })
  }
  return { done: jobs.length, total: jobs.length, refused }
}

const until = (at: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = () => reject(new Problem(0, "it was stopped"))
    if (signal.aborted) return stop()
    signal.addEventListener("abort", stop, { once: true })
    setTimeout(() => (signal.removeEventListener("abort", stop), resolve()), Math.max(0, at - performance.now()))
  })
