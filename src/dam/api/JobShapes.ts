/**
 * Jobs as the dam takes and shows them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { deliveryStates, states } from "../../engine/JobState.ts"
import * as Fields from "../../step/Fields.ts"
import type { Draw } from "../../step/StepModel.ts"
import { confidences, type Explanation as Explained, reasonKinds } from "../../wire/Explained.ts"
import type { StoredDelivery } from "../job/Delivery.ts"
import type { JobResult, NewJob, StoredJob } from "../job/Job.ts"
import type { Counted } from "../store/JobRecords.ts"
import { Answer, answer, Attempt, attempt, Request, request } from "./CallShapes.ts"
import { Delivery, delivery } from "./DeliveryShapes.ts"
import { Amount, between, Count, Moment, nullable, optional, Status, word } from "./Parts.ts"

const resultFields = {
  response: nullable(Answer),
  responses: optional(Schema.Array(Schema.Struct({ region: Schema.NullOr(Schema.String), ...Answer.fields }))),
  error: nullable(Schema.String),
  error_tag: optional(Schema.String),
  /** The job that has replaced it, where one has. */
  replaced_by: optional(Schema.String)
}

const resultOf = (result: JobResult | undefined): Schema.Struct<typeof resultFields>["Encoded"] => {
  if (result === undefined) return {}
  const { error, response, responses } = result
  return {
    response: response === undefined ? null : answer(response),
    ...(responses.length === 0
      ? {}
      : { responses: responses.map((of) => ({ region: of.region ?? null, ...answer(of.response) })) }),
    error: error?.message ?? null,
    ...(error === undefined ? {} : { error_tag: error.tag }),
    ...(error?.tag === "Replaced" && error.kind !== undefined ? { replaced_by: error.kind } : {})
  }
}

/**
 * The answer to a submission or a rerun: 201 to a job that was filed, 200 to one that was known already, which says how
 * that stands and has its result when there is one.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Receipt = Schema.Struct({
  job_id: Schema.String,
  status: word(["racing", ...states]),
  idempotent_key: Schema.String,
  queued_at: Moment.annotate({ description: "When it was taken; of a duplicate, when the first one was" }),
  duplicate: optional(Schema.Boolean.annotate({ description: "true where the job was known already" })),
  rerun_of: optional(Schema.String),
  ...resultFields
}).annotate({ identifier: "Receipt" })

/**
 * The answer to a job that was filed.
 *
 * @category encoding
 * @since 0.1.0
 */
export const accepted = (job: NewJob): typeof Receipt.Encoded => ({
  job_id: job.id,
  status: job.step.executionMode === "race" && job.step.regions.length > 1 ? "racing" : "queued",
  idempotent_key: job.key,
  queued_at: job.createdAt,
  ...(job.rerunOf === undefined ? {} : { rerun_of: job.rerunOf })
})

/**
 * The answer to a job that was known already: how it stands, and its result when it has one.
 *
 * @category encoding
 * @since 0.1.0
 */
export const duplicate = (job: StoredJob): typeof Receipt.Encoded => ({
  job_id: job.id,
  status: job.state,
  idempotent_key: job.key,
  queued_at: job.createdAt,
  duplicate: true,
  ...resultOf(job.result)
})

/** The job that started this one. */
const Parent = Schema.Struct({ job_id: Schema.String, relation: word(["on_success", "on_failure"]) }).annotate({
  identifier: "Parent"
})

const summaryFields = {
  job_id: Schema.String,
  status: word(states),
  delivery_status: word(deliveryStates),
  idempotent_key: Schema.String,
  method: Schema.String,
  url: Schema.String,
  lane: Schema.String,
  created_at: Moment,
  started_at: Schema.NullOr(Moment),
  finished_at: Schema.NullOr(Moment),
  due_at: Schema.NullOr(Moment),
  attempts_made: Count,
  response_status: Schema.NullOr(Status),
  metadata: Schema.JsonObject,
  parent: Schema.NullOr(Parent),
  rerun_of: Schema.NullOr(Schema.String),
  /** The batch that it was handed in with, and which line of it it is. */
  batch: optional(Schema.Struct({ batch_id: Schema.String, line: Count }))
}

/**
 * A job in a list.
 *
 * @category schemas
 * @since 0.1.0
 */
export const JobSummary = Schema.Struct(summaryFields).annotate({ identifier: "JobSummary" })

/**
 * Shows a job in a list.
 *
 * @category encoding
 * @since 0.1.0
 */
export const summary = (job: StoredJob): typeof JobSummary.Encoded => ({
  job_id: job.id,
  status: job.state,
  delivery_status: job.deliveryState,
  idempotent_key: job.key,
  method: job.step.request.method,
  url: job.step.request.url,
  lane: job.lane,
  created_at: job.createdAt,
  started_at: job.startedAt ?? null,
  finished_at: job.finishedAt ?? null,
  due_at: job.dueAt ?? null,
  attempts_made: job.history.length,
  response_status: job.result?.response?.status ?? null,
  metadata: job.step.metadata,
  parent: job.parent === undefined ? null : { job_id: job.parent.id, relation: RELATIONS[job.parent.relation] },
  rerun_of: job.rerunOf ?? null,
  ...(job.batch === undefined ? {} : { batch: { batch_id: job.batch.id, line: job.batch.line } })
})

const RELATIONS = { onSuccess: "on_success", onFailure: "on_failure" } as const

/**
 * A job with its attempts, its answer and its deliveries.
 *
 * @category schemas
 * @since 0.1.0
 */
