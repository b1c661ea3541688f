/**
 * What an agent can do with a dam. Every tool is one call (waiting is several), and an answer tells what to do next: how long to wait, or
 * what to change.
 */
import * as McpServer from "effect/ai/McpServer"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { isTerminal, states } from "../../engine/JobState.ts"
import * as Fields from "../../step/Fields.ts"
import * as HeaderFields from "../../step/HeaderFields.ts"
import { queryText } from "../service/Query.ts"
import * as BatchTools from "./BatchTools.ts"
import { type Call, CallFailed } from "./Call.ts"
import { described, given, jobFields, jobOf, optional, reading, tool } from "./Define.ts"
import * as ScheduleTools from "./ScheduleTools.ts"
import { shown } from "./View.ts"

/** Seconds that one call may wait: the clients of models end theirs after a minute. */
const mostWait = 45

const JobId = described(Schema.NonEmptyString, "Id of a job, as enqueue_job answered it")
const jobId = { job_id: JobId }

const EnqueueJob = tool(
  "enqueue_job",
  "Hands an HTTP call over to the dam, which makes it at the pace its target can bear and repeats it until it is " +
    "answered. Answers at once with the job's id; use wait_for_job for the result. The same idempotent_key never " +
    "makes a second job.",
  {
    ...jobFields,
    idempotent_key: optional(Schema.NonEmptyString, "Two jobs with the same key are one job"),
    retry_at: optional(Schema.Int, "Not before this moment, in milliseconds since 1970"),
    start_before: optional(
      Fields.EpochMillis,
      "The job has failed as expired unless it has started before this moment, in milliseconds since 1970"
    )
  }
).annotate(Tool.Destructive, false)

const GetJob = reading("get_job", "Shows a job: its state, its attempts, and its result once it has one.", jobId)

const WaitForJob = reading(
  "wait_for_job",
  "Waits until a job has ended and shows it. Answers the job as it is when the time is over; then call it again.",
  {
    ...jobId,
    timeout_seconds: optional(
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: mostWait })),
      `How long to wait, ${mostWait} at most: many clients give up after 60. 30 when left out`
    )
  }
)

const ExplainJob = reading("explain_job", "Says why a job is still waiting, until when, and how sure that is.", jobId)

const ChangeJob = tool(
  "change_job",
  "Changes a job that has not begun or waits for its next attempt: what is left out stays as it is. Its key stays.",
  {
    ...jobId,
    revision: optional(Schema.Int, "The revision that get_job showed, 0 where it showed none; any when left out"),
    priority: optional(Fields.Priority, "How soon it has its turn"),
    retry_at: optional(Schema.Int, "Not before this moment, in milliseconds since 1970"),
    delay_ms: optional(Schema.Int, "Not before so many milliseconds from now"),
    body: optional(Schema.String, "Another request body, as text"),
    headers: optional(HeaderFields.Headers, "Request headers to set by name; others stay")
  }
).annotate(Tool.Destructive, false)

const ListJobs = reading("list_jobs", "Lists jobs, the newest first.", {
  status: optional(Schema.Array(Schema.Literals(states)), "Only jobs in one of these states"),
  lane: optional(Schema.NonEmptyString, "Only jobs of this host, written host:port"),
  parent: optional(Schema.NonEmptyString, "Only jobs that the job with this id started"),
  rerun_of: optional(Schema.NonEmptyString, "Only jobs that run the job with this id again"),
  order: optional(Fields.OrderKey, "Only jobs that stand in the order of this key"),
  priority: optional(Fields.Priority, "Only jobs of this priority"),
  limit: optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })), "20 when left out"),
  cursor: optional(Schema.NonEmptyString, "Where to go on, as the page before said")
})

const ListFailures = reading(
  "list_failures",
  "Groups failed jobs by host, status and reason: how many, since when, and the newest of each. Where to begin when " +
    "something fails.",
  {
    host: optional(Schema.NonEmptyString, "Only jobs of this host, with its port or for all its ports"),
    from: optional(Schema.Int, "Only those that failed from then on, in milliseconds since 1970"),
    to: optional(Schema.Int, "Only those that failed until then, in milliseconds since 1970"),
    sort: optional(Schema.Literals(["newest", "largest"]), "What failed last first, or what failed most often; newest"),
    limit: optional(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })), "20 when left out")
  }
)

