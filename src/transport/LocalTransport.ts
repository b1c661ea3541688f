/**
 * Exchanges from where the program runs, over any `HttpClient` of Effect or straight over `fetch`.
 *
 * Your own client keeps its middleware; what this transport adds is what every transport promises: at most five
 * redirects, a limit on the body, bytes as they came, typed failures, and a connection that closes when the exchange is
 * interrupted.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import { type HttpClientResponse, toWeb } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { TransportError } from "../step/FailureModel.ts"
import { type Response, response } from "../step/ReplyModel.ts"
import type { Request } from "../step/Request.ts"
import { failureOf } from "./Causes.ts"
import { cutShort } from "./CutShort.ts"
import { calling } from "./ClientCall.ts"
import * as FetchCall from "./FetchCall.ts"
import { type FetchOptions, type LocalOptions, makeFetch } from "./FetchTransport.ts"
import { type Exchanging, HttpTransport } from "./HttpTransport.ts"
import { exchanging } from "./Redirects.ts"
import {
  announcedLength,
  Collected,
  DEFAULT_MAX_BYTES,
  EMPTY,
  isBodiless,
  isFinalStatus,
  tooLarge
} from "./ResponseBody.ts"

export { type FetchInit, type FetchOptions, type LocalOptions, makeFetch } from "./FetchTransport.ts"

/**
 * Makes a transport of any `HttpClient`.
 *
 * **Details** — the client's own span and `traceparent` are switched off for these calls: the interpreter traces
 * attempts. A client that fails on a status (`filterStatusOk`) still answers with it here.
 *
 * **Gotchas** — a `FetchHttpClient.RequestInit` inside the client's layer is replaced, because `fetch` would follow
 * redirects itself: pass it as `requestInit`. A client that does not undo `Content-Encoding` brings the body encoded.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (client: HttpClient.HttpClient, options: LocalOptions = {}): Exchanging => {
  const limit = options.maxResponseBytes ?? DEFAULT_MAX_BYTES
  const call = calling(client, options.requestInit)
  return exchanging((request) =>
    call(request).pipe(
      Effect.mapError((error) => failed(request, error)),
      Effect.flatMap((answer) => read(request.method, answer, limit)),
      // whatever is left of the answer when the scope closes is not wanted any more
      Effect.scoped
    )
  )
}

/**
 * Provides the transport over the `HttpClient` of the surroundings.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: LocalOptions): Layer.Layer<HttpTransport, never, HttpClient.HttpClient> =>
  Layer.effect(
    HttpTransport,
    Effect.map(HttpClient.HttpClient, (client) => make(client, options))
  )

/**
 * Provides the transport over `fetch`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFetch = (options?: FetchOptions): Layer.Layer<HttpTransport> =>
  Layer.sync(HttpTransport, () => makeFetch(options))

/** `fetch` refuses what it cannot send in words only, without a code. */
const failed = (request: Request, error: HttpClientError): TransportError => {
  const reason = failureOf(error)
  const unexplained = reason._tag === "ConnectionFailed" && reason.kind === "other"
  return (unexplained ? FetchCall.refusal(request) : undefined) ?? new TransportError({ reason })
}

const read = (method: string, answer: HttpClientResponse, limit: number): Effect.Effect<Response, TransportError> => {
  const { status } = answer
  if (!isFinalStatus(status)) return Effect.fail(FetchCall.oddStatus(status))
  const headers: Record<string, string> = { ...answer.headers, ...cookiesOf(answer) }
  if (isBodiless(method, status)) return Effect.succeed(response(status, headers))
  const announced = headers["content-encoding"] === undefined ? announcedLength(headers["content-length"]) : undefined
  const isWhole = announced !== undefined && announced <= limit
  const collected = new Collected()
  return Effect.matchEffect(isWhole ? whole(answer, collected) : drain(answer, collected, limit), {
    onSuccess: () =>
      collected.length > limit
        ? Effect.fail(tooLarge(limit, response(status, headers, collected.bytes().slice(0, limit))))
        : Effect.succeed(response(status, headers, collected.bytes())),
    onFailure: ({ reason }) =>
      reason._tag === "EmptyBodyError"
        ? Effect.succeed(response(status, headers, EMPTY))
        : Effect.fail(
            new TransportError({
              reason: cutShort(status, isWhole ? undefined : collected.length, announced)
            })
          )
  })
}

/** Of several cookies Effect's headers keep the last one only; the answer of `fetch` underneath has them all. */
const cookiesOf = (answer: HttpClientResponse): { readonly [name: string]: string } => {
  if (answer.headers["set-cookie"] === undefined) return {}
  const web = Option.getOrUndefined(toWeb(answer))
  return web === undefined ? {} : { "set-cookie": web.headers.getSetCookie().join(", ") }
}

/** The length is announced and within the limit: one piece. */
const whole = (answer: HttpClientResponse, into: Collected): Effect.Effect<void, HttpClientError> =>
  Effect.map(answer.arrayBuffer, (body) => into.add(new Uint8Array(body)))

/** The length is not known: chunk by chunk, no further than the limit. */
const drain = (answer: HttpClientResponse, into: Collected, limit: number): Effect.Effect<void, HttpClientError> =>
  Stream.runForEachWhile(answer.stream, (chunk) =>
    Effect.sync(() => {
      into.add(chunk)
      return into.length <= limit
    })
  )
