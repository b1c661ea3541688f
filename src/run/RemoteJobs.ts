/**
 * Looking at jobs of EZThrottle and waiting for their results.
 *
 * A wait follows the job's event stream and attaches again where it broke off; a service without streams is asked by
 * long poll; one that tells nothing leaves it to the receiver, if there is one. The stream only says when to look: the
 * result is always what the job itself shows.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Pause from "../engine/Pause.ts"
import {
  excerpt,
  type Failure,
  ServiceDenied,
  ServiceFailed,
  ServiceRateLimited,
  ServiceUnreachable
} from "../step/FailureModel.ts"
import * as RetryPolicy from "../step/RetryPolicy.ts"
import type { DirectAnswer, EzthrottleApi } from "../transport/EzthrottleApi.ts"
import * as Explained from "../wire/Explained.ts"
import * as JobView from "../wire/JobView.ts"
import { errorIn } from "../wire/Proxy.ts"
import type { Explanation, Job, JobResult, ResultSource } from "./Service.ts"
import { CannotAwait, JobNotFound, NotOffered, ServiceError } from "./Service.ts"

type Api = EzthrottleApi["Service"]
/** Why a call about a job brought nothing. */
export type Reason = Failure | JobNotFound | CannotAwait

/** Looks at a job once. */
export const job =
  (api: Api) =>
  (jobId: string): Effect.Effect<Job, ServiceError> =>
    Effect.mapBoth(look(api, jobId, ""), {
      onFailure: (reason) => new ServiceError({ reason }),
      onSuccess: (view) => asJob(view, jobId)
    })

/** Asks why a job waits. */
export const explain =
  (api: Api) =>
  (jobId: string): Effect.Effect<Explanation, ServiceError> => {
    const read = (answer: DirectAnswer): Result.Result<Explanation, Reason | NotOffered> => {
      const refusal = refusalOf(jobId, answer)
      if (refusal?._tag === "CannotAwait") return Result.fail(new NotOffered({ operation: "explain" }))
      return refusal === undefined ? Explained.read(answer.body) : Result.fail(refusal)
    }
    return Effect.mapError(
      isId(jobId)
        ? api.direct({ path: pathOf(jobId, "/explain"), read })
        : Effect.fail<Reason | NotOffered>(new JobNotFound({ jobId })),
      (reason) => new ServiceError({ reason })
    )
  }

/** Waits for results at the service, and at the receiver where the service tells none. */
export const results = (api: Api, receiver: ResultSource | undefined): ResultSource => ({
  await: (jobId) =>
    awaitEnd(api, jobId).pipe(
      Effect.catch((reason) =>
        reason._tag === "CannotAwait" && receiver !== undefined
          ? receiver.await(jobId)
          : Effect.fail(new ServiceError({ reason }))
      )
    )
})

const awaitEnd = Effect.fnUntraced(function* (api: Api, jobId: string): Effect.fn.Return<JobResult, Reason> {
  if (!isId(jobId)) return yield* Effect.fail(new JobNotFound({ jobId }))
  let lastEventId: string | undefined
  let failures = 0
  while (true) {
    const left = yield* follow(api, jobId, lastEventId)
    if (left._tag === "Ended") return yield* poll(api, jobId, "")
    if (left._tag === "NotOffered") break
    lastEventId = left.lastEventId ?? lastEventId
    failures = left.heard ? 0 : failures + 1
    if (failures >= patience) {
      if (left.failure !== undefined) return yield* Effect.fail(left.failure)
      // it opens streams that say nothing, as a proxy does that collects answers before it passes them on
      break
    }
    yield* pause(failures, left.retry)
  }
  const wait = Math.ceil(Math.min(longestPoll, Duration.toMillis(api.timeout) * (2 / 3)))
  return yield* poll(api, jobId, `/wait?timeout_ms=${wait}`)
})

/** How a stream was left. */
type Left =
  | { readonly _tag: "Ended" }
  | { readonly _tag: "NotOffered" }
  | {
      readonly _tag: "Dropped"
      readonly heard: boolean
      readonly lastEventId: string | undefined
      /** What the stream asked to wait before the next attach, in milliseconds. */
      readonly retry: number | undefined
      /** `undefined`: it ended in good order, only too soon. */
      readonly failure: Failure | undefined
    }

