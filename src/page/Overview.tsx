/** The dam at a glance: what waits and runs, how much and how fast over the last hour, and the lanes. */
import { Chart } from "./Chart.tsx"
import { count } from "./Format.ts"
import { useAsked } from "./Hooks.ts"
import { Lanes } from "./Lanes.tsx"
import { Fact, Failed } from "./Parts.tsx"

interface Health {
  readonly admission: Readonly<Record<string, number>>
}

interface Stats {
  readonly every_ms: number
  readonly buckets: ReadonlyArray<{
    readonly at: number
    readonly accepted: number
    readonly succeeded: number
    readonly failed: number
    readonly latency_ms: { readonly p50: number | null; readonly p95: number | null }
  }>
}

const shown = [
  ["queued", "Queued"],
  ["running", "Running"],
  ["parked", "Paused between attempts"],
  ["scheduled", "Scheduled"],
  ["succeeded", "Succeeded"],
  ["failed", "Failed"],
  ["pending_deliveries", "Webhooks on their way"],
  ["dead_deliveries", "Dead letters"]
] as const

export const Overview = ({ parameters }: { readonly parameters: URLSearchParams }) => {
  const health = useAsked<Health>("/health", "stats jobs")
  const { problem, value: stats } = useAsked<Stats>("/api/v1/stats", "stats")
  const buckets = stats?.buckets ?? []
  const seconds = (stats?.every_ms ?? 10_000) / 1000
  const at = buckets.map((bucket) => bucket.at / 1000)
  const rate = (of: (bucket: Stats["buckets"][number]) => number) => buckets.map((bucket) => of(bucket) / seconds)
  return (
    <>
      <h1 tabIndex={-1}>Overview</h1>
      <Failed problem={health.problem ?? problem} />
      <dl class="facts numbers">
        {shown.map(([name, title]) => (
          <Fact key={name} name={title}>
            {name === "dead_deliveries" ? (
              <a href="#/dead">{count(health.value?.admission[name] ?? 0)}</a>
            ) : (
              count(health.value?.admission[name] ?? 0)
            )}
          </Fact>
        ))}
      </dl>
      <div class="charts">
        <figure>
          <figcaption>Jobs per second</figcaption>
          <Chart
            height={180}
            unit="per second"
            label={`Jobs per second over the last hour; last ${count((buckets.at(-1)?.succeeded ?? 0) / seconds)} succeeded`}
            at={at}
            lines={[
              { name: "accepted", color: "--accent", values: rate(({ accepted }) => accepted) },
              { name: "succeeded", color: "--good", values: rate(({ succeeded }) => succeeded) },
              { name: "failed", color: "--bad", values: rate(({ failed }) => failed) }
            ]}
          />
        </figure>
        <figure>
          <figcaption>Latency of attempts</figcaption>
          <Chart
            height={180}
            unit="ms"
            label={`Latency of attempts over the last hour; last median ${count(buckets.at(-1)?.latency_ms.p50 ?? 0)} milliseconds`}
            at={at}
            lines={[
              { name: "median", color: "--accent", values: buckets.map((bucket) => bucket.latency_ms.p50) },
              { name: "95 %", color: "--warn", values: buckets.map((bucket) => bucket.latency_ms.p95) }
            ]}
          />
        </figure>
      </div>
      <Lanes parameters={parameters} />
    </>
  )
}
