/**
 * The one maker of jobs: whoever submits, chains or runs again gives the facts, and what follows from them follows here.
 *
 * @since 0.1.0
 */
import type { Step } from "../../step/StepModel.ts"
import { takenUp } from "../../step/TakenUp.ts"
import { changed, makeStep } from "../../step/StepValue.ts"
import type { Dialect, NewJob, StoredJob } from "./Job.ts"
import { payloadOf, callOf } from "./JobKey.ts"
import { accountOf, laneOf } from "./LaneName.ts"

/**
 * What is known of a job before it is one.
 *
 * @category models
 * @since 0.1.0
 */
export interface JobFacts {
  readonly id: string
  /** Epoch milliseconds of its acceptance. */
  readonly at: number
  readonly customer: string
  readonly dialect: Dialect
  /** What its key is unique within: see `scopeOf`. */
  readonly keyScope: string
  readonly step: Step
  /** The key that came beside the step. One that the step itself carries, or is given here, is a given key. */
  readonly key?: string | undefined
  /** What a job without a given key is filed under. Defaults to the hash of its call. */
  readonly otherwise?: string | undefined
  /** Headers that are credentials beside those that always are. Defaults to none. */
  readonly credentials?: ReadonlyArray<string> | undefined
  /** Whether it has a queue of its own beside its account's. */
  readonly isolated: boolean
  readonly parent?: NewJob["parent"]
  readonly rerunOf?: string | undefined
  readonly traceparent: string | undefined
}

/**
 * Makes a job from the facts: its key, its lane, its account, and when it may begin.
 *
 * @category constructors
 * @since 0.1.0
 */
export const newJob = (facts: JobFacts): NewJob => {
  const { request } = facts.step
  const payload = callOf(request)
  const hash = payloadOf(request, facts.credentials, payload)
  const step = takenUp(facts.key === undefined ? facts.step : keyed(facts.step, facts.key), facts.at)
  const custom = step.idempotency._tag === "Custom" ? step.idempotency.key : undefined
  // a step that was tried elsewhere brings its hash along, as it is computed there: that is no key of its own
  const isHash =
    custom === hash ||
    custom === payload ||
    (custom?.length === hash.length && custom === payloadOf(request, undefined, payload))
  // others that are the same are not the same job
  const { otherwise = isJoined(step) ? facts.id : undefined } = facts
  const given = isHash && otherwise === undefined ? undefined : custom
  return {
    id: facts.id,
    customer: facts.customer,
    dialect: facts.dialect,
    keyScope: facts.keyScope,
    key: given ?? otherwise ?? hash,
    keyGiven: given !== undefined,
    payload,
    step,
    lane: laneOf(step.request.url),
    account: accountOf(facts.keyScope, step.request.headers),
    isolated: facts.isolated,
    createdAt: facts.at,
    notBefore: step.retryAt,
    parent: facts.parent,
    rerunOf: facts.rerunOf,
    traceparent: facts.traceparent
  }
}

/**
 * Makes the job of a chained step: filed under a key of its own, or under one made from its parent's id.
 *
 * @category constructors
 * @since 0.1.0
 */
export const childJob = (
  parent: StoredJob,
  relation: "onSuccess" | "onFailure",
  step: Step,
  { at, id }: Pick<JobFacts, "at" | "id">
): NewJob =>
  newJob({
    id,
    at,
    step,
    customer: parent.customer,
    dialect: parent.dialect,
    keyScope: parent.keyScope,
    otherwise: `${parent.id}:${relation === "onSuccess" ? "success" : "failure"}`,
    isolated: parent.isolated,
    parent: { id: parent.id, relation },
    // a rerun's children run again too, beside the key of the first ones
    rerunOf: parent.rerunOf === undefined ? undefined : parent.id,
    traceparent: parent.traceparent
  })

/**
 * Makes a finished job once more, as a job of its own outside the key index. A `startBefore` that has passed is left out,
 * and what it has to do with others: whoever runs it again knows that it is late, and wants this one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rerunOf = (job: StoredJob, { at, id }: Pick<JobFacts, "at" | "id">): NewJob =>
  newJob({
    id,
    at,
    step: again(job.step, at),
    customer: job.customer,
    dialect: job.dialect,
    keyScope: job.keyScope,
    key: job.keyGiven ? job.key : undefined,
    otherwise: job.key,
    isolated: job.isolated,
    parent: job.parent,
    rerunOf: job.id,
    traceparent: job.traceparent
  })

const again = (step: Step, at: number): Step => {
  const isLate = (step.startBefore ?? at) < at
  if (!isLate && !isJoined(step)) return step
  return changed(step, { startBefore: isLate ? undefined : step.startBefore, debounce: undefined, coalesce: false })
}

const isJoined = ({ coalesce, debounce }: Step): boolean => coalesce || debounce !== undefined

/** What a step says goes before what came beside it. */
const keyed = (step: Step, key: string): Step =>
  step.idempotency._tag === "Custom" ? step : makeStep({ ...step, idempotency: { _tag: "Custom", key } })
