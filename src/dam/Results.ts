/** What the end of an execution becomes in the store: the result, the children, the deliveries. Pure. */
import type { Outcome, StepError } from "../step/Outcome.ts"
import type { Response } from "../step/Reply.ts"
import type { Step } from "../step/StepModel.ts"
import type { JobResult, NewDelivery, StoredJob } from "./Job.ts"
import * as Idempotency from "../engine/Idempotency.ts"
import type { NewJob } from "./Job.ts"

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
  response: reason._tag === "Rejected" ? reason.response : lastAnswer(history),
  responses: reason._tag === "FanoutIncomplete" ? reason.responses : [],
  region: reason._tag === "Rejected" ? reason.region : undefined,
  path: 0,
  error: { tag: reason._tag, message }
})

/** The result of a job that was called off. */
export const cancelled: JobResult = {
  response: undefined,
  responses: [],
  region: undefined,
  path: 0,
  error: { tag: "Cancelled", message: "cancelled" }
}

const lastAnswer = (history: StepError["history"]): Response | undefined =>
  history.findLast(({ response }) => response !== undefined)?.response

/** The job that runs a child: filed under a key of its own, or under one made from its parent's id. */
export const childJob = (
  parent: StoredJob,
  relation: "onSuccess" | "onFailure",
  step: Step,
  facts: Pick<NewJob, "account" | "createdAt" | "id" | "lane">
): NewJob => ({
  ...facts,
  customer: parent.customer,
  dialect: parent.dialect,
  keyScope: parent.keyScope,
  key:
    step.idempotency._tag === "Custom"
      ? step.idempotency.key
      : `${parent.id}:${relation === "onSuccess" ? "success" : "failure"}`,
  keyGiven: step.idempotency._tag === "Custom",
  payload: Idempotency.hash(step.request),
  step,
  isolated: parent.isolated,
  notBefore: step.retryAt,
  parent: { id: parent.id, relation },
  // a rerun's children run again too, beside the key of the first ones
  rerunOf: parent.rerunOf === undefined ? undefined : parent.id,
  traceparent: parent.traceparent
})

/** One delivery per webhook, all with the same body. */
export const deliveriesOf = (
  job: StoredJob,
  step: Step,
  body: Uint8Array,
  laneOf: (url: string) => string
): ReadonlyArray<NewDelivery> =>
  step.webhooks.map(({ hasQuorumVote, regions, url }, index) => ({
    id: `${job.id}:${index}`,
    jobId: job.id,
    customer: job.customer,
    index,
    url,
    regions,
    hasQuorumVote,
    lane: laneOf(url),
    body
  }))
