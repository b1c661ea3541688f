/** What is done with jobs of EZThrottle beside looking at them: cancelled, run again, listed. A dam does it. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MalformedAnswer } from "../step/Failure.ts"
import type { DirectAnswer, EzthrottleApi } from "../transport/EzthrottleApi.ts"
import { errorIn, parse } from "../wire/Proxy.ts"
import { isId, pathOf, type Reason, refusalOf } from "./RemoteJobs.ts"
import type { Job, JobFilter, JobPage } from "./Service.ts"
import { JobNotFound, NotOffered, ServiceError, WrongJobState } from "./Service.ts"

type Api = EzthrottleApi["Service"]
type Refusal = Reason | NotOffered | WrongJobState

/** Stops a job, or files it once more. */
export const post =
  (api: Api, operation: "cancel" | "rerun") =>
  (jobId: string): Effect.Effect<Job, ServiceError> =>
    Effect.mapError(
      isId(jobId)
        ? api.direct({
            method: "POST",
            path: pathOf(jobId, `/${operation}`),
            read: (answer) => reading(answer, operation, jobId, (json) => asJob(decodeJob(json)))
          })
        : Effect.fail<Refusal>(new JobNotFound({ jobId })),
      (reason) => new ServiceError({ reason })
    )

/** Lists jobs, newest first, a page at a time. */
export const list =
  (api: Api) =>
  (filter: JobFilter = {}): Effect.Effect<JobPage, ServiceError> =>
    Effect.mapError(
      api.direct({
        path: `/api/v1/jobs${queryOf(filter)}`,
        read: (answer) =>
          reading(answer, "list", "", (json) =>
            Result.flatMap(decodePage(json), ({ cursor, jobs }) =>
              Result.map(Result.all(jobs.map((one) => asJob(decodeJob(one)))), (read) => ({
                jobs: read,
                cursor: cursor ?? undefined
              }))
            )
          )
      }),
      (reason) => new ServiceError({ reason })
    )

const reading = <A, E>(
  answer: DirectAnswer,
  operation: string,
  jobId: string,
  read: (json: unknown) => Result.Result<A, E>
): Result.Result<A, Refusal> => {
  if (answer.status === 409) {
    return Result.fail(new WrongJobState({ jobId, detail: excerpt(errorIn(answer.body).error ?? answer.body) }))
  }
  const refusal = refusalOf(jobId, answer)
  if (refusal?._tag === "CannotAwait") return Result.fail(new NotOffered({ operation }))
  if (refusal !== undefined) return Result.fail(refusal)
  return Result.mapError(
    read(parse(answer.body)),
    () => new MalformedAnswer({ problem: "expected jobs with a job_id and a status", received: excerpt(answer.body) })
  )
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
  add("cursor", [cursor])
  add("limit", [limit])
  const text = `${query}`
  return text === "" ? "" : `?${text}`
}

const decodeObject = Schema.decodeUnknownResult(Schema.JsonObject)
const decodeNamed = Schema.decodeUnknownResult(Schema.Struct({ job_id: Schema.String, status: Schema.String }))
const decodeJob = (json: unknown) => Result.all([decodeNamed(json), decodeObject(json)])
const decodePage = Schema.decodeUnknownResult(
  Schema.Struct({ jobs: Schema.Array(Schema.Json), cursor: Schema.optionalKey(Schema.NullOr(Schema.String)) })
)

const asJob = (read: ReturnType<typeof decodeJob>) =>
  Result.map(read, ([named, answer]): Job => ({ jobId: named.job_id, status: named.status, answer }))
