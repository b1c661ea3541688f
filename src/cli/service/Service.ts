/** The service as the commands call it: one request each, every answer either what was asked for or a `Problem`. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as JsonTextSchema from "../../step/JsonTextSchema.ts"
import * as RetryAfter from "../../engine/RetryAfter.ts"
import { excerpt } from "../../step/Failure.ts"
import type { Request } from "../../step/Request.ts"
import * as EzthrottleApi from "../../transport/EzthrottleApi.ts"
import * as FetchCall from "../../transport/FetchCall.ts"
import type { Opened } from "../../transport/OpenCall.ts"
import { cleaned, readBody, readText, unreachable } from "../../transport/RemoteAnswer.ts"
import { type Problem, problem } from "../output/Problem.ts"
import { type Query, queryText } from "./Query.ts"
import * as Refusals from "./Refusals.ts"
import type { Target } from "./Target.ts"

export interface Call<A> {
  readonly method?: "GET" | "PATCH" | "POST" | "PUT" | "DELETE"
  readonly headers?: Readonly<Record<string, string>>
  /** Below the base of the service, from its first slash. */
  readonly path: string
  readonly query?: Query
  readonly body?: Schema.Json
  /** Lines of JSON, instead of one. */
  readonly lines?: string
  readonly schema: Schema.ConstraintDecoder<A>
  /** Whether the cloud has this route too. */
  readonly cloud?: boolean
  /** What no error may repeat. */
  readonly secrets?: ReadonlyArray<Redacted.Redacted>
  /** How long the answer may take. Defaults to 30 seconds. */
  readonly timeout?: Duration.Input
}

export interface Answer<A> {
  readonly value: A
  /** All of it, for programs. */
  readonly json: Schema.Json
}

/** An answer as it came. */
export interface Raw {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export class Service extends Context.Service<
  Service,
  {
    readonly target: Target
    /** Calls it, and decodes a 2xx. */
    readonly call: <A>(call: Call<A>) => Effect.Effect<Answer<A>, Problem>
    /** Asks it for whatever it says, refusals included. */
    readonly ask: (path: string) => Effect.Effect<Raw, Problem>
    /** Opens an event stream; each `next` is the events that came, `undefined` its end. */
    readonly events: (
      path: string,
      lastEventId: string | undefined
    ) => Effect.Effect<Effect.Effect<ReadonlyArray<Sse.AnyEvent> | undefined, Problem>, Problem, Scope.Scope>
  }
>()("ezthrottle-effect/cli/Service") {}

export const make = (target: Target): Service["Service"] => {
  const open = opening(target)
  const exchange = exchanging(target, open)
  const proxied = proxying(target)
  const direct = ({ body, headers, lines, method = "GET", path, query, timeout = "30 seconds" }: Call<unknown>) =>
    exchange(
      {
        method,
        url: target.url + path + queryText(query),
        headers: {
          accept: "application/json",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(lines === undefined ? {} : { "content-type": "application/x-ndjson" }),
          ...headers
        },
        body: body === undefined ? lines : JSON.stringify(body)
      },
      timeout
    )

  return {
    target,
    call: Effect.fnUntraced(function* <A>(call: Call<A>): Effect.fn.Return<Answer<A>, Problem> {
      if (target.kind === "cloud" && call.cloud !== true)
        return yield* Effect.fail(Refusals.notOffered(target, call.path))
      return yield* read(target, call, yield* target.kind === "cloud" ? proxied(call) : direct(call))
    }),
    ask: (path) => exchange({ method: "GET", url: target.url + path, headers: {}, body: undefined }, "10 seconds"),
    events: Effect.fnUntraced(function* (path, lastEventId) {
      if (target.kind === "cloud") return yield* Effect.fail(Refusals.notOffered(target, path))
      const opened = yield* open({
        method: "GET",
        url: target.url + path,
        headers: {
          accept: "text/event-stream",
          ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId })
        },
        body: undefined
      })
      // 204: there is nothing after the last event
      if (opened.status === 200 || opened.status === 204) return eventsIn(target, opened)
      const { body } = yield* bodyOf(target, opened)
      return yield* Effect.fail(Refusals.ofAnswer(target, path, { status: opened.status, body }, undefined))
    })
  }
}

