/** What the dam keeps of a day and a week, made whole: it leaves out spans in which nothing happened. */
import type { History } from "../dam/api/OverviewShapes.ts"

export type Told = typeof History.Type
export type Span = Told["spans"][number]

/** A span of a chart. */
export interface Slot {
  /** Epoch milliseconds. */
  readonly at: number
  /** How many seconds of it have passed. */
  readonly seconds: number
  /** What happened in it; `undefined` before anything was noted. */
  readonly span: Span | undefined
}

/** How far back a view looks; what the address does not say is the last hour. */
export const reaches: Readonly<Record<string, { readonly name: string; readonly hours: number }>> = {
  "": { name: "1 hour, live", hours: 1 },
  "24h": { name: "24 hours", hours: 24 },
  "7d": { name: "7 days", hours: 168 }
}

export const reachIn = (parameters: URLSearchParams): string => {
  const reach = parameters.get("span") ?? ""
  return Object.hasOwn(reaches, reach) ? reach : ""
}

/** Of a span that has just begun nobody can tell a rate. */
const enough = 0.1

const nothing = {
  accepted: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  calls: 0,
  refused: 0,
  held_ms: 0,
  latency: { count: 0, p50: null, p95: null, p99: null }
}

/** Every span up to now. What nothing is noted of was quiet, except before the first note of all. */
export const whole = ({ from, span_ms: every, spans }: Told, now: number): ReadonlyArray<Slot> => {
  const known = new Map(spans.map((span) => [span.at, span]))
  const first = spans[0]?.at ?? Number.POSITIVE_INFINITY
  const begin = Math.floor(from / every) * every
  const slots = Array.from({ length: Math.max(0, Math.floor((now - begin) / every) + 1) }, (_, place): Slot => {
    const at = begin + place * every
    const quiet = at < first ? undefined : { ...nothing, at }
    return { at, seconds: Math.min(every, now - at) / 1000, span: known.get(at) ?? quiet }
  })
  return slots.filter(({ seconds }) => seconds * 1000 >= enough * every)
}

/** Everything that happened, added up. */
export const sum = (spans: ReadonlyArray<Span>): Omit<typeof nothing, "latency"> => {
  const of = (name: keyof Omit<typeof nothing, "latency">) => spans.reduce((total, span) => total + span[name], 0)
  return {
    accepted: of("accepted"),
    succeeded: of("succeeded"),
    failed: of("failed"),
    cancelled: of("cancelled"),
    calls: of("calls"),
    refused: of("refused"),
    held_ms: of("held_ms")
  }
}
