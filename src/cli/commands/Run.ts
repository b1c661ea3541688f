/** `ezthrottle run`: a step executed here, each attempt shown when it ends. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Redacted from "effect/Redacted"
import * as EZThrottle from "../../run/EZThrottle.ts"
import { type Event, Observer } from "../../run/Observer.ts"
import * as RemoteService from "../../run/RemoteService.ts"
import type { JobResult } from "../../run/Service.ts"
import * as History from "../../step/History.ts"
import type { Accepted, Chained, Outcome, StepError } from "../../step/Outcome.ts"
import * as Reply from "../../step/Reply.ts"
import { type StepType } from "../../step/StepModel.ts"
import { makeStep } from "../../step/StepValue.ts"
import * as EzthrottleApi from "../../transport/EzthrottleApi.ts"
import * as Strategies from "../../transport/Strategies.ts"
import * as UndiciTransport from "../../transport/UndiciTransport.ts"
import * as Globals from "../output/Globals.ts"
import * as Output from "../output/Output.ts"
import { problem } from "../output/Problem.ts"
import * as Refusals from "../service/Refusals.ts"
import { Service } from "../service/Service.ts"
import * as StepFile from "./StepFile.ts"
import { readBy, type Target } from "../service/Target.ts"

export interface Options {
  readonly file: string
  readonly type: StepType | undefined
  /** Whether to wait for the result of what was handed over. */
  readonly wait: boolean
  /** How long to wait for it, in milliseconds. */
  readonly timeout: number
}

export const run = (options: Options) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { target } = yield* Service
      const read = yield* StepFile.read(options.file)
      const step = options.type === undefined ? read : makeStep({ ...read, type: options.type })
      const client = yield* clientFor(target)
      const outcome = yield* client.execute(step).pipe(
        Effect.provideService(Observer, yield* observer),
        Effect.mapError((error) => ended(target, error))
      )
      if (outcome._tag === "Completed") return yield* told(outcome)
      yield* Output.note(
        `handed over to ${target.url} as ${outcome.jobId}${outcome.duplicate ? ", which it knew already" : ""}`
      )
      if (!options.wait || target.kind === "cloud") {
        return yield* Output.print(accepted(outcome), () => outcome.jobId)
      }
      const result = yield* client.awaitJob(outcome.jobId, { timeout: options.timeout }).pipe(
        Effect.mapError(({ reason }) => {
          if (reason._tag === "AwaitTimedOut") {
            return problem("timedOut", `job ${outcome.jobId} has not ended after ${Output.span(options.timeout)}`, {
              next: `it goes on; \`ezthrottle jobs wait ${outcome.jobId}\` waits for it`
            })
          }
          return problem("failed", reason.message, { next: `look with \`ezthrottle jobs show ${outcome.jobId}\`` })
        })
      )
      yield* awaited(outcome, result)
    })
  )

const clientFor = Effect.fnUntraced(function* (target: Target) {
  const api = EzthrottleApi.makeFetch({
    // a dam without keys asks for none, and the client sends one all the same
    apiKey: target.apiKey ?? (target.kind === "dam" ? Redacted.make("none") : undefined),
    ezthrottleUrl: target.url,
    tracktagsUrl: target.proxyUrl
  })
  const service = yield* RemoteService.make(api, readBy(target))
  return EZThrottle.make(Strategies.client(yield* UndiciTransport.make(), service.transport), service)
})

/** A line for every attempt, on standard error; the result alone is on standard output. */
const observer = Effect.gen(function* () {
  const console = yield* Console.Console
  const paint = yield* Output.paint
  const isJson = yield* Globals.Json
  return ({ _tag, ...event }: Event) => {
    if (_tag !== "Ended" || isJson || !("ending" in event.attempt)) return
    const { attempt, step } = event
    const good = attempt.ending._tag === "Answered" && attempt.ending.status < 300
    const path = attempt.path === 0 ? "" : `fallback ${attempt.path} `
    const line = `${path}${step.request.method} ${Output.target(step.request.url)}  ${Output.plain(History.format(attempt), 300)}`
    console.error(`${paint(good ? "green" : "yellow", good ? "ok" : "--")}  ${line}`)
  }
})

