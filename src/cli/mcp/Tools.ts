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
import { queryText } from "../service/Query.ts"
import { type Call, CallFailed } from "./Call.ts"
import { shown } from "./View.ts"

const described = <S extends Schema.Top>(schema: S, description: string): S["Rebuild"] =>
  schema.annotate({ description })

/** What may be left out; many models write `null` for that. */
const optional = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.optionalKey(described(Schema.NullOr(schema), description))

type Given<A> = { readonly [Name in keyof A]: Exclude<A[Name], null> }

/** The arguments that say something. */
const given = <A extends object>(values: A): Given<A> =>
  // it has lost its nulls and nothing else, which the type of `fromEntries` cannot tell
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)) as Given<A>

// a text first and a URL second: JSON Schema has no word for the check, and its description would be lost with it
const url = (description: string) =>
  Schema.String.annotate({ description }).check(
    Schema.makeFilter(Schema.is(Fields.Url), { expected: "an absolute http:// or https:// URL" })
  )

/** Seconds that one call may wait: the clients of models end theirs after a minute. */
const mostWait = 45

const JobId = described(Schema.NonEmptyString, "Id of a job, as enqueue_job answered it")
const jobId = { job_id: JobId }

const tool = <const Name extends string, Parameters extends Schema.Struct.Fields>(
  name: Name,
  description: string,
  parameters: Parameters
) =>
  Tool.make(name, {
    description,
    parameters: Schema.Struct(parameters),
    success: Schema.JsonObject,
    failure: CallFailed
    // an argument that nobody reads is a mistake of whoever wrote it
  }).annotate(Tool.Strict, true)

const reading = <const Name extends string, Parameters extends Schema.Struct.Fields>(
  name: Name,
  description: string,
  parameters: Parameters
) => tool(name, description, parameters).annotate(Tool.Readonly, true).annotate(Tool.Destructive, false)

const EnqueueJob = tool(
  "enqueue_job",
  "Hands an HTTP call over to the dam, which makes it at the pace its target can bear and repeats it until it is " +
    "answered. Answers at once with the job's id; use wait_for_job for the result. The same idempotent_key never " +
    "makes a second job.",
  {
    url: url("Absolute http or https URL to call"),
    method: optional(Fields.Method, "HTTP method; GET when left out"),
    headers: optional(Fields.Headers, "Request headers by name"),
    body: optional(Schema.String, "Request body as text"),
    idempotent_key: optional(Schema.NonEmptyString, "Two jobs with the same key are one job"),
    limits: optional(
      Schema.Array(
        Schema.Struct({
          name: described(Schema.NonEmptyString, "A limit, as list_limits names it"),
          key: optional(Schema.String, "Whose share of it; all calls share one when left out"),
          cost: optional(Schema.Finite, "Units that the call takes; 1 when left out")
        })
      ),
      "What the call draws on beside the pace of its host"
    ),
    priority: optional(Fields.Priority, "How soon it has its turn; normal when left out"),
    in_order: optional(
      Schema.Struct({
        key: described(Fields.OrderKey, "Jobs of one key run one at a time, first in, first out"),
        on_failure: optional(Fields.OrderEnd, "Whether a final failure lets the next go or stops the key; continue")
      }),
      "The line that the call stands in"
    ),
    debounce: optional(
      Schema.Struct({
        key: described(Fields.OrderKey, "A newer job of this key takes the place of one that waits"),
        wait_ms: described(Fields.Millis, "How long it waits for newer ones"),
        at_most_ms: optional(Fields.Millis, "How long the first may be put off; as long as others come when left out")
      }),
      "Of jobs that come soon after each other only the newest runs"
    ),
    coalesce: optional(Schema.Boolean, "Whether a GET or HEAD shares the answer of an identical one in flight"),
    metadata: optional(Schema.Record(Schema.String, Schema.Json), "Anything to find the job by later"),
    retry_at: optional(Schema.Int, "Not before this moment, in milliseconds since 1970"),
    webhooks: optional(
      Schema.Array(Schema.Struct({ url: url("Absolute http or https URL of the receiver") })),
      "Where the result is delivered to besides"
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
    headers: optional(Fields.Headers, "Request headers to set by name; others stay")
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
  GetJob,
  WaitForJob,
  ExplainJob,
  ChangeJob,
  ListJobs,
  ListFailures,
  ListLanes,
  ListLimits,
  Health
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
        enqueue_job: ({ debounce, in_order: order, limits, ...job }) =>
          asked(
            "POST",
            "/api/v1/jobs",
            given({
              ...job,
              limits: limits?.map((draw) => given(draw)) ?? null,
              in_order: order ? given(order) : null,
              debounce: debounce ? given(debounce) : null
            })
          ),
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
        health: () => asked("GET", "/health")
      })
    )
  )
}
