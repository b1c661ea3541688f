/**
 * Jobs as rows, and back.
 *
 * Rows are read through schemas even though only this store writes them: a file outlives the version that wrote it.
 * Bodies never become text: a result's bodies stand one after the other in one blob, and its JSON knows their sizes.
 */
import * as Deadline from "../../engine/Deadline.ts"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { deliveryStates, isTerminal, states } from "../../engine/JobState.ts"
import type { ChangeUpdate } from "./ChangeUpdate.ts"
import type { Attempt } from "../../step/History.ts"
import * as JsonTextSchema from "../../step/JsonTextSchema.ts"
import type { Response } from "../../step/Reply.ts"
import * as Step from "../../step/Step.ts"
import { StepFromJson } from "../../step/StepJson.ts"
import type { NewDelivery } from "../job/Delivery.ts"
import type { JobResult, NewJob, StoredJob } from "../job/Job.ts"
import { accountIn, hostIn, queueOf } from "../job/LaneName.ts"
import type { Change, Finish } from "../store/JobRecords.ts"
import type { AttemptInsert, FinishInsert, JobInsert } from "./Commands.ts"
import { type JobColumn, jobColumns } from "./Commands.ts"
import { coalesceOf } from "../job/JobKey.ts"
import { failureOf } from "./FailureRows.ts"
import { encodeDraws } from "./LimitRows.ts"
import * as RowTexts from "./RowTexts.ts"

/** A new job as what is inserted. */
export const encodeJob = (job: NewJob): JobInsert => {
  const waits = job.notBefore !== undefined && job.notBefore > job.createdAt
  const values: { readonly [Column in JobColumn]: string | number | null | undefined } = {
    id: job.id,
    customer: job.customer,
    dialect: job.dialect,
    key_scope: job.keyScope,
    key: job.key,
    key_given: Number(job.keyGiven),
    payload: job.payload,
    lane: job.lane,
    account: queueOf(job, job.step.limits, job.step.priority),
    isolated: Number(job.isolated),
    created_at: job.createdAt,
    not_before: job.notBefore,
    parent_id: job.parent?.id,
    parent_relation: job.parent?.relation,
    rerun_of: job.rerunOf,
    traceparent: job.traceparent,
    quorum: job.step.webhookQuorum,
    due_at: waits ? job.notBefore : undefined,
    deadline_at: deadlineOf(job),
    start_before: job.step.startBefore,
    limits: encodeDraws(job.step.limits),
    batch: job.batch?.number,
    batch_line: job.batch?.line
  }
  return {
    columns: jobColumns.map((column) => values[column] ?? null),
    state: waits ? "scheduled" : "queued",
    step: JSON.stringify(job.step),
    metadata: metadataOf(job.step.metadata),
    order: job.step.inOrder && { key: job.step.inOrder.key, stops: job.step.inOrder.onFailure === "stop" },
    debounce: job.step.debounce && { key: job.step.debounce.key, since: job.debouncedSince ?? job.createdAt },
    coalesce: job.step.coalesce ? (job.sharedBy ?? coalesceOf(job)) : undefined
  }
}

/** A job that waits as what it is changed to. */
export const encodeChange = ({ isRetimed, job, now, revision }: Change): ChangeUpdate => ({
  revision: revision ?? null,
  step: JSON.stringify(job.step),
  // one that has begun goes on where it stands
  lane: job.history.length === 0 ? job.lane : null,
  account: job.account,
  priority: job.step.priority ?? "normal",
  startBefore: job.step.startBefore ?? null,
  time: isRetimed ? { notBefore: job.notBefore ?? null, deadlineAt: deadlineOf(job) ?? null } : undefined,
  now,
  coalesce: job.step.coalesce ? (job.sharedBy ?? coalesceOf(job)) : null
})

const deadlineOf = ({
  createdAt,
  notBefore,
  step
}: Pick<NewJob, "createdAt" | "notBefore" | "step">): number | undefined =>
  Deadline.of(step, { acceptedAt: createdAt, notBefore })?.at

