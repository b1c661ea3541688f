/** What is said of a dam that gives no answer, or none that a dam would give. */
import { excerpt, type Failure, ServiceFailed, ServiceUnreachable } from "../step/FailureModel.ts"
import type { CallFailure } from "./CutShort.ts"
import { unreachable } from "./RemoteAnswer.ts"

/** Why a dam gave no answer; nobody at its address is told as that. */
export const silenceOf = (dam: string, failure: CallFailure): Failure =>
  failure._tag === "ConnectionFailed" && failure.kind === "refused"
    ? new ServiceUnreachable({
        detail: `nothing listens at ${dam}: start a dam there with \`npx ezthrottle-effect dam\`, or check the port (${failure.detail})`,
        maybeAccepted: false
      })
    : unreachable(failure)

/** Whoever answers a job with this has never heard of jobs: another program on that port. */
export const strangerAt = (
  dam: string,
  { body, status }: { readonly status: number; readonly body: string }
): ServiceFailed | undefined =>
  (status === 404 || status === 405 || status === 501) && !body.trimStart().startsWith("{")
    ? new ServiceFailed({
        status,
        received: `what listens at ${dam} is no dam; check the port. It answered ${status}: ${excerpt(body)}`
      })
    : undefined
