/**
 * Looks into jobs for what no index holds: how the path of the URL begins, and text of the URL or of the error.
 *
 * Nothing else of a job is looked at: headers and bodies are in the same JSON, and are never compared.
 */
import * as Result from "effect/Result"
import type { Cell, Listing, Row } from "./Commands.ts"

/** What one answer may look at: jobs, and bytes of theirs. */
const jobsAtMost = 20_000
const bytesAtMost = 32 * 1024 * 1024

/** Looks at one job after the other: at its `url`, its `error` and how many `bytes` it has. */
export interface Look {
  readonly fits: (job: Row | undefined) => boolean
  /** Whether it has looked at as much as one answer may take. */
  readonly isTired: () => boolean
}

/** Makes one for a filter, if that asks for any such thing. */
export const looker = ({ path, texts }: Listing): Look | undefined => {
  if (path === undefined && texts.length === 0) return undefined
  let jobs = 0
  let bytes = 0
  return {
    fits: (job) => {
      jobs++
      if (job === undefined) return false
      bytes += Number(job["bytes"])
      return beginsAt(job, path) && hasAll(job, texts)
    },
    isTired: () => jobs >= jobsAtMost || bytes >= bytesAtMost
  }
}

/** What is compared of a job, in small letters. */
export const textIn = ({ error = null, url = null }: Row): string =>
  `${url === null ? "" : String(url)}\n${error === null ? "" : String(error)}`.toLowerCase()

/** The URL in the JSON of a step, for a database that does not read JSON itself; damaged JSON has none. */
export const urlIn = (step: Cell): string | null => textAt(step, (read) => read["url"])

/** The same of the error in a result. */
export const errorIn = (result: Cell): string | null =>
  textAt(result, ({ error }) => (isRecord(error) ? error["message"] : undefined))

/** What is left of a result that is erased: of an error its name, by which failures are counted. */
export const erasedResult = (result: Cell): string => {
  const tag = textAt(result, ({ error }) => (isRecord(error) ? error["tag"] : undefined))
  return JSON.stringify({
    response: null,
    responses: [],
    region: null,
    path: 0,
    error: tag === null ? null : { tag, message: "erased" }
  })
}

const textAt = (json: Cell, at: (read: Readonly<Record<string, unknown>>) => unknown): string | null => {
  if (typeof json !== "string") return null
  const read: unknown = Result.getOrElse(
    Result.try(() => JSON.parse(json)),
    () => undefined
  )
  const found = isRecord(read) ? at(read) : undefined
  return typeof found === "string" ? found : null
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const beginsAt = ({ url }: Row, path: string | undefined): boolean => {
  if (path === undefined) return true
  const parsed = URL.parse(String(url))
  return parsed !== null && `${parsed.pathname}${parsed.search}`.startsWith(path)
}

const hasAll = (job: Row, texts: ReadonlyArray<string>): boolean => {
  const text = textIn(job)
  return texts.every((wanted) => text.includes(wanted))
}