/** Top-level metadata as a filter can name it: texts as they are, numbers and booleans as JSON spells them. */
const metadataOf = (metadata: { readonly [name: string]: Schema.Json }) =>
  Object.entries(metadata).flatMap(([name, value]) =>
    typeof value === "object" ? [] : [[name, String(value)] as const]
  )

/** The end of a job as what is inserted. */
export const encodeFinish = ({ at, attempt, children, deliveries, quorum, result, state }: Finish): FinishInsert => {
  const all = [...(result.response === undefined ? [] : [result.response]), ...result.responses.map(responseOf)]
  return {
    state,
    at,
    failure: state === "failed" ? failureOf(result) : undefined,
    result: RowTexts.encodeResult({
      ...result,
      response: result.response && headOf(result.response),
      responses: result.responses.map(({ region, response }) => ({ region, response: headOf(response) }))
    }),
    bodies: joined(all.map(({ body }) => body)),
    children: children.map(encodeJob),
    quorum: quorum ?? null,
    attempt: attempt && encodeAttempt(attempt),
    deliveries: deliveries.map(({ body, ...delivery }) => ({ columns: deliveryColumns(delivery), body: compact(body) }))
  }
}

const deliveryColumns = (delivery: Omit<NewDelivery, "body">) => [
  delivery.id,
  delivery.jobId,
  delivery.customer,
  delivery.index,
  delivery.url,
  JSON.stringify(delivery.regions),
  Number(delivery.hasQuorumVote),
  delivery.lane,
  RowTexts.encodeTerms(delivery.terms)
]

/** An attempt as what is inserted. */
export const encodeAttempt = (attempt: Attempt): AttemptInsert => {
  const { response, ...rest } = attempt
  return {
    path: attempt.path,
    racer: attempt.racer,
    attempt: RowTexts.encodeAttempt(rest),
    response: response === undefined ? null : JSON.stringify({ status: response.status, headers: response.headers }),
    body: response === undefined ? null : compact(response.body)
  }
}

const headOf = ({ body, headers, status }: Response) => ({ status, headers, size: body.byteLength })

const responseOf = ({ response }: { readonly response: Response }): Response => response

const joined = (bodies: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [only = EMPTY] = bodies
  if (bodies.length < 2) return compact(only)
  const whole = new Uint8Array(bodies.reduce((size, body) => size + body.byteLength, 0))
  bodies.reduce((at, body) => {
    whole.set(body, at)
    return at + body.byteLength
  }, 0)
  return whole
}

/** A view of a larger buffer would take all of it along to the other thread. */
export const compact = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()

const EMPTY = new Uint8Array(0)

/** A boolean as SQLite keeps it. */
export const Bit = Schema.Literals([0, 1])

/** A moment, or none. */
export const Moment = Schema.NullOr(Schema.Number)

/** A text, or none. */
export const Text = Schema.NullOr(Schema.String)

const columns = {
  id: Schema.String,
  customer: Schema.String,
  dialect: Schema.Literals(["cloud", "flat"]),
  key_scope: Schema.String,
  key: Schema.String,
  key_given: Bit,
  payload: Schema.String,
  lane: Schema.String,
  account: Schema.String,
  isolated: Bit,
  created_at: Schema.Number,
  not_before: Moment,
  parent_id: Text,
  parent_relation: Schema.NullOr(Schema.Literals(["onSuccess", "onFailure"])),
  rerun_of: Text,
  traceparent: Text,
  state: Schema.Literals(states),
  delivery_state: Schema.Literals(deliveryStates),
  epoch: Schema.Number,
  due_at: Moment,
  started_at: Moment,
  finished_at: Moment,
  held_since: Moment,
  paused_for: Schema.NullOr(Schema.Number),
  revision: Schema.Number,
  batch: Schema.NullOr(Schema.Number),
  batch_line: Schema.NullOr(Schema.Number),
  batch_id: Text,
  erased_at: Moment
}

