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
import { type CallFailure, cutShort } from "./CutShort.ts"
import * as LaterCauses from "./LaterCauses.ts"
import type { OpenCall } from "./OpenCall.ts"
import type { Done, ToldCall } from "./Redirects.ts"
import { announcedLength, Collected, EMPTY, isBodiless, isFinalStatus, tooLarge } from "./ResponseBody.ts"
import type { TimeLimit } from "./TimeLimit.ts"

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

/** Makes the call; whoever stops it aborts it. */
export const over =
  (fetch: Fetch, init: FetchInit, limit: number): ToldCall =>
  (request, time, { isFirst }, done) => {
    const refused = refusal(request)
    if (refused === undefined)
      return new Exchange(request.method, limit, done).begin(fetch, request, init, time, isFirst)
    done(Exit.fail(refused))
    return inTime
  }

/** One call, told in promises: one object rather than a closure for each of its ends, because calls are many. */
class Exchange {
  readonly #method: string
  /** The most its body may hold, in bytes. */
  readonly #limit: number
  readonly #resume: Done
  readonly #abort = new AbortController()
  #inTime = inTime

  constructor(method: string, limit: number, resume: Done) {
    this.#method = method
    this.#limit = limit
    this.#resume = resume
  }

  /** Answers what ends it before its time. */
  begin(fetch: Fetch, request: Request, init: FetchInit, time: TimeLimit, isFirst: boolean): () => void {
    this.#inTime = time.watch((expired) => {
      this.#resume(expired)
      this.#abort.abort()
    }, isFirst)
    const sent = Result.try(() => fetch(request.url, optionsOf(request, init, this.#abort.signal)))
    if (Result.isFailure(sent)) this.#failBy(sent.failure)
    else {
      const failBy = (cause: unknown) => this.#failBy(cause)
      // the second step also catches what is wrong with an answer that a `fetch` of one's own made up
      sent.success.then((answer) => this.#receive(answer)).then(undefined, failBy)
    }
    return () => {
      this.#inTime()
      this.#abort.abort()
    }
  }

  #settle(result: Exit.Exit<Response, TransportError>): void {
    this.#inTime()
    this.#resume(result)
  }

  #failBy(cause: unknown): void {
    LaterCauses.failureOf(cause, (reason) => this.#settle(Exit.fail(new TransportError({ reason }))))
  }

  #fail(error: TransportError): void {
    this.#settle(Exit.fail(error))
    this.#abort.abort()
  }

  #give(answer: globalThis.Response, body: Uint8Array): void {
    this.#settle(Exit.succeed(responseOf(answer, body)))
  }

  #end(answer: globalThis.Response, body: Uint8Array): void {
    if (body.length <= this.#limit) return this.#give(answer, body)
    this.#fail(tooLarge(this.#limit, responseOf(answer, body.slice(0, this.#limit))))
  }

  #receive(answer: globalThis.Response): void {
    const { headers, status } = answer
    if (!isFinalStatus(status)) return this.#fail(oddStatus(status))
    if (answer.body === null) return this.#give(answer, EMPTY)
    if (isBodiless(this.#method, status)) {
      this.#give(answer, EMPTY)
      return this.#abort.abort()
    }
    const length = headers.get("content-encoding") === null ? headers.get("content-length") : null
    const announced = announcedLength(length ?? undefined)
    if (announced === undefined || announced > this.#limit) return this.#collect(answer, answer.body, announced)
    answer.arrayBuffer().then(
      (body) => this.#end(answer, new Uint8Array(body)),
      () => this.#break(answer, undefined, announced)
    )
  }

  #collect(answer: globalThis.Response, stream: ReadableStream<Uint8Array>, announced: number | undefined): void {
    const reader = stream.getReader()
    const body = new Collected()
    const readOn = (): void => {
      reader.read().then(
        ({ done, value }) => {
          if (done) return this.#give(answer, body.bytes())
          body.add(value)
          return body.length > this.#limit ? this.#end(answer, body.bytes()) : readOn()
        },
        () => this.#break(answer, body.length, announced)
      )
    }
    readOn()
  }

  #break({ status }: globalThis.Response, received: number | undefined, announced: number | undefined): void {
    this.#settle(Exit.fail(new TransportError({ reason: cutShort(status, received, announced) })))
  }
}

const inTime = (): void => undefined

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
  Effect.tryPromise({ try: make, catch: (cause) => cause }).pipe(Effect.catch(LaterCauses.fail))

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

/** Its headers are read when they are asked for: most answers are a status and a body to whoever called. */
const responseOf = (answer: globalThis.Response, body: Uint8Array): Response => {
  let unread: globalThis.Response | undefined = answer
  let headers: Response["headers"] = NONE
  return {
    _tag: "Response",
    status: answer.status,
    get headers() {
      if (unread !== undefined) headers = headersOf(unread)
      unread = undefined
      return headers
    },
    body
  }
}

const NONE: Response["headers"] = {}

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
