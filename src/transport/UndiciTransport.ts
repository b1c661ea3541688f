/**
 * Exchanges over undici's dispatcher, without a client in between: the transport to take on Node.
 *
 * One call is one dispatch and one callback; bodies are collected as they arrive and never become a stream. Connections
 * are kept and reused; interrupting an exchange closes its connection at once.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Agent, buildConnector, type Dispatcher, ProxyAgent } from "undici"
import {
  type Failure,
  InvalidEncoding,
  InvalidResponse,
  TooManyInterim,
  TransportError,
  UnsupportedEncoding
} from "../step/FailureModel.ts"
import type { Response } from "../step/ReplyModel.ts"
import type { Request } from "../step/Request.ts"
import { isUnsafe } from "../engine/Idempotency.ts"
import { failureOf } from "./Causes.ts"
import { cutShort } from "./CutShort.ts"
import { decodeContent, roomForEncoded } from "./ContentEncoding.ts"
import { type Exchanging, HttpTransport } from "./HttpTransport.ts"
import * as Interim from "./Interim.ts"
import * as Opened from "./Opened.ts"
import { type Done, type Follows, told, type ToldCall } from "./Redirects.ts"
import {
  announcedLength,
  Collected,
  DEFAULT_MAX_BYTES,
  EMPTY,
  isBodiless,
  isFinalStatus,
  type ResponseLimits,
  tooLarge
} from "./ResponseBody.ts"
import * as TimeLimit from "./TimeLimit.ts"

/**
 * How connections are made.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionOptions extends ResponseLimits {
  /** How long a connection may take to be established. Defaults to 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /** Connections to one origin at most; further calls wait for one. Unlimited by default. */
  readonly connectionsPerOrigin?: number | undefined
}

/**
 * How the transport reaches its targets.
 *
 * @category models
 * @since 0.1.0
 */
export interface UndiciOptions extends ConnectionOptions {
  /** A dispatcher of your own; it stays yours to close, and the connection options above are its business. */
  readonly dispatcher?: Dispatcher | undefined
  /**
   * Sends again at once, whatever the method, when a connection that was kept turns out to be closed. Without it only
   * requests that may arrive twice are sent again: GET and its like, and those with an `Idempotency-Key`.
   * Defaults to `false`.
   */
  readonly atLeastOnce?: boolean | undefined
  /**
   * Follows up to five redirects of GET and HEAD. Defaults to `true`; with `false` the 3xx is the answer. `sameRequest`
   * follows the 307 and 308 of any method instead, with the same request.
   */
  readonly followRedirects?: Follows | undefined
  /** The `User-Agent` of calls that have none of their own. Defaults to none: targets are told nothing. */
  readonly userAgent?: string | undefined
}

