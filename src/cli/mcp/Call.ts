/**
 * How the tools of an agent call the dam: one request each, and a failure that a model can act on.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as RetryAfter from "../../engine/RetryAfter.ts"
import { cleaned } from "../../transport/RemoteAnswer.ts"
import { typed } from "../output/commandName.ts"

/** Where the dam is, and who calls. */
export interface Dam {
  readonly url: string
  readonly apiKey: Redacted.Redacted | undefined
}

/** A call that did not do what it should; the message says what to do now. */
export class CallFailed extends Schema.TaggedError<CallFailed>()("CallFailed", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

/** What a tool needs to call the dam. */
export type Call = (
  method: "GET" | "PATCH" | "POST" | "PUT" | "DELETE",
  path: string,
  body?: { readonly [key: string]: unknown },
  headers?: Readonly<Record<string, string>>
) => Effect.Effect<Schema.JsonObject, CallFailed>

const ErrorBody = Schema.Struct({
  error: Schema.String,
  code: Schema.optionalKey(Schema.String),
  field: Schema.optionalKey(Schema.String),
  limit_reason: Schema.optionalKey(Schema.String),
  limit: Schema.optionalKey(Schema.Number),
  current: Schema.optionalKey(Schema.Number)
})

/** Makes the calls over the `HttpClient` of the surroundings. */
export const make = ({ apiKey, url }: Dam): Effect.Effect<Call, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client): Call => {
    const base = url.replace(/\/+$/, "")
    const failed = (problem: string) => new CallFailed({ problem: cleaned(problem, [apiKey]) })
    return (method, path, body, headers = {}) => {
      const plain = HttpClientRequest.make(method)(`${base}${path}`, { headers }).pipe(
        apiKey === undefined
          ? HttpClientRequest.acceptJson
          : (it) => HttpClientRequest.bearerToken(HttpClientRequest.acceptJson(it), apiKey)
      )
      const request = body === undefined ? plain : HttpClientRequest.bodyJsonUnsafe(plain, body)
      return client.execute(request).pipe(
        Effect.mapError(() =>
          failed(typed(`the dam at ${base} cannot be reached; start it with "ezthrottle dam", then repeat`))
        ),
        Effect.flatMap((response) =>
          response.status < 300
            ? Effect.mapError(HttpClientResponse.schemaBodyJson(Schema.JsonObject)(response), () =>
                failed(`what answers at ${base} is no dam: its answer is no JSON object`)
              )
            : Effect.flatMap(refusal(response), (problem) => failed(problem))
        )
      )
    }
  })

const refusal = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string> =>
  HttpClientResponse.schemaBodyJson(ErrorBody)(response).pipe(
    Effect.map(({ code, current, error, field, limit, limit_reason: reason }) => {
      const full = reason === undefined ? "" : ` (${reason}: ${current} of ${limit})`
      const next = code === "job_not_found" ? notFound : ""
      return `${error}${field === undefined ? "" : ` (field ${field})`}${full}${next}`
    }),
    Effect.catch(() => Effect.succeed(`the dam answered ${response.status}`)),
    Effect.flatMap((said) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const pause = RetryAfter.parse(response.headers, now)
        return `${said}${whatToDo(response.status, pause)}`
      })
    )
  )

const notFound =
  "; look for its id with list_jobs, or enqueue it again: a job is forgotten some time after it has ended, and the jobs of " +
  "other keys are not shown"

const whatToDo = (status: number, pause: Duration.Duration | undefined): string => {
  if (pause !== undefined) return `; retry in ${Math.ceil(Duration.toSeconds(pause))} s`
  if (status === 401 || status === 403) return "; set EZTHROTTLE_API_KEY to a key of this dam, or pass --api-key"
  if (status === 429 || status === 503) return "; retry in 10 s"
  return ""
}