const told = Effect.fnUntraced(function* (outcome: Extract<Outcome, { readonly _tag: "Completed" }>) {
  const { chained, path, region, response } = outcome
  const place = region === undefined ? "" : ` in ${region}`
  const by = path === 0 ? "" : ` by fallback ${path}`
  yield* Output.note(`${response.status}${place}${by}, ${response.body.length} bytes`)
  if (chained !== undefined) yield* Output.note(chainedText(chained))
  yield* Output.print(
    {
      outcome: "completed",
      ...responseJson(response),
      region: region ?? null,
      path,
      attempts: outcome.history.map(attemptJson),
      chained: chained === undefined ? null : chainedJson(chained)
    },
    () => bodyText(response)
  )
})

const awaited = Effect.fnUntraced(function* (outcome: Accepted, result: JobResult) {
  yield* Output.note(
    `${result.jobId} ${result.status}${result.response === undefined ? "" : `: ${result.response.status}`}`
  )
  yield* Output.print(
    {
      ...accepted(outcome),
      status: result.status,
      ...(result.response === undefined ? {} : { response: responseJson(result.response) }),
      error: result.error ?? null
    },
    () => (result.response === undefined ? "" : bodyText(result.response))
  )
  if (result.status === "success") return
  yield* Effect.fail(
    problem("endedBadly", `job ${result.jobId} failed: ${Output.plain(result.error ?? "no reason was told", 300)}`, {
      next: `look with \`ezthrottle jobs show ${result.jobId}\``,
      code: "job_failed"
    })
  )
})

const accepted = ({ duplicate, jobId, key, status }: Accepted): Schema.JsonObject => ({
  outcome: "accepted",
  job_id: jobId,
  status,
  idempotent_key: key ?? null,
  duplicate
})

const responseJson = (response: Reply.Response): Schema.JsonObject => ({
  status_code: response.status,
  headers: { ...response.headers },
  ...(Reply.isText(response)
    ? { body: Reply.text(response) }
    : { body: "", body_base64: Buffer.from(response.body).toString("base64") })
})

/** Bytes that are no text do not belong on a terminal. */
const bodyText = (response: Reply.Response): string =>
  Reply.isText(response) ? Reply.text(response) : `${response.body.length} bytes that are no text; --json has them`

const attemptJson = ({ at, ending, kind, latency, path, pause, region }: History.Attempt): Schema.JsonObject => ({
  path,
  kind,
  region: region ?? null,
  at,
  pause_ms: pause,
  latency_ms: latency,
  ending: ending._tag.toLowerCase(),
  status: ending._tag === "Answered" ? ending.status : null,
  ...(ending._tag === "Failed" ? { error: ending.failure.message } : {})
})

const chainedText = (chained: Chained): string => {
  const name = chained.relation === "onSuccess" ? "on success" : "on failure"
  switch (chained._tag) {
    case "Ended":
      return `${name}: ${chained.outcome._tag === "Completed" ? chained.outcome.response.status : `handed over as ${chained.outcome.jobId}`}`
    case "Failed":
      return `${name}: ${Output.plain(chained.error.message, 300)}`
    case "Started":
      return `${name}: runs as ${chained.jobId}`
  }
}

const chainedJson = (chained: Chained): Schema.JsonObject => ({
  relation: chained.relation,
  outcome: chained._tag.toLowerCase(),
  ...(chained._tag === "Started" ? { job_id: chained.jobId } : {}),
  ...(chained._tag === "Failed" ? { error: chained.error.message } : {}),
  ...(chained._tag === "Ended"
    ? chained.outcome._tag === "Completed"
      ? { status_code: chained.outcome.response.status }
      : { job_id: chained.outcome.jobId }
    : {})
})

/** A step that ended badly, with what its reason asks for. */
const ended = (target: Target, error: StepError) => {
  const { chained, history, reason } = error
  const details = [...history.map(History.format), ...(chained === undefined ? [] : [chainedText(chained)])]
  switch (reason._tag) {
    case "InvalidStep":
      return problem("usage", reason.message, { code: "bad_step" })
    case "LimitsNotKept":
      return problem("usage", reason.message, { code: "limits_not_kept" })
    case "MissingApiKey":
    case "ServiceDenied":
    case "ServiceUnreachable":
    case "ServiceRateLimited": {
      const refusal = Refusals.ofFailure(target, reason)
      return problem(
        reason._tag === "ServiceUnreachable"
          ? "unreachable"
          : reason._tag === "ServiceRateLimited"
            ? "failed"
            : "denied",
        refusal.problem,
        { next: refusal.next, code: refusal.code, details: [...details, ...refusal.details] }
      )
    }
    default:
      return problem("endedBadly", Output.plain(error.message, 500), {
        next: details.length > 1 ? "--verbose shows every attempt" : undefined,
        code: "step_failed",
        details
      })
  }
}
