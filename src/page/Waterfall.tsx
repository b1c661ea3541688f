/** What happened to a job, along its time: waiting, attempts, pauses, deliveries. */
import type { Job } from "./Api.ts"
import { millis } from "./Format.ts"
import { Time } from "./Parts.tsx"

interface Bar {
  readonly name: string
  readonly detail: string
  readonly kind: string
  readonly from: number
  readonly to: number
}

const endingOf = ({ ending, error, status }: { ending: string; error?: string; status: number | null }): string =>
  ending === "answered" ? `answered ${status}` : ending === "failed" ? `failed: ${error ?? "no answer"}` : "interrupted"

const goodness = (ending: string, status: number | null): string =>
  ending === "interrupted" ? "lost" : status !== null && status >= 200 && status < 300 ? "good" : "bad"

const barsOf = (job: Job): ReadonlyArray<Bar> => {
  const now = Date.now()
  const started = job.attempts[0]?.at ?? job.started_at ?? job.finished_at ?? now
  const bars: Array<Bar> = [
    { name: "queued", detail: "from acceptance to the first attempt", kind: "wait", from: job.created_at, to: started }
  ]
  for (const attempt of job.attempts) {
    if (attempt.pause_ms > 0) {
      bars.push({
        name: "pause",
        detail: `before the ${attempt.kind}`,
        kind: "wait",
        from: attempt.at - attempt.pause_ms,
        to: attempt.at
      })
    }
    bars.push({
      name: `${attempt.path === 0 ? "" : `fallback ${attempt.path}, `}${attempt.kind}${attempt.region === null ? "" : ` from ${attempt.region}`}`,
      detail: endingOf(attempt),
      kind: goodness(attempt.ending, attempt.status),
      from: attempt.at,
      to: attempt.at + attempt.latency_ms
    })
  }
  for (const delivery of job.deliveries) {
    for (const attempt of delivery.attempts) {
      bars.push({
        name: `webhook to ${URL.canParse(delivery.url) ? new URL(delivery.url).host : delivery.url}`,
        detail: attempt.status === null ? `failed: ${attempt.error ?? "no answer"}` : `answered ${attempt.status}`,
        kind: goodness(attempt.status === null ? "failed" : "answered", attempt.status),
        from: attempt.at,
        to: attempt.at + attempt.latency_ms
      })
    }
  }
  if (job.finished_at === null && job.status !== "running") {
    bars.push({
      name: job.status,
      detail: "still waiting",
      kind: "wait",
      from: bars.at(-1)?.to ?? job.created_at,
      to: now
    })
  }
  return bars
}

export const Waterfall = ({ job }: { readonly job: Job }) => {
  const bars = barsOf(job)
  const from = Math.min(...bars.map((bar) => bar.from))
  const span = Math.max(1, ...bars.map((bar) => bar.to - from))
  return (
    <ol class="waterfall">
      {bars.map(({ detail, kind, name, ...bar }, index) => (
        <li key={index}>
          <span class="name">{name}</span>
          <span class="track" aria-hidden="true">
            <svg viewBox="0 0 1000 10" preserveAspectRatio="none">
              <rect
                class={`bar bar-${kind}`}
                x={((bar.from - from) / span) * 1000}
                width={Math.max(4, ((bar.to - bar.from) / span) * 1000)}
                y="0"
                height="10"
                rx="2"
              />
            </svg>
          </span>
          <span class="detail">
            <Time at={bar.from} />, {millis(Math.max(0, bar.to - bar.from))}, {detail}
          </span>
        </li>
      ))}
    </ol>
  )
}
