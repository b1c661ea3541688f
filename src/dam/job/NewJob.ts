import * as Pacing from "../../engine/Pacing.ts"
import type { Step } from "../../step/StepModel.ts"
import { type Submission, keyed, traceparentIn } from "../intake/Intake.ts"
import type { Dialect, NewJob } from "./Job.ts"
import * as IntakeId from "./JobId.ts"
import { payloadOf, scopeOf } from "./JobKey.ts"
import { laneOf, accountOf } from "./LaneName.ts"

export const newJob = (dialect: Dialect, submission: Submission, { id, key, now, step, userId }: Facts): NewJob => {
  const payload = payloadOf(step.request)
  const keyScope = scopeOf(submission.customer, userId)
  return {
    id: IntakeId.at(now, id),
    customer: submission.customer,
    dialect,
    keyScope,
    key: key ?? payload,
    keyGiven: key !== undefined,
    payload,
    step: key === undefined ? step : keyed(step, key),
    lane: laneOf(step.request.url),
    account: accountOf(keyScope, step.request.headers),
    isolated: Pacing.parse(submission.headers)?.accountQueue === "enabled",
    createdAt: now,
    notBefore: step.retryAt,
    parent: undefined,
    rerunOf: undefined,
    traceparent: traceparentIn(submission.headers)
  }
}
interface Facts {
  readonly step: Step
  readonly userId: string | undefined
  readonly key: string | undefined
  readonly now: number
  readonly id: Crypto
}
