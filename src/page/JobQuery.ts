/** Which jobs are listed and how: what stands in the address, and what the dam is asked for it. */
import { query } from "./Api.ts"
import { now } from "./Format.ts"

const names = [
  "q",
  "status",
  "delivery_status",
  "lane",
  "metadata",
  "since",
  "from",
  "to",
  "limit",
  "columns",
  "sort",
  "count",
  "view",
  "cursor"
] as const

/** What stands in the address; empty where nothing does. */
export type Wanted = Readonly<Record<(typeof names)[number], string>>

export const wantedIn = (parameters: URLSearchParams): Wanted => {
  const of = (name: (typeof names)[number]) => parameters.get(name) ?? ""
  return {
    q: of("q"),
    status: of("status"),
    delivery_status: of("delivery_status"),
    lane: of("lane"),
    metadata: of("metadata"),
    since: of("since"),
    from: of("from"),
    to: of("to"),
    limit: of("limit"),
    columns: of("columns"),
    sort: of("sort"),
    count: of("count"),
    view: of("view"),
    cursor: of("cursor")
  }
}

/** Whether anything narrows the list. */
export const isNarrowed = (wanted: Wanted): boolean =>
  Object.values({ ...wanted, columns: "", limit: "", sort: "", count: "", view: "" }).some((value) => value !== "")

const minute = 60_000

/** Ranges that go along with the time: as a bookmark they stay what they are called. */
export const ranges: Readonly<Record<string, string>> = {
  "": "at any time",
  "15m": "in the last 15 minutes",
  "1h": "in the last hour",
  "1d": "in the last day",
  "7d": "in the last 7 days",
  between: "between …"
}

const lengths: Readonly<Record<string, number>> = {
  "15m": 15 * minute,
  "1h": 60 * minute,
  "1d": 1440 * minute,
  "7d": 7 * 1440 * minute
}

/** In which order they are listed: that in which they were accepted, or the other. */
export const orders: Readonly<Record<string, string>> = { "": "newest first", oldest: "oldest first" }

export const sizes: Readonly<Record<string, string>> = { "25": "25", "50": "50", "100": "100", "200": "200" }

/** On a phone a long list is a long way down. */
const isSmall = matchMedia("(max-width: 44rem)")

/** How many are listed at once. */
export const sizeOf = ({ limit }: Wanted): string =>
  Object.hasOwn(sizes, limit) ? limit : isSmall.matches ? "25" : "50"

/** A moment as a field for it has it, in the time of whoever looks. */
const millisOf = (local: string): number | undefined => {
  const at = new Date(local).getTime()
  return Number.isNaN(at) ? undefined : at
}

/** What the dam is asked. */
export const pathOf = (all: Wanted): string => asked(all, sizeOf(all))

/** What the dam is asked for the next page of all that fit, whatever of them is shown. */
export const allOf = (all: Wanted, cursor: string): string => asked({ ...all, cursor, count: "" }, "200")

const asked = (all: Wanted, limit: string): string => {
  const { from, metadata, since, to, ...wanted } = all
  const length = lengths[since]
  const isBetween = since === "between"
  return `/api/v1/jobs${query({
    ...wanted,
    columns: undefined,
    view: undefined,
    metadata: metadata.split(/,\s+/).filter((pair) => pair !== ""),
    created_from:
      length !== undefined ? Math.floor(now() / minute) * minute - length : isBetween ? millisOf(from) : undefined,
    created_to: isBetween ? millisOf(to) : undefined,
    limit
  })}`
}

/** What a row may show besides the state and the call. */
export const columns: Readonly<Record<string, string>> = {
  metadata: "Metadata",
  lane: "Lane",
  attempts: "Attempts",
  answer: "Answer",
  webhooks: "Webhooks",
  accepted: "Accepted",
  took: "Took"
}

export const columnsIn = ({ columns: chosen }: Wanted): ReadonlyArray<string> =>
  chosen === "" ? Object.keys(columns) : Object.keys(columns).filter((name) => chosen.split(" ").includes(name))