/**
 * Makes a transport whose connections are closed with the scope.
 *
 * **Details** — the body is decoded as its `Content-Encoding` says (gzip, deflate, br, zstd; five layers at most), the
 * headers stay as they came. No other header is added: ask for compression with `Accept-Encoding`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: UndiciOptions = {}): Effect.Effect<Exchanging, never, Scope.Scope> =>
  options.dispatcher === undefined
    ? Effect.map(
        owned(() => new Agent({ ...settings(options), connect: Interim.skipping(connector(options)) })),
        (agent) => over(agent, options)
      )
    : Effect.succeed(over(options.dispatcher, options))

/**
 * Makes a transport that leaves through a proxy: `http://`, `https://` or `socks5://`, with user name and password
 * where the proxy wants them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const proxied = (
  proxy: string,
  options: ConnectionOptions = {}
): Effect.Effect<Exchanging, never, Scope.Scope> =>
  Effect.map(
    owned(() => new ProxyAgent({ ...settings(options), connectTimeout: connectMillis(options), uri: proxy })),
    (agent) => over(agent, options)
  )

/**
 * Provides the transport; its connections are closed with the layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: UndiciOptions): Layer.Layer<HttpTransport> => Layer.effect(HttpTransport, make(options))

const connectMillis = (options: ConnectionOptions): number =>
  Duration.toMillis(options.connectTimeout ?? Duration.seconds(5))

const connector = (options: ConnectionOptions): buildConnector.connector =>
  buildConnector({ allowH2: false, timeout: connectMillis(options) })

const settings = (options: ConnectionOptions): Agent.Options => ({
  // what is tested here is HTTP/1.1; a dispatcher of one's own may speak HTTP/2
  allowH2: false,
  connect: { timeout: connectMillis(options) },
  connections: options.connectionsPerOrigin ?? null
})

const owned = <D extends Dispatcher>(open: () => D): Effect.Effect<D, never, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(open), (dispatcher) => Effect.promise(() => dispatcher.destroy()))

const over = (dispatcher: Dispatcher, options: Omit<UndiciOptions, "dispatcher">): Exchanging => {
  const way: Way = {
    dispatcher,
    limit: options.maxResponseBytes ?? DEFAULT_MAX_BYTES,
    atLeastOnce: options.atLeastOnce === true,
    opened: Opened.countOf(dispatcher),
    userAgent: options.userAgent
  }
  const call: ToldCall = (request, time, { isFirst, isOnce }, done) => {
    const inTime = time.watch((expired) => {
      done(expired)
      answer.abort()
    }, isFirst)
    const answer = new Answer(way, request, isOnce, (result) => {
      inTime()
      done(result)
    })
    answer.dispatch()
    return () => {
      inTime()
      answer.abort()
    }
  }
  return TimeLimit.keeping(told(call, options.followRedirects))
}

/** What all calls of a transport share. */
interface Way {
  readonly dispatcher: Dispatcher
  readonly limit: number
  readonly atLeastOnce: boolean
  readonly opened: (() => number) | undefined
  readonly userAgent: string | undefined
}

