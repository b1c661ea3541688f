/** Changes of a job that waits, as a program says them, in the words of the API. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { JobChange } from "../../run/Service.ts"
import { ServiceError, WrongJobState } from "../../run/Service.ts"
import { JobRefused, ServiceFailed } from "../../step/Failure.ts"
import { changedJob, type Given } from "../intake/Change.ts"
import * as Limits from "../intake/Limits.ts"
import type { StoredJob } from "../job/Job.ts"
import type { StoreError } from "../store/StoreError.ts"
import type { Engine } from "./Engine.ts"
import type { Outdated, WrongState } from "./WrongState.ts"

/** Changes a job by the same checks as over HTTP; without limits of its own by the usual ones. */
export const change = Effect.fnUntraced(function* (
  engine: Pick<Engine["Service"], "change" | "terms">,
  limits: Limits.Limits = Limits.make(undefined),
  job: StoredJob,
  { revision, ...given }: JobChange
): Effect.fn.Return<StoredJob, ServiceError> {
  const now = yield* Clock.currentTimeMillis
  const terms = { limits, policy: engine.terms.egress, now }
  const checked = Effect.fromResult(changedJob(job, wireOf(given), terms))
  const { isRetimed, job: after } = yield* Effect.mapError(
    checked,
    ({ problem, status }) => new ServiceError({ reason: new JobRefused({ status, received: problem }) })
  )
  return yield* told(engine.change(after, { isRetimed, revision }))
})

const told = (done: Effect.Effect<StoredJob, StoreError | WrongState | Outdated>) =>
  Effect.mapError(
    done,
    (error) =>
      new ServiceError({
        reason:
          error._tag === "WrongState" || error._tag === "Outdated"
            ? new WrongJobState({ jobId: error.jobId, detail: error.message })
            : new ServiceFailed({ status: 503, received: error.message })
      })
  )

/** What is `undefined` is not said. */
const wireOf = ({ bodyBase64, delayMs, retryAt, startBefore, ...same }: Omit<JobChange, "revision">) =>
  Object.fromEntries(
    Object.entries({
      ...same,
      body_base64: bodyBase64,
      delay_ms: delayMs,
      retry_at: retryAt,
      start_before: startBefore
    }).filter(([, value]) => value !== undefined)
  ) as Given // the same names and kinds of values