export const JobView = Schema.Struct({
  ...summaryFields,
  request: Request,
  erased_at: optional(Moment.annotate({ description: "When what it has sent and received was erased" })),
  /** What each call draws on beside the pace of its lane; left out where that is nothing. */
  limits: optional(Schema.Array(Schema.Struct({ name: Schema.String, key: optional(Schema.String), cost: Amount }))),
  /** How often it was changed while it waited, which is its ETag; left out where it never was. */
  revision: optional(Count),
  /** Left out where it is the usual one. */
  priority: optional(word(["high", "normal", "low"])),
  /** The line that it stands in; left out where it stands in none. */
  in_order: optional(Schema.Struct({ key: Schema.String, on_failure: word(["continue", "stop"]) })),
  region: Schema.NullOr(Schema.String),
  trace_id: optional(
    Schema.String.annotate({ description: "The trace that its spans belong to, its caller's if it had one" })
  ),
  ...resultFields,
  attempts: Schema.Array(Attempt),
  deliveries: Schema.Array(Delivery)
}).annotate({ identifier: "JobView" })

/**
 * Shows a job with its attempts, its answer and its deliveries.
 *
 * @category encoding
 * @since 0.1.0
 */
export const whole = (
  job: StoredJob,
  { deliveries, traceId }: { readonly deliveries: ReadonlyArray<StoredDelivery>; readonly traceId: string }
): typeof JobView.Encoded => ({
  ...summary(job),
  request: request(job.step.request),
  ...(job.erasedAt === undefined ? {} : { erased_at: job.erasedAt }),
  ...(job.step.limits.length === 0 ? {} : { limits: job.step.limits.map(draw) }),
  ...(job.revision === undefined ? {} : { revision: job.revision }),
  ...(job.step.priority === undefined ? {} : { priority: job.step.priority }),
  ...(job.step.inOrder === undefined
    ? {}
    : { in_order: { key: job.step.inOrder.key, on_failure: job.step.inOrder.onFailure } }),
  region: job.result?.region ?? null,
  trace_id: traceId,
  ...resultOf(job.result),
  attempts: job.history.map(attempt),
  deliveries: deliveries.map(delivery)
})

const draw = ({ cost, key, name }: Draw) => ({ name, ...(key === "" ? {} : { key }), cost })

/**
 * A page of jobs.
 *
 * @category schemas
 * @since 0.1.0
 */
export const JobPage = Schema.Struct({
  jobs: Schema.Array(JobSummary),
  cursor: Schema.NullOr(Schema.String).annotate({
    description: "Where the next page begins; a search may have one behind a page that is short or empty"
  }),
  matches: optional(
    Schema.Struct({
      jobs: Count,
      is_exact: Schema.Boolean.annotate({ description: "false where there are at least so many" })
    })
  )
}).annotate({ identifier: "JobPage" })

/**
 * Shows a page of jobs.
 *
 * @category encoding
 * @since 0.1.0
 */
export const page = (
  { cursor, jobs }: { readonly jobs: ReadonlyArray<StoredJob>; readonly cursor: string | undefined },
  counted?: Counted
): typeof JobPage.Encoded => ({
  jobs: jobs.map(summary),
  cursor: cursor ?? null,
  ...(counted === undefined ? {} : { matches: { jobs: counted.jobs, is_exact: counted.isExact } })
})

/**
 * Which jobs, wherever some of them are named.
 *
 * @category schemas
 * @since 0.1.0
 */
export const jobFilter = {
  status: optional(Schema.Array(Schema.Literals(states))),
  delivery_status: optional(Schema.Array(Schema.Literals(deliveryStates))),
  /** Canonical `host:port`. */
  lane: optional(Schema.String),
  account: optional(Schema.String),
  /** The id of the job that started them. */
  parent: optional(Schema.String),
  /** The id of the job that they run again. */
  rerun_of: optional(Schema.String),
  /** The key of the order that they stand in. */
  order: optional(Fields.OrderKey),
  priority: optional(Fields.Priority),
  /** The batch that they were handed in with, by its id. */
  batch: optional(Schema.String),
  created_from: optional(Fields.EpochMillis),
  created_to: optional(Fields.EpochMillis)
}

/**
 * What a list of jobs is filtered by; what repeats is any of.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ListQuery = {
  /** The beginning of an id, a host with or without a path, `name=value` of metadata, or text of URL or error. */
  q: optional(Schema.String.check(Schema.isMaxLength(500))),
  sort: optional(Schema.Literals(["newest", "oldest"])),
  /** Whether to say how many there are, up to ten thousand. */
  count: optional(Schema.Boolean),
  ...jobFilter,
  /** `name:value` of a top-level field of the metadata; all given ones must match. */
  metadata: optional(Schema.Array(Schema.String.check(Schema.isPattern(/^[^:]+:/u)))),
  cursor: optional(Schema.String.check(Schema.isPattern(/^[0-9A-Za-z_-]{1,64}$/u))),
  limit: optional(between(1, 200))
}

/**
 * Why a job waits. Each kind of reason has fields of its own beside those of all, such as `position`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Explanation = Schema.Struct({
  job_id: Schema.String,
  status: word(states),
  reasons: Schema.Array(
    Schema.StructWithRest(
      Schema.Struct({ kind: word(reasonKinds), message: Schema.String, until: Schema.NullOr(Moment) }),
      [Schema.Record(Schema.String, Schema.Json)]
    )
  ),
  estimated_start: Schema.NullOr(Moment),
  confidence: word(confidences)
}).annotate({ identifier: "Explanation" })

/**
 * Shows why a job waits.
 *
 * @category encoding
 * @since 0.1.0
 */
export const explanation = ({ id, state }: StoredJob, self: Explained): typeof Explanation.Encoded => ({
  job_id: id,
  status: state,
  reasons: self.reasons.map(({ details, kind, message, until }) => ({
    kind,
    message,
    ...details,
    until: until ?? null
  })),
  estimated_start: self.estimatedStart ?? null,
  confidence: self.confidence
})
