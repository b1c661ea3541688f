/** What went through over the last hour, day or week, as the dam has kept it: in a lane, or in all of them. */
import { useMemo } from "preact/hooks"
import { History } from "../dam/api/OverviewShapes.ts"
import { query } from "./Api.ts"
import { Chart, type Line } from "./Chart.tsx"
import { count, millis, now } from "./Format.ts"
import { useAsked } from "./Hooks.ts"
import { Failed, Nothing } from "./Parts.tsx"
import { reaches, type Slot, type Span, sum, type Told, whole } from "./Spans.ts"

/** Leads to the same view over another time. */
export const Reaches = ({ reach, href }: { readonly reach: string; readonly href: (reach: string) => string }) => (
  <nav class="reaches" aria-label="How far back">
    {Object.entries(reaches).map(([value, { name }]) => (
      <a key={value} href={href(value)} aria-current={value === reach ? "true" : undefined}>
        {name}
      </a>
    ))}
  </nav>
)

/** What a lane may do, and since when. */
export interface Limit {
  readonly rps: number
  /** Epoch milliseconds; from ever, where nobody has said it. */
  readonly since: number | undefined
}

interface PastOptions {
  readonly reach: string
  readonly lane?: string
  readonly limit?: Limit
}

export const Past = ({ lane, limit, reach }: PastOptions) => {
  const { hours = 1 } = reaches[reach] ?? {}
  const { problem, value: told } = useAsked(History, `/api/v1/history${query({ lane, hours })}`)
  if (told === undefined || told.spans.length === 0) {
    return (
      <>
        <Failed problem={problem} />
        {problem === undefined && (
          <Nothing loading={told === undefined}>Nothing went through {over(hours)}: there is nothing to draw.</Nothing>
        )}
      </>
    )
  }
  return (
    <>
      <Failed problem={problem} />
      <Charts told={told} hours={hours} limit={limit} />
    </>
  )
}

const over = (hours: number): string =>
  hours === 1 ? "in the last hour" : hours < 48 ? `in the last ${hours} hours` : `in the last ${hours / 24} days`

interface ChartsOptions {
  readonly told: Told
  readonly hours: number
  readonly limit: Limit | undefined
}

const Charts = ({ hours, limit, told }: ChartsOptions) => {
  // filled in up to the moment they were told, not to that of being drawn
  const slots = useMemo(() => whole(told, now()), [told])
  const all = useMemo(() => sum(told.spans), [told])
  const each = every(told)
  const isLong = all.held_ms / told.spans.length >= 60_000
  const drawn = { at: slots.map(({ at }) => at / 1000), height: 170 }
  const when = over(hours)
  return (
    <>
      <Sums all={all} when={when} />
      <div class="charts">
        <Figure
          title="Jobs"
          said={`per second, in spans of ${each}`}
          unit="/s"
          label={`Jobs per second ${when}: ${most(slots, ({ accepted }) => accepted)} accepted at most`}
          lines={[
            { name: "accepted", color: "--accent", values: rate(slots, ({ accepted }) => accepted) },
            { name: "succeeded", color: "--good", values: rate(slots, ({ succeeded }) => succeeded) },
            { name: "failed", color: "--bad", values: rate(slots, ({ failed }) => failed) }
          ]}
          {...drawn}
        />
        <Figure
          title="Calls"
          said={limit === undefined ? "answered and refused per second" : "per second, against its limit"}
          unit="/s"
          label={`Calls per second ${when}: ${most(slots, ({ calls }) => calls)} at most, ${count(all.refused)} of ${count(all.calls)} refused for now`}
          lines={[
            { name: "answered", color: "--good", values: rate(slots, ({ calls }) => calls) },
            { name: "refused", color: "--bad", values: rate(slots, ({ refused }) => refused) },
            ...(limit === undefined ? [] : [limitLine(slots, limit)])
          ]}
          {...drawn}
        />
        <Figure
          title="Latency of calls"
          said="seconds until the answer"
          unit="s"
          label={`Latency of calls ${when}; lately half of them took ${millis(lately(slots, "p50"))}, 95 % at most ${millis(lately(slots, "p95"))}`}
          lines={[
            { name: "median", color: "--good", values: seconds(slots, "p50") },
            { name: "95 %", color: "--accent", values: seconds(slots, "p95") },
            { name: "99 %", color: "--warn", values: seconds(slots, "p99") }
          ]}
          {...drawn}
        />
        <Figure
          title="Holds"
          said={`${isLong ? "minutes" : "seconds"} of waiting that answers asked for`}
          unit={isLong ? "min" : "s"}
          label={`Holds ${when}: ${millis(all.held_ms)} in all`}
          lines={[
            {
              name: "asked to wait",
              color: "--warn",
              values: slots.map(({ span }) => (span === undefined ? null : span.held_ms / (isLong ? 60_000 : 1000)))
            }
          ]}
          {...drawn}
        />
      </div>
    </>
  )
}

interface SumsOptions {
  readonly all: ReturnType<typeof sum>
  readonly when: string
}

const Sums = ({ all, when }: SumsOptions) => (
  <p class="faint sums">
    {when}: {count(all.accepted)} jobs accepted, {count(all.succeeded)} succeeded, {count(all.failed)} failed;{" "}
    {count(all.calls)} calls, {count(all.refused)} refused for now
    {all.refused > 0 && ` (${count((100 * all.refused) / all.calls)} %)`}
    {all.held_ms > 0 && `; held for ${millis(all.held_ms)} in all`}
  </p>
)

interface FigureOptions {
  readonly title: string
  readonly said: string
  readonly label: string
  readonly unit: string
  readonly at: ReadonlyArray<number>
  readonly height: number
  readonly lines: ReadonlyArray<Line>
}

export const Figure = ({ said, title, ...drawn }: FigureOptions) => (
  <figure>
    <figcaption>
      {title} <span class="faint">{said}</span>
    </figcaption>
    <Chart {...drawn} />
  </figure>
)

const every = ({ span_ms: span }: Told): string => (span < 3_600_000 ? `${span / 60_000} minutes` : "an hour")

const rate = (slots: ReadonlyArray<Slot>, of: (span: Span) => number): ReadonlyArray<number | null> =>
  slots.map(({ seconds, span }) => (span === undefined ? null : of(span) / seconds))

const most = (slots: ReadonlyArray<Slot>, of: (span: Span) => number): string =>
  count(Math.max(0, ...rate(slots, of).map((value) => value ?? 0)))

const seconds = (slots: ReadonlyArray<Slot>, of: "p50" | "p95" | "p99"): ReadonlyArray<number | null> =>
  slots.map(({ span }) => {
    const value = span?.latency[of] ?? null
    return value === null ? null : value / 1000
  })

const lately = (slots: ReadonlyArray<Slot>, of: "p50" | "p95"): number =>
  1000 * (seconds(slots, of).findLast((value) => value !== null) ?? 0)

/** What the limit was before it was last changed is not known any more. */
const limitLine = (slots: ReadonlyArray<Slot>, { rps, since = 0 }: Limit): Line => ({
  name: "limit",
  color: "--warn",
  values: slots.map(({ at, seconds }) => (at + 1000 * seconds > since ? rps : null))
})
