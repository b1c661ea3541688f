/** Calls over an `HttpClient` of Effect, the user's own included. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constTrue } from "effect/Function"
import { RequestInit as FetchRequestInit } from "effect/http/FetchHttpClient"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Request } from "../step/Request.ts"
import { failureOf } from "./Causes.ts"
import type { FetchInit } from "./FetchCall.ts"
import type { OpenCall } from "./OpenCall.ts"
import { Collected } from "./ResponseBody.ts"

/**
 * Calls as every transport makes them: without the client's own span and `traceparent`, no redirect followed by clients
 * made of `fetch`, and an answer whatever its status.
 */
export const calling = (
  client: HttpClient.HttpClient,
  init: FetchInit | undefined
): ((request: Request) => Effect.Effect<HttpClientResponse, HttpClientError, Scope.Scope>) => {
  const closing = HttpClient.withScope(client)
  const manner = Context.make(HttpClient.TracerDisabledWhen, constTrue).pipe(
    Context.add(FetchRequestInit, { ...init, redirect: "manual" })
  )
  return (request) =>
    closing.execute(toClientRequest(request)).pipe(
      Effect.provideContext(manner),
      Effect.catch((error) => answerIn(error) ?? Effect.fail(error))
    )
}

/** Calls whose answers are read as they come. */
export const opening = (client: HttpClient.HttpClient, init: FetchInit | undefined): OpenCall => {
  const call = calling(client, init)
  return Effect.fnUntraced(function* (request: Request) {
    const answer = yield* Effect.mapError(call(request), failureOf)
    const pull = yield* Stream.toPull(answer.stream)
    return {
      status: answer.status,
      headers: answer.headers,
      next: Pull.matchEffect(pull, {
        onSuccess: (chunks) => Effect.sync(() => joined(chunks)),
        onFailure: Effect.failCause,
        onDone: () => Effect.undefined
      }).pipe(
        Effect.catch((error) =>
          error.reason._tag === "EmptyBodyError" ? Effect.undefined : Effect.fail(failureOf(error))
        )
      )
    }
  })
}

const joined = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  const collected = new Collected()
  for (const chunk of chunks) collected.add(chunk)
  return collected.bytes()
}

// raw bytes, because a client would add a Content-Type of its own to text
const toClientRequest = ({ body, headers, method, url }: Request): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.makeWith(
    method,
    url,
    UrlParams.empty,
    Option.none(),
    Headers.fromInput(headers),
    body === undefined || body.length === 0
      ? HttpBody.empty
      : HttpBody.raw(typeof body === "string" ? encoder.encode(body) : body)
  )

// clients that fail on a status still have the answer
const answerIn = ({ reason }: HttpClientError): Effect.Effect<HttpClientResponse> | undefined =>
  reason._tag === "StatusCodeError" ? Effect.succeed(reason.response) : undefined

const encoder = new TextEncoder()
