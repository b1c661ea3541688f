/** Handing a step over: once, and again with the same key when the service could not be reached. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Pause from "../engine/Pause.ts"
import type { Failure } from "../step/Failure.ts"
import type { Accepted } from "../step/Outcome.ts"
import type { Receipt } from "../step/Reply.ts"
import * as RetryPolicy from "../step/RetryPolicy.ts"
import type { Step } from "../step/StepModel.ts"
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

/** Submits a step; answers the receipt or why there is none. */
export const delegate = Effect.fnUntraced(function* (
  execution: Execution,
  transport: Delegating,
  step: Step,
  { key, path, retryAt }: Handover
): Effect.fn.Return<Accepted | Failure> {
  let pause = 0
  for (let again = 0; ; again++) {
    let receipt: Receipt | undefined
    const facts: Facts = { path, racer: 0, kind: "forward", region: undefined, pause }
    const { ending } = yield* perform(execution, step, facts, transport.submit({ step, key, retryAt }), (reply) => {
      receipt = reply
      return {
        ending: { _tag: "Answered", status: reply.duplicate ? 200 : 201, retryAfter: undefined },
        response: undefined
      }
    })
    if (ending._tag === "Answered" && receipt !== undefined) return accepted(receipt, key, execution)
    if (ending._tag === "Answered") continue
    if (ending.failure._tag !== "ServiceUnreachable" || again === maxResubmissions) return ending.failure
    pause = Pause.draw(Pause.beforeRetry(RetryPolicy.defaults, again, undefined), yield* Random.next)
    yield* execution.host.pause(pause, true)
  }
})

const accepted = (receipt: Receipt, key: string | undefined, { history }: Execution): Accepted => ({
  _tag: "Accepted",
  jobId: receipt.jobId,
  status: receipt.status,
  key: receipt.idempotentKey ?? key,
  duplicate: receipt.duplicate,
  receipt,
  history
})
