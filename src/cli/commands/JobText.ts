/** Jobs as people read them. */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import { isTerminal, type JobState, states } from "../../engine/JobState.ts"
import * as Output from "../output/Output.ts"
import type * as CallShapes from "../../dam/api/CallShapes.ts"
import type * as JobShapes from "../../dam/api/JobShapes.ts"

type Attempt = typeof CallShapes.Attempt.Type
type Job = typeof JobShapes.JobView.Type

export const isEnded = (status: string): boolean =>
  states.some((state) => state === status) && isTerminal(status as JobState)

export const list = (
  paint: Output.Paint,
  jobs: ReadonlyArray<typeof JobShapes.JobSummary.Type>,
  now: number
): string =>
  jobs.length === 0
    ? "no jobs"
    : Output.table(
        paint,
        ["JOB", "STATUS", "WEBHOOKS", "CALL", "ANSWER", "TRIES", "AGE"],
        jobs.map((job) => [
          job.job_id,
          paint(Output.statusStyle(job.status), job.status),
          job.delivery_status === "none" ? "-" : paint(Output.statusStyle(job.delivery_status), job.delivery_status),
          `${job.method} ${Output.target(job.url)}`,
          String(job.response_status ?? "-"),
          String(job.attempts_made),
          Output.span(now - job.created_at)
        ])
      )

export const show = (paint: Output.Paint, job: Job, now: number): string => {
  const { response } = job
  const metadata = JSON.stringify(job.metadata)
  return [
    `${paint("bold", job.job_id)}  ${paint(Output.statusStyle(job.status), job.status)}`,
    Output.facts(paint, [
      ["call", `${job.method} ${Output.target(job.url, 200)}`],
      ["lane", job.lane],
      ["key", Output.plain(job.idempotent_key)],
      ["created", Output.moment(job.created_at, now)],
      ["due", isEnded(job.status) ? undefined : Output.moment(job.due_at, now)],
      ["started", Output.moment(job.started_at, now)],
      ["finished", Output.moment(job.finished_at, now)],
      ["answer", answerOf(job)],
      ["error", job.error === null || job.error === undefined ? undefined : paint("red", Output.plain(job.error, 500))],
      ["webhooks", job.delivery_status === "none" ? undefined : job.delivery_status],
      [
        "draws on",
        job.limits
          ?.map(({ cost, key, name }) => Output.plain(`${name}${key === undefined ? "" : ` (${key})`}: ${cost}`, 200))
          .join(", ")
      ],
      ["priority", job.priority],
      ["in order of", job.in_order && Output.plain(job.in_order.key, 200)],
      ["metadata", metadata === "{}" ? undefined : Output.plain(metadata, 500)],
      ["parent", job.parent === null ? undefined : `${job.parent.job_id} (${job.parent.relation})`],
      ["rerun of", job.rerun_of ?? undefined]
    ]),
    ...(job.attempts.length === 0 ? [] : ["", "attempts", attempts(paint, job.attempts)]),
    ...(job.deliveries.length === 0 ? [] : ["", "webhooks", deliveries(paint, job)]),
    ...(response === null || response === undefined || response.body === ""
      ? []
      : ["", "body", Output.block(response.body)])
  ].join("\n")
}

const answerOf = ({ region, response }: Job): string | undefined => {
  if (response === null || response === undefined) return undefined
  const bytes =
    response.body_base64 === undefined
      ? new TextEncoder().encode(response.body).length
      : Result.getOrElse(
          Result.map(Base64.decode(response.body_base64), ({ length }) => length),
          () => 0
        )
  const place = region === null ? "" : ` in ${region}`
  return `${response.status_code}${place}, ${bytes} bytes${response.body_base64 === undefined ? "" : " that are no text"}`
}

export const attemptRow = (paint: Output.Paint, attempt: Attempt): ReadonlyArray<string> => {
  const ended =
    attempt.ending === "answered"
      ? paint((attempt.status ?? 0) < 300 ? "green" : "yellow", String(attempt.status))
      : attempt.ending === "failed"
        ? paint("red", Output.plain(attempt.error ?? "no answer", 80))
        : attempt.ending
  return [
    attempt.path === 0 ? attempt.kind : `fallback ${attempt.path} ${attempt.kind}`,
    attempt.region ?? "-",
    ended,
    Output.span(attempt.latency_ms),
    attempt.pause_ms > 0 ? `after ${Output.span(attempt.pause_ms)}` : ""
  ]
}

const attempts = (paint: Output.Paint, all: ReadonlyArray<Attempt>): string =>
  Output.table(
    paint,
    ["WHEN", "KIND", "REGION", "RESULT", "TOOK", "PAUSE"],
    all.map((attempt) => [Output.time(attempt.at), ...attemptRow(paint, attempt)]),
    "  "
  )

const deliveries = (paint: Output.Paint, { deliveries }: Job): string =>
  Output.table(
    paint,
    ["WEBHOOK", "URL", "STATUS", "TRIES", "LAST"],
    deliveries.map(({ attempts, delivery_id, status, url }) => {
      const last = attempts.at(-1)
      return [
        delivery_id,
        Output.target(url),
        paint(Output.statusStyle(status), status),
        String(attempts.length),
        last === undefined ? "-" : String(last.status ?? Output.plain(last.error ?? "no answer", 80))
      ]
    }),
    "  "
  )