type Open = (request: Request) => Effect.Effect<Opened, Problem, Scope.Scope>

/** Opens a call to the service itself. */
const opening = (target: Target): Open => {
  const send = FetchCall.opening(FetchCall.platform, {})
  return (request) =>
    Effect.mapError(send(withKey(request, target)), (failure) =>
      failure._tag === "ConnectionFailed"
        ? Refusals.ofConnection(target, failure)
        : failure._tag === "TlsError"
          ? Refusals.ofTls(target, failure)
          : Refusals.ofFailure(target, unreachable(failure))
    )
}

/** Makes a call and reads all of its answer, in time. */
const exchanging = (target: Target, open: Open) => (request: Request, timeout: Duration.Input) =>
  Effect.scoped(
    Effect.gen(function* () {
      const opened = yield* open(request)
      const { body } = yield* bodyOf(target, opened)
      return { status: opened.status, headers: opened.headers, body } satisfies Raw
    })
  ).pipe(
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.fail(
          problem(
            "unreachable",
            `${target.url} gave no answer within ${Duration.format(Duration.fromInputUnsafe(timeout))}`,
            { next: "try again, or look with `ezthrottle doctor`" }
          )
        )
    })
  )

/** Makes a call through the proxy of the cloud. */
const proxying = (target: Target) => {
  const cloud = EzthrottleApi.makeFetch({
    apiKey: target.apiKey,
    ezthrottleUrl: target.url,
    tracktagsUrl: target.proxyUrl
  })
  return ({ body, method = "GET", path, secrets = [] }: Call<unknown>): Effect.Effect<Raw, Problem> =>
    cloud
      .proxied({
        path,
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        secrets,
        read: (forwarded) => Result.succeed(forwarded)
      })
      .pipe(Effect.mapError((failure) => Refusals.ofFailure(target, failure)))
}

/** Decodes a 2xx; anything else is a refusal. No error repeats a secret that the answer quotes. */
const read = Effect.fnUntraced(function* <A>(
  target: Target,
  call: Call<A>,
  answer: Raw
): Effect.fn.Return<Answer<A>, Problem> {
  const secrets = [target.apiKey, ...(call.secrets ?? [])]
  if (answer.status < 200 || answer.status > 299) {
    const now = yield* Clock.currentTimeMillis
    const pause = RetryAfter.parse(answer.headers, now)
    return yield* Effect.fail(
      Refusals.ofAnswer(target, call.path, { ...answer, body: cleaned(answer.body, secrets) }, pause)
    )
  }
  const malformed = (text: string) =>
    problem("failed", `${target.url} answered ${call.path} with something else than this command expects`, {
      next: "compare its version with `ezthrottle --version`",
      code: "malformed_answer",
      details: [text, excerpt(cleaned(answer.body, secrets))]
    })
  const json = yield* Effect.fromResult(Result.mapError(parseJson(answer.body), ({ message }) => malformed(message)))
  const value = yield* Effect.mapError(Schema.decodeUnknownEffect(call.schema)(json), ({ message }) =>
    malformed(cleaned(message, secrets))
  )
  return { value, json }
})

const bodyOf = (target: Target, opened: Opened) =>
  Effect.mapError(readBody(opened, EzthrottleApi.maxDirectBytes), (failure) => Refusals.ofFailure(target, failure))

/** The events of a stream as they come. */
const eventsIn = (target: Target, opened: Opened) => {
  const arrived: Array<Sse.AnyEvent> = []
  const parser = Sse.makeParser((event) => arrived.push(event))
  return Effect.mapBoth(readText(opened), {
    onSuccess: (piece) => {
      if (piece === undefined) return undefined
      parser.feed(piece)
      return arrived.splice(0)
    },
    onFailure: (failure) => Refusals.ofFailure(target, failure)
  })
}

const parseJson = Schema.decodeUnknownResult(JsonTextSchema.schema(Schema.Json))

const withKey = (request: Request, { apiKey }: Target): Request =>
  apiKey === undefined
    ? request
    : { ...request, headers: { ...request.headers, authorization: `Bearer ${Redacted.value(apiKey)}` } }
