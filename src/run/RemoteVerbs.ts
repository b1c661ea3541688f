/** What is done with jobs of EZThrottle beside looking at them: hastened, cancelled, run again, listed. A dam does it. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { excerpt } from "../step/FailureModel.ts"
import type { DirectAnswer, EzthrottleApi } from "../transport/EzthrottleApi.ts"
import * as JobView from "../wire/JobView.ts"
import { errorIn } from "../wire/Proxy.ts"
import { asJob, isId, pathOf, type Reason, refusalOf } from "./RemoteJobs.ts"
import type { Job, JobFilter, JobPage } from "./Service.ts"
import { JobNotFound, NotOffered, ServiceError, WrongJobState } from "./Service.ts"

type Api = EzthrottleApi["Service"]
type Refusal = Reason | NotOffered | WrongJobState

/** What can be done to a job, and how it is called where it cannot be. */
const operations = { "run-now": "running a job now", cancel: "cancelling a job", rerun: "running a job again" } as const

/** Does something to a job, and shows what has become of it. */
export const post =
  (api: Api, operation: keyof typeof operations) =>
  (jobId: string): Effect.Effect<Job, ServiceError> =>
    Effect.mapBoth(
      isId(jobId)
        ? api.direct({
            method: "POST",
            path: pathOf(jobId, `/${operation}`),
            read: (answer) => reading(answer, operations[operation], jobId, JobView.read)
          })
        : Effect.fail<Refusal>(new JobNotFound({ jobId })),
      { onFailure: (reason) => new ServiceError({ reason }), onSuccess: (view) => asJob(view, jobId) }
    )

/** Lists jobs, a page at a time. */
export const list =
  (api: Api) =>
  (filter: JobFilter = {}): Effect.Effect<JobPage, ServiceError> =>
    Effect.mapBoth(
      api.direct({
        path: `/api/v1/jobs${queryOf(filter)}`,
        read: (answer) => reading(answer, "listing jobs", "", JobView.readPage)
      }),
      {
        onFailure: (reason) => new ServiceError({ reason }),
        onSuccess: ({ cursor, jobs }): JobPage => ({ jobs: jobs.map((view) => asJob(view, "")), cursor })
      }
    )

const reading = <A, E>(
  answer: DirectAnswer,
  operation: string,
  jobId: string,
  read: (body: string) => Result.Result<A, E>
): Result.Result<A, Refusal | E> => {
  if (answer.status === 409) {
    return Result.fail(new WrongJobState({ jobId, detail: excerpt(errorIn(answer.body).error ?? answer.body) }))
  }
  const refusal = refusalOf(jobId, answer)
  if (refusal?._tag === "CannotAwait") return Result.fail(new NotOffered({ operation }))
  return refusal === undefined ? read(answer.body) : Result.fail(refusal)
}

const queryOf = ({
  account,
  createdFrom,
  createdTo,
  cursor,
  deliveryStatus,
  lane,
  limit,
  metadata,
  q,
  sort,
  status
}: JobFilter) => {
  const query = new URLSearchParams()
  const add = (name: string, values: ReadonlyArray<string | number | undefined> = []) => {
    for (const value of values) if (value !== undefined) query.append(name, `${value}`)
  }
  add("status", status)
  add("delivery_status", deliveryStatus)
  add("lane", [lane])
  add("account", [account])
  add("created_from", [createdFrom])
  add("created_to", [createdTo])
  add(
    "metadata",
    Object.entries(metadata ?? {}).map(([name, value]) => `${name}:${value}`)
  )
  add("q", [q])
  add("sort", [sort])
  add("cursor", [cursor])
  add("limit", [limit])
  const text = `${query}`
  return text === "" ? "" : `?${text}`
}
