/**
 * One call over `fetch`, without a client in between.
 *
 * `fetch` promises; this is the one place where its promises are met. Redirects are left to the caller, and the body is
 * read chunk by chunk only where its length is not known beforehand.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import { InvalidResponse, TransportError, Unsendable } from "../step/FailureModel.ts"
import type { Response } from "../step/ReplyModel.ts"
import type { Request } from "../step/Request.ts"
import { type CallFailure, cutShort, failureOf } from "./Causes.ts"
import type { OpenCall } from "./OpenCall.ts"
import type { Call } from "./Redirects.ts"
import { announcedLength, Collected, EMPTY, isBodiless, isFinalStatus, tooLarge } from "./ResponseBody.ts"

/** What `fetch` may be told besides the request itself. */
export type FetchInit = Omit<RequestInit, "body" | "headers" | "method" | "redirect" | "signal">

/** A `fetch` of the platform's shape. */
export type Fetch = (url: string, init: RequestInit) => Promise<globalThis.Response>

/** The platform's own, looked up at each call. */
export const platform: Fetch = (url, init) => globalThis.fetch(url, init)

/** Why `fetch` cannot send this request, if it cannot. */
export const refusal = (request: Request): TransportError | undefined => {
  const { body, method } = request
  if ((method === "GET" || method === "HEAD") && body !== undefined && body.length > 0) {
    return unsendable(`fetch cannot send ${method} with a body: use another method, the Node transport, or PERFORMANCE`)
  }
  return method === "TRACE" || method === "TRACK" ? unsendable(`fetch does not send ${method}`) : undefined
}

/** Makes the call; interruption aborts it. */
export const over =
  (fetch: Fetch, init: FetchInit, limit: number): Call =>
  (request, time, isFirst) =>
    Effect.callback<Response, TransportError>((resume) => {
      const refused = refusal(request)
      if (refused !== undefined) return resume(Exit.fail(refused))
      const abort = new AbortController()
      const inTime = time.watch((expired) => {
        resume(expired)
        abort.abort()
      }, isFirst)
      const settle: Settle = (result) => {
        inTime()
        resume(result)
      }
      const options = optionsOf(request, init, abort.signal)
      const fail = (cause: unknown) => settle(Exit.fail(new TransportError({ reason: failureOf(cause) })))
      const sent = Result.try(() => fetch(request.url, options))
      if (Result.isFailure(sent)) return fail(sent.failure)
      // the second step also catches what is wrong with an answer that a `fetch` of one's own made up
      sent.success
        .then((answer) => receive({ method: request.method, answer, limit, abort, settle }))
        .then(undefined, fail)
      return Effect.sync(() => {
        inTime()
        abort.abort()
      })
    })

/** Makes calls whose answers are read as they come. */
export const opening =
  (fetch: Fetch, init: FetchInit): OpenCall =>
  (request) =>
    Effect.flatMap(
      Effect.acquireRelease(
        Effect.sync(() => new AbortController()),
        (abort) => Effect.sync(() => abort.abort())
      ),
      ({ signal }) =>
        promised(() => fetch(request.url, optionsOf(request, init, signal))).pipe(
          Effect.map((answer) => {
            const reader = answer.body?.getReader()
            return {
              status: answer.status,
              headers: headersOf(answer),
              next:
                reader === undefined
                  ? Effect.undefined
                  : Effect.map(
                      promised(() => reader.read()),
                      ({ value }) => value
                    )
            }
          })
        )
    )

/** Waits for a promise of the platform. Whoever is interrupted meanwhile aborts what it promised by another way. */
const promised = <A>(make: () => Promise<A>): Effect.Effect<A, CallFailure> =>
  Effect.tryPromise({ try: make, catch: failureOf })

type Settle = (result: Exit.Exit<Response, TransportError>) => void

interface Arrived {
  readonly method: string
  readonly answer: globalThis.Response
  /** The most its body may hold, in bytes. */
  readonly limit: number
  readonly abort: AbortController
  readonly settle: Settle
}

const receive = ({ abort, answer, limit, method, settle }: Arrived): void => {
  const { status } = answer
  const give = (body: Uint8Array) => settle(Exit.succeed({ _tag: "Response", status, headers, body }))
  const fail = (error: TransportError) => {
    settle(Exit.fail(error))
    abort.abort()
  }
  if (!isFinalStatus(status)) return fail(oddStatus(status))
  const headers = headersOf(answer)
  if (answer.body === null) return give(EMPTY)
  if (isBodiless(method, status)) {
    give(EMPTY)
    return abort.abort()
  }
  const announced = headers["content-encoding"] === undefined ? announcedLength(headers["content-length"]) : undefined
  const failTooLarge = (body: Uint8Array) =>
    fail(tooLarge(limit, { _tag: "Response", status, headers, body: body.slice(0, limit) }))
  const broken = (received: number | undefined) => () =>
    settle(Exit.fail(new TransportError({ reason: cutShort(status, received, announced) })))
  if (announced !== undefined && announced <= limit) {
    answer
      .arrayBuffer()
      .then(
        (body) => (body.byteLength > limit ? failTooLarge(new Uint8Array(body)) : give(new Uint8Array(body))),
        broken(undefined)
      )
    return
  }
  const reader = answer.body.getReader()
  const body = new Collected()
  const readOn = (): void => {
    reader.read().then(
      ({ done, value }) => {
        if (done) return give(body.bytes())
        body.add(value)
        return body.length > limit ? failTooLarge(body.bytes()) : readOn()
      },
      () => broken(body.length)()
    )
  }
  readOn()
}

/** Browsers show a redirect they were told not to follow as status 0 without headers. */
export const oddStatus = (status: number): TransportError =>
  new TransportError({
    reason: new InvalidResponse({
      received:
        status === 0
          ? "a redirect that the browser does not show to scripts; ask the URL it leads to"
          : `status ${status}, which HTTP does not have`
    })
  })

const headersOf = (answer: globalThis.Response): { readonly [name: string]: string } => {
  const headers: Record<string, string> = {}
  answer.headers.forEach((value, name) => {
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before}, ${value}`
  })
  return headers
}

// what is not there is left out: fetch takes longer to look at an empty field than at none
const optionsOf = (request: Request, init: FetchInit, signal: AbortSignal): RequestInit => {
  const options: RequestInit = { ...init, method: request.method, redirect: "manual", signal }
  if (Object.keys(request.headers).length > 0) options.headers = request.headers
  const body = bodyOf(request)
  if (body !== null) options.body = body
  return options
}

// bytes, because fetch would add a Content-Type of its own to text
const bodyOf = ({ body }: Request): Uint8Array<ArrayBuffer> | null =>
  body === undefined || body.length === 0
    ? null
    : typeof body === "string"
      ? encoder.encode(body)
      : new Uint8Array(body)

const unsendable = (problem: string) => new TransportError({ reason: new Unsendable({ problem }) })

const encoder = new TextEncoder()
