/** The dam at a glance: what waits and runs, how much and how fast over the last hour, and the lanes. */
import { useMemo } from "preact/hooks"
import { query } from "./Api.ts"
import { count, millis, now } from "./Format.ts"
import { Stats } from "../dam/api/OverviewShapes.ts"
import { useAsked } from "./Hooks.ts"
import { Lanes } from "./Lanes.tsx"
import { live, useNews } from "./Live.ts"
import { Fact, Failed } from "./Parts.tsx"
import { Figure, Past, Reaches } from "./Past.tsx"
import { reachIn } from "./Spans.ts"

const shown = [
  { name: "queued", title: "Queued", href: "#/jobs?status=queued" },
  { name: "running", title: "Running", href: "#/jobs?status=running" },
  { name: "parked", title: "Between attempts", href: "#/jobs?status=parked" },
  { name: "scheduled", title: "Scheduled", href: "#/jobs?status=scheduled" },
  { name: "succeeded", title: "Succeeded", href: "#/jobs?status=succeeded" },
  { name: "failed", title: "Failed", href: "#/jobs?status=failed" },
  { name: "pending_deliveries", title: "Webhooks on their way", href: "#/jobs?delivery_status=pending" },
  { name: "dead_deliveries", title: "Dead letters", href: "#/dead" }
]

/** Young dams have little to show: at least this is shown. */
const shortest = 300_000

type Span = (typeof Stats.Type)["spans"][number]

const nothing = { count: 0, p50: null, p95: null, p99: null }

/** Spans in which nothing happened are not told: they are filled in, up to the one that has just ended. */
const whole = ({ span_ms: every, spans }: typeof Stats.Type): ReadonlyArray<Span> => {
  const known = new Map(spans.map((span) => [span.at, span]))
  const to = Math.floor(now() / every) * every
  const from = Math.min(spans[0]?.at ?? to, to - shortest)
  return Array.from({ length: Math.max(1, Math.round((to - from) / every)) }, (_, place) => {
    const at = from + place * every
    return known.get(at) ?? { at, accepted: 0, succeeded: 0, failed: 0, cancelled: 0, wait: nothing, total: nothing }
  })
}

export const Overview = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  useNews("numbers")
  const counters = live.counters()
  const reach = reachIn(parameters)
  return (
    <>
      <h1 tabIndex={-1}>Overview</h1>
      <dl class="facts numbers">
        {shown.map(({ href, name, title }) => (
          <Fact key={name} name={title} isBad={name === "dead_deliveries" && (counters[name] ?? 0) > 0}>
            <a href={href}>{live.isKnown() ? count(counters[name] ?? 0) : "–"}</a>
          </Fact>
        ))}
      </dl>
      <Reaches reach={reach} href={(span) => `#/${query({ ...Object.fromEntries(parameters), span })}`} />
      {reach === "" ? <LastHour /> : <Past reach={reach} />}
      <Lanes parameters={parameters} />
    </>
  )
}

const LastHour = () => {
  const { problem, value: stats } = useAsked(Stats, "/api/v1/stats", "span")
  // filled in up to the moment they were told, not to that of being drawn: what came in between is not known yet
  const spans = useMemo(() => (stats === undefined ? [] : whole(stats)), [stats])
  const seconds = (stats?.span_ms ?? 10_000) / 1000
  const at = spans.map((span) => span.at / 1000)
  const last = spans.at(-1)
  const rate = (of: (span: Span) => number) => spans.map((span) => of(span) / seconds)
  const lately = (of: (span: Span) => number | null) => spans.map(of).findLast((value) => value !== null) ?? 0
  return (
    <div class="charts">
      <Failed problem={problem} />
      <Figure
        title="Throughput"
        said="jobs per second"
        height={180}
        unit="/s"
        label={`Jobs per second over the last hour; in the last ten seconds ${count((last?.accepted ?? 0) / seconds)} accepted, ${count((last?.succeeded ?? 0) / seconds)} succeeded, ${count((last?.failed ?? 0) / seconds)} failed`}
        at={at}
        lines={[
          { name: "accepted", color: "--accent", values: rate(({ accepted }) => accepted) },
          { name: "succeeded", color: "--good", values: rate(({ succeeded }) => succeeded) },
          { name: "failed", color: "--bad", values: rate(({ failed }) => failed) }
        ]}
      />
      <Figure
        title="Latency"
        said="seconds from acceptance"
        height={180}
        unit="s"
        label={`Latency over the last hour; lately half of the jobs ended within ${millis(lately(({ total }) => total.p50))}, 95 % within ${millis(lately(({ total }) => total.p95))}`}
        at={at}
        lines={[
          { name: "first call, median", color: "--accent", values: spans.map(({ wait }) => inSeconds(wait.p50)) },
          { name: "end, median", color: "--good", values: spans.map(({ total }) => inSeconds(total.p50)) },
          { name: "end, 95 %", color: "--warn", values: spans.map(({ total }) => inSeconds(total.p95)) }
        ]}
      />
    </div>
  )
}

const inSeconds = (of: number | null): number | null => (of === null ? null : of / 1000)
