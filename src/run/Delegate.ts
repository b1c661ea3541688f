/** Handing a step over: once, and again with the same key when the service could not be reached. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Pause from "../engine/Pause.ts"
import type { Failure } from "../step/FailureModel.ts"
import { ServiceUnreachable } from "../step/FailureModel.ts"
import type { Accepted, StepReason } from "../step/Outcome.ts"
import type { Receipt } from "../step/ReplyModel.ts"
import * as RetryPolicy from "../step/RetryPolicy.ts"
import * as Telemetry from "./Telemetry.ts"
import type { Step } from "../step/StepModel.ts"
import { changed } from "../step/StepValue.ts"
import type { Delegating } from "../transport/HttpTransport.ts"
import type { Execution, Facts } from "./Execution.ts"
import { perform } from "./Execution.ts"

/** How often a submission is repeated when the service could not be reached. */
export const maxResubmissions = 2

export interface Handover {
  readonly path: number
  readonly key: string | undefined
  readonly retryAt: number | undefined
}

/** Submits a step; answers the receipt or why there is none. A resumed run goes on with the submissions it has made. */
export const delegate = Effect.fnUntraced(function* (
  execution: Execution,
  transport: Delegating,
  step: Step,
  { key, path, retryAt }: Handover
): Effect.fn.Return<Accepted | Failure> {
  const failures = execution.host.history.flatMap((attempt) =>
    attempt.kind === "forward" && attempt.path === path && attempt.ending._tag === "Failed"
      ? [attempt.ending.failure]
      : []
  )
  while (true) {
    const last = failures.at(-1)
    if (last !== undefined && (last._tag !== "ServiceUnreachable" || failures.length > maxResubmissions)) {
      const { history } = execution.host
      // it was taken over before the run was cut off: there is a job, whatever the service says now
      const isTaken = history.some(
        ({ ending, kind, path: at }) => kind === "forward" && at === path && ending._tag === "Answered"
      )
      return (
        failures.find(mayExist) ??
        (isTaken ? new ServiceUnreachable({ detail: last.message, maybeAccepted: true }) : last)
      )
    }
    const bounds =
      last === undefined ? Pause.none : Pause.beforeRetry(RetryPolicy.defaults, failures.length - 1, undefined)
    const pause = last === undefined ? 0 : Pause.draw(bounds, yield* Random.next)
    if (pause > 0) yield* execution.host.pause(pause, true)
    let receipt: Receipt | undefined
    const whole = yield* withTimeLeft(execution, step)
    const submitted = Effect.flatMap(Telemetry.traceparent, (traceparent) =>
      transport.submit({ step: whole, key, retryAt, ...(traceparent === undefined ? {} : { traceparent }) })
    )
    const facts: Facts = { path, racer: 0, kind: "forward", region: undefined, pause }
    const read = (reply: Receipt) => {
      receipt = reply
      const status = reply.duplicate ? 200 : 201
      return { ending: { _tag: "Answered" as const, status, retryAfter: undefined }, response: undefined }
    }
    const { ending } = yield* perform(execution, { step, facts, send: () => submitted, read })
    if (receipt !== undefined) return accepted(receipt, key, execution)
    if (ending._tag === "Failed") failures.push(ending.failure)
  }
})

/** The job that goes on for a step has what is left of the time that was allowed to both. */
const withTimeLeft = Effect.fnUntraced(function* ({ totalUntil = Number.POSITIVE_INFINITY }: Execution, step: Step) {
  if (totalUntil === Number.POSITIVE_INFINITY) return step
  const left = Math.max(1, Math.floor(totalUntil - Number(yield* Clock.monotonicTimeNanos) / 1e6))
  const own = step.totalTimeout === undefined ? left : Duration.toMillis(step.totalTimeout)
  return changed(step, { totalTimeout: Duration.millis(Math.min(left, own)) })
})

/** Whether a submission that ended like this may have made a job all the same. */
export const mayExist = (reason: StepReason): boolean =>
  (reason._tag === "ServiceUnreachable" && reason.maybeAccepted) || reason._tag === "MalformedAnswer"

const accepted = (receipt: Receipt, key: string | undefined, { history }: Execution): Accepted => ({
  _tag: "Accepted",
  jobId: receipt.jobId,
  status: receipt.status,
  key: receipt.idempotentKey ?? key,
  duplicate: receipt.duplicate,
  receipt,
  history
})