/** A loaded job. */
export const LoadedJob = Schema.Struct({
  job: Schema.Struct({
    ...columns,
    step: JsonTextSchema.schema(StepFromJson),
    result: Schema.NullOr(RowTexts.StoredResult),
    bodies: Schema.NullOr(Schema.Uint8Array)
  }),
  attempts: Schema.Array(
    Schema.Struct({
      attempt: RowTexts.StoredAttempt,
      response: Schema.NullOr(Schema.fromJsonString(RowTexts.Head)),
      body: Schema.NullOr(Schema.Uint8Array)
    })
  )
})

/** What can be read of a loaded job whose texts make no sense: its columns. */
export const DamagedJob = Schema.Struct({ job: Schema.Struct({ ...columns, result: Schema.Unknown }) })

/** Such a job as the port knows it. */
export const toDamaged = ({ job }: typeof DamagedJob.Type, problem: string): StoredJob => {
  const result = Schema.decodeUnknownOption(Schema.NullOr(RowTexts.StoredResult))(job.result)
  const { response: _response, responses: _responses, ...end } = Option.getOrNull(result) ?? noResult
  return {
    ...toJob({
      attempts: [],
      job: {
        ...job,
        step: standIn(job.lane),
        // bodies stand together in a blob, and belong to nobody without their sizes
        result: isTerminal(job.state) ? { ...end, response: undefined, responses: [] } : null,
        bodies: null
      }
    }),
    unreadable: problem
  }
}

/** Where it was called, as far as even that can be read. */
const standIn = (lane: string): Step.Step =>
  Result.getOrElse(
    Result.try(() => Step.get(`https://${hostIn(lane)}/`)),
    () => Step.get("https://unreadable.invalid/")
  )

const noResult = { response: undefined, responses: [], region: undefined, path: 0, error: undefined }

/** A loaded job as the port knows it. */
export const toJob = ({ attempts, job }: typeof LoadedJob.Type): StoredJob => ({
  id: job.id,
  customer: job.customer,
  dialect: job.dialect,
  keyScope: job.key_scope,
  key: job.key,
  keyGiven: job.key_given === 1,
  payload: job.payload,
  step: job.step,
  lane: job.lane,
  account: accountIn(job.account),
  isolated: job.isolated === 1,
  createdAt: job.created_at,
  notBefore: job.not_before ?? undefined,
  parent:
    job.parent_id === null || job.parent_relation === null
      ? undefined
      : { id: job.parent_id, relation: job.parent_relation },
  rerunOf: job.rerun_of ?? undefined,
  traceparent: job.traceparent ?? undefined,
  state: job.state,
  deliveryState: job.delivery_state,
  epoch: job.epoch,
  history: attempts.map(({ attempt, body, response }) => ({
    ...attempt,
    response: response === null ? undefined : { _tag: "Response", ...response, body: body ?? EMPTY }
  })),
  pausedFor: job.paused_for ?? undefined,
  ...waitingOf(job.state, job.due_at ?? undefined),
  startedAt: job.started_at ?? undefined,
  finishedAt: job.finished_at ?? undefined,
  result: job.result === null ? undefined : toResult(job.result, job.bodies ?? EMPTY),
  heldSince: job.held_since ?? undefined,
  ...(job.revision === 0 ? {} : { revision: job.revision }),
  ...batchOf(job),
  ...(job.erased_at === null ? {} : { erasedAt: job.erased_at })
})

/** A job that came by itself has no such field. */
const batchOf = ({ batch, batch_id: id, batch_line: line }: (typeof LoadedJob.Type)["job"]) =>
  batch === null || id === null || line === null ? {} : { batch: { number: batch, id, line } }

const waitingOf = (state: StoredJob["state"], dueAt: number | undefined) =>
  state === "scheduled" || state === "parked"
    ? { dueAt, pausedUntil: undefined }
    : { dueAt: undefined, pausedUntil: dueAt }

const toResult = (stored: typeof RowTexts.StoredResult.Type, bodies: Uint8Array): JobResult => {
  let at = 0
  const next = ({ headers, size, status }: typeof RowTexts.SizedHead.Type): Response => {
    const body = bodies.slice(at, at + size)
    at += size
    return { _tag: "Response", status, headers, body }
  }
  return {
    ...stored,
    response: stored.response && next(stored.response),
    responses: stored.responses.map(({ region, response }) => ({ region, response: next(response) }))
  }
}