/** One call, told in callbacks. Once settled it ignores whatever else arrives. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #way: Way
  readonly #request: Request
  readonly #method: string
  readonly #limit: number
  readonly #resume: Done
  readonly #isOnce: boolean
  #controller: Dispatcher.DispatchController | undefined = undefined
  #settled = false
  #openedBefore: number | undefined = undefined
  /** No connection was opened before it was sent, so it went over an older one. */
  #reused = false
  #sentAgain = false
  #interim = 0
  #status = 0
  #headers: Record<string, string> = NO_HEADERS
  #announced: number | undefined = undefined
  /** What the body may weigh on the wire; with a `Content-Encoding` it may be heavier than what it holds. */
  #wireLimit = 0
  #body: Collected | undefined = undefined

  constructor(way: Way, request: Request, isOnce: boolean, resume: Done) {
    this.#way = way
    this.#request = request
    this.#method = request.method
    this.#limit = way.limit
    this.#resume = resume
    this.#isOnce = isOnce
  }

  dispatch(): void {
    const request = this.#request
    try {
      const url = new URL(request.url)
      this.#openedBefore = this.#way.opened?.()
      this.#way.dispatcher.dispatch(
        {
          origin: url.origin,
          path: url.search === "" ? url.pathname : url.pathname + url.search,
          method: request.method,
          headers: this.#headersOf(request),
          body: request.body ?? null,
          // the interpreter bounds the attempt
          headersTimeout: 0,
          bodyTimeout: 0
        },
        this
      )
    } catch (cause) {
      this.#fail(failureOf(cause))
    }
  }

  #headersOf({ headers }: Request): Readonly<Record<string, string>> {
    const { userAgent } = this.#way
    if (userAgent === undefined) return headers
    for (const name in headers) if (name.length === 10 && name.toLowerCase() === "user-agent") return headers
    return { "User-Agent": userAgent, ...headers }
  }

  /** Before the request has a connection there is nothing to close yet: `onRequestStart` does it then. */
  abort(): void {
    this.#settled = true
    this.#controller?.abort(ABORTED)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#reused = this.#openedBefore !== undefined && this.#openedBefore === this.#way.opened?.()
    if (this.#settled) controller.abort(ABORTED)
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | Array<string> | undefined>
  ): void {
    if (this.#settled) return
    if (status >= 100 && status < 200) {
      this.#interim++
      if (this.#interim > MAX_INTERIM) this.#fail(new TooManyInterim({ limit: MAX_INTERIM }))
      return
    }
    if (!isFinalStatus(status)) {
      return this.#fail(new InvalidResponse({ received: `status ${status}, which HTTP does not have` }))
    }
    this.#status = status
    this.#headers = joined(headers)
    if (isBodiless(this.#method, status)) return
    this.#wireLimit = this.#headers["content-encoding"] === undefined ? this.#limit : roomForEncoded(this.#limit)
    this.#announced = announcedLength(this.#headers["content-length"])
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#settled || isBodiless(this.#method, this.#status)) return
    this.#body ??= new Collected()
    this.#body.add(chunk)
    if (this.#body.length > this.#wireLimit) this.#tooLarge(this.#body.bytes())
  }

  onResponseEnd(): void {
    if (this.#settled) return
    const body = this.#body === undefined ? EMPTY : this.#body.bytes()
    const encoding = this.#headers["content-encoding"]
    if (encoding === undefined || body.length === 0) return this.#succeed(body)
    decodeContent(body, encoding, this.#limit, (decoded) => {
      if (this.#settled) return
      if (decoded._tag === "Decoded") return this.#succeed(decoded.bytes)
      if (decoded._tag === "TooLarge") return this.#tooLarge(body)
      const reason =
        decoded._tag === "Unsupported"
          ? new UnsupportedEncoding({ status: this.#status, layers: decoded.layers })
          : new InvalidEncoding({ received: `status ${this.#status} and ${decoded.problem}` })
      this.#fail(reason, this.#answer(body.slice(0, RAW_BYTES)))
    })
  }

  onResponseError(_: unknown, cause: unknown): void {
    if (this.#settled) return
    if (this.#status > 0) return this.#fail(cutShort(this.#status, this.#body?.length ?? 0, this.#announced))
    const reason = failureOf(cause)
    const isStale = this.#reused && this.#interim === 0 && reason._tag === "ConnectionFailed" && reason.kind === "reset"
    if (!isStale || this.#sentAgain || !(this.#way.atLeastOnce || mayArriveTwice(this.#request, this.#isOnce)))
      return this.#fail(reason)
    this.#sentAgain = true
    // the target closed a connection that it had kept, in the moment in which it was used
    queueMicrotask(() => {
      if (!this.#settled) this.dispatch()
    })
  }

  #succeed(body: Uint8Array): void {
    this.#settle(Exit.succeed(this.#answer(body)))
  }

  #answer(body: Uint8Array): Response {
    return { _tag: "Response", status: this.#status, headers: this.#headers, body }
  }

  #fail(reason: Failure, kept?: Response): void {
    this.#end(new TransportError(kept === undefined ? { reason } : { reason, kept }))
  }

  #end(error: TransportError): void {
    this.#settle(Exit.fail(error))
    this.#controller?.abort(ABORTED)
  }

  /** Not from within undici's parser: there the connection is not free yet for the call that may come next. */
  #settle(result: Exit.Exit<Response, TransportError>): void {
    this.#settled = true
    queueMicrotask(() => this.#resume(result))
  }

  /** Of an encoded body there is only what came over the wire, which is of little use. */
  #tooLarge(body: Uint8Array): void {
    const isEncoded = this.#headers["content-encoding"] !== undefined
    const kept = body.slice(0, isEncoded ? Math.min(RAW_BYTES, this.#limit) : this.#limit)
    this.#end(tooLarge(this.#limit, this.#answer(kept)))
  }
}

/** undici's headers are lower-case already; only one that was sent several times comes as a list. */
const joined = (headers: Record<string, string | Array<string> | undefined>): Record<string, string> => {
  const result: Record<string, string> = {}
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined) result[name] = typeof value === "string" ? value : value.join(", ")
  }
  return result
}

const mayArriveTwice = ({ headers, method }: Request, isOnce: boolean): boolean =>
  isOnce
    ? !isUnsafe(method)
    : REPEATABLE.has(method) || Object.keys(headers).some((name) => name.toLowerCase() === "idempotency-key")

const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
const MAX_INTERIM = 10
/** What is kept of a body that cannot be decoded. */
const RAW_BYTES = 65_536
const NO_HEADERS: Record<string, string> = {}
// one for all: nobody reads it, and a stack trace for each would be dear
const ABORTED = new Error("the exchange is over")
