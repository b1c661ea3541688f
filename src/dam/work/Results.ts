/** What the end of an execution becomes in the store: the result, the children, the deliveries. Pure. */
import type { Attempt } from "../../step/History.ts"
import type { Outcome, QuotaUsedUp, Rejected, StepError, StepReason } from "../../step/Outcome.ts"
import type { Response } from "../../step/Reply.ts"
import { inherit } from "../../step/StepInherit.ts"
import type { Step } from "../../step/StepModel.ts"
import * as WebhookEvent from "../../wire/WebhookEvent.ts"
import type { NewDelivery } from "../job/Delivery.ts"
import type { JobResult, NewJob, StoredJob } from "../job/Job.ts"
import type { Finish } from "../store/JobRecords.ts"

/** The result of a job whose step ended well. */
export const succeeded = (outcome: Extract<Outcome, { readonly _tag: "Completed" }>): JobResult => ({
  response: outcome.response,
  responses: outcome.responses,
  region: outcome.region,
  path: outcome.path,
  error: undefined
})

/** The result of a job whose step ended badly, with the last answer when there was one. */
export const failed = ({ history, message, reason }: StepError): JobResult => ({
  response: isAnswered(reason) ? reason.response : lastAnswer(history),
  responses: reason._tag === "FanoutIncomplete" ? reason.responses : [],
  region: isAnswered(reason) ? reason.region : undefined,
  path: 0,
  error: { tag: reason._tag, message, ...("kind" in reason ? { kind: reason.kind } : {}) }
})

/** The result of a job that a fault of this program has ended. What it was is in the log: it may tell too much. */
export const broken = (): JobResult => ({
  ...cancelled,
  error: { tag: "Defect", message: "a fault of the service ended the job" }
})

/** The result of a job whose row in the store makes no sense, so that nobody can tell what it was to do. */
export const unreadable = (problem: string): JobResult => ({
  ...cancelled,
  error: { tag: "Unreadable", message: `what was stored of the job makes no sense: ${problem}` }
})

/** The result of a job that was called off. */
export const cancelled: JobResult = {
  response: undefined,
  responses: [],
  region: undefined,
  path: 0,
  error: { tag: "Cancelled", message: "cancelled" }
}

/** The result of a job that a newer one has replaced. */
export const replaced = (by: string): JobResult => ({
  ...cancelled,
  error: { tag: "Replaced", message: `replaced by ${by}`, kind: by }
})

const isAnswered = (reason: StepReason): reason is Rejected | QuotaUsedUp =>
  reason._tag === "Rejected" || reason._tag === "QuotaUsedUp"

const lastAnswer = (history: StepError["history"]): Response | undefined =>
  history.findLast(({ response }) => response !== undefined)?.response

/** The end of a job: what it tells, to whom, and what it starts. */
export const finish = (
  job: StoredJob,
  state: Finish["state"],
  end: {
    readonly at: number
    readonly attempt?: Attempt | undefined
    readonly result: JobResult
    readonly children?: ReadonlyArray<NewJob>
    /** The fallback that answered: it tells its own webhooks, where it has some. */
    readonly answeredBy?: Step
  },
  laneOf: (url: string) => string
): Finish => {
  const { at, attempt, children = [], result } = end
  const told = end.answeredBy === undefined ? job.step : inherit(end.answeredBy, job.step)
  // the same bytes for all, and for every repetition
  const body = told.webhooks.length === 0 ? noBytes : bodyOf(job, result, state === "succeeded")
  const deliveries = told.webhooks.map(({ hasQuorumVote, regions, url, ...terms }, index): NewDelivery => ({
    id: `${job.id}:${index}`,
    jobId: job.id,
    customer: job.customer,
    index,
    url,
    regions,
    hasQuorumVote,
    lane: laneOf(url),
    body,
    ...(isEmpty(terms) ? {} : { terms })
  }))
  return { state, at, result, children, deliveries, quorum: told.webhookQuorum, attempt }
}

const bodyOf = (job: StoredJob, { error, response, responses }: JobResult, succeeded: boolean): Uint8Array =>
  encoder.encode(
    WebhookEvent.encode(
      {
        dialect: job.dialect,
        jobId: job.id,
        idempotentKey: job.key,
        status: succeeded ? "success" : "failed",
        response,
        // there an answer below 500 is a completed job, so it is told without a reason
        error:
          job.dialect === "flat" && error?.tag === "Rejected"
            ? undefined
            : error?.tag === "Expired"
              ? "expired"
              : error?.message,
        metadata: job.step.metadata,
        responses:
          responses.length === 0
            ? undefined
            : Object.fromEntries(responses.map((one) => [one.region ?? "default", one.response]))
      },
      job.dialect
    )
  )

const isEmpty = (terms: object): boolean => {
  for (const _ in terms) return false
  return true
}

const encoder = new TextEncoder()
const noBytes = new Uint8Array(0)