const ListLanes = reading(
  "list_lanes",
  "Lists the hosts that are called: how many jobs wait for each, how fast it may be called, and what holds it.",
  { cursor: optional(Schema.NonEmptyString, "Where to go on, as the page before said") }
)

const ListLimits = Tool.make("list_limits", {
  description:
    "Lists the limits that calls draw on together, beside the pace of their hosts: what each allows, what is left, and how " +
    "much waits for it.",
  success: Schema.JsonObject,
  failure: CallFailed
})
  .annotate(Tool.Readonly, true)
  .annotate(Tool.Destructive, false)

const Health = Tool.make("health", {
  description: "Says whether the dam works, how full it is, and which limits hold.",
  success: Schema.JsonObject,
  failure: CallFailed
})
  .annotate(Tool.Readonly, true)
  .annotate(Tool.Destructive, false)

const toolkit = Toolkit.make(
  EnqueueJob,
  BatchTools.EnqueueBatch,
  BatchTools.GetBatch,
  BatchTools.BulkJobs,
  GetJob,
  WaitForJob,
  ExplainJob,
  ChangeJob,
  ListJobs,
  ListFailures,
  ListLanes,
  ListLimits,
  Health,
  ...ScheduleTools.all
)

/** Waits by long polls that end before a proxy gives up on them, until the job has ended or the time is over. */
const ended = Effect.fnUntraced(function* (call: Call, path: string, timeout: number) {
  const until = (yield* Clock.currentTimeMillis) + timeout
  while (true) {
    const asked = yield* Clock.currentTimeMillis
    const wait = Math.max(0, Math.min(longestPoll, until - asked))
    const job = yield* call("GET", `${path}?timeout_ms=${wait}`)
    const now = yield* Clock.currentTimeMillis
    if (isEnded(job) || now >= until) return job
    // a dam that does not wait must not be asked without a pause
    yield* Effect.sleep(Math.max(0, Math.min(until, asked + shortestPause) - now))
  }
})

const isEnded = ({ status }: Schema.JsonObject): boolean =>
  states.some((state) => state === status && isTerminal(state))

const longestPoll = 20_000
const shortestPause = 1000

/** The tools over calls to one dam. */
export const layer = (call: Call) => {
  const asked = (...asking: Parameters<Call>) => Effect.map(call(...asking), shown)
  const ofJob = (id: string, route = "") => `/api/v1/jobs/${encodeURIComponent(id)}${route}`
  return McpServer.toolkit(toolkit).pipe(
    Layer.provide(
      toolkit.toLayer({
        enqueue_job: (job) => asked("POST", "/api/v1/jobs", jobOf(job)),
        ...BatchTools.handlers(asked),
        get_job: ({ job_id: id }) => asked("GET", ofJob(id)),
        wait_for_job: ({ job_id: id, timeout_seconds: seconds }) =>
          Effect.map(ended(call, ofJob(id, "/wait"), (seconds ?? 30) * 1000), shown),
        explain_job: ({ job_id: id }) => asked("GET", ofJob(id, "/explain")),
        change_job: ({ job_id: id, revision, ...change }) =>
          asked("PATCH", ofJob(id), given(change), { "if-match": revision === null ? "*" : `"${revision}"` }),
        list_jobs: (filter) => asked("GET", `/api/v1/jobs${queryText({ limit: 20, ...given(filter) })}`),
        list_failures: (filter) => asked("GET", `/api/v1/failures${queryText({ limit: 20, ...given(filter) })}`),
        list_lanes: (page) => asked("GET", `/api/v1/lanes${queryText(given(page))}`),
        list_limits: () => asked("GET", "/api/v1/limits"),
        health: () => asked("GET", "/health"),
        ...ScheduleTools.handlers(asked)
      })
    )
  )
}
