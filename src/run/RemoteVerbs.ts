/** What is done with jobs of EZThrottle beside looking at them: hastened, cancelled, run again, listed, grouped where they failed. A dam does it. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { excerpt } from "../step/FailureModel.ts"
import type { DirectAnswer, EzthrottleApi } from "../transport/EzthrottleApi.ts"
import * as FailedJobs from "../wire/FailedJobs.ts"
import * as JobView from "../wire/JobView.ts"
import { errorIn } from "../wire/Proxy.ts"
import { asJob, isId, pathOf, type Reason, refusalOf } from "./RemoteJobs.ts"
import type { FailureFilter, Failures, Job, JobChange, JobFilter, JobPage } from "./Service.ts"
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

/** Takes out what an ended job has sent and received, and shows what is left of it. */
export const erase =
  (api: Api) =>
  (jobId: string): Effect.Effect<Job, ServiceError> =>
    Effect.mapBoth(
      isId(jobId)
        ? api.direct({
            method: "DELETE",
            path: pathOf(jobId, ""),
            read: (answer) => reading(answer, "erasing a job", jobId, JobView.read)
          })
        : Effect.fail<Refusal>(new JobNotFound({ jobId })),
      { onFailure: (reason) => new ServiceError({ reason }), onSuccess: (view) => asJob(view, jobId) }
    )

/** Changes a job that waits, and shows it. */
export const change =
  (api: Api) =>
  (
    jobId: string,
    { bodyBase64, delayMs, retryAt, revision, startBefore, ...rest }: JobChange
  ): Effect.Effect<Job, ServiceError> =>
    Effect.mapBoth(
      isId(jobId)
        ? api.direct({
            method: "PATCH",
            path: pathOf(jobId, ""),
            headers: { "if-match": revision === undefined ? "*" : `"${revision}"` },
            body: JSON.stringify({
              ...rest,
              body_base64: bodyBase64,
              delay_ms: delayMs,
              retry_at: retryAt,
              start_before: startBefore
            }),
            read: (answer) => reading(answer, "changing a job", jobId, JobView.read)
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

/** Groups failed jobs by what they have in common. */
export const failures =
  (api: Api) =>
  ({ from, host, limit, sort, to }: FailureFilter = {}): Effect.Effect<Failures, ServiceError> =>
    Effect.mapError(
      api.direct({
        path: `/api/v1/failures${textOf([
          ["from", from],
          ["to", to],
          ["host", host],
          ["sort", sort],
          ["limit", limit]
        ])}`,
        read: (answer) => reading(answer, "grouping failures", "", FailedJobs.read)
      }),
      (reason) => new ServiceError({ reason })
    )

const reading = <A, E>(
  answer: DirectAnswer,
  operation: string,
  jobId: string,
  read: (body: string) => Result.Result<A, E>
): Result.Result<A, Refusal | E> => {
  if (answer.status === 409 || answer.status === 412) {
    return Result.fail(new WrongJobState({ jobId, detail: excerpt(errorIn(answer.body).error ?? answer.body) }))
  }
  const refusal = refusalOf(jobId, answer)
  if (refusal?._tag === "CannotAwait") return Result.fail(new NotOffered({ operation }))
  return refusal === undefined ? read(answer.body) : Result.fail(refusal)
}

const queryOf = ({
  account,
  batch,
  createdFrom,
  createdTo,
  cursor,
  deliveryStatus,
  lane,
  limit,
  metadata,
  order,
  parent,
  priority,
  q,
  rerunOf,
  sort,
  status
}: JobFilter) =>
  textOf([
    ...each("status", status),
    ...each("delivery_status", deliveryStatus),
    ["lane", lane],
    ["account", account],
    ["parent", parent],
    ["rerun_of", rerunOf],
    ["order", order],
    ["priority", priority],
    ["batch", batch],
    ["created_from", createdFrom],
    ["created_to", createdTo],
    ...each(
      "metadata",
      Object.entries(metadata ?? {}).map(([name, value]) => `${name}:${value}`)
    ),
    ["q", q],
    ["sort", sort],
    ["cursor", cursor],
    ["limit", limit]
  ])

type Pair = readonly [name: string, value: string | number | undefined]

const each = (name: string, values: ReadonlyArray<string> = []): ReadonlyArray<Pair> =>
  values.map((value) => [name, value])

/** The query of a URL, with its sign; nothing of what was left out. */
const textOf = (pairs: ReadonlyArray<Pair>): string => {
  const query = new URLSearchParams()
  for (const [name, value] of pairs) if (value !== undefined) query.append(name, `${value}`)
  const text = `${query}`
  return text === "" ? "" : `?${text}`
}
