/** What happened to a job, along its time: waiting, attempts and where they left from, pauses, deliveries. */
import type { Attempt, Delivery, Job } from "./Api.ts"
import { millis, now } from "./Format.ts"
import { Time } from "./Parts.tsx"

interface Bar {
  readonly name: string
  readonly where: string
  readonly detail: string
  readonly kind: keyof typeof kinds
  readonly from: number
  readonly to: number
}

const kinds = {
  queued: "queued",
  pause: "pause",
  good: "attempt, accepted",
  bad: "attempt, failed",
  lost: "attempt, interrupted",
  told: "webhook, taken",
  untold: "webhook, refused"
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : url)

const attemptBars = (attempt: Attempt): ReadonlyArray<Bar> => {
  const { at, ending, error, kind, latency_ms: latency, path, pause_ms: pause, region, status } = attempt
  const where = region === null ? "" : `from ${region}`
  const name = `${path === 0 ? "" : `fallback ${path}, `}${kind} attempt`
  const isGood = status !== null && status >= 200 && status < 300
  return [
    ...(pause > 0
      ? [
          {
            name: "pause",
            where: "",
            detail: `before the ${kind} ${where}`,
            kind: "pause" as const,
            from: at - pause,
            to: at
          }
        ]
      : []),
    {
      name,
      where,
      detail:
        ending === "answered" ? `answered ${status}` : ending === "failed" ? (error ?? "no answer") : "interrupted",
      kind: ending === "interrupted" ? "lost" : isGood ? "good" : "bad",
      from: at,
      to: at + latency
    }
  ]
}

const deliveryBars = ({ attempts, due_at: due, url }: Delivery): ReadonlyArray<Bar> => {
  const where = `to ${hostOf(url)}`
  const told = attempts.flatMap(({ at, error, latency_ms: latency, status }, place): ReadonlyArray<Bar> => {
    const before = attempts[place - 1]
    const isGood = status !== null && status >= 200 && status < 300
    return [
      ...(before === undefined
        ? []
        : [
            {
              name: "pause",
              where: "",
              detail: "before it is told again",
              kind: "pause" as const,
              from: before.at + before.latency_ms,
              to: at
            }
          ]),
      {
        name: "webhook",
        where,
        detail: status === null ? (error ?? "no answer") : `answered ${status}`,
        kind: isGood ? "told" : "untold",
        from: at,
        to: at + latency
      }
    ]
  })
  const last = attempts.at(-1)
  if (due === null) return told
  const from = last === undefined ? now() : last.at + last.latency_ms
  return [
    ...told,
    { name: "pause", where, detail: "until it is told again", kind: "pause", from, to: Math.max(due, from) }
  ]
}

/** Where a pause before an attempt was spent in the queue, the pause says more: the queue's bar ends with the first. */
const barsOf = (job: Job): ReadonlyArray<Bar> => {
  const attempts = job.attempts.flatMap(attemptBars)
  const first = job.attempts[0]?.at ?? job.started_at ?? job.finished_at ?? now()
  const queued = { name: "queued", where: "", kind: "queued" as const }
  const bars: Array<Bar> = [
    { ...queued, detail: "from acceptance to the first attempt", from: job.created_at, to: first },
    ...attempts
  ]
  if (job.finished_at === null && job.attempts.length > 0) {
    const from = Math.max(...attempts.map(({ to }) => to))
    bars.push({
      ...queued,
      name: job.status,
      kind: job.status === "parked" ? "pause" : "queued",
      detail: job.status === "running" ? "a call may be open" : "it waits for its next attempt",
      from,
      to: Math.max(from, job.status === "parked" ? (job.due_at ?? now()) : now())
    })
  }
  return [...bars, ...job.deliveries.flatMap(deliveryBars)]
}

/** Milliseconds that are round lengths of time: half a thousand seconds is none. */
const lengths = [
  ...[1, 2, 5].flatMap((n) => [n, n * 10, n * 100]).toSorted((one, other) => one - other),
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12, 24].map((hours) => hours * 3_600_000)
]

/** A round length of which about five fit. */
export const stepOf = (span: number): number =>
  lengths.find((step) => step >= span / 5) ?? Math.ceil(span / 5 / 86_400_000) * 86_400_000

export const Waterfall = ({ job }: { readonly job: Job }) => {
  const bars = barsOf(job)
  const from = Math.min(...bars.map((bar) => bar.from))
  const span = Math.max(1, ...bars.map((bar) => bar.to - from))
  const place = (at: number) => ((at - from) / span) * 1000
  const step = stepOf(span)
  const ticks = Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => index * step)
  const seen = new Set(bars.map(({ kind }) => kind))
  return (
    <>
      <ul class="key" aria-hidden="true">
        {Object.entries(kinds)
          .filter(([kind]) => seen.has(kind as Bar["kind"]))
          .map(([kind, name]) => (
            <li key={kind}>
              <svg width="20" height="12">
                <rect class={`bar bar-${kind}`} width="20" height="12" rx="2" />
              </svg>
              {name}
            </li>
          ))}
      </ul>
      <ol class="waterfall" aria-label="What happened, in order">
        <li class="scale" aria-hidden="true">
          <span class="track">
            <svg>
              {ticks.map((tick) => (
                <text
                  key={tick}
                  x={`${place(from + tick) / 10}%`}
                  y="12"
                  text-anchor={tick === 0 ? "start" : tick > span * 0.9 ? "end" : "middle"}
                >
                  {tick === 0 ? "0" : millis(tick)}
                </text>
              ))}
            </svg>
          </span>
        </li>
        {bars.map(({ detail, kind, name, where, ...bar }, index) => (
          <li key={index} class={kind}>
            <span class="name">
              {name} {where !== "" && <span class="where">{where}</span>}
            </span>
            <span class="track" aria-hidden="true">
              <svg viewBox="0 0 1000 10" preserveAspectRatio="none">
                {ticks.map((tick) => (
                  <line key={tick} class="grid" x1={place(from + tick)} x2={place(from + tick)} y1="0" y2="10" />
                ))}
                <rect
                  class={`bar bar-${kind}`}
                  x={Math.min(996, place(bar.from))}
                  width={Math.max(4, ((bar.to - bar.from) / span) * 1000)}
                  y={kind === "told" || kind === "untold" ? 2.5 : 0}
                  height={kind === "told" || kind === "untold" ? 5 : 10}
                />
              </svg>
            </span>
            <span class="detail">
              <Time at={bar.from} />, <b>{millis(Math.max(0, bar.to - bar.from))}</b>, {detail}
            </span>
          </li>
        ))}
      </ol>
    </>
  )
}