const follow = (api: Api, jobId: string, since: string | undefined): Effect.Effect<Left, Reason> =>
  Effect.suspend(() => {
    let heard = false
    let ended = false
    let lastEventId: string | undefined
    let retry: number | undefined
    const parser = Sse.makeParser((event) => {
      if (event._tag === "Retry") retry = Duration.toMillis(event.duration)
      else {
        lastEventId = event.id ?? lastEventId
        ended ||= JobView.isLastEvent(event.event)
      }
    })
    const listen = Effect.fnUntraced(function* (next: Effect.Effect<string | undefined, Failure>) {
      while (!ended) {
        const piece = yield* Effect.timeoutOrElse(next, {
          duration: longestSilence,
          orElse: () => Effect.fail(silent())
        })
        if (piece === undefined) return
        heard ||= piece !== ""
        // an event too large to read can only be the last: the job has it too
        if (parser.feed(piece) !== undefined) ended = true
      }
    })
    const dropped = (failure: Failure | undefined): Left => ({ _tag: "Dropped", heard, lastEventId, retry, failure })
    return Effect.flatMap(api.events(pathOf(jobId, "/stream"), since), (opened): Effect.Effect<Left, Reason> => {
      if (opened._tag === "Events") {
        return Effect.map(listen(opened.next), (): Left => (ended ? { _tag: "Ended" } : dropped(undefined)))
      }
      // nothing more to say: the last event was seen before
      if (opened.answer.status === 204) return Effect.succeed({ _tag: "Ended" })
      const refusal = refusalOf(jobId, opened.answer)
      return refusal?._tag === "JobNotFound" || refusal?._tag === "ServiceDenied"
        ? Effect.fail(refusal)
        : Effect.succeed({ _tag: "NotOffered" })
    }).pipe(
      Effect.catchTag("ServiceUnreachable", (failure) => Effect.succeed(dropped(failure))),
      Effect.scoped
    )
  })

/** Asks until the job has ended. Trouble that may pass is waited out, as long as it is not all there is. */
const poll = Effect.fnUntraced(function* (api: Api, jobId: string, below: string): Effect.fn.Return<JobResult, Reason> {
  let failures = 0
  while (true) {
    const asked = yield* Effect.result(look(api, jobId, below))
    if (Result.isSuccess(asked)) {
      const end = JobView.endOf(asked.success)
      if (end !== undefined) return resultOf(jobId, end, asked.success)
      failures = 0
      yield* pause(0, undefined)
    } else {
      failures++
      if (!mayPass(asked.failure) || failures >= patience) return yield* Effect.fail(asked.failure)
      yield* pause(failures, undefined)
    }
  }
})

const look = (api: Api, jobId: string, below: string): Effect.Effect<JobView.JobView, Reason> =>
  isId(jobId)
    ? api.direct({ path: pathOf(jobId, below), read: (answer) => viewIn(jobId, answer) })
    : Effect.fail(new JobNotFound({ jobId }))

const viewIn = (jobId: string, answer: DirectAnswer): Result.Result<JobView.JobView, Reason> => {
  const refusal = refusalOf(jobId, answer)
  return refusal === undefined ? JobView.read(answer.body) : Result.fail(refusal)
}

/** What the service said instead of what was asked of it. */
export const refusalOf = (jobId: string, { body, retryAt, status }: DirectAnswer): Reason | undefined => {
  if (status >= 200 && status <= 299) return undefined
  const { code, error } = errorIn(body)
  const detail = excerpt(error ?? body)
  switch (status) {
    case 404:
      return code === "job_not_found" ? new JobNotFound({ jobId }) : new CannotAwait({ jobId })
    case 405:
      return new CannotAwait({ jobId })
    case 401:
    case 403:
      return new ServiceDenied({ detail })
    case 429:
      return new ServiceRateLimited({ detail, retryAt })
    default:
      return new ServiceFailed({ status, received: excerpt(body) })
  }
}

const mayPass = (reason: Reason): boolean =>
  reason._tag === "ServiceUnreachable" ||
  reason._tag === "ServiceRateLimited" ||
  (reason._tag === "ServiceFailed" && reason.status >= 500)

const resultOf = (jobId: string, end: "succeeded" | "failed" | "cancelled", view: JobView.JobView): JobResult => ({
  jobId: view.jobId ?? jobId,
  idempotentKey: view.idempotentKey,
  status: end === "succeeded" ? "success" : "failed",
  response: view.response,
  error: view.error ?? (end === "cancelled" ? "cancelled" : undefined),
  metadata: view.metadata
})

/** What of a view is a job to callers; a service need not repeat its id. */
export const asJob = ({ answer, jobId, status }: JobView.JobView, asked: string): Job => ({
  jobId: jobId ?? asked,
  status,
  answer
})

// a URL would take the dots for a way out of the jobs
export const isId = (jobId: string): boolean => jobId !== "" && jobId !== "." && jobId !== ".."

/** Below a job, from the first slash. */
export const pathOf = (jobId: string, below: string): string => `/api/v1/jobs/${encodeURIComponent(jobId)}${below}`

/** After a failure a jittered pause that doubles; otherwise the one asked for, or the shortest. */
const pause = Effect.fnUntraced(function* (failures: number, asked: number | undefined) {
  const base = Math.min(Math.max(asked ?? shortestPause, shortestPause), longestPause)
  const drawn = failures === 0 ? 0 : Pause.draw(Pause.beforeRetry(pauses, failures - 1, undefined), yield* Random.next)
  yield* Effect.sleep(Duration.millis(Math.max(base, drawn)))
})

const patience = 10
const longestPoll = 20_000
const shortestPause = 1_000
const longestPause = 30_000
// a service sends a comment every 30 seconds
const longestSilence = Duration.seconds(90)
const pauses = { ...RetryPolicy.defaults, base: Duration.millis(2 * shortestPause), cap: Duration.millis(longestPause) }
const silent = () =>
  new ServiceUnreachable({
    detail: `nothing came over the event stream for ${Duration.toSeconds(longestSilence)} seconds`,
    maybeAccepted: true
  })
